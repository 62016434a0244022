"""Terms that become known late: they hold from the next command on, and nothing that has begun is misread."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import Hangup, Limits, Login, MessageEnd, Offer, ServerMachine
from tests.smtp.cutting import cuts, pieces
from tests.smtp.gateway import SIZE, Gateway
from tests.smtp.test_cutting import talk

ENVELOPE = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@inside.example>\r\n"
EVERYTHING = frozenset({"8BITMIME", "CHUNKING", "DSN", "PIPELINING", "SIZE", "SMTPUTF8"})


def govern(
    machine: ServerMachine,
    *,
    offer: Offer | None = None,
    limits: Limits | None = None,
    require_tls: bool = False,
    require_auth: bool = False,
) -> None:
    """These terms, and for the rest those of every gateway here."""
    machine.govern(
        offer=offer or Offer(starttls=True, size=SIZE, auth=True),
        limits=limits or Limits(size=SIZE),
        require_tls=require_tls,
        require_auth=require_auth,
    )


def test_tls_and_a_login_may_be_required_after_the_greeting() -> None:
    peer = Gateway()
    peer.hear(b"EHLO x\r\n")
    govern(peer.machine, require_tls=True)
    assert peer.hear(b"MAIL FROM:<a@b.example>\r\n") == replies.TLS_REQUIRED.encode()
    govern(peer.machine, require_auth=True)
    assert peer.hear(b"MAIL FROM:<a@b.example>\r\n") == replies.AUTH_REQUIRED.encode()
    govern(peer.machine)
    assert peer.hear(b"MAIL FROM:<a@b.example>\r\n").startswith(b"250 ")


def test_a_transaction_goes_on_only_under_the_new_terms() -> None:
    for commands in (b"RCPT TO:<d@inside.example>\r\n", b"DATA\r\n", b"BDAT 6 LAST\r\nQUIT\r\n"):
        peer = Gateway()
        peer.hear(ENVELOPE)
        govern(peer.machine, require_auth=True)
        assert peer.hear(commands) == replies.AUTH_REQUIRED.encode()
        assert peer.messages == []


def test_what_ehlo_says_changes_with_the_offer() -> None:
    peer = Gateway()
    govern(peer.machine, offer=Offer(starttls=False, size=7, hidden=frozenset({"DSN", "8BITMIME"})))
    assert peer.hear(b"EHLO x\r\n").decode().split("\r\n")[:-1] == [
        "250-mx.example",
        "250-PIPELINING",
        "250-SIZE 7",
        "250-ENHANCEDSTATUSCODES",
        "250 CHUNKING",
    ]


def test_what_was_announced_is_understood_until_the_next_ehlo() -> None:
    peer = Gateway()
    peer.hear(ENVELOPE)
    govern(peer.machine, offer=Offer(starttls=True, size=SIZE, hidden=EVERYTHING))
    assert peer.hear(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n") == replies.message_accepted(1).encode() + replies.OK.encode()
    peer.hear(b"EHLO x\r\n")
    assert peer.hear(b"BDAT 6 LAST\r\n") == replies.UNKNOWN_COMMAND.encode()


def test_a_message_under_way_keeps_its_rules() -> None:
    loose = Limits(size=10 * SIZE, bare_line_endings=BareLineEndings.ALLOW)
    for begin, rest in ((b"DATA\r\n", b"a\nb\r\n.\r\n"), (b"BDAT 1\r\na", b"BDAT 2 LAST\r\n\nb")):
        peer = Gateway()
        peer.hear(ENVELOPE + begin)
        govern(peer.machine, limits=loose)
        peer.hear(rest)
        assert peer.messages == []
        peer.hear(ENVELOPE + begin + rest)
        end = peer.events[-1]
        assert isinstance(end, MessageEnd)
        assert end.bare
        assert end.fault is None


def test_the_limits_of_the_next_message() -> None:
    peer = Gateway()
    peer.hear(ENVELOPE + b"DATA\r\n")
    govern(peer.machine, limits=Limits(size=3, recipients=1))
    assert peer.hear(b"abcdef\r\n.\r\n").startswith(b"250 ")
    peer.hear(ENVELOPE)
    assert peer.hear(b"RCPT TO:<d@inside.example>\r\n") == replies.TOO_MANY_RECIPIENTS.encode()
    assert peer.hear(b"DATA\r\nabcdef\r\n.\r\n").endswith(replies.MESSAGE_TOO_LARGE.encode())


offers = st.builds(
    Offer,
    st.booleans(),
    st.just(SIZE),
    auth=st.booleans(),
    hidden=st.frozensets(st.sampled_from(sorted(EVERYTHING))),
)
limits = st.builds(
    Limits,
    line=st.integers(16, 300),
    recipients=st.integers(1, 3),
    size=st.integers(1, SIZE),
    bare_line_endings=st.sampled_from(BareLineEndings),
)
terms = st.fixed_dictionaries(
    {"offer": offers, "limits": limits, "require_tls": st.booleans(), "require_auth": st.booleans()}
)


@given(talk, cuts(), st.lists(terms, min_size=1, max_size=6), st.booleans())
def test_no_change_at_any_time_breaks_a_session(
    data: bytes, where: list[int], changes: list[dict[str, Any]], encrypted: bool
) -> None:
    peer = Gateway(encrypted=encrypted)
    for number, piece in enumerate(pieces(data, where)):
        peer.machine.govern(**changes[number % len(changes)])
        said = peer.hear(piece)
        assert said == b"" or said.endswith(b"\r\n")
    assert encrypted or not any(isinstance(event, Login) for event in peer.events)
    assert sum(isinstance(event, Hangup) for event in peer.events) <= 1
