"""Every reply that the gateway gives as a server, in the words that AsyncOS administrators know."""

from __future__ import annotations

from collections.abc import Iterable

from sealgate.mail.address import Address, AddressError, AddressNotAscii
from sealgate.mail.reply import Reply

GO_AHEAD = Reply(354, "go ahead")
READY_FOR_TLS = Reply(220, "Go ahead with TLS", "2.0.0")
BYE = Reply(221, "closing connection", "2.0.0")
OK = Reply(250, "ok", "2.0.0")
RESET = Reply(250, "reset", "2.0.0")
LOGGED_IN = Reply(235, "Authentication successful", "2.7.0")
CANNOT_VERIFY = Reply(252, "Cannot VRFY user, but will accept message and attempt delivery", "2.1.5")

TOO_MANY_TLS_SESSIONS = Reply(421, "Too many TLS sessions at this time", "4.4.5")
TOO_MANY_CONNECTIONS = Reply(421, "Too many connections to this host", "4.4.5")
TOO_MANY_CONNECTIONS_FROM_HOST = Reply(421, "Too many connections from your host", "4.4.5")
CONNECTION_TIME_EXCEEDED = Reply(421, "Exceeded allowable connection time, disconnecting.", "4.4.2")
TIMED_OUT = Reply(421, "Timed out waiting for successful message injection, disconnecting.", "4.4.2")
BAD_COMMAND_LIMIT = Reply(421, "Exceeded bad SMTP command limit, disconnecting.", "4.7.0")
FAILED_LOGIN_LIMIT = Reply(421, "Too many failed logins, disconnecting.", "4.7.0")
SHUTTING_DOWN = Reply(421, "service is shutting down, try again later", "4.3.2")
SUSPENDED = Reply(421, "Service not available, closing transmission channel", "4.3.2")
SERVER_ERROR = Reply(451, "Server Error", "4.3.0")
QUEUE_FULL = Reply(452, "queue full", "4.3.1")
TOO_MANY_RECIPIENTS = Reply(452, "Too many recipients", "4.5.3")
TLS_NOT_AVAILABLE = Reply(454, "TLS not available due to a temporary reason", "4.7.0")

UNKNOWN_COMMAND = Reply(500, "command not recognized", "5.5.1")
LINE_TOO_LONG = Reply(500, "line too long", "5.5.2")
AUTH_LINE_TOO_LONG = Reply(500, "Authentication exchange line is too long", "5.5.6")
BARE_LINE_ENDING = Reply(500, "command line contains a bare CR, LF or NUL", "5.5.2")
SYNTAX = Reply(501, "syntax error in the parameters of the command", "5.5.4")
NO_PARAMETERS = Reply(501, "the command takes no parameters", "5.5.4")
BDAT_SYNTAX = Reply(501, "BDAT takes a number of octets, and LAST behind the last ones", "5.5.4")
AUTH_CANCELLED = Reply(501, "authentication cancelled", "5.7.0")
AUTH_UNREADABLE = Reply(501, "the response is not base64 of UTF-8 text", "5.5.2")
AUTH_MALFORMED = Reply(501, "the response is not what the mechanism asks for", "5.5.2")
HELLO_FIRST = Reply(503, "EHLO or HELO first", "5.5.1")
MAIL_FIRST = Reply(503, "MAIL first", "5.5.1")
RCPT_FIRST = Reply(503, "RCPT first", "5.5.1")
NESTED_MAIL = Reply(503, "a transaction is under way already; RSET ends it", "5.5.1")
WITHIN_CHUNKS = Reply(503, "BDAT has begun the message; BDAT LAST or RSET ends it", "5.5.1")
TLS_ALREADY = Reply(503, "TLS is in use already", "5.5.1")
LOGGED_IN_ALREADY = Reply(503, "this session is logged in already", "5.5.1")
NOT_OFFERED = Reply(502, "command not offered here", "5.5.1")
TOO_MANY_MESSAGES = Reply(421, "Too many messages in this session, disconnecting.", "4.7.0")
TOO_MANY_BAD_RECIPIENTS = Reply(421, "Too many bad recipients, disconnecting.", "4.7.0")
TOO_MANY_MESSAGES_THIS_HOUR = Reply(452, "Too many messages received this hour", "4.7.0")
TOO_MANY_RECIPIENTS_THIS_HOUR = Reply(452, "Too many recipients received this hour", "4.7.0")
HOST_NAME_UNSURE = Reply(450, "your host name cannot be looked up now, try again later", "4.7.25")
LOGIN_PUT_OFF = Reply(454, "Temporary authentication failure", "4.7.0")
LOGIN_FAILED = Reply(535, "Authentication failed", "5.7.8")
SENDER_NEEDS_TLS = Reply(530, "This sender must issue a STARTTLS command first", "5.7.0")
SENDER_NOT_OWN = Reply(553, "the sender is none of those that this login may use", "5.7.1")
REJECTED = Reply(554, "mail from your host is not accepted here", "5.7.1")
TLS_REQUIRED = Reply(530, "Must issue a STARTTLS command first", "5.7.0")
UNKNOWN_MECHANISM = Reply(504, "AUTH mechanism is not available", "5.5.4")
AUTH_REQUIRED = Reply(530, "Authentication required", "5.7.0")
AUTH_FOR_ANOTHER = Reply(535, "a login acts for itself only", "5.7.8")
ENCRYPTION_REQUIRED = Reply(538, "Encryption required", "5.7.11")
NULL_RECIPIENT = Reply(553, "a recipient cannot be the null path", "5.1.3")
UNKNOWN_PARAMETER = Reply(555, "parameter not recognized", "5.5.4")
RELAYING_DENIED = Reply(550, "relaying denied: this gateway takes no mail for that domain", "5.7.1")
ROUTE_DENIED = Reply(550, "relaying denied: the part before @ names a route (%, ! or @)", "5.7.1")
RECIPIENT_REJECTED = Reply(550, "recipient rejected", "5.1.1")
MESSAGE_TOO_LARGE = Reply(552, "message size exceeds limit", "5.3.4")
TOO_MANY_HOPS = Reply(554, "Too many hops", "5.4.6")
BARE_IN_BODY = Reply(554, "message body contains illegal bare CR/LF characters.", "5.6.0")


def bad_address(error: AddressError, *, recipient: bool) -> Reply:
    """An address that cannot be read: 553, for the command itself was understood (RFC 5321 §4.2.3, RFC 6531 §3.5)."""
    malformed = "5.1.3" if recipient else "5.1.7"
    return Reply(553, str(error), "5.6.7" if isinstance(error, AddressNotAscii) else malformed)


def commands(verbs: Iterable[str]) -> Reply:
    """The answer to HELP."""
    return Reply(214, f"Commands: {' '.join(verbs)}", "2.0.0")


def chunk_ok(size: int) -> Reply:
    """The octets of a BDAT are all there."""
    return Reply(250, f"ok:  {size} octets received", "2.0.0")


def sender_ok(sender: Address | None) -> Reply:
    """MAIL is taken."""
    return Reply(250, f"sender <{sender or ''}> ok", "2.1.0")


def recipient_ok(recipient: Address) -> Reply:
    """RCPT is taken."""
    return Reply(250, f"recipient <{recipient}> ok", "2.1.5")


def message_accepted(mid: int) -> Reply:
    """The message is durable."""
    return Reply(250, f"ok:  Message {mid} accepted", "2.0.0")
