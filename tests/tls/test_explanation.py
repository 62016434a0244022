"""A failed handshake in words for those who can mend it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.tls.failure import ALERT_BASE, Origin, TlsFailure, classic_text
from sealgate.tls.hello import Hello
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.verdict import Explanation, Side, explain
from sealgate.tls.version import LEGAL_SELECTIONS, Selection

POLICY = TlsPolicy(Selection.parse("1.2-1.3"))
NEWEST = TlsPolicy(Selection.parse("1.3"))
HELLO = Hello(
    versions=(0x0302, 0x0301, 0x0300),
    suites=(0x0A0A, 0x0005, 0x000A, 0x002F, 0x00FF),
    groups=(23, 29),
    key_shares=(),
    signature_algorithms=(),
    server_name=None,
    alpn=(),
    legacy_version=0x0302,
    fallback_scsv=False,
    size=120,
)


def local(reason: int | None, text: str = "words") -> TlsFailure:
    return TlsFailure(Origin.LOCAL, reason, text)


def alert(number: int) -> TlsFailure:
    return TlsFailure(Origin.ALERT, ALERT_BASE + number, classic_text(ALERT_BASE + number, ""), number)


@pytest.mark.parametrize(
    ("ours", "versions", "sentence", "mend"),
    [
        (
            "1.2-1.3",
            (0x0302, 0x0301, 0x0300),
            "The client offers TLS 1.1 at most;",
            "down to TLS 1.1, which weakens it.",
        ),
        ("1.3", (0x0303, 0x0302, 0x0301, 0x0300), "The client offers TLS 1.2 at most;", "down to TLS 1.2."),
        ("1.3", (0x0303,), "The client offers TLS 1.2 only;", "down to TLS 1.2."),
        ("1.3", (0x0303, 0x0302), "The client offers TLS 1.1 and 1.2;", "down to TLS 1.2."),
        ("1.1-1.2", (0x1A1A, 0x0304), "The client offers TLS 1.3 only;", "up to TLS 1.3."),
        ("1.2-1.3", (0x0300,), "no version from TLS 1.0 to 1.3;", "Have the client's TLS updated."),
        ("1.2-1.3", (0x7F1C,), "no version from TLS 1.0 to 1.3;", "Have the client's TLS updated."),
    ],
)
def test_versions_that_do_not_meet_are_named_with_the_way_out(
    ours: str, versions: tuple[int, ...], sentence: str, mend: str
) -> None:
    policy = TlsPolicy(Selection.parse(ours))
    found = explain(policy, replace(HELLO, versions=versions), local(258), Side.SERVER)
    assert found.code == "no-common-version"
    assert sentence in found.sentence
    assert found.sentence.endswith(f"this service allows TLS {ours}.")
    assert found.mend.endswith(mend)


def test_suites_that_do_not_meet_are_named_with_one_that_would_do() -> None:
    found = explain(POLICY, HELLO, local(193), Side.SERVER)
    assert found.code == "no-common-cipher"
    assert "It offers RC4-SHA, DES-CBC3-SHA, AES128-SHA." in found.sentence
    assert found.mend.startswith("Add AES128-SHA to the ciphers of this service")


def test_a_client_with_nothing_but_removed_suites_has_to_be_updated() -> None:
    found = explain(POLICY, replace(HELLO, suites=(5, 4, 10, 9, 3, 6)), local(193), Side.SERVER)
    assert "and 1 more." in found.sentence
    assert found.mend == "Have the client's TLS updated."


@pytest.mark.parametrize(
    ("failure", "side", "code"),
    [
        (local(101), Side.SERVER, "no-common-group"),
        (local(410), Side.SERVER, "no-common-group"),
        (local(118), Side.SERVER, "no-common-signature"),
        (local(373), Side.SERVER, "inappropriate-fallback"),
        (local(199), Side.SERVER, "client-certificate-missing"),
        (local(134), Side.SERVER, "client-certificate-invalid"),
        (local(156), Side.SERVER, "not-tls"),
        (local(999), Side.SERVER, "handshake-refused"),
        (local(None), Side.CLIENT, "handshake-refused"),
        (local(258), Side.CLIENT, "no-common-version"),
        (local(267), Side.CLIENT, "not-tls"),
        (local(394), Side.CLIENT, "server-key-too-small"),
        (alert(70), Side.CLIENT, "no-common-version"),
        (alert(70), Side.SERVER, "no-common-version"),
        (alert(40), Side.CLIENT, "no-common-cipher"),
        (alert(40), Side.SERVER, "alert-40"),
        (alert(42), Side.SERVER, "certificate-refused"),
        (alert(48), Side.SERVER, "certificate-untrusted"),
        (alert(116), Side.CLIENT, "client-certificate-missing"),
        (alert(80), Side.CLIENT, "peer-internal-error"),
        (alert(86), Side.CLIENT, "inappropriate-fallback"),
        (alert(199), Side.SERVER, "alert-199"),
        (TlsFailure(Origin.CLOSED, None, ""), Side.CLIENT, "closed-in-handshake"),
        (TlsFailure(Origin.TIMEOUT, None, ""), Side.CLIENT, "handshake-timeout"),
        (TlsFailure(Origin.LIMIT, None, ""), Side.SERVER, "hello-too-large"),
        (TlsFailure(Origin.POLICY, None, "TLS has been withdrawn"), Side.SERVER, "policy"),
        (TlsFailure(Origin.INJECTION, None, ""), Side.SERVER, "starttls-injection"),
    ],
)
def test_a_failure_has_a_stable_code(failure: TlsFailure, side: Side, code: str) -> None:
    assert explain(POLICY, HELLO, failure, side).code == code


def test_bytes_that_are_no_hello_are_no_tls() -> None:
    assert explain(POLICY, None, local(267), Side.SERVER).code == "not-tls"
    assert explain(POLICY, HELLO, local(267), Side.SERVER).code == "handshake-refused"


def test_a_server_that_answers_13_alone_with_handshake_failure_lacks_it() -> None:
    found = explain(NEWEST, None, alert(40), Side.CLIENT)
    assert found.code == "no-common-version"
    assert found.sentence == ("The server accepts none of the versions offered; this gateway offers it TLS 1.3.")
    assert found.mend == ("Widen the versions of this service (TLS 1.2 below), or have the server's TLS updated.")


def test_where_nothing_can_be_widened_the_server_must_change() -> None:
    policy = TlsPolicy(Selection.parse("1.0-1.3"))
    assert explain(policy, None, alert(70), Side.CLIENT).mend.endswith("have the server's TLS updated.")
    assert "Widen" not in explain(policy, None, alert(70), Side.CLIENT).mend


def test_a_required_client_certificate_is_named_with_its_setting() -> None:
    policy = replace(POLICY, client_certificate=ClientCertificate.REQUIRE)
    found = explain(policy, HELLO, local(199), Side.SERVER)
    assert found.sentence == "The client shows no certificate, and this listener is set to require one."
    assert found.mend.endswith("set the listener's client_certificate to request.")


_FAILURES = st.builds(
    TlsFailure,
    st.sampled_from(Origin),
    st.one_of(st.none(), st.integers(0, 1300)),
    st.sampled_from(["", "words"]),
    st.one_of(st.none(), st.integers(0, 255)),
)


@given(_FAILURES, st.sampled_from(Side), st.sampled_from(LEGAL_SELECTIONS), st.sampled_from([None, HELLO]))
def test_every_failure_is_explained_in_whole_sentences(
    failure: TlsFailure, side: Side, selection: Selection, hello: Hello | None
) -> None:
    found = explain(TlsPolicy(selection), hello, failure, side)
    assert isinstance(found, Explanation)
    assert found.code == found.code.lower().replace(" ", "-")
    for sentence in (found.sentence, found.mend):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert ".." not in sentence
