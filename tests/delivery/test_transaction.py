"""One message over a connection: what a hop is asked, and what becomes of what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.delivery.passage import Parcel, ascii_form, passage
from sealgate.delivery.trouble import Trouble
from sealgate.event.facts import Bounced, Delayed, Delivered, MessageFinished
from sealgate.mail.envelope import Demands, Notify, Recipient
from sealgate.smtp.client import Capabilities, ClientMachine
from tests.delivery.rig import TEXT, delivering, notices
from tests.peers.hop import Hop, Visit, hop

UTF8 = Demands(body_8bit=True, utf8=True)
BARE = Demands(bare=True)
PIPELINING = pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["one by one", "pipelined"])


@pytest.fixture
def peer() -> Iterator[Hop]:
    with hop() as running:
        yield running


def said(peer: Hop, verb: str) -> list[str]:
    """The commands with this verb, over all connections."""
    return [command for visit in peer.visits for command in visit.commands if command.startswith(verb)]


def close(command: str, visit: Visit) -> str:
    """As an answer: the connection ends."""
    raise ConnectionAbortedError


# -- recipients


@PIPELINING
async def test_each_recipient_has_its_own_fate(tmp_path: Path, peer: Hop, extensions: tuple[str, ...]) -> None:
    answers = {"gone": "550 5.1.1 unknown", "later": "450 4.2.1 not now", "full": "552 5.2.2 mailbox full"}
    peer.extensions = extensions
    peer.answers["RCPT"] = lambda command, _: answers.get(command.split("<")[1].split("@")[0], "250 ok")
    async with delivering(tmp_path, peer) as rig:
        await rig.send(*(f"{name}@to.example" for name in ("gone", "you", "later", "full", "me")), sender=None)
        await rig.facts(Delayed)
        assert [(each.rids, each.status) for each in rig.of(Bounced)] == [((0,), "5.1.1"), ((3,), "5.2.2")]
        assert [(each.rids, each.status) for each in rig.of(Delayed)] == [((2,), "4.2.1")]
        assert [each.rids for each in rig.of(Delivered)] == [(1, 4)]
        assert peer.messages == [TEXT]


@PIPELINING
@pytest.mark.parametrize("refusal", ["452 4.5.3 too many recipients", "452 too many", "552 too many"])
async def test_recipients_too_many_for_one_transaction_are_next(
    tmp_path: Path, peer: Hop, extensions: tuple[str, ...], refusal: str
) -> None:
    def two_at_a_time(command: str, visit: Visit) -> str:
        begun = max(number for number, each in enumerate(visit.commands) if each.startswith("MAIL"))
        count = sum(each.startswith("RCPT") for each in visit.commands[begun:])
        return "250 ok" if count <= 2 else refusal

    peer.extensions = extensions
    peer.answers["RCPT"] = two_at_a_time
    async with delivering(tmp_path, peer) as rig:
        mid = await rig.send(*(f"n{number}@to.example" for number in range(5)))
        await rig.finished(mid)
        assert [each.rids for each in rig.of(Delivered)] == [(0, 1), (2, 3), (4,)]
        assert not rig.of(Delayed)
        assert len(peer.messages) == 3
        assert [each.mid for each in rig.of(MessageFinished)] == [mid]


@pytest.mark.parametrize(
    ("refusal", "status"), [("452 4.5.3 too many", "4.5.3"), ("552 5.5.3 too many", "4.5.3"), ("552 full", "4.0.0")]
)
async def test_the_first_recipient_cannot_be_one_too_many(tmp_path: Path, peer: Hop, refusal: str, status: str) -> None:
    peer.answers["RCPT"] = refusal
    async with delivering(tmp_path, peer) as rig:
        await rig.send("a@to.example", "b@to.example")
        (delayed,) = await rig.facts(Delayed)
        assert (delayed.rids, delayed.status) == ((0, 1), status)
        assert len(said(peer, "RCPT")) == 2


@pytest.mark.parametrize(("most", "parts"), [(2, [2, 2, 1]), (5, [5]), (100, [5])])
async def test_a_transaction_has_so_many_recipients(tmp_path: Path, peer: Hop, most: int, parts: list[int]) -> None:
    async with delivering(tmp_path, peer, delivery={"max_recipients": most, "connections_per_destination": 1}) as rig:
        await rig.finished(await rig.send(*(f"n{number}@to.example" for number in range(5))))
        assert [len(each.rids) for each in rig.of(Delivered)] == parts


@pytest.mark.parametrize(
    ("extensions", "close_at"), [((), "RSET"), (("PIPELINING",), "RCPT"), (("PIPELINING",), "RSET")]
)
async def test_a_server_that_refuses_the_sender_and_closes_has_refused_it(
    tmp_path: Path, peer: Hop, extensions: tuple[str, ...], close_at: str
) -> None:
    peer.extensions = extensions
    peer.answers.update({"MAIL": "550 5.7.1 not from you", close_at: close})
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@to.example", "me@to.example", sender=None))
        assert [(each.rids, each.status) for each in rig.of(Bounced)] == [((0, 1), "5.7.1")]
        assert not rig.of(Delayed)


# -- the whole message


@pytest.mark.parametrize(("offered", "expected"), [(("8BITMIME",), " BODY=8BITMIME"), ((), "")])
async def test_eight_bits_go_as_they_are_and_are_announced_where_that_is_known(
    tmp_path: Path, peer: Hop, offered: tuple[str, ...], expected: str
) -> None:
    peer.extensions = offered
    text = "Subject: hello\r\n\r\nGrüße\r\n".encode()
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@to.example", demands=Demands(body_8bit=True), text=text))
    assert said(peer, "MAIL") == [f"MAIL FROM:<me@from.example>{expected}"]
    assert peer.messages == [text]


async def test_a_message_that_is_too_large_for_the_hop_is_not_even_begun(tmp_path: Path, peer: Hop) -> None:
    peer.extensions = ("SIZE 20",)
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@to.example", sender=None))
        assert [each.status for each in rig.of(Bounced)] == ["5.3.4"]
    assert not said(peer, "MAIL")


@pytest.mark.parametrize(("verb", "times"), [("MAIL", 2), ("end", 1)])
async def test_a_message_goes_again_at_once_only_if_the_server_cannot_have_it(
    tmp_path: Path, peer: Hop, verb: str, times: int
) -> None:
    """On a connection that had carried one before: such a one may have died while it was idle."""
    async with delivering(tmp_path, peer, delivery={"idle_timeout": 20.0, "connections_per_destination": 1}) as rig:
        await rig.finished(await rig.send("first@to.example"))
        peer.answers[verb] = close
        await rig.send("second@to.example")
        await rig.facts(Delayed)
        assert len(said(peer, "MAIL")) == 1 + times
        assert len(peer.visits) == times


# -- BDAT


async def test_mail_with_bare_line_ends_leaves_by_bdat_as_it_came(tmp_path: Path, peer: Hop) -> None:
    peer.extensions = ("CHUNKING", "PIPELINING", "SIZE")
    text = TEXT + b"bare\nfeed\rand\r\n.\r\nMAIL FROM:<evil@x.example>\r\n" + b"x" * 600_000 + b"\n.\n"
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@to.example", "me@to.example", demands=BARE, text=text))
        assert [each.rids for each in rig.of(Delivered)] == [(0, 1)]
    assert peer.messages == [text]
    assert not said(peer, "DATA")
    assert len(peer.visits[0].chunks) > 1
    assert sum(peer.visits[0].chunks) == len(text)
    assert [command.split()[2:] for command in said(peer, "BDAT")][-1] == ["LAST"]


async def test_mail_with_bare_line_ends_never_leaves_by_data(tmp_path: Path, peer: Hop) -> None:
    peer.answers["RCPT"] = lambda command, _: "250 ok"
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@to.example", demands=BARE, text=TEXT + b"bare\nfeed\r\n"))
        assert [(each.status, each.lines[0].split(",")[0]) for each in rig.of(Bounced)] == [
            ("5.6.1", "it holds bare CR or LF characters and came by BDAT")
        ]
        await rig.until(lambda: notices(peer))
    assert len(peer.messages) == 1  # the notice
    assert b"CHUNKING" in peer.messages[0]


@pytest.mark.parametrize(("which", "answer"), [("first", "554 5.6.0 no"), ("last", "451 4.3.0 later")])
async def test_a_refused_chunk_refuses_the_message_and_leaves_the_connection_usable(
    tmp_path: Path, peer: Hop, which: str, answer: str
) -> None:
    peer.extensions = ("CHUNKING",)
    peer.answers["BDAT"] = lambda command, _: answer if ("LAST" in command) is (which == "last") else "250 ok"
    text = TEXT + b"\n" * 600_000
    async with delivering(tmp_path, peer, delivery={"connections_per_destination": 1, "idle_timeout": 5.0}) as rig:
        await rig.send("you@to.example", demands=BARE, text=text, sender=None)
        await rig.facts(Bounced if answer.startswith("5") else Delayed)
        peer.answers.clear()
        await rig.finished(await rig.send("you@to.example"))
    assert len(peer.visits) == 1
    assert peer.messages == [TEXT]
    assert peer.visits[0].commands.count("RSET") == 1


# -- SMTPUTF8


async def test_internationalised_mail_goes_as_it_is_to_a_hop_that_takes_it(tmp_path: Path, peer: Hop) -> None:
    peer.extensions = ("SMTPUTF8", "8BITMIME", "DSN")
    text = "Subject: Grüße\r\n\r\nHello.\r\n".encode()
    asked = Recipient("jürgen@bücher.example", Notify.FAILURE, "utf-8;j\\x{FC}rgen@b.example")
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send(asked, sender="änne@from.example", demands=UTF8, text=text))
    assert said(peer, "MAIL") == ["MAIL FROM:<änne@from.example> BODY=8BITMIME SMTPUTF8"]
    assert said(peer, "RCPT") == ["RCPT TO:<jürgen@bücher.example> NOTIFY=FAILURE ORCPT=utf-8;j\\x{FC}rgen@b.example"]
    assert peer.messages == [text]


async def test_what_needs_no_smtputf8_goes_without(tmp_path: Path, peer: Hop) -> None:
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("you@bücher.example", demands=UTF8))
    assert said(peer, "MAIL") == ["MAIL FROM:<me@from.example>"]
    assert said(peer, "RCPT") == ["RCPT TO:<you@xn--bcher-kva.example>"]  # a domain has another form (RFC 6531 §3.2)


@pytest.mark.parametrize(
    ("sender", "subject", "status", "why"),
    [
        ("me@from.example", "hello", "5.6.7", "the address of the recipient is not ASCII"),
        ("änne@from.example", "hello", "5.6.7", "the address of the sender is not ASCII"),
        ("me@from.example", "Grüße", "5.6.9", "its header holds UTF-8"),
    ],
)
async def test_what_needs_smtputf8_comes_back_from_a_hop_without(
    tmp_path: Path, peer: Hop, sender: str, subject: str, status: str, why: str
) -> None:
    text = f"Subject: {subject}\r\n\r\nHello.\r\n".encode()
    recipient = "jürgen@to.example" if why.startswith("the address of the recipient") else "you@to.example"
    async with delivering(tmp_path, peer) as rig:
        await rig.send(recipient, sender=sender, demands=UTF8, text=text)
        (bounced, *_) = await rig.facts(Bounced)
        assert bounced.status == status
        assert bounced.lines[0].startswith(why)
    assert not said(peer, "DATA") or peer.messages[0].startswith(b"From: Mail Delivery System")


async def test_one_recipient_that_needs_smtputf8_keeps_nothing_from_the_others(tmp_path: Path, peer: Hop) -> None:
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("jürgen@to.example", "you@to.example", demands=UTF8))
        await rig.until(lambda: notices(peer))
        assert [each.rids for each in rig.of(Bounced)] == [(0,)]
    (notice,) = [message for message in peer.messages if b"multipart/report" in message]
    assert "Final-Recipient: utf-8; jürgen@to.example".encode() in notice
    assert b"message/global-delivery-status" in notice


async def test_a_notice_for_an_internationalised_sender_goes_by_smtputf8(tmp_path: Path, peer: Hop) -> None:
    peer.extensions = ("SMTPUTF8", "8BITMIME")
    peer.answers["RCPT"] = lambda command, _: "550 5.1.1 unknown" if "gone" in command else "250 ok"
    async with delivering(tmp_path, peer) as rig:
        await rig.finished(await rig.send("gone@to.example", sender="änne@from.example", demands=UTF8))
    assert said(peer, "MAIL")[1] == "MAIL FROM:<> BODY=8BITMIME SMTPUTF8"
    assert "To: <änne@from.example>".encode() in peer.messages[0]


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("a@b.example", "a@b.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ('"a@b"@bücher.example', '"a@b"@xn--bcher-kva.example'),
        ("ä@b.example", None),
        ("ä@bücher.example", None),
    ],
)
def test_an_address_in_ascii(address: str, form: str | None) -> None:
    assert ascii_form(address) == form


ADDRESSES = st.sampled_from(["a@b.example", '"a b"@b.example', "a@bücher.example", "ä@b.example", "ä@bücher.example"])
RECIPIENTS = st.builds(
    Recipient,
    ADDRESSES,
    st.none() | st.sampled_from([Notify.NEVER, Notify.SUCCESS, Notify.FAILURE | Notify.DELAY]),
    st.sampled_from(["", "rfc822;a@b.example", "utf-8;ä@b.example"]),
)
PARCELS = st.builds(
    Parcel,
    st.none() | ADDRESSES,
    st.lists(RECIPIENTS, min_size=1, max_size=5).map(lambda found: list(enumerate(found))),
    st.integers(0, 200),
    st.builds(
        Demands,
        st.booleans(),
        st.just(True),  # some of these addresses are not ASCII
        st.booleans(),
        st.sampled_from(["", "FULL", "HDRS"]),
        st.sampled_from(["", "QQ+2B1"]),
    ),
)
OFFERS = st.builds(
    Capabilities,
    size=st.none() | st.sampled_from([0, 100]),
    eight_bit_mime=st.booleans(),
    dsn=st.booleans(),
    smtputf8=st.booleans(),
    chunking=st.booleans(),
)


@given(PARCELS, OFFERS, st.booleans())
def test_a_hop_is_never_asked_for_what_it_does_not_offer(
    parcel: Parcel, offered: Capabilities, ascii_header: bool
) -> None:
    way = passage(parcel, offered, ascii_header)
    if isinstance(way, Trouble):
        assert way.permanent
        return
    machine = ClientMachine("gate.example")
    commands = [machine.mail(way.sender, way.parameters)]
    commands += [machine.rcpt(path.address, path.parameters) for path in way.paths]
    said = b"".join(commands)
    assert said.isascii() or (offered.smtputf8 and b"SMTPUTF8" in commands[0])
    assert way.by_bdat == parcel.demands.bare <= offered.chunking
    for word, offer in ((b"BODY=", offered.eight_bit_mime), (b"SIZE=", offered.size is not None)):
        assert offer or word not in commands[0]
    for word in (b"RET=", b"ENVID=", b"NOTIFY=", b"ORCPT="):
        assert offered.dsn or word not in said
    assert {path.rid for path in way.paths} | {rid for rid, _ in way.refused} == {rid for rid, _ in parcel.recipients}
