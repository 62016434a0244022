"""One message over an open conversation: envelope, body, and the fate of each recipient."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sealgate.config.schema import DeliverySettings
from sealgate.delivery import trouble as troubles
from sealgate.delivery.hop import Hop
from sealgate.delivery.trouble import Trouble
from sealgate.mail.reply import Reply
from sealgate.smtp.client import Capabilities
from sealgate.smtp.data import Stuffer


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient: delivered with the server's answer, or the trouble."""

    rid: int
    reply: Reply | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message for some of its recipients, as one transaction carries it."""

    sender: str | None
    recipients: Sequence[tuple[int, str]]
    size: int
    body_8bit: bool


async def deliver(
    hop: Hop,
    offered: Capabilities,
    parcel: Parcel,
    body: AsyncIterator[bytes],
    settings: DeliverySettings,
) -> list[Fate]:
    """Send a message; a fate for every recipient. `HopLost` if the connection breaks: then nothing is known."""
    if offered.size and parcel.size > offered.size:
        return _all(parcel, _too_large(parcel.size, offered.size))
    refused, accepted, go_ahead = await _envelope(hop, offered, parcel, settings)
    if go_ahead is None or not accepted:
        return refused
    if go_ahead.code != 354:
        trouble = troubles.from_reply(go_ahead, "The server refused the data")
        await _withdraw(hop, None, settings)
        return refused + [Fate(rid, None, trouble) for rid in accepted]
    await _send_body(hop, body, settings)
    reply = await hop.reply(settings.data_timeout)
    if reply.is_positive:
        return refused + [Fate(rid, reply, None) for rid in accepted]
    trouble = troubles.from_reply(reply, "The server refused the message")
    return refused + [Fate(rid, None, trouble) for rid in accepted]


async def _envelope(
    hop: Hop, offered: Capabilities, parcel: Parcel, settings: DeliverySettings
) -> tuple[list[Fate], list[int], Reply | None]:
    """MAIL, RCPT, DATA, in one write where the server allows it (RFC 2920)."""
    machine = hop.machine
    commands = [
        machine.mail(
            parcel.sender,
            parcel.size if offered.size is not None else None,
            parcel.body_8bit and offered.eight_bit_mime,
        )
    ]
    commands += [machine.rcpt(address) for _, address in parcel.recipients]
    commands.append(machine.data())
    if offered.pipelining:
        hop.send(b"".join(commands))
        replies = [await hop.reply(settings.command_timeout) for _ in commands]
        return await _sorted(hop, parcel, replies, settings)
    replies = []
    for command in commands:
        positive = [reply for reply in replies[1:] if reply.is_positive]
        if (replies and not replies[0].is_positive) or (command is commands[-1] and not positive):
            break
        hop.send(command)
        replies.append(await hop.reply(settings.command_timeout))
    return await _sorted(hop, parcel, replies, settings)


async def _sorted(
    hop: Hop, parcel: Parcel, replies: list[Reply], settings: DeliverySettings
) -> tuple[list[Fate], list[int], Reply | None]:
    """Fates of the refused, numbers of the accepted, and the answer to DATA if it was asked."""
    sender = replies[0]
    go_ahead = replies[-1] if len(replies) == len(parcel.recipients) + 2 else None
    if not sender.is_positive:
        await _withdraw(hop, go_ahead, settings)
        return _all(parcel, troubles.from_reply(sender, "The server refused the sender")), [], None
    refused, accepted = [], []
    for (rid, _), reply in zip(parcel.recipients, replies[1:], strict=False):
        if reply.is_positive:
            accepted.append(rid)
        else:
            refused.append(Fate(rid, None, troubles.from_reply(reply, "The server refused the recipient")))
    if not accepted:
        await _withdraw(hop, go_ahead, settings)
    return refused, accepted, go_ahead


async def _withdraw(hop: Hop, go_ahead: Reply | None, settings: DeliverySettings) -> None:
    """Leave the conversation ready for the next message; an unwanted 354 is answered with an empty one (RFC 2920)."""
    if go_ahead is not None and go_ahead.code == 354:
        hop.send(b".\r\n")
        await hop.reply(settings.data_timeout)
    hop.send(hop.machine.rset())
    await hop.reply(settings.command_timeout)


async def _send_body(hop: Hop, body: AsyncIterator[bytes], settings: DeliverySettings) -> None:
    """The body with dots stuffed; the last piece and the final dot leave together, usually in one packet."""
    stuffer = Stuffer()
    held = b""
    async for chunk in body:
        if held:
            hop.send(held)
            await hop.drain(settings.data_timeout)
        held = stuffer.feed(chunk)
    hop.send(held + stuffer.end())
    await hop.drain(settings.data_timeout)


def _all(parcel: Parcel, trouble: Trouble) -> list[Fate]:
    return [Fate(rid, None, trouble) for rid, _ in parcel.recipients]


def _too_large(size: int, limit: int) -> Trouble:
    lines = (f"the message has {size} bytes and the server takes at most {limit}",)
    return Trouble(True, "5.3.4", "552", lines, "The message is too large for the server")
