"""Every reply that the gateway gives as a server, in the words that AsyncOS administrators know."""

from __future__ import annotations

from sealgate.mail.address import Address
from sealgate.mail.reply import Reply

GO_AHEAD = Reply(354, "go ahead")
READY_FOR_TLS = Reply(220, "Go ahead with TLS", "2.0.0")
BYE = Reply(221, "closing connection", "2.0.0")
OK = Reply(250, "ok", "2.0.0")
RESET = Reply(250, "reset", "2.0.0")
HELP = Reply(214, "Commands: EHLO HELO STARTTLS MAIL RCPT DATA RSET NOOP VRFY HELP QUIT", "2.0.0")
CANNOT_VERIFY = Reply(252, "Cannot VRFY user, but will accept message and attempt delivery", "2.1.5")

TOO_MANY_TLS_SESSIONS = Reply(421, "Too many TLS sessions at this time", "4.4.5")
TOO_MANY_CONNECTIONS = Reply(421, "Too many connections to this host", "4.4.5")
TOO_MANY_CONNECTIONS_FROM_HOST = Reply(421, "Too many connections from your host", "4.4.5")
CONNECTION_TIME_EXCEEDED = Reply(421, "Exceeded allowable connection time, disconnecting.", "4.4.2")
TIMED_OUT = Reply(421, "Timed out waiting for successful message injection, disconnecting.", "4.4.2")
BAD_COMMAND_LIMIT = Reply(421, "Exceeded bad SMTP command limit, disconnecting.", "4.7.0")
SHUTTING_DOWN = Reply(421, "service is shutting down, try again later", "4.3.2")
SERVER_ERROR = Reply(451, "Server Error", "4.3.0")
QUEUE_FULL = Reply(452, "queue full", "4.3.1")
TOO_MANY_RECIPIENTS = Reply(452, "Too many recipients", "4.5.3")
TLS_NOT_AVAILABLE = Reply(454, "TLS not available due to a temporary reason", "4.7.0")

UNKNOWN_COMMAND = Reply(500, "command not recognized", "5.5.1")
LINE_TOO_LONG = Reply(500, "line too long", "5.5.2")
BARE_LINE_ENDING = Reply(500, "command line contains a bare CR, LF or NUL", "5.5.2")
SYNTAX = Reply(501, "syntax error in the parameters of the command", "5.5.4")
NO_PARAMETERS = Reply(501, "the command takes no parameters", "5.5.4")
HELLO_FIRST = Reply(503, "EHLO or HELO first", "5.5.1")
MAIL_FIRST = Reply(503, "MAIL first", "5.5.1")
RCPT_FIRST = Reply(503, "RCPT first", "5.5.1")
NESTED_MAIL = Reply(503, "a transaction is under way already; RSET ends it", "5.5.1")
TLS_ALREADY = Reply(503, "TLS is in use already", "5.5.1")
NOT_OFFERED = Reply(502, "command not offered here", "5.5.1")
TLS_REQUIRED = Reply(530, "Must issue a STARTTLS command first", "5.7.0")
NULL_RECIPIENT = Reply(553, "a recipient cannot be the null path", "5.1.3")
UNKNOWN_PARAMETER = Reply(555, "parameter not recognized", "5.5.4")
RELAYING_DENIED = Reply(550, "relaying denied: this gateway takes no mail for that domain", "5.7.1")
RECIPIENT_REJECTED = Reply(550, "recipient rejected", "5.1.1")
MESSAGE_TOO_LARGE = Reply(552, "message size exceeds limit", "5.3.4")
TOO_MANY_HOPS = Reply(554, "Too many hops", "5.4.6")
BARE_IN_BODY = Reply(554, "message body contains illegal bare CR/LF characters.", "5.6.0")


def bad_address(sentence: str, *, recipient: bool) -> Reply:
    """An address that cannot be read: 553, for the command itself was understood (RFC 5321 §4.2.3)."""
    return Reply(553, sentence, "5.1.3" if recipient else "5.1.7")


def sender_ok(sender: Address | None) -> Reply:
    """MAIL is taken."""
    return Reply(250, f"sender <{sender or ''}> ok", "2.1.0")


def recipient_ok(recipient: Address) -> Reply:
    """RCPT is taken."""
    return Reply(250, f"recipient <{recipient}> ok", "2.1.5")


def message_accepted(mid: int) -> Reply:
    """The message is durable."""
    return Reply(250, f"ok:  Message {mid} accepted", "2.0.0")
