"""Which host of a destination takes the mail, and what comes of it when none does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sealgate.delivery import dialer
from sealgate.delivery.hop import connect
from sealgate.event.facts import (
    Bounced,
    Delayed,
    Delivered,
    DeliveryFailed,
    DeliveryOpened,
    HostDown,
    HostUp,
    MessagePending,
    TlsNotEnough,
)
from tests.delivery.rig import delivering
from tests.peers.hop import SILENCE, Hop, hop
from tests.peers.ports import HOST, free_port


@pytest.fixture
def peer() -> Iterator[Hop]:
    with hop() as running:
        yield running


def route(*ports: int) -> dict[str, Any]:
    """A route for all mail to these ports, in this order."""
    return {"routes": [{"domain": "*", "hosts": [f"{HOST}:{port}" for port in ports]}]}


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("greeting", "421 4.3.2 not now"),
        ("greeting", "554 5.3.2 no mail here"),
        ("greeting", "521 no mail here"),
        ("greeting", "hello"),
        ("EHLO", "421 4.3.2 not now"),
    ],
)
async def test_the_next_host_takes_what_the_first_does_not(tmp_path: Path, peer: Hop, what: str, answer: str) -> None:
    with hop() as other:
        peer.answers[what] = answer
        async with delivering(tmp_path, None, **route(peer.port, other.port)) as rig:
            await rig.finished(await rig.send("you@to.example"))
            assert [each.port for each in rig.of(DeliveryOpened)] == [peer.port, other.port]
            assert len(other.messages) == 1


async def test_the_next_host_is_tried_where_nobody_listens(tmp_path: Path, peer: Hop) -> None:
    async with delivering(tmp_path, None, **route(free_port(), peer.port)) as rig:
        await rig.finished(await rig.send("you@to.example"))
        assert "Connection refused" in rig.of(DeliveryFailed)[0].details
        assert len(peer.messages) == 1


async def test_the_next_host_is_tried_where_tls_is_not_enough(tmp_path: Path, peer: Hop) -> None:
    with hop() as other:
        tables = {**route(peer.port, other.port), "delivery": {"tls": "required"}}
        async with delivering(tmp_path, None, **tables) as rig:
            await rig.send("you@to.example")
            (delayed,) = await rig.facts(Delayed)
            assert delayed.reason == "TLS problem"
            assert len(rig.of(TlsNotEnough)) == 2
            assert peer.messages == other.messages == []


@pytest.mark.parametrize(
    ("greetings", "kind", "status"),
    [
        (("554 5.3.2 no mail", "554 5.3.2 no mail"), Bounced, "5.3.2"),
        (("421 4.3.2 later", "554 5.3.2 no mail"), Delayed, "4.3.2"),
        (("554 5.3.2 no mail", "421 4.3.2 later"), Delayed, "4.3.2"),
        (("554 5.3.2 no mail", None), Delayed, "4.4.0"),
    ],
)
async def test_mail_bounces_only_if_all_hosts_agree(
    tmp_path: Path, greetings: tuple[str | None, ...], kind: type[Bounced | Delayed], status: str
) -> None:
    with ExitStack() as running:
        ports = []
        for greeting in greetings:
            if greeting is None:
                ports.append(free_port())
                continue
            each = running.enter_context(hop())
            each.answers["greeting"] = greeting
            ports.append(each.port)
        async with delivering(tmp_path, None, **route(*ports)) as rig:
            for _ in range(2):  # and a host that is known to be down has not agreed either
                await rig.send("you@to.example", sender=None)
                fate = await rig.until(lambda: [each for each in rig.events if isinstance(each, Bounced | Delayed)])
                assert type(fate[0]) is kind
                if fate[0] is not fate[-1]:
                    assert type(fate[-1]) is kind
                assert fate[0].status == status


# -- hosts that are down


async def test_mail_for_a_host_that_is_down_is_put_off_without_an_attempt(tmp_path: Path) -> None:
    port = free_port()
    async with delivering(tmp_path, None, **route(port), delivery={"host_down": 300.0, "retry_first": 10.0}) as rig:
        begun = time.time()
        await rig.send("you@to.example")
        await rig.facts(Delayed)
        assert len(rig.of(DeliveryFailed)) == 1
        (down,) = rig.of(HostDown)
        assert 299 < down.until.timestamp() - begun < 310
        assert rig.of(MessagePending)[0].until == down.until  # not before, though retry_first is shorter
        await rig.send("me@to.example", "me@other.example")
        await rig.facts(Delayed, 3)
        assert len(rig.of(DeliveryFailed)) == 1
        put_off = rig.of(Delayed)[1]
        assert f"{HOST} [{HOST}]:{port}" in put_off.lines[0]
        assert "refused" in put_off.lines[0]
        assert {each.until for each in rig.of(MessagePending)} == {down.until}
        with hop(port=port) as peer:
            rig.schedule.policy_changed()  # that may have been the reason
            await rig.until(lambda: len(peer.messages) == 3)
        assert len(rig.of(DeliveryFailed)) == 1


@pytest.mark.parametrize(
    ("answer", "down"), [(SILENCE, True), ("hello", True), ("421 later", False), ("554 no", False)]
)
async def test_a_host_that_gives_no_answer_is_down_and_one_that_refuses_is_not(
    tmp_path: Path, peer: Hop, answer: str, down: bool
) -> None:
    peer.answers["greeting"] = answer
    async with delivering(tmp_path, peer, delivery={"command_timeout": 0.3}) as rig:
        for count in (1, 2):
            await rig.send("you@to.example", sender=None)
            await rig.until(lambda count=count: len([*rig.of(Delayed), *rig.of(Bounced)]) == count)
        assert len(peer.visits) == (1 if down else 2)
        assert len(rig.of(HostDown)) == down


async def test_a_host_that_is_down_is_passed_over_while_there_is_another(tmp_path: Path, peer: Hop) -> None:
    async with delivering(tmp_path, None, **route(free_port(), peer.port)) as rig:
        for _ in range(3):
            await rig.finished(await rig.send("you@to.example"))
        assert len(rig.of(DeliveryFailed)) == 1
        assert len(peer.messages) == 3


async def test_when_the_time_is_over_one_connection_tries(tmp_path: Path) -> None:
    port = free_port()
    settings = {"host_down": 0.5, "retry_first": 0.1, "retry_max": 0.1}
    async with delivering(tmp_path, None, **route(port), delivery=settings) as rig:
        await asyncio.gather(*(rig.send(f"n{number}@d{number}.example") for number in range(10)))
        await rig.facts(Delayed, 10)
        first = len(rig.of(DeliveryFailed))
        await rig.facts(Delayed, 20)
        assert len(rig.of(DeliveryFailed)) == first + 1
        queue = rig.schedule.register.after(0, 1000)
        attempts = [one.attempts for message in queue for one in message.waiting.values()]
        assert attempts == [2] * 10  # it was the attempt of all, and their waits grow
        with hop(port=port) as peer:
            await rig.until(lambda: len(peer.messages) == 10)
        assert len(rig.of(HostUp)) == 1
        assert len(rig.of(Delivered)) == 10


async def test_nothing_is_remembered_where_nothing_should_be(tmp_path: Path) -> None:
    async with delivering(tmp_path, None, **route(free_port()), delivery={"host_down": 0.0}) as rig:
        for count in (1, 2):
            await rig.send("you@to.example")
            await rig.facts(DeliveryFailed, count)
        assert not rig.of(HostDown)


async def test_mail_that_is_put_off_still_grows_old(tmp_path: Path) -> None:
    settings = {"host_down": 300.0, "lifetime": 1.0}
    async with delivering(tmp_path, None, **route(free_port()), delivery=settings) as rig:
        await rig.send("you@to.example", sender=None)
        (bounced,) = await rig.facts(Bounced)
        assert "refused" in bounced.lines[0]


# -- families


async def test_a_family_without_a_route_costs_no_time(tmp_path: Path, peer: Hop) -> None:
    tables = {"routes": [{"domain": "*", "hosts": ["[2001:db8::25]:25", f"{HOST}:{peer.port}"]}]}
    settings = {"source_v6": "2001:db8::1", "connect_timeout": 30.0}  # an address that no machine has
    async with delivering(tmp_path, None, **tables, delivery=settings) as rig:
        begun = time.monotonic()
        await rig.finished(await rig.send("you@to.example"))
        assert time.monotonic() - begun < 5
        assert [each.ip for each in rig.of(DeliveryFailed)] == ["2001:db8::25"]


# -- how a connection is made and used


async def test_a_destination_has_a_name_and_a_source_of_its_own(tmp_path: Path, peer: Hop) -> None:
    rows = [{"domain": "own.example", "hostname": "own.house.example", "source_v4": "127.0.0.7"}]
    settings = {"hostname": "out.house.example", "source_v4": "127.0.0.8"}
    async with delivering(tmp_path, peer, destinations=rows, delivery=settings) as rig:
        await rig.finished(await rig.send("you@own.example"))
        await rig.finished(await rig.send("you@other.example"))
    assert [(visit.source, visit.commands[0]) for visit in peer.visits] == [
        ("127.0.0.7", "EHLO own.house.example"),
        ("127.0.0.8", "EHLO out.house.example"),
    ]


async def test_a_connection_made_under_other_terms_takes_no_more_mail(tmp_path: Path, peer: Hop) -> None:
    async with delivering(tmp_path, peer, delivery={"idle_timeout": 30.0}) as rig:
        await rig.finished(await rig.send("you@to.example"))
        rig.configure(peer, delivery={"idle_timeout": 30.0, "hostname": "new.house.example"})
        await rig.finished(await rig.send("you@to.example"))
        assert [len(visit.messages) for visit in peer.visits if visit.messages] == [1, 1]
        opened = len(rig.of(DeliveryOpened))
        rig.configure(peer, delivery={"idle_timeout": 30.0, "hostname": "new.house.example", "lifetime": 1000.0})
        await rig.finished(await rig.send("you@to.example"))
        assert len(rig.of(DeliveryOpened)) == opened  # what does not concern a connection leaves it alone


async def test_terms_that_change_while_a_connection_is_made_hold_for_its_first_message(
    tmp_path: Path, peer: Hop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with delivering(tmp_path, peer) as rig:

        async def slowly(*arguments: Any) -> Any:
            """A commit comes while the first connection is being made."""
            monkeypatch.setattr(dialer, "connect", connect)
            opened = await connect(*arguments)
            rig.configure(peer, delivery={"hostname": "new.house.example"})
            return opened

        monkeypatch.setattr(dialer, "connect", slowly)
        await rig.finished(await rig.send("you@to.example"))
    assert [visit.commands[0] for visit in peer.visits if visit.messages] == ["EHLO new.house.example"]
