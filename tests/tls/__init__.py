"""The pure TLS core, on its own and against the real OpenSSL that it speaks of."""
