"""Conversations as they stand on the wire (see `transcript`): what every server of SMTP does."""

from __future__ import annotations

import pytest

from sealgate.mail.reply import ReplyStyle
from tests.smtp.gateway import Gateway
from tests.smtp.transcript import play

EHLO = """
C: EHLO client.example
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 STARTTLS
"""

TRANSCRIPTS = {
    "a message": EHLO
    + """
C: MAIL FROM:<a@b.example> SIZE=20 BODY=8BITMIME
S: 250 2.1.0 sender <a@b.example> ok
C: RCPT TO:<c@inside.example>
S: 250 2.1.5 recipient <c@inside.example> ok
C: DATA
S: 354 go ahead
C: Subject: x
C:
C: ..
C: .
S: 250 2.0.0 ok:  Message 1 accepted
C: QUIT
S: 221 2.0.0 closing connection
C: NOOP
""",
    "HELO gets one line": """
C: HELO client.example
S: 250 mx.example
C: MAIL FROM:<>
S: 250 2.1.0 sender <> ok
C: RCPT TO:<Postmaster>
S: 250 2.1.5 recipient <Postmaster> ok
""",
    "case does not matter, nor blanks behind": """
C: ehlo client.example\x20
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 STARTTLS
C: mail from: <a@b.example>\x20
S: 250
C: Rcpt To:<c@inside.example>\t
S: 250
C: data\x20
S: 354
""",
    "nothing before EHLO": """
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 EHLO or HELO first
C: RCPT TO:<a@b.example>
S: 503 5.5.1 EHLO or HELO first
C: DATA
S: 503 5.5.1 EHLO or HELO first
C: RSET
S: 250 2.0.0 reset
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 EHLO or HELO first
""",
    "what changes nothing": """
C: NOOP
S: 250 2.0.0 ok
C: NOOP whatever
S: 250 2.0.0 ok
C: HELP MAIL
S: 214
C: VRFY someone
S: 252
""",
    "order": """
C: HELO x
S: 250
C: RCPT TO:<a@b.example>
S: 503 5.5.1 MAIL first
C: DATA
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a@b.example>
S: 250
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 a transaction is under way already; RSET ends it
C: DATA
S: 503 5.5.1 RCPT first
C: RCPT TO:<a@refused.example>
S: 550
C: DATA
S: 503 5.5.1 RCPT first
C: RCPT TO:<a@inside.example>
S: 250
C: DATA
S: 354
C: .
S: 250 2.0.0 ok:  Message 1 accepted
C: DATA
S: 503 5.5.1 MAIL first
""",
    "what ends a transaction": """
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RSET
S: 250 2.0.0 reset
C: RCPT TO:<a@inside.example>
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: HELO x
S: 250
C: DATA
S: 503 5.5.1 MAIL first
""",
    "a refused sender begins none": """
C: HELO x
S: 250
C: MAIL FROM:<a@full.example>
S: 452 4.3.1 queue full
C: RCPT TO:<a@inside.example>
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a@b.example>
S: 250
""",
    "parameters": """
C: HELO x
S: 250
C: MAIL FROM:<a@b.example> size=1000 body=7bit
S: 250
C: RSET
S: 250
C: MAIL FROM:<a@b.example> SIZE=1001
S: 552 5.3.4 message size exceeds limit
C: MAIL FROM:<a@b.example> FOO=1
S: 555 5.5.4 parameter not recognized
C: MAIL FROM:<a@b.example> BODY=BINARYMIME
S: 555 5.5.4 parameter not recognized
C: MAIL FROM:<a@b.example> SIZE=-1
S: 501 5.5.4 syntax error in the parameters of the command
C: MAIL FROM:<a@b.example> SIZE=1 SIZE=1
S: 501 5.5.4 syntax error in the parameters of the command
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example> RET=FULL
S: 555 5.5.4 parameter not recognized
""",
    "paths": """
C: HELO x
S: 250
C: MAIL FROM:<a@b..example>
S: 553 5.1.7 the domain is neither a host name nor an address literal such as [192.0.2.1]
C: MAIL FROM:<"a> b"@b.example> SIZE=1
S: 250 2.1.0 sender <"a> b"@b.example> ok
C: RCPT TO:<@one.example:c@inside.example>
S: 250 2.1.5 recipient <c@inside.example> ok
C: RCPT TO:<c>
S: 553 5.1.3 the address has no domain: write local@domain
C: RCPT TO:<>
S: 553 5.1.3 a recipient cannot be the null path
C: RCPT TO:<\xff@inside.example>
S: 553 5.6.7 the address is not ASCII, and only SMTPUTF8 could carry it
""",
    "syntax": """
C: EHLO
S: 501 5.5.4 syntax error in the parameters of the command
C: EHLO two names
S: 501 5.5.4 syntax error in the parameters of the command
C: QUIT now
S: 501 5.5.4 the command takes no parameters
C: QUIT
S: 221
""",
    "MAIL is spelled with FROM and brackets": """
C: HELO x
S: 250
C: MAIL <a@b.example>
S: 501 5.5.4 syntax error in the parameters of the command
C: MAIL FROM:a@b.example
S: 501 5.5.4 syntax error in the parameters of the command
C: MAIL FROM:<a@b.example>SIZE=1
S: 501 5.5.4 syntax error in the parameters of the command
""",
    "too many bad commands": """
C: FOO
S: 500 5.5.1 command not recognized
C:
S: 500 5.5.1 command not recognized
C: \x20HELO x
S: 500 5.5.1 command not recognized
C: BAR
S: 421 4.7.0 Exceeded bad SMTP command limit, disconnecting.
C: HELO x
""",
    "a message taken clears the count": """
C: HELO x
S: 250
C: FOO
S: 500
C: FOO
S: 500
C: FOO
S: 500
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: DATA
S: 354
C: .
S: 250
C: FOO
S: 500
""",
    "bad command lines": """
C: NOOP \\n
S: 500 5.5.2 command line contains a bare CR, LF or NUL
S: 500 5.5.1 command not recognized
C: NOOP \\0
S: 500 5.5.2 command line contains a bare CR, LF or NUL
C: NOOP \\r
S: 421
""",
    "a bare CR within a line": """
C: NOOP \\r NOOP
S: 500 5.5.2 command line contains a bare CR, LF or NUL
C: NOOP
S: 250
""",
    "a line too long": f"""
C: NOOP {"x" * 193}
S: 250
C: NOOP {"x" * 194}
S: 500 5.5.2 line too long
C: NOOP {"x" * 1000}
S: 500 5.5.2 line too long
C: NOOP
S: 250
""",
    "too many recipients": """
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: RCPT TO:<b@inside.example>
S: 250
C: RCPT TO:<c@inside.example>
S: 250
C: RCPT TO:<d@inside.example>
S: 452 4.5.3 Too many recipients
C: DATA
S: 354
C: .
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<d@inside.example>
S: 250
""",
    "pipelining behind what was refused is no offence": """
C: HELO x
S: 250
C: MAIL FROM:<a@full.example>\\r\\nRCPT TO:<a@b.c>\\r\\nRCPT TO:<b@b.c>\\r\\nRCPT TO:<c@b.c>\\r\\nDATA\\r\\nNOOP
S: 452
S: 503
S: 503
S: 503
S: 503
S: 250
""",
    "a bare line feed in the body": """
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: DATA
S: 354
C: a\\nb
C: .
S: 554 5.6.0 message body contains illegal bare CR/LF characters.
C: MAIL FROM:<a@b.example>
S: 250
""",
    "a message over the limit": f"""
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: DATA
S: 354
C: {"x" * 998}
C: .
S: 250
C: MAIL FROM:<a@b.example>
S: 250
C: RCPT TO:<a@inside.example>
S: 250
C: DATA
S: 354
C: {"x" * 999}
C: .
S: 552 5.3.4 message size exceeds limit
C: NOOP
S: 250
""",
    "STARTTLS forgets everything": EHLO
    + """
C: STARTTLS now
S: 501 5.5.4 the command takes no parameters
C: MAIL FROM:<a@b.example>
S: 250
C: STARTTLS
S: 220 2.0.0 Go ahead with TLS
TLS
C: RCPT TO:<a@inside.example>
S: 503 5.5.1 EHLO or HELO first
C: STARTTLS
S: 503 5.5.1 TLS is in use already
C: EHLO client.example
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 AUTH PLAIN LOGIN
C: MAIL FROM:<a@b.example>
S: 250
""",
    "tls required": """
C: NOOP
S: 250
C: HELO x
S: 530 5.7.0 Must issue a STARTTLS command first
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
C: MAIL FROM:<a@b.example>
S: 530 5.7.0 Must issue a STARTTLS command first
C: RSET
S: 530
C: VRFY a
S: 530
C: HELP
S: 530
C: DATA
S: 530
C: STARTTLS
S: 220
TLS
C: HELO x
S: 250
C: MAIL FROM:<a@b.example>
S: 250
""",
    "tls required, and the client leaves": """
C: MAIL FROM:<a@b.example>
S: 530
C: QUIT
S: 221
""",
    "asyncos style": """
C: EHLO x
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-CHUNKING
S: 250-DSN
S: 250-SMTPUTF8
S: 250 STARTTLS
C: MAIL FROM:<a@b.example>
S: 250 sender <a@b.example> ok
C: DATA
S: 503 #5.5.1 RCPT first
C: RCPT TO:<a@inside.example>
S: 250 recipient <a@inside.example> ok
C: STARTTLS
S: 220 Go ahead with TLS
""",
    "no STARTTLS here": """
C: EHLO x
S: 250-mx.example
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 1000
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-DSN
S: 250 SMTPUTF8
C: STARTTLS
S: 502 5.5.1 command not offered here
""",
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_conversation(name: str) -> None:
    style = ReplyStyle.ASYNCOS if name.startswith("asyncos") else ReplyStyle.RFC2034
    play(
        Gateway(starttls=not name.startswith("no"), require_tls=name.startswith("tls"), style=style), TRANSCRIPTS[name]
    )
