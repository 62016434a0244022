"""Sockets and what travels on them: the TLS layer and DNS. Nothing here knows what mail is."""
