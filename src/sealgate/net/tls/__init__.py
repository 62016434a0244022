"""The one TLS layer of the gateway: an asyncio transport over OpenSSL memory BIOs, for both directions.

`library` measures the linked OpenSSL, `credential` reads certificates and keys, `context` turns a pure plan
into OpenSSL contexts, `engine` is one TLS connection without a socket, `transport` puts it on a socket.
"""
