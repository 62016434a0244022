"""The real programs the tests talk to: Postfix, Exim, OpenSMTPD, NSD, OpenSSL, GnuTLS, swaks, msmtp and the
TLS scanners.

Everything here starts other people's software on loopback ports and reads what it says.  Nothing here
imports the gateway, so that a mistake of ours cannot hide in the ruler.  All calls block: an `async` test
runs them in a thread (`await asyncio.to_thread(...)`).
"""
