"""What is recorded comes back as the same value, and a line that is no record is named as such."""

from __future__ import annotations

import dataclasses
import json
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.event import codec, facts
from sealgate.event.base import Event
from sealgate.event.codec import EVENTS, Record, RecordError, decode, encode
from sealgate.event.facts import MessageQueued, MessageTo, Note, TlsSucceeded, Way
from sealgate.tls.hello import Hello
from sealgate.tls.verdict import Outcome, PeerCertificate
from sealgate.tls.version import ProtocolVersion
from tests.event.values import RECORDS, facts_of

AT = datetime(2024, 1, 17, 20, 11, 6, 7, UTC)

OUTCOME = Outcome(
    version=ProtocolVersion.TLS1_3,
    cipher="TLS_AES_256_GCM_SHA384",
    group="X25519MLKEM768",
    server_name="mx.example",
    resumed=False,
    certificate=PeerCertificate("CN=a", "CN=b", ("a.example",), "2030-01-01T00:00:00Z", "ab" * 32),
    verified=True,
    verify_error=None,
    alpn=None,
)
HELLO = Hello(
    versions=(0x0A0A, 772, 771),
    suites=tuple(range(4865, 4896)),
    groups=(4588, 29, 23),
    key_shares=(4588, 29),
    signature_algorithms=tuple(range(1027, 1045)),
    server_name="mx.example",
    alpn=(),
    legacy_version=771,
    fallback_scsv=False,
    size=1530,
)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
@settings(deadline=None, max_examples=settings().max_examples // 5)
@given(data=st.data())
def test_every_fact_comes_back(kind: type[Event], data: st.DataObject) -> None:
    record = Record(AT, "worker-1", data.draw(facts_of(kind)))
    assert decode(encode(record)) == record


@settings(deadline=None)
@given(RECORDS)
def test_a_record_is_one_line_of_ascii_json(record: Record) -> None:
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert json.loads(line)["event"] == type(record.event).__name__


def test_the_form_of_a_line() -> None:
    event = MessageTo(mid=7, icid=3, rid=0, recipient="b\u00fccher\n@x.example")
    assert encode(Record(AT, "worker-1", event)) == (
        b'{"at":"2024-01-17T20:11:06.000007Z","source":"worker-1","event":"MessageTo",'
        b'"mid":7,"icid":3,"rid":0,"recipient":"b\\u00fccher\\n@x.example"}\n'
    )


def test_nested_values_and_enumerations_read_without_a_table() -> None:
    data = json.loads(encode(Record(AT, "s", TlsSucceeded(Way.IN, 1, "public", "::1", None, OUTCOME, HELLO, 0.25))))
    assert data["way"] == "in"
    assert data["outcome"]["version"] == "TLS1_3"
    assert data["outcome"]["certificate"]["names"] == ["a.example"]
    assert data["hello"]["versions"] == [0x0A0A, 772, 771]
    assert data["seconds"] == 0.25


def test_another_zone_is_the_same_moment() -> None:
    there = AT.astimezone(timezone(timedelta(hours=-6)))
    assert encode(Record(there, "s", MessageQueued(1))) == encode(Record(AT, "s", MessageQueued(1)))


def test_facts_name_their_fields_apart_from_the_record() -> None:
    for kind in EVENTS.values():
        names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        assert not names & {"at", "source", "event"}, kind


def test_every_fact_is_public_and_documented() -> None:
    assert set(EVENTS) <= set(facts.__all__)
    assert all(kind.__doc__ and not kind.__doc__.startswith(kind.__name__) for kind in EVENTS.values())


NEWER = b'{"at":"2024-01-17T20:11:06Z","source":"s","event":"MessageQueued","mid":1,"colour":"blue"}\n'


def test_a_field_of_a_later_version_is_skipped() -> None:
    assert decode(NEWER) == Record(AT.replace(microsecond=0), "s", MessageQueued(1))


def test_a_field_with_a_default_may_be_missing() -> None:
    read = codec._object_reader(PeerCertificateLike)
    assert read({"name": "a"}) == PeerCertificateLike("a", 3)


@dataclasses.dataclass(frozen=True)
class PeerCertificateLike:
    """Stands for a fact that has grown a field."""

    name: str
    depth: int = 3


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"", "no record"),
        (b"\n", "no record"),
        (NEWER[:40], "no record"),
        (b"[]", "no record"),
        (b"7", "no record"),
        (b"\xff\xfe", "no record"),
        (b"{}", "lacks 'event'"),
        (NEWER.replace(b"MessageQueued", b"MessageSung"), "'MessageSung' is no fact that this version knows"),
        (NEWER.replace(b'"MessageQueued"', b"[1]"), "no record"),
        (NEWER.replace(b'"mid"', b'"mud"'), "lacks 'mid'"),
        (NEWER.replace(b":1,", b':"1",'), "'1' stands where int is due"),
        (NEWER.replace(b":1,", b":true,"), "True stands where int is due"),
        (NEWER.replace(b'"s"', b"null"), "None stands where str is due"),
        (NEWER.replace(b"06Z", b"06"), "has no zone"),
        (NEWER.replace(b"2024-01", b"2024-13"), "no record"),
        (b'{"at":"2024-01-17T20:11:06Z","source":"s","event":"StarttlsInjected","way":"up"}', "'up'"),
    ],
)
def test_what_is_no_record_is_named(line: bytes, sentence: str) -> None:
    with pytest.raises(RecordError, match=sentence):
        decode(line)


@settings(deadline=None)
@given(st.binary())
def test_garbage_is_never_more_than_no_record(line: bytes) -> None:
    with pytest.raises(RecordError):
        decode(line)


@settings(deadline=None)
@given(RECORDS, st.data())
def test_a_torn_line_is_no_record(record: Record, data: st.DataObject) -> None:
    line = encode(record)
    with pytest.raises(RecordError):
        decode(line[: data.draw(st.integers(0, len(line) - 2))])


def test_a_note_keeps_its_level() -> None:
    record = Record(AT, "supervisor", Note("Warning", "a"))
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "event",
    [
        MessageTo(1, 2, 0, "user@mycompany.example"),
        TlsSucceeded(Way.OUT, 1, "s", "::1", "d", OUTCOME, HELLO, 0.1),
    ],
)
def test_recording_is_cheap(event: Any) -> None:
    """A message states a dozen facts. Measured against the obvious way, which takes about five times as long."""
    record = Record(AT, "worker-1", event)

    def best(work: Callable[[], object]) -> float:
        return min(timeit.repeat(work, number=200, repeat=9))

    assert best(lambda: encode(record)) < best(lambda: json.dumps(dataclasses.asdict(event)))
