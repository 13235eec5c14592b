"""The OTP service in memory. Knows no HTTP client, no pytest and no API by name."""
