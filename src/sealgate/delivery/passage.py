"""How a message can pass to a next hop: what it asks, what the hop offers, and what becomes of the difference. Pure.

A message is never rewritten on its way. What the hop cannot take as it stands either goes without being announced,
where that harms nobody, or comes back with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealgate.delivery.trouble import Trouble
from sealgate.mail.address import Address, AddressError
from sealgate.mail.envelope import ORDINARY, Demands, Recipient
from sealgate.smtp.client import Capabilities

Addressee = tuple[int, Recipient]
"""RID and recipient."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message for some of its recipients, as one transaction carries it; `size` in bytes."""

    sender: str | None
    recipients: Sequence[Addressee]
    size: int
    demands: Demands = ORDINARY


@dataclass(frozen=True, slots=True)
class Path:
    """An address as it is written to the hop, with its parameters."""

    rid: int
    address: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """What is said to the hop. `refused` are recipients that cannot even be named to it."""

    sender: str | None
    parameters: tuple[str, ...]
    paths: Sequence[Path]
    refused: Sequence[tuple[int, Trouble]]
    by_bdat: bool


def needs_header(parcel: Parcel, offered: Capabilities) -> bool:
    """Whether `passage` must know if the header of the message is ASCII."""
    return parcel.demands.utf8 and not offered.smtputf8


def passage(parcel: Parcel, offered: Capabilities, ascii_header: bool = True) -> Passage | Trouble:
    """The way to this hop, or why there is none for any recipient."""
    if offered.size and parcel.size > offered.size:
        return _too_large(parcel.size, offered.size)
    if parcel.demands.bare and not offered.chunking:
        return _BARE
    parameters = _parameters(parcel, offered)
    if not needs_header(parcel, offered):
        paths = [Path(rid, each.address, _asked(each, offered)) for rid, each in parcel.recipients]
        return Passage(parcel.sender, parameters, paths, (), parcel.demands.bare)
    if not ascii_header:
        return _UTF8_HEADER
    return _without_utf8(parcel, offered, parameters)


def _parameters(parcel: Parcel, offered: Capabilities) -> tuple[str, ...]:
    """What MAIL says besides the sender."""
    demands = parcel.demands
    said = []
    if offered.size is not None:
        said.append(f"SIZE={parcel.size}")
    if demands.body_8bit and offered.eight_bit_mime:
        said.append("BODY=8BITMIME")
    if demands.utf8 and offered.smtputf8:
        said.append("SMTPUTF8")
    if offered.dsn and demands.ret:
        said.append(f"RET={demands.ret}")
    if offered.dsn and demands.envid:
        said.append(f"ENVID={demands.envid}")
    return tuple(said)


def _asked(recipient: Recipient, offered: Capabilities) -> tuple[str, ...]:
    """What RCPT says besides the recipient (RFC 3461 §5.2.1): only what the sender said, word for word."""
    if not offered.dsn:
        return ()
    said = [] if recipient.notify is None else [f"NOTIFY={recipient.notify.word}"]
    if recipient.orcpt and (offered.smtputf8 or recipient.orcpt.isascii()):
        said.append(f"ORCPT={recipient.orcpt}")
    return tuple(said)


def _without_utf8(parcel: Parcel, offered: Capabilities, parameters: tuple[str, ...]) -> Passage | Trouble:
    """To a hop without SMTPUTF8, as an ordinary message: names of domains have another form, local parts have none."""
    sender = None if parcel.sender is None else ascii_form(parcel.sender)
    if sender is None and parcel.sender is not None:
        return _utf8_address("sender")
    paths: list[Path] = []
    refused: list[tuple[int, Trouble]] = []
    for rid, each in parcel.recipients:
        address = ascii_form(each.address)
        if address is None:
            refused.append((rid, _utf8_address("recipient")))
        else:
            paths.append(Path(rid, address, _asked(each, offered)))
    return Passage(sender, parameters, paths, refused, parcel.demands.bare)


def ascii_form(address: str) -> str | None:
    """The address with its domain as A-labels; None if its local part is not ASCII (RFC 6531 §3.2)."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        form = f"{local}@{Address(local, domain).domain_key}"
    except AddressError:
        return None
    return form if form.isascii() else None


def _utf8_address(whose: str) -> Trouble:
    return Trouble(
        True,
        "5.6.7",
        "000",
        (f"the address of the {whose} is not ASCII, and the server does not offer SMTPUTF8 (RFC 6531)",),
        "Address cannot be given to the server",
    )


_UTF8_HEADER = Trouble(
    True,
    "5.6.9",
    "000",
    ("its header holds UTF-8, and the server does not offer SMTPUTF8 (RFC 6531)",),
    "Message cannot be given to the server",
)

_BARE = Trouble(
    True,
    "5.6.1",
    "000",
    (
        "it holds bare CR or LF characters and came by BDAT, and the server does not offer CHUNKING (RFC 3030):"
        " sent by DATA it could end early there",
    ),
    "Message cannot be given to the server",
)


def _too_large(size: int, limit: int) -> Trouble:
    lines = (f"the message has {size} bytes and the server takes at most {limit}",)
    return Trouble(True, "5.3.4", "000", lines, "The message is too large for the server")
