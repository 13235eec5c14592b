"""How the requests of this process's botocore clients reach the service, and never leave."""
