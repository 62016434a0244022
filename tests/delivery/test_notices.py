"""Who is told what: failures, delays, mail passed on, and mail that has no sender (RFC 3461, RFC 3464)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.delivery import fate
from sealgate.delivery.notice import WHOLE_LIMIT
from sealgate.event.facts import (
    Bounced,
    BounceGenerated,
    Delayed,
    DelayNoticeGenerated,
    Delivered,
    MessageFinished,
    Note,
    NoticeOmitted,
    RelayNoticeGenerated,
)
from sealgate.mail.envelope import Demands, Notify, Recipient
from tests.delivery.rig import TEXT, delivering, notices, report
from tests.peers.hop import Hop, Visit, hop

ALL = Notify.SUCCESS | Notify.FAILURE | Notify.DELAY


@pytest.fixture
def peer() -> Iterator[Hop]:
    with hop() as running:
        yield running


def answer_by_name(command: str, visit: Visit) -> str:
    """What the local part asks for."""
    local = command.partition("<")[2].partition("@")[0]
    return {"gone": "550 5.1.1 no such user", "later": "450 4.2.1 not now"}.get(local, "250 ok")


# -- failure


async def test_a_sender_is_told_of_each_failure_with_all_it_gave(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer) as rig:
        gone = Recipient("gone@to.example", Notify.FAILURE, "rfc822;first+2Blast@old.example")
        await rig.finished(await rig.send(gone, "you@to.example", "gone@too.example", demands=Demands(envid="id+2B1")))
        found = [report(notice)[1] for notice in notices(peer)]
        fields = {address: each for one in found for address, each in one.items()}
        assert set(fields) == {"gone@to.example", "gone@too.example"}
        assert fields["gone@to.example"]["Action"] == "failed"
        assert fields["gone@to.example"]["Status"] == "5.1.1"
        assert fields["gone@to.example"]["Original-Recipient"] == "rfc822; first+last@old.example"
        assert all(b"Original-Envelope-Id: id+1\r\n" in notice for notice in peer.messages if b"multipart" in notice)
        assert all(visit.commands[1] == "MAIL FROM:<>" for visit in peer.visits if b"multipart" in visit.messages[:1])


@pytest.mark.parametrize("asked", [Notify.NEVER, Notify.SUCCESS, Notify.DELAY])
async def test_nobody_is_told_of_a_failure_who_did_not_want_it(tmp_path: Path, peer: Hop, asked: Notify) -> None:
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send(Recipient("gone@to.example", asked))
        await rig.finished(mid)
        assert rig.of(NoticeOmitted) == [NoticeOmitted(mid, (0,), "its sender wants none")]
        assert not rig.of(BounceGenerated)
        assert peer.messages == []


@pytest.mark.parametrize(
    ("ret", "size", "whole"), [("FULL", 10, True), ("FULL", WHOLE_LIMIT, False), ("HDRS", 10, False), ("", 10, False)]
)
async def test_the_message_comes_back_whole_for_who_asks(
    tmp_path: Path, peer: Hop, ret: str, size: int, whole: bool
) -> None:
    peer.answers["RCPT"] = answer_by_name
    text = TEXT + b"".join(b"%09d\r\n" % number for number in range(size // 10))
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("gone@to.example", demands=Demands(ret=ret), text=text))  # type: ignore[arg-type]
    (notice,) = notices(peer)
    returned = notice.get_payload(2)
    assert returned.get_content_type() == ("message/rfc822" if whole else "text/rfc822-headers")  # type: ignore[union-attr]
    assert (b"Hello." in peer.messages[0]) is whole
    assert b"Subject: hello" in peer.messages[0]


async def test_a_notice_that_gets_no_number_is_written_when_there_is_one(
    tmp_path: Path, peer: Hop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fate, "SETTLE_AGAIN", 0.05)
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send("gone@to.example")
        with rig.no_numbers():
            await rig.facts(Note, 2)
            assert await rig.schedule.ledger.written() == {mid}
            assert rig.schedule.waiting
        await rig.finished(mid)
        await rig.until(lambda: notices(peer))
        assert await rig.schedule.ledger.written() == set()
        assert [each.mid for each in rig.of(MessageFinished)].count(mid) == 1
    assert len(notices(peer)) == 1


# -- mail without a sender


async def test_a_notice_that_cannot_be_delivered_is_dropped(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = "550 5.1.1 no such user"
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send("you@to.example", sender="gone@from.example")
        await rig.finished(mid)
        (notice,) = rig.of(BounceGenerated)
        await rig.finished(notice.mid)
        assert rig.of(NoticeOmitted) == [NoticeOmitted(notice.mid, (0,), "it has no sender")]


async def test_a_double_bounce_goes_to_its_mailbox_with_the_notice_in_it(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer, delivery={"double_bounces": "chief@house.example"}) as rig:
        await rig.finished(await rig.send("gone@to.example", sender="gone@from.example"))
        await rig.facts(BounceGenerated, 2)
        await rig.until(lambda: peer.messages)
        (double,) = notices(peer)
        assert double["To"] == "<chief@house.example>"
        assert set(report(double)[1]) == {"gone@from.example"}
        assert b"Final-Recipient: rfc822; gone@to.example" in peer.messages[0]  # the notice that failed is inside


async def test_a_double_bounce_that_fails_ends(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = "550 5.1.1 no such user"
    async with delivering(tmp_path, peer, delivery={"double_bounces": "Chief@house.example"}) as rig:
        await rig.send("you@to.example")
        await rig.facts(MessageFinished, 3)
        await rig.until(lambda: not rig.schedule.waiting)
        assert len(rig.of(BounceGenerated)) == 2
        assert [each.reason for each in rig.of(NoticeOmitted)] == ["it has no sender"]


# -- delay


async def test_a_sender_is_told_once_that_a_message_is_late(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = answer_by_name
    settings = {"delay_warning": 3600.0, "lifetime": 86400.0}
    async with delivering(tmp_path, peer, delivery=settings) as rig:
        mid = await rig.send(
            "later@to.example", Recipient("later@quiet.example", Notify.FAILURE), "you@to.example", age=3700
        )
        await rig.facts(Delayed, 2)
        await rig.until(lambda: notices(peer))
        subject, about = report(notices(peer)[0])
        assert subject.startswith("Delayed")
        assert set(about) == {"later@to.example"}
        assert about["later@to.example"]["Action"] == "delayed"
        assert "not now" in about["later@to.example"]["Diagnostic-Code"]
        assert about["later@to.example"]["Will-Retry-Until"]
        rig.schedule.policy_changed()
        await rig.facts(Delayed, 4)
    async with delivering(tmp_path, peer, delivery=settings) as again:  # and a restart has not forgotten it
        again.schedule.policy_changed()
        await again.facts(Delayed, 2)
        assert not again.of(DelayNoticeGenerated)
        assert again.of(Delayed)[0].mid == mid
    assert len(notices(peer)) == 1


@pytest.mark.parametrize(
    ("sender", "asked", "age", "warning"),
    [
        (None, None, 3700, 3600.0),
        ("me@from.example", Notify.NEVER, 3700, 3600.0),
        ("me@from.example", Notify.FAILURE, 3700, 3600.0),
        ("me@from.example", None, 100, 3600.0),
        ("me@from.example", None, 86000, 0.0),
    ],
)
async def test_who_is_not_told_of_a_delay(
    tmp_path: Path, peer: Hop, sender: str | None, asked: Notify | None, age: float, warning: float
) -> None:
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer, delivery={"delay_warning": warning}) as rig:
        await rig.send(Recipient("later@to.example", asked), sender=sender, age=age)
        await rig.facts(Delayed)
    assert not rig.of(DelayNoticeGenerated)


# -- passed on


async def test_a_hop_that_knows_dsn_is_told_what_was_asked(tmp_path: Path, peer: Hop) -> None:
    peer.extensions = ("DSN",)
    async with delivering(tmp_path, peer) as rig:
        asked = Recipient("you@to.example", ALL, "rfc822;you+2Bold@to.example")
        await rig.finished(await rig.send(asked, "plain@to.example", demands=Demands(ret="HDRS", envid="QQ+2B1")))
        assert peer.visits[0].commands[1:4] == [
            "MAIL FROM:<me@from.example> RET=HDRS ENVID=QQ+2B1",
            "RCPT TO:<you@to.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;you+2Bold@to.example",
            "RCPT TO:<plain@to.example>",
        ]
        assert not rig.of(RelayNoticeGenerated)


async def test_a_hop_without_dsn_leaves_it_to_us_to_say_that_mail_was_passed_on(tmp_path: Path, peer: Hop) -> None:
    peer.answers["end"] = "250 2.6.0 queued"
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send(Recipient("you@to.example", Notify.SUCCESS), "plain@to.example")
        await rig.finished(mid)
        await rig.until(lambda: notices(peer))
        subject, about = report(notices(peer)[0])
        assert subject == "Mail Passed On"
        assert set(about) == {"you@to.example"}
        assert (about["you@to.example"]["Action"], about["you@to.example"]["Status"]) == ("relayed", "2.6.0")
        assert peer.visits[0].commands[1:3] == ["MAIL FROM:<me@from.example>", "RCPT TO:<you@to.example>"]
        assert len(rig.of(Delivered)) == 2  # the message, and the notice


async def test_each_kind_is_a_notice_of_its_own(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = answer_by_name
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send(Recipient("gone@to.example", ALL), Recipient("you@to.example", ALL))
        await rig.finished(mid)
        await rig.until(lambda: len(notices(peer)) == 2)
        assert {report(each)[0] for each in notices(peer)} == {"Mail Passed On", "Undelivered Mail Returned to Sender"}
        assert len(rig.of(Bounced)) == 1
        assert [each.mid for each in rig.of(MessageFinished)].count(mid) == 1
