"""`sslconfig`: which TLS each service speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import Operation, run_menu, yes_or_no
from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.cli.dialogue.versions import EXAMPLES, bracket, lines, meaning, read_versions, warning
from sealgate.config.edit import Set
from sealgate.net.tls.library import measure_library
from sealgate.tls.cipher import CipherError, choose_ciphers
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, TlsPlan, plan_client, plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.suite import KNOWN_SUITES, TLS13_DESCRIPTIONS, TLS13_SUITES
from sealgate.tls.version import ProtocolVersion, Selection, parse_version


@dataclass(frozen=True, slots=True)
class Service:
    """A TLS service: its setting, its word in the menu, how the status and the prompts call it.

    `who` is at the other end, and `effect` becomes of those without a version in common.
    """

    path: str
    word: str
    title: str
    name: str
    server: bool
    who: str = "servers"
    effect: str = "can no longer be reached"


_CONNECT = "can no longer connect"
_ENTER = f"{_CONNECT}: if yours is among them, a commit confirmed comes back by itself"
_WAIT = "can no longer be reached over TLS, and their mail waits"

SERVICES = (
    Service("tls.gui_https", "GUI", "GUI HTTPS", "GUI HTTPS", True, "browsers and programs", _ENTER),
    Service("tls.inbound_smtp", "INBOUND", "Inbound SMTP", "inbound SMTP", True, "peers", _CONNECT),
    Service("tls.outbound_smtp", "OUTBOUND", "Outbound SMTP", "outbound SMTP", False, effect=_WAIT),
)
OTHER = Service("tls.other_clients", "OTHER", "Other TLS Client Services", "Other TLS Client Services", False)


@cache
def _library() -> Library:
    return measure_library()


async def sslconfig(talk: Talk) -> None:
    """Status, menu, and again, until Enter."""
    operations = [
        *(Operation(each.word, f"Edit {each.title} ssl settings.", _editing(each)) for each in SERVICES),
        Operation("VERIFY", "Verify and show ssl cipher list.", _verify),
        Operation("OTHER_CLIENT_TLSV10", "Edit TLS v1.0 for other client services.", _edit_tls10),
        Operation(OTHER.word, f"Edit {OTHER.title} ssl settings.", _editing(OTHER)),
    ]
    await run_menu(talk, operations, _show)


# -- the status


async def _show(talk: Talk) -> None:
    tls = (await talk.configuration())["tls"]
    talk.say("", "sslconfig settings:", *_status(tls))


def _status(tls: Mapping[str, Any]) -> Iterator[str]:
    for service in (*SERVICES, OTHER):
        values = tls[service.path.removeprefix("tls.")]
        yield f"  {service.title} method: {_selection(values).method}"
        yield f"  {service.title} ciphers:"
        for element in values["ciphers"].split(":"):
            yield f"      {element}"
    yield "  TLS v1.3 ciphers, fixed and in this order:"
    for suite in TLS13_SUITES:
        yield f"      {suite}"


def _selection(values: Mapping[str, Any]) -> Selection:
    return Selection.of(parse_version(each) for each in values["versions"])


# -- one service


def _editing(service: Service) -> Any:
    async def edit(talk: Talk) -> None:
        values = (await talk.configuration())["tls"][service.path.removeprefix("tls.")]
        present = _selection(values)
        selection = await talk.ask(_method(service, present))
        if (line := warning(present, selection)) is not None:
            talk.say(line)
        ciphers = await talk.ask(_ciphers(service, values["ciphers"], selection))
        for note in _plan(service, ciphers, selection).notes:
            talk.say(f"Note: {note}.")
        if (line := meaning(present, selection, service.who, service.effect)) is not None:
            talk.say(line)
        await talk.edit(
            Set(f"{service.path}.versions", [version.number for version in selection]),
            Set(f"{service.path}.ciphers", ciphers),
        )
        if talk.one_line:
            talk.say(f"{service.title} method: {selection.method}")

    return edit


def _method(service: Service, present: Selection) -> Question[Selection]:
    return Question(
        text="\n".join([f"Enter the {service.name} ssl method you want to use.", *lines()]),
        read=lambda typed: read_versions(typed) if typed else present,
        present=bracket(present),
        help=f"Type the numbers of the versions this service is to speak, {EXAMPLES}: one unbroken run. "
        "Enter keeps those in the bracket.",
    )


def _ciphers(service: Service, present: str, selection: Selection) -> Question[str]:
    def read(typed: str) -> str:
        wanted = typed or present
        _plan(service, wanted, selection)
        return wanted

    return Question(
        text="\n".join([*_fixed(selection), f"Enter the {service.name} ssl cipher you want to use."]),
        read=read,
        present=present,
        help="Type a cipher string of OpenSSL for TLS v1.2 and older, as ECDHE+AESGCM:!kRSA, or default for the "
        "recommended suites. Enter keeps what stands in the bracket. VERIFY shows what a string selects.",
    )


def _fixed(selection: Selection) -> Iterator[str]:
    if ProtocolVersion.TLS1_3 in selection:
        yield f"The ciphers of TLS v1.3 are fixed: {', '.join(TLS13_SUITES)}."
    if selection.lowest is ProtocolVersion.TLS1_3:
        yield "With TLS v1.3 alone, the ciphers that follow have no effect now."


def _plan(service: Service, ciphers: str, selection: Selection) -> TlsPlan:
    """What OpenSSL would be told; `PlanError`, a ValueError, says why nothing can be."""
    plan = plan_server if service.server else plan_client
    try:
        return plan(TlsPolicy(selection, ciphers), _library())
    except PlanError as error:
        raise ValueError(str(error)) from None


# -- the other operations


async def _verify(talk: Talk) -> None:
    def read(typed: str) -> tuple[str, ...]:
        if not typed:
            return ()
        return _verified(talk, typed)

    question = Question(
        text="Enter the ssl cipher you want to verify.",
        read=read,
        help="Type a cipher string of OpenSSL, or default; what it selects for TLS v1.2 and older is shown, behind "
        "the three fixed suites of TLS v1.3. Enter shows nothing.",
    )
    found = await talk.ask(question)
    if found:
        talk.say("", *found)


def _verified(talk: Talk, text: str) -> tuple[str, ...]:
    """The lines of `openssl ciphers -v` for a string, judged as at the prompts."""
    try:
        choice = choose_ciphers(text, Selection(ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_2), _library())
    except CipherError as error:
        raise ValueError(str(error)) from None
    notes = tuple(f"Note: {note}." for note in choice.notes)
    return (*TLS13_DESCRIPTIONS, *(KNOWN_SUITES[name].description for name in choice.suites), *notes)


async def _edit_tls10(talk: Talk) -> None:
    """The one box that AsyncOS has for these clients: TLS 1.0 extends their run downwards."""
    present = _selection((await talk.configuration())["tls"]["other_clients"])
    on = ProtocolVersion.TLS1_0 in present
    wanted = await talk.ask(yes_or_no(f"Do you want to use TLS v1.0 for {OTHER.title}?", on))
    if wanted == on:
        return
    if present.highest is ProtocolVersion.TLS1_0:
        talk.say(f"TLS v1.0 is the only version of {OTHER.title}; choose others with {OTHER.word} first.")
        return
    lowest = ProtocolVersion.TLS1_0 if wanted else ProtocolVersion.TLS1_1
    selection = Selection(lowest, present.highest)
    bridges = [version for version in selection if version not in present and version is not lowest]
    if bridges:
        named = " and ".join(f"TLS v{version.number}" for version in bridges)
        talk.say(f"{named} comes with it, so that the versions are one unbroken run.")
    if (line := warning(present, selection)) is not None:
        talk.say(line)
    if (line := meaning(present, selection, OTHER.who, OTHER.effect)) is not None:
        talk.say(line)
    await talk.edit(Set(f"{OTHER.path}.versions", [version.number for version in selection]))


SSLCONFIG = Command(
    "sslconfig",
    "Show and edit which TLS versions and ciphers each service speaks.",
    sslconfig,
    more="sslconfig [gui|inbound|outbound|other [NUMBERS [CIPHERS]]]\n"
    "sslconfig verify CIPHERS\n"
    "sslconfig other_client_tlsv10 Y|N\n\n"
    "Versions are chosen by their numbers in the menu: one (2), a range (1-3), or several with commas (1,2).",
)
