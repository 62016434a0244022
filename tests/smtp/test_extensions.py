"""Conversations as they stand on the wire (see `transcript`): the extensions that a client may use or misuse."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.smtp.gateway import Gateway
from tests.smtp.transcript import play

BEGIN = """
C: HELO x
S: 250
"""
MAIL = f"""{BEGIN}
C: MAIL FROM:<a@b.example>
S: 250
"""
RCPT = f"""{MAIL}
C: RCPT TO:<c@inside.example>
S: 250
"""


def base64(text: str) -> str:
    """As it stands in an AUTH."""
    return b64encode(text.encode()).decode()


RIGHT = base64("\0jürgen\0secret")
WRONG = base64("\0jürgen\0guess")
OCTETS = "j\\xc3\\xbcrgen"  # jürgen in UTF-8, as the transcripts write octets

TRANSCRIPTS = {
    # -- delivery status notifications (RFC 3461)
    "what a notice should be": BEGIN
    + """
C: MAIL FROM:<a@b.example> RET=hdrs ENVID=QQ314159+2B
S: 250
C: RCPT TO:<c@inside.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;c@outside.example
S: 250
C: RCPT TO:<d@inside.example> notify=never
S: 250
""",
    "what no notice can be": f"""{BEGIN}
C: MAIL FROM:<a@b.example> RET=SOME
S: 501 5.5.4 syntax error in the parameters of the command
C: MAIL FROM:<a@b.example> ENVID=a+0D+0ABcc:+20me
S: 501
C: RSET
S: 250
C: MAIL FROM:<a@b.example> ENVID={"x" * 100}
S: 250
C: RCPT TO:<c@inside.example> NOTIFY=NEVER,SUCCESS
S: 501
C: RCPT TO:<c@inside.example> FOO
S: 555 5.5.4 parameter not recognized
""",
    # -- chunks (RFC 3030)
    "a message in chunks": f"""{RCPT}
C: BDAT 12\\r\\nSubject: x
S: 250 2.0.0 ok:  12 octets received
C: NOOP
S: 250
C: BDAT 1\\r\\n\\rBDAT 8 last\\r\\n\\n..\\r\\n.
S: 250 2.0.0 ok:  1 octets received
S: 250 2.0.0 ok:  Message 1 accepted
C: BDAT 0 LAST
S: 503 5.5.1 MAIL first
""",
    "a message of nothing": f"""{RCPT}
C: BDAT 0
S: 250
C: BDAT 0 LAST
S: 250 2.0.0 ok:  Message 1 accepted
""",
    "between chunks": f"""{RCPT}
C: BDAT 6\\r\\nbody
S: 250
C: DATA
S: 503 5.5.1 BDAT has begun the message; BDAT LAST or RSET ends it
C: RCPT TO:<d@inside.example>
S: 503 5.5.1 BDAT has begun the message; BDAT LAST or RSET ends it
C: MAIL FROM:<a@b.example>
S: 503
C: STARTTLS
S: 503
C: NOOP
S: 250
C: BDAT 0 LAST
S: 250 2.0.0 ok:  Message 1 accepted
""",
    "a chunk is forgotten with its transaction": f"""{RCPT}
C: BDAT 6\\r\\nbody
S: 250
C: RSET
S: 250
C: BDAT 6 LAST\\r\\nbody
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<c@inside.example>
S: 250
C: BDAT 6\\r\\nbody
S: 250
C: EHLO x
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 STARTTLS
C: BDAT 6 LAST\\r\\nbody
S: 503 5.5.1 MAIL first
""",
    "a refused chunk ends the transaction": f"""{MAIL}
C: RCPT TO:<a@refused.example>
S: 550
C: BDAT 6\\r\\nQUIT
S: 503 5.5.1 RCPT first
C: RCPT TO:<a@inside.example>
S: 503 5.5.1 MAIL first
C: BDAT 6 LAST\\r\\nQUIT
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a@b.example>
S: 250
""",
    "a chunk before EHLO": """
C: BDAT 6 LAST\\r\\nQUIT
S: 503 5.5.1 EHLO or HELO first
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 EHLO or HELO first
""",
    "a full disk": f"""{RCPT}
C: BDAT 6\\r\\nFULL\\r\\nBDAT 6\\r\\nQUIT\\r\\nBDAT 6 LAST\\r\\nQUIT
S: 452 4.3.1 queue full
S: 503 5.5.1 MAIL first
S: 503 5.5.1 MAIL first
C: DATA
S: 503 5.5.1 MAIL first
""",
    "a bare line feed in a chunk": f"""{RCPT}
C: BDAT 4\\r\\na\\nb\\nBDAT 6 LAST\\r\\nbody
S: 554 5.6.0 message body contains illegal bare CR/LF characters.
S: 503 5.5.1 MAIL first
""",
    "a CR that ends the message": f"""{RCPT}
C: BDAT 2 LAST\\r\\na\\rNOOP
S: 554 5.6.0 message body contains illegal bare CR/LF characters.
S: 250 2.0.0 ok
""",
    "chunks over the limit": f"""{RCPT}
C: BDAT 600\\r\\n{"x" * 598}
S: 250
C: BDAT 401\\r\\n{"x" * 399}
S: 552 5.3.4 message size exceeds limit
C: BDAT 1 LAST\\r\\nx
S: 503
S: 500
""",
    "a BDAT that nobody can count": f"""{RCPT}
C: BDAT x\\r\\nMAIL FROM:<evil@b.example>
S: 501 5.5.4 BDAT takes a number of octets, and LAST behind the last ones
C: NOOP
""",
    # -- logins (RFC 4954)
    "auth PLAIN at once": f"""{BEGIN}
C: AUTH PLAIN {RIGHT}
S: 235 2.7.0 Authentication successful
C: AUTH PLAIN {RIGHT}
S: 503 5.5.1 this session is logged in already
C: MAIL FROM:<a@b.example>
S: 250
""",
    "auth PLAIN when asked": f"""{BEGIN}
C: auth plain
S: 334
C: {RIGHT}
S: 235
""",
    "auth LOGIN": f"""{BEGIN}
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: {base64("jürgen")}
S: 334 UGFzc3dvcmQ6
C: {base64("secret")}
S: 235
""",
    "auth LOGIN in one write": f"""{BEGIN}
C: AUTH LOGIN {base64("jürgen")}\\r\\n{base64("secret")}\\r\\nMAIL FROM:<a@b.example>
S: 334
S: 235
S: 250
""",
    "auth is cancelled": f"""{BEGIN}
C: AUTH LOGIN
S: 334
C: *
S: 501 5.7.0 authentication cancelled
C: AUTH PLAIN
S: 334
C: *
S: 501
C: NOOP
S: 250
""",
    "auth that is none": f"""{BEGIN}
C: AUTH
S: 501 5.5.4 syntax error in the parameters of the command
C: AUTH CRAM-MD5
S: 504 5.5.4 AUTH mechanism is not available
C: AUTH PLAIN !
S: 501 5.5.2 the response is not base64 of UTF-8 text
C: AUTH PLAIN =
S: 501 5.5.2 the response is not what the mechanism asks for
C: AUTH PLAIN a b
S: 421
""",
    "auth for another": f"""{BEGIN}
C: AUTH PLAIN {base64(chr(0).join(["admin", "jürgen", "secret"]))}
S: 535 5.7.8 a login acts for itself only
C: AUTH PLAIN {base64(chr(0).join(["jürgen", "jürgen", "secret"]))}
S: 235
""",
    "auth fails too often": f"""{BEGIN}
C: AUTH PLAIN {WRONG}
S: 535 5.7.8 Authentication failed
C: AUTH PLAIN {base64(chr(0) + "later" + chr(0) + "secret")}
S: 454 4.7.0 Temporary authentication failure
C: AUTH PLAIN {WRONG}
S: 535
C: AUTH PLAIN {WRONG}
S: 535
C: NOOP
S: 250
C: AUTH LOGIN
S: 421 4.7.0 Too many failed logins, disconnecting.
C: NOOP
""",
    "auth within a transaction": f"""{MAIL}
C: AUTH PLAIN {RIGHT}
S: 503 5.5.1 a transaction is under way already; RSET ends it
C: RCPT TO:<c@inside.example>
S: 250
C: BDAT 3\\r\\nx
S: 250
C: AUTH PLAIN {RIGHT}
S: 503
""",
    "auth before EHLO": f"""
C: AUTH PLAIN {RIGHT}
S: 503 5.5.1 EHLO or HELO first
""",
    "auth line too long": f"""{BEGIN}
C: AUTH PLAIN
S: 334
C: {"A" * 300}
S: 500 5.5.6 Authentication exchange line is too long
C: NOOP
S: 250
""",
    "auth named by another": f"""{BEGIN}
C: MAIL FROM:<a@b.example> AUTH=<>
S: 250
C: RSET
S: 250
C: MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com
S: 250
C: RSET
S: 250
C: MAIL FROM:<a@b.example> AUTH=a+
S: 501
""",
    "auth outside TLS": f"""{BEGIN}
C: AUTH PLAIN {RIGHT}
S: 538 5.7.11 Encryption required
C: AUTH LOGIN
S: 538
C: MAIL FROM:<a@b.example> AUTH=<>
S: 555
""",
    "required auth": f"""{BEGIN}
C: MAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@inside.example>\\r\\nDATA
S: 530 5.7.0 Authentication required
S: 530
S: 530
C: BDAT 6 LAST\\r\\nbody
S: 530
C: NOOP
S: 250
C: AUTH PLAIN {RIGHT}
S: 235
C: RSET
S: 250
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
""",
    "no auth here": f"""{BEGIN}
C: AUTH PLAIN {RIGHT}
S: 502 5.5.1 command not offered here
""",
    # -- addresses in UTF-8 (RFC 6531)
    "addresses in UTF-8": f"""{BEGIN}
C: MAIL FROM:<{OCTETS}@m\\xc3\\xbcnchen.example> SMTPUTF8
S: 250 2.1.0 sender <jürgen@münchen.example> ok
C: RCPT TO:<{OCTETS}@inside.example> ORCPT=utf-8;{OCTETS}@b.example
S: 250 2.1.5 recipient <jürgen@inside.example> ok
C: RCPT TO:<c@inside.example>
S: 250
C: RCPT TO:<\\xff@inside.example>
S: 553 5.1.3 the address is neither ASCII nor UTF-8
""",
    "addresses in UTF-8 that nobody announced": f"""{BEGIN}
C: MAIL FROM:<{OCTETS}@b.example>
S: 553 5.6.7 the address is not ASCII, and only SMTPUTF8 could carry it
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<{OCTETS}@inside.example>
S: 553 5.6.7 the address is not ASCII, and only SMTPUTF8 could carry it
C: RCPT TO:<c@inside.example> ORCPT=utf-8;{OCTETS}@b.example
S: 501
C: RCPT TO:<c@inside.example> ORCPT=utf-8;j\\\\x{{FC}}rgen@b.example
S: 250
C: RSET
S: 250
C: MAIL FROM:<a@b.example> SMTPUTF8=yes
S: 501
C: VRFY {OCTETS} SMTPUTF8
S: 252
""",
    # -- extensions that are hidden
    "hidden": f"""
C: EHLO x
S: 250-mx.example
S: 250-ENHANCEDSTATUSCODES
S: 250 STARTTLS
C: MAIL FROM:<a@b.example> SIZE=1
S: 555 5.5.4 parameter not recognized
C: MAIL FROM:<a@b.example> BODY=8BITMIME
S: 555
C: MAIL FROM:<a@b.example> RET=FULL
S: 555
C: MAIL FROM:<{OCTETS}@b.example> SMTPUTF8
S: 555
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<c@inside.example> NOTIFY=NEVER
S: 555
C: RCPT TO:<c@inside.example>
S: 250
C: BDAT 6 LAST\\r\\nNOOP
S: 500 5.5.1 command not recognized
S: 250 2.0.0 ok
C: HELP
S: 214 2.0.0 Commands: EHLO HELO STARTTLS MAIL RCPT DATA RSET NOOP VRFY HELP QUIT
""",
    "help": """
C: HELP
S: 214 2.0.0 Commands: EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
""",
    "auth and help": """
C: HELP
S: 214 2.0.0 Commands: EHLO HELO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
C: EHLO x
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 AUTH PLAIN LOGIN
""",
}
EVERYTHING = ("8BITMIME", "CHUNKING", "DSN", "PIPELINING", "SIZE", "SMTPUTF8")


def gateway(name: str) -> Gateway:
    """The gateway that a transcript's name asks for."""
    return Gateway(
        encrypted=name.startswith(("auth", "required")) and name != "auth outside TLS",
        require_auth=name.startswith("required"),
        auth=name != "no auth here",
        hidden=EVERYTHING if name == "hidden" else (),
    )


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_conversation(name: str) -> None:
    play(gateway(name), TRANSCRIPTS[name])
