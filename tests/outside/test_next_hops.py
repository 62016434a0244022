"""What leaves with DSN, SMTPUTF8 and BDAT, taken by servers of others; and what comes back from those without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sealgate.event.facts import Bounced, Delivered, RelayNoticeGenerated
from sealgate.mail.envelope import Demands, Notify, Recipient
from tests.conftest import require
from tests.delivery.rig import TEXT, delivering
from tests.peers import exim, opensmtpd, postfix
from tests.peers.ports import HOST
from tests.peers.server import MailServer

NO_DSN = {"smtputf8_enable": "yes", "smtpd_discard_ehlo_keywords": "dsn"}

SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[MailServer]], set[str]]] = {
    "postfix": (partial(postfix.running, settings=NO_DSN), {"SMTPUTF8", "CHUNKING"}),
    "exim": (exim.running, {"DSN", "SMTPUTF8", "CHUNKING"}),
    "opensmtpd": (opensmtpd.running, {"DSN"}),
}
"""How each is started, and which of the three extensions it offers then."""


@pytest.fixture(params=SERVERS, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    require(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def server(name: str) -> Iterator[MailServer]:
    with SERVERS[name][0]() as running:
        yield running


@pytest.fixture
def offered(name: str) -> set[str]:
    return SERVERS[name][1]


def to(server: MailServer) -> dict[str, Any]:
    return {"routes": [{"domain": "*", "hosts": [f"{HOST}:{server.port}"]}]}


def arrived(server: MailServer, part: bytes) -> Callable[[], bool]:
    """Whether something with this in it has come, whatever else has."""
    return lambda: any(part in message for message in server.raw_messages())


async def test_delivery_status_requests_are_understood_or_answered_by_us(
    tmp_path: Path, server: MailServer, offered: set[str]
) -> None:
    asked = Recipient("you@inside.example", Notify.SUCCESS | Notify.FAILURE, "rfc822;you+2Bold@inside.example")
    async with delivering(tmp_path, None, **to(server)) as rig:
        mid = await rig.send(asked, sender="me@inside.example", demands=Demands(ret="HDRS", envid="QQ+2B1"))
        await rig.finished(mid)
        assert bool(rig.of(RelayNoticeGenerated)) is ("DSN" not in offered)
        await rig.until(arrived(server, b"<1@from.example>"))
        await rig.until(arrived(server, b"message/delivery-status"))  # that server's report, or ours
        if "DSN" not in offered:
            assert arrived(server, b"Action: relayed")()
            assert arrived(server, b"Original-Envelope-Id: QQ+1")()


async def test_internationalised_mail_arrives_or_comes_back(
    tmp_path: Path, server: MailServer, offered: set[str]
) -> None:
    text = "Subject: Grüße\r\n\r\nHello, Jürgen.\r\n".encode()
    async with delivering(tmp_path, None, **to(server)) as rig:
        demands = Demands(body_8bit=True, utf8=True)
        await rig.finished(await rig.send("jürgen@inside.example", sender=None, demands=demands, text=text))
        if "SMTPUTF8" in offered:
            assert rig.of(Delivered)
            await rig.until(arrived(server, "Subject: Grüße".encode()))
        else:
            assert [each.status for each in rig.of(Bounced)] == ["5.6.9"]


async def test_bare_line_ends_arrive_by_bdat_as_one_message_or_come_back(
    tmp_path: Path, server: MailServer, offered: set[str]
) -> None:
    smuggled = b"\n.\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@inside.example>\r\nDATA\r\nSubject: smuggled\r\n"
    text = TEXT + b"chunked" + smuggled + b"\n.\n"
    async with delivering(tmp_path, None, **to(server)) as rig:
        await rig.finished(await rig.send("you@inside.example", sender=None, demands=Demands(bare=True), text=text))
        if "CHUNKING" in offered:
            assert rig.of(Delivered)
            await rig.until(arrived(server, b"chunked"))
            (message,) = [each for each in server.raw_messages() if b"smuggled" in each]
            assert b"chunked" in message  # one message, the second one inside it
        else:
            assert [each.status for each in rig.of(Bounced)] == ["5.6.1"]
            assert not arrived(server, b"chunked")()
