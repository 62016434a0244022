"""`sealgate sink`: takes every message offered and keeps it, with the TLS versions one chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sealgate.evaluation.maildir import Maildir, MaildirFile
from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.net.tls.context import ServerContexts
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.smtp import replies
from sealgate.smtp import server as smtp
from sealgate.smtp.data import BareLineEndings

HANDSHAKE_TIMEOUT = 30.0
HELLO_LIMIT = 65536
SIZE_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class SinkTools:
    """What all sessions of a sink share. Without `contexts` it offers no STARTTLS."""

    hostname: str
    contexts: ServerContexts | None
    maildir: Maildir
    say: Callable[[str], None]
    clock: Callable[[], float]


class SinkSession(asyncio.Protocol):
    """One connection to the sink."""

    def __init__(self, tools: SinkTools) -> None:
        self._tools = tools
        self._transport: asyncio.Transport | TlsTransport | None = None
        self._file: MaildirFile | None = None
        self._tls = "no TLS"
        self._to: list[str] = []
        self._machine = smtp.ServerMachine(
            tools.hostname,
            offer=smtp.Offer(tools.contexts is not None, SIZE_LIMIT, ReplyStyle.RFC2034),
            limits=smtp.Limits(size=SIZE_LIMIT, bare_line_endings=BareLineEndings.ALLOW),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._machine.greeting())

    def data_received(self, data: bytes) -> None:
        """Answer what has been understood."""
        self._machine.receive(data)
        while self._transport is not None and (event := self._machine.next_event()) is not None:
            self._handle(event)

    def _answer(self, reply: Reply) -> None:
        if self._transport is not None:
            self._transport.write(self._machine.answer(reply))

    def _handle(self, event: smtp.Event) -> None:
        match event:
            case smtp.Chunk(data):
                assert self._file is not None
                self._file.write(data)
            case smtp.Hello():
                self._drop()
                self._answer(self._machine.hello_reply(event))
            case smtp.Mail(sender):
                self._answer(replies.sender_ok(sender))
            case smtp.Rcpt(recipient):
                self._to.append(str(recipient))
                self._answer(replies.recipient_ok(recipient))
            case smtp.Data():
                self._file = self._tools.maildir.begin(self._tools.clock())
                self._answer(replies.GO_AHEAD)
            case smtp.Bdat():
                self._file = self._file or self._tools.maildir.begin(self._tools.clock())
            case smtp.ChunkEnd(reply):
                self._answer(reply)
                if not self._machine.in_transaction:
                    self._drop()
            case smtp.MessageEnd(size, fault):
                self._end_of_message(size, fault)
            case smtp.StartTls():
                self._starttls()
            case smtp.Reset(reply):
                self._drop()
                self._answer(reply)
            case smtp.Refusal(reply) | smtp.Simple(reply):
                self._answer(reply)
            case smtp.Quit(reply):
                self._answer(reply)
                self._close()
            case smtp.Hangup():
                self._close()

    def _end_of_message(self, size: int, fault: Reply | None) -> None:
        assert self._file is not None
        if fault is None:
            self._file.keep()
            self._file = None
            self._tools.say(f"sink: kept a message of {size} bytes for {', '.join(self._to)} ({self._tls})")
        self._drop()
        self._answer(fault or Reply(250, "kept", "2.0.0"))

    def _drop(self) -> None:
        if self._file is not None:
            self._file.discard()
            self._file = None
        self._to = []

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _starttls(self) -> None:
        plain = cast(asyncio.Transport, self._transport)
        contexts = self._tools.contexts
        assert contexts is not None
        self._answer(replies.READY_FOR_TLS)
        layer = TlsTransport(plain, self, asyncio.get_running_loop())
        self._transport = layer
        layer.accept(lambda: contexts, timeout=HANDSHAKE_TIMEOUT, hello_limit=HELLO_LIMIT)

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        """SMTP begins anew."""
        outcome = handshake.outcome
        assert outcome is not None
        self._tls = f"{outcome.version.label} {outcome.cipher} {outcome.group or ''}".strip()
        self._drop()
        self._machine.tls_started()

    def handshake_failed(self, handshake: Handshake) -> None:
        """Said on the terminal; the alert is on its way."""
        reason = handshake.failure.text if handshake.failure is not None else "unknown"
        self._tools.say(f"sink: TLS failed: {reason or 'the connection was closed'}")

    def eof_received(self) -> bool | None:
        """The peer has closed."""
        return None

    def pause_writing(self) -> None:
        """Replies are small."""

    def resume_writing(self) -> None:
        """Replies are small."""

    def connection_lost(self, exc: Exception | None) -> None:
        """A message that is not whole is none."""
        self._transport = None
        self._drop()


async def serve(tools: SinkTools, address: str, port: int) -> asyncio.Server:
    """Start listening; `OSError` if the port is taken."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SinkSession(tools), address, port, backlog=1024)
