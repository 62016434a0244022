"""Commits in memory: what meets on the way into force and back, with a supervisor that only notes what it is asked."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sealgate.config.edit import Set, Step, edited
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.control.acts import Acts
from sealgate.control.changes import Changes
from sealgate.control.commit import Committed, Committer, Order
from sealgate.control.confirm import Confirming
from sealgate.control.roles import NotAllowed, Operator
from sealgate.control.verification import Verification
from sealgate.event.facts import Event, Note, RevisionApplied, RevisionReverted
from sealgate.net.tls.credential import self_signed
from sealgate.net.tls.library import measure_library
from sealgate.process.channel import ChannelError
from sealgate.store.audit import Audit
from sealgate.store.candidates import Candidate, Candidates
from sealgate.store.revisions import Revisions
from tests.config.samples import configuration

LIBRARY = measure_library()
BEGINNING = datetime.datetime(2024, 1, 17, 20, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
FRESH, OLD = (
    CertificateProfile(name="demo", certificate=pair[0], key=pair[1])
    for pair in (
        self_signed("gate.example", "ec", now=BEGINNING, days=90),
        self_signed("gate.example", "ec", now=BEGINNING - 90 * DAY, days=60),
    )
)


class House:
    """Control without a gateway. `asked` is what the supervisor was asked; `meanwhile` happens while it works."""

    def __init__(self, folder: Path, profile: CertificateProfile = FRESH) -> None:
        path = folder / "revisions.db"
        self.now = BEGINNING
        self.asked: list[str] = []
        self.meanwhile: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {}
        self.running = 1
        self.serving = True
        self.events: list[Event] = []
        self.revisions = Revisions(path)
        self.audit = Audit(path)
        self.revisions.add(self.first(profile), who="init", comment="", at=self.now, face="cli")
        acts = Acts(self.audit, self.events.append, self.clock)
        self.committer = Committer(
            self,  # type: ignore[arg-type]
            self.revisions,
            LIBRARY,
            acts,
            self.events.append,
            self.clock,
            lambda applied: None,
            self.verify,
        )
        self.confirming = Confirming(self.revisions, self.committer, self.clock, acts, self.events.append)
        self.candidates = Candidates(path)
        self.changes = Changes(
            self.revisions, self.candidates, acts, self.committer, self.confirming, LIBRARY, self.hashed, self.clock
        )

    def first(self, profile: CertificateProfile) -> Configuration:
        rows = [profile.model_dump(mode="json")]
        users = [Set(f"{each}.certificates", ["demo"]) for each in ("listeners[public]", "gui")]
        return edited(configuration(), [Set("certificates", rows), *users])

    def clock(self) -> datetime.datetime:
        self.now += datetime.timedelta(seconds=1)
        return self.now

    async def hashed(self, passphrase: str) -> str:
        raise AssertionError(passphrase)

    async def request(self, op: str, body: dict[str, Any], timeout: float | None = None) -> dict[str, Any]:
        self.asked.append(op)
        if op in self.meanwhile:
            await self.meanwhile.pop(op)()
        if op == "swap":
            self.running = body["revision"]
        children = [{"child": "control", "serving": False}, {"child": "worker-1", "serving": self.serving}]
        return {"revision": self.running, "digest": "another", "children": children}

    async def verify(self, payload: dict[str, Any]) -> Verification:
        await self.request("verify", payload)
        return Verification(())

    def operator(self, role: str = "administrator") -> Operator:
        return Operator("root", "cli", self.clock(), role)  # type: ignore[arg-type]

    async def commit(self, *steps: Step, minutes: float | None = None) -> Committed:
        current = self.revisions.current()
        assert current is not None
        committed = await self.committer.commit(
            Order(edited(current.configuration, steps), "root", "cli", minutes=minutes)
        )
        await self.confirming.committed(committed)
        return committed

    def timeout(self) -> float:
        current = self.revisions.current()
        assert current is not None
        return current.configuration.dns.timeout

    async def until(self, event: type[Event]) -> None:
        async with asyncio.timeout(10):
            while not any(isinstance(each, event) for each in self.events):
                await asyncio.sleep(0)


def test_what_cannot_be_stored_is_forgotten_by_every_process(tmp_path: Path) -> None:
    house = House(tmp_path)

    def fails(*arguments: object, **named: object) -> None:
        raise OverflowError("nobody has thought of this")

    async def run() -> None:
        add, house.revisions.add = house.revisions.add, fails  # type: ignore[method-assign,assignment]
        with pytest.raises(OverflowError):
            await house.commit(Set("dns.timeout", 7))
        assert house.asked == ["prepare", "abandon"]
        house.revisions.add = add  # type: ignore[method-assign]
        assert (await house.commit(Set("dns.timeout", 7))).revision.number == 2

    asyncio.run(run())


def test_what_is_not_prepared_in_time_is_forgotten_too(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def late() -> None:
        raise TimeoutError

    async def run() -> None:
        house.meanwhile["prepare"] = late
        with pytest.raises(ConfigurationError, match="not every process"):
            await house.commit(Set("dns.timeout", 7))
        assert house.asked == ["prepare", "abandon"]

    asyncio.run(run())


def test_nobody_confirms_what_is_still_on_its_way(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def run() -> None:
        early = []

        async def confirms() -> None:
            early.append(asyncio.ensure_future(house.confirming.confirm(house.operator())))
            await asyncio.sleep(0)

        house.meanwhile["swap"] = confirms  # the revision is stored, and no process has it yet
        await house.commit(Set("dns.timeout", 7), minutes=5)
        with pytest.raises(ChannelError, match="began before revision 2 came into force"):
            await early[0]
        assert await house.confirming.confirm(house.operator()) == 2

    asyncio.run(run())


def test_a_return_that_is_overtaken_by_a_commit_takes_nothing_back(tmp_path: Path) -> None:
    """By hand somebody goes back, and somebody else on from there, while the return waits for its turn."""
    house = House(tmp_path)

    async def run() -> None:
        await house.commit(Set("dns.timeout", 7), minutes=0.02)

        async def the_deadline_passes() -> None:
            house.now += datetime.timedelta(hours=1)
            house.confirming.watch()
            await asyncio.sleep(0.05)

        house.meanwhile["prepare"] = the_deadline_passes
        await house.commit(Set("dns.timeout", 10))
        await house.commit(Set("dns.timeout", 8))
        for _ in range(50):
            await asyncio.sleep(0)
        assert house.timeout() == 8
        assert [entry.number for entry in house.revisions.list()] == [4, 3, 2, 1]
        assert not any(isinstance(event, RevisionReverted | Note) for event in house.events)

    asyncio.run(run())


def test_what_comes_back_may_have_expired_meanwhile(tmp_path: Path) -> None:
    house = House(tmp_path, OLD)

    async def run() -> None:
        await house.commit(Set("certificates", [FRESH.model_dump(mode="json")]), minutes=0.001)
        await house.until(RevisionReverted)
        current = house.revisions.current()
        assert current is not None
        assert current.configuration.certificates == (OLD,)

    asyncio.run(run())


def test_what_a_second_session_of_the_same_operator_adds_during_a_commit_stays(tmp_path: Path) -> None:
    house = House(tmp_path)
    root = house.operator()

    async def say(op: str, **body: Any) -> dict[str, Any]:
        answer = await house.changes.handle(root, op, body)
        assert answer is not None
        return answer

    async def run() -> None:
        await say("edit", steps=[{"set": "dns.timeout", "value": 7}])

        async def adds() -> None:
            await say("edit", steps=[{"set": "dns.reverse_timeout", "value": 6}])

        house.meanwhile["prepare"] = adds
        assert (await say("commit"))["revision"] == 2
        left = await say("candidate")
        assert (left["pending"], left["base"], left["configuration"]["dns"]["timeout"]) == (True, 2, 7)
        assert [each["path"] for each in (await say("commit"))["changes"]] == ["dns.reverse_timeout"]
        assert not (await say("candidate"))["pending"]

    asyncio.run(run())


def test_changes_that_are_in_force_though_nobody_said_so_are_no_changes(tmp_path: Path) -> None:
    """Control died behind the swap: the next changes begin on what is in force, and are no conflict."""
    house = House(tmp_path)
    root = house.operator()

    async def run() -> None:
        changed = edited(house.first(FRESH), [Set("dns.timeout", 7)])
        house.candidates.put(Candidate("root", 1, house.now, changed))
        house.revisions.add(changed, who="root", comment="half", at=house.now, face="cli")
        nothing = await house.changes.handle(root, "commit", {})
        assert nothing == {"nothing": "There is no data to commit."}
        step = {"set": "dns.timeout", "value": 8}
        shown = await house.changes.handle(root, "edit", {"steps": [step]})
        assert shown is not None
        assert shown["base"] == 2
        committed = await house.changes.handle(root, "commit", {})
        assert committed is not None
        assert committed["revision"] == 3

    asyncio.run(run())


def test_a_revision_whose_commit_died_before_it_was_on_record_is_put_there(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def run() -> None:
        house.revisions.add(house.first(FRESH), who="lea", comment="half", at=house.now, face="pages")
        house.running = 2  # every process has swapped
        await house.committer.catch_up()
        await house.committer.catch_up()
        assert house.asked == ["running", "verify", "running"]

    asyncio.run(run())
    verified, act = house.audit.list(10)
    assert (verified.act, verified.detail["revision"]) == ("verify", 2)
    assert (act.who, act.face, act.act, act.detail["revision"]) == ("lea", "pages", "commit", 2)
    assert [type(event) for event in house.events] == [RevisionApplied]


def test_what_comes_up_with_the_whole_gateway_is_recorded_and_not_tried_too_early(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.serving = False
    asyncio.run(house.committer.catch_up())
    assert house.asked == ["running"]
    assert [act.act for act in house.audit.list(10)] == ["commit"]


def test_what_is_tried_is_not_what_a_commit_is_just_changing(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def run() -> None:
        async def tries() -> None:
            tried.append(asyncio.ensure_future(house.committer.verify()))
            await asyncio.sleep(0)

        tried: list[asyncio.Future[Verification]] = []
        house.meanwhile["prepare"] = tries
        await house.commit(Set("dns.timeout", 7))
        await tried[0]
        assert house.asked == ["prepare", "swap", "verify"]

    asyncio.run(run())


@pytest.mark.parametrize("role", ["read-only", "operator"])
def test_only_administrators_try_certificates_that_are_not_there(tmp_path: Path, role: str) -> None:
    house = House(tmp_path)

    async def run() -> None:
        shown = await house.changes.handle(house.operator(role), "certificates", {"name": "demo"})
        assert shown is not None
        assert shown["certificates"][0]["name"] == "demo"
        steps = [{"set": "certificates[demo].certificate_file", "value": "/etc/shadow"}]
        with pytest.raises(NotAllowed, match="no administrator"):
            await house.changes.handle(house.operator(role), "certificates", {"name": "demo", "steps": steps})

    asyncio.run(run())


def test_changes_of_another_version_are_a_sentence_and_can_be_dropped(tmp_path: Path) -> None:
    house = House(tmp_path)
    row = ("root", 1, BEGINNING.isoformat(), "{}")
    house.candidates._database.execute("INSERT INTO candidate VALUES (?, ?, ?, ?)", row)

    async def run() -> None:
        with pytest.raises(ChannelError, match=r"^the changes that root has begun .* sealgate clearchanges$"):
            await house.changes.handle(house.operator(), "candidate", {})
        assert await house.changes.handle(house.operator(), "discard", {}) == {"discarded": True}
        await house.changes.handle(house.operator(), "candidate", {})

    asyncio.run(run())
