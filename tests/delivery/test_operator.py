"""What an operator does to a queue: done whole, durable, and told truly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sealgate.delivery import survey
from sealgate.delivery.selection import EVERYTHING, Selection
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import network
from sealgate.event.facts import Bounced, MessageDeleted, MessageFinished, MessageHeld, MessageQueued, OperatorActed
from sealgate.mail.envelope import Notify
from tests.delivery.queue_house import NOW, House, house


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "spool") as running:
        yield running


async def listed(running: House, selection: Selection = EVERYTHING) -> list[tuple[int, list[int], str]]:
    """MID, RIDs and state of what waits."""
    page, more = await survey.page(running.schedule, selection, 0, 100)
    assert not more
    return [(one["mid"], [r["rid"] for r in one["recipients"]], one["recipients"][0]["state"]) for one in page]


async def deferred(running: House, mid: int, *addresses: str) -> None:
    """Accept a message and let its first attempt fail."""
    one = await running.accept(mid, *addresses)
    for waiting in list(one.waiting.values()):
        job = waiting.job
        assert job is not None
        running.schedule.settled(job, 1, [Fate(rid, None, network("nobody there")) for rid in job.rids])
    await running.schedule.ledger.written()


async def test_a_hold_is_of_the_whole_message_and_outlives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as running:
        await running.accept(1, "a@inside.example", "b@elsewhere.example")
        await running.accept(2, "a@elsewhere.example")
        report = await running.operator.act("hold", Selection(recipient="a@inside.example"), "root")
        assert (report.messages, report.recipients) == (1, 2)
        assert running.said(MessageHeld) == [MessageHeld(1, "root")]
        again = await running.operator.act("hold", Selection(mids=(1,)), "root")
        assert (again.messages, again.passed) == (0, 1)
    async with house(tmp_path) as running:
        assert await listed(running) == [(1, [0, 1], "held"), (2, [0], "queued")]
        held = running.schedule.register.get(1)
        assert held is not None
        assert [one.job for one in held.waiting.values()] == [None, None]
        await running.operator.act("release", EVERYTHING, "root")
        assert all(one.job is not None for one in held.waiting.values())
    async with house(tmp_path) as running:
        assert await listed(running) == [(1, [0, 1], "queued"), (2, [0], "queued")]


async def test_a_retry_is_due_after_a_crash_too(tmp_path: Path) -> None:
    async with house(tmp_path) as running:
        await deferred(running, 1, "a@inside.example")
        await deferred(running, 2, "a@elsewhere.example")
        report = await running.operator.act("retry", Selection(domain="inside.example"), "root")
        assert (report.messages, report.recipients) == (1, 1)
        # What the crash leaves is what the disk has: the next house reads the same folder.
    async with house(tmp_path) as running:
        one, other = running.schedule.register.get(1), running.schedule.register.get(2)
        assert one is not None
        assert other is not None
        assert (one.waiting[0].due, one.waiting[0].attempts) == (NOW, 1)
        assert other.waiting[0].due > NOW


async def test_a_bounce_tells_the_sender_the_reason(desk: House) -> None:
    await desk.accept(1, "a@inside.example", "b@inside.example")
    report = await desk.operator.act("bounce", Selection(recipient="b@*"), "root", "the mailbox has moved")
    assert (report.messages, report.recipients, report.fault) == (1, 1, "")
    assert [(event.mid, event.rids) for event in desk.said(Bounced)] == [(1, (1,))]
    (queued,) = desk.said(MessageQueued)
    notice = b"".join([piece async for piece in desk.spool.load(queued.mid)])
    assert b"bounced by administrator: the mailbox has" in b" ".join(notice.split())
    assert await listed(desk) == [(1, [0], "queued"), (queued.mid, [0], "queued")]


async def test_the_queue_is_not_empty_while_a_notice_is_on_its_way_into_it(desk: House) -> None:
    one = await desk.accept(1, "a@inside.example")
    acting = asyncio.create_task(desk.operator.act("bounce", EVERYTHING, "root"))
    while one.waiting:
        await asyncio.sleep(0)
    while not desk.said(MessageQueued):
        assert desk.schedule.waiting
        await asyncio.sleep(0)
    await acting
    assert desk.schedule.waiting == 1  # the notice itself


async def test_a_bounce_respects_who_wished_not_to_be_told(desk: House) -> None:
    one = await desk.accept(1, "a@inside.example")
    one.waiting[0].notify = Notify.NEVER
    report = await desk.operator.act("bounce", EVERYTHING, "root")
    assert (report.messages, report.fault) == (1, "")
    assert [event.mid for event in desk.said(Bounced)] == [1]
    assert desk.said(MessageQueued) == []
    assert desk.schedule.waiting == 0


async def test_a_delete_tells_nobody_and_is_on_record(desk: House, tmp_path: Path) -> None:
    await desk.accept(1, "a@inside.example", "b@elsewhere.example")
    await desk.accept(2, "c@inside.example")
    report = await desk.operator.act("delete", Selection(domain="inside.example"), "root")
    assert (report.messages, report.recipients) == (2, 2)
    assert desk.said(MessageDeleted) == [MessageDeleted(1, (0,), "root"), MessageDeleted(2, (0,), "root")]
    assert desk.said(MessageFinished) == [MessageFinished(2)]
    assert desk.said(MessageQueued) == []
    assert desk.said(OperatorActed) == [OperatorActed("root", "delete", "domain inside.example", 2, 2)]
    assert await listed(desk) == [(1, [1], "queued")]
    assert await desk.spool.show(2, -1, 10) is None
    shown = await desk.spool.show(1, -1, 10)
    assert shown is not None
    assert shown["recipients"][0]["said"] == "Deleted by root"


@pytest.mark.parametrize("act", ["bounce", "delete"])
async def test_what_is_being_delivered_is_left_alone_and_named(desk: House, act: str) -> None:
    one = await desk.accept(1, "a@inside.example", "b@elsewhere.example")
    job = one.waiting[0].job
    assert job is not None
    job.taken = True
    report = await desk.operator.act(act, EVERYTHING, "root")
    assert (report.recipients, report.busy, report.named) == (1, 1, [(1, 0)])
    assert list(one.waiting) == [0]
    desk.schedule.settled(job, 5, [Fate(0, None, network("nobody there"))])
    assert (await desk.operator.act(act, EVERYTHING, "root")).recipients >= 1
    assert desk.schedule.register.get(1) is None


async def test_a_hold_during_an_attempt_holds_what_it_leaves(desk: House) -> None:
    one = await desk.accept(1, "a@inside.example")
    job = one.waiting[0].job
    assert job is not None
    job.taken = True
    report = await desk.operator.act("hold", EVERYTHING, "root")
    assert (report.messages, report.busy) == (1, 1)
    desk.schedule.settled(job, 5, [Fate(0, None, network("nobody there"))])
    assert await listed(desk) == [(1, [0], "held")]
    assert one.waiting[0].job is None
    assert (await desk.operator.act("retry", EVERYTHING, "root")).passed == 1


async def test_a_job_that_comes_back_untouched_respects_a_hold(desk: House) -> None:
    one = await desk.accept(1, "a@inside.example")
    job = one.waiting[0].job
    assert job is not None
    job.taken = True
    await desk.operator.act("hold", EVERYTHING, "root")
    desk.schedule.give_back(job)
    assert one.waiting[0].job is None
    await desk.operator.act("release", EVERYTHING, "root")
    assert one.waiting[0].job is not None


async def test_a_suspended_destination_keeps_its_mail_until_it_is_resumed(desk: House) -> None:
    before = await desk.accept(1, "a@inside.example", "b@elsewhere.example")
    desk.suspended.add("inside.example")
    desk.schedule.suspend()
    after = await desk.accept(2, "c@inside.example")
    assert [before.waiting[0].job, after.waiting[0].job] == [None, None]
    assert before.waiting[1].job is not None
    desk.suspended.clear()
    desk.schedule.resume()
    await asyncio.sleep(0.01)
    assert before.waiting[0].job is not None
    assert after.waiting[0].job is not None


async def test_unknown_mids_are_named(desk: House) -> None:
    await desk.accept(1, "a@inside.example")
    report = await desk.operator.act("delete", Selection(mids=(1, 9)), "root")
    assert (report.messages, report.unknown) == (1, [9])


async def test_a_disk_that_refuses_leaves_the_queue_as_it_is(desk: House) -> None:
    one = await desk.accept(1, "a@inside.example")
    await desk.spool._writer.run(lambda connection: connection.execute("ALTER TABLE message RENAME TO lost") and None)
    report = await desk.operator.act("hold", EVERYTHING, "root")
    assert report.fault
    assert report.messages == 0
    assert not one.held
    assert one.waiting[0].job is not None


async def test_twenty_thousand_messages_never_block_the_loop_for_long(desk: House) -> None:
    desk.suspended.update(f"d{number}.example" for number in range(10))
    for start in range(1, 20_001, 1000):
        await asyncio.gather(*(desk.accept(mid, f"a@d{mid % 10}.example") for mid in range(start, start + 1000)))
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - begun)

    async def measured(work: Any) -> Any:
        nonlocal longest
        longest = 0.0
        watcher = asyncio.create_task(watch())
        try:
            return await work
        finally:
            watcher.cancel()
            assert longest < 0.25, longest  # a few milliseconds on a machine that does nothing else

    assert (await measured(survey.count(desk.schedule, EVERYTHING)))["messages"] == 20_000
    hosts = await measured(survey.destinations(desk.schedule, lambda domain: True))
    assert [host["recipients"] for host in hosts] == [2000] * 10
    page, more = await measured(survey.page(desk.schedule, Selection(domain="d3.example"), 15_000, 10_000))
    assert (len(page), more, page[0]["mid"]) == (500, True, 15_003)
    assert (await measured(desk.operator.act("hold", Selection(domain="d1.example"), "root"))).messages == 2000
    report = await measured(desk.operator.act("delete", EVERYTHING, "root"))
    assert (report.messages, report.fault, desk.schedule.waiting) == (20_000, "", 0)
    assert len(desk.said(OperatorActed)) == 2
