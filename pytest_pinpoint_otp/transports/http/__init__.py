"""The fake over HTTP, for other processes and other SDKs: a loopback server."""
