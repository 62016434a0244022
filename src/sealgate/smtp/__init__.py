"""SMTP as two machines that never touch a socket: bytes in, events out; replies in, bytes out."""
