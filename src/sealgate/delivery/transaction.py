"""One message over an open conversation: envelope, body, and the fate of each recipient."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from sealgate.config.schema import DeliverySettings
from sealgate.delivery import trouble as troubles
from sealgate.delivery.body import Body, header_of
from sealgate.delivery.hop import Hop, HopLost
from sealgate.delivery.passage import Parcel, Passage, needs_header, passage
from sealgate.delivery.trouble import Trouble
from sealgate.mail.reply import Reply
from sealgate.smtp.client import Capabilities
from sealgate.smtp.data import Stuffer


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient: delivered with the server's answer, or the trouble.

    `notifies`: that server has taken over to send the notices that were asked for (RFC 3461).
    """

    rid: int
    reply: Reply | None
    trouble: Trouble | None
    notifies: bool = False


async def deliver(
    hop: Hop, offered: Capabilities, parcel: Parcel, body: Body, settings: DeliverySettings
) -> list[Fate]:
    """Send a message; a fate for every recipient, but for those that were too many for one transaction.

    `HopLost` if the connection breaks: then nothing is known. `OSError` if the body cannot be read.
    """
    ascii_header = not needs_header(parcel, offered) or (await header_of(body)).isascii()
    way = passage(parcel, offered, ascii_header)
    if isinstance(way, Trouble):
        return [Fate(rid, None, way) for rid, _ in parcel.recipients]
    fates = [Fate(rid, None, trouble) for rid, trouble in way.refused]
    if not way.paths:
        return fates
    return fates + await _Transaction(hop, offered, way, settings).run(body)


class _Transaction:
    """The commands from MAIL to the answer to the message, or to RSET."""

    def __init__(self, hop: Hop, offered: Capabilities, way: Passage, settings: DeliverySettings) -> None:
        self._hop = hop
        self._offered = offered
        self._way = way
        self._settings = settings

    async def run(self, body: Body) -> list[Fate]:
        replies = await self._envelope()
        sender, answers = replies[0], replies[1 : len(self._way.paths) + 1]
        go_ahead = replies[-1] if len(replies) == len(self._way.paths) + 2 else None
        if not sender.is_positive:
            await self._withdraw(go_ahead)
            return self._all(troubles.from_reply(sender, "The server refused the sender"))
        accepted, fates = self._sorted(answers)
        if not accepted:
            await self._withdraw(go_ahead)
            return fates
        if go_ahead is not None and go_ahead.code != 354:
            await self._withdraw(None)
            return fates + _each(accepted, troubles.from_reply(go_ahead, "The server refused the data"))
        self._hop.has_body = True
        reply = await (self._chunks(body()) if self._way.by_bdat else self._data(body()))
        self._hop.has_body = False
        if reply.is_positive:
            return fates + [Fate(rid, reply, None, self._offered.dsn) for rid in accepted]
        return fates + _each(accepted, troubles.from_reply(reply, "The server refused the message"))

    async def _envelope(self) -> list[Reply]:
        """MAIL, RCPT, DATA, in one write where the server allows it (RFC 2920); the replies that came."""
        machine, way = self._hop.machine, self._way
        commands = [machine.mail(way.sender, way.parameters)]
        commands += [machine.rcpt(path.address, path.parameters) for path in way.paths]
        if not way.by_bdat:
            commands.append(machine.data())
        if self._offered.pipelining:
            self._hop.send(b"".join(commands))
            return await self._pipelined(len(commands))
        replies: list[Reply] = []
        for number, command in enumerate(commands):
            refused = replies and not replies[0].is_positive
            if refused or (number > len(way.paths) and not any(reply.is_positive for reply in replies[1:])):
                break
            self._hop.send(command)
            replies.append(await self._reply())
        return replies

    async def _pipelined(self, number: int) -> list[Reply]:
        """So many replies; of a server that refuses the sender and closes, that refusal is enough."""
        replies: list[Reply] = []
        try:
            while len(replies) < number:
                replies.append(await self._reply())
        except HopLost:
            if not replies or replies[0].is_positive:
                raise
        return replies

    def _sorted(self, answers: list[Reply]) -> tuple[list[int], list[Fate]]:
        """RIDs of the accepted, and the fates of the refused."""
        answered = [(path.rid, reply) for path, reply in zip(self._way.paths, answers, strict=True)]
        accepted = [rid for rid, reply in answered if reply.is_positive]
        fates = []
        for rid, reply in answered:
            if not reply.is_positive and not (accepted and _is_one_too_many(reply)):
                fates.append(Fate(rid, None, _recipient_refused(reply)))
        return accepted, fates

    async def _data(self, body: AsyncIterator[bytes]) -> Reply:
        """The body with dots stuffed; the last piece and the final dot leave together, usually in one packet."""
        stuffer = Stuffer()
        held = b""
        async for piece in body:
            if held:
                self._hop.send(held)
                await self._hop.drain(self._settings.data_timeout)
            held = stuffer.feed(piece)
        self._hop.send(held + stuffer.end())
        await self._hop.drain(self._settings.data_timeout)
        return await self._hop.reply(self._settings.data_timeout)

    async def _chunks(self, body: AsyncIterator[bytes]) -> Reply:
        """The body as it is, by BDAT; a refusal of one chunk is one of the message, and wants RSET (RFC 3030 §2)."""
        held = b""
        async for piece in body:
            if held and not (reply := await self._chunk(held, last=False)).is_positive:
                break
            held = piece
        else:
            reply = await self._chunk(held, last=True)
        if not reply.is_positive:
            await self._withdraw(None)
        return reply

    async def _chunk(self, data: bytes, *, last: bool) -> Reply:
        self._hop.send(self._hop.machine.bdat(len(data), last=last) + data)
        await self._hop.drain(self._settings.data_timeout)
        return await self._hop.reply(self._settings.data_timeout)

    async def _withdraw(self, go_ahead: Reply | None) -> None:
        """Leave all ready for the next message; an unwanted 354 is answered with an empty one (RFC 2920).

        A server that closes instead has said before what becomes of this one.
        """
        with suppress(HopLost):
            if go_ahead is not None and go_ahead.code == 354:
                self._hop.send(b".\r\n")
                await self._hop.reply(self._settings.data_timeout)
            self._hop.send(self._hop.machine.rset())
            await self._reply()

    async def _reply(self) -> Reply:
        return await self._hop.reply(self._settings.command_timeout)

    def _all(self, trouble: Trouble) -> list[Fate]:
        return _each([path.rid for path in self._way.paths], trouble)


def _each(rids: list[int], trouble: Trouble) -> list[Fate]:
    return [Fate(rid, None, trouble) for rid in rids]


def _is_one_too_many(reply: Reply) -> bool:
    """Whether a recipient is refused only for this transaction; 552 is what RFC 821 had for it (RFC 5321 §4.5.3.1.10).

    Both codes also mean a full mailbox or disk; then there is another enhanced code, or the next try tells.
    """
    return reply.code in (452, 552) and reply.enhanced in ("", "4.5.3", "5.5.3")


def _recipient_refused(reply: Reply) -> Trouble:
    if _is_one_too_many(reply):  # and yet the first one: it is full in some other way, and that passes
        status = "4.5.3" if reply.enhanced else "4.0.0"
        return Trouble(False, status, str(reply.code), reply.lines, "The server refused the recipient")
    return troubles.from_reply(reply, "The server refused the recipient")
