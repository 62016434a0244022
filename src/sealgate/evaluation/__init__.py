"""The small next hop of the evaluation gateway: a real SMTP server with TLS that keeps a Maildir."""
