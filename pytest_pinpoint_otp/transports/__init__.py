"""How requests reach the service: one folder for each way."""
