"""Which TLS a service may speak, and whether what happened was enough. Pure: no socket, no OpenSSL, no clock."""
