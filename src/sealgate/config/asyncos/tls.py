"""The SSL methods and ciphers of a file, and the rule of the upgrade.

A file without a TLS 1.3 setting is from before TLS 1.3: each service comes up with TLS 1.1 and 1.2, as AsyncOS itself
does it in the upgrade to 15.5, or with 1.2 alone if that was its selection. A file that sets TLS 1.3 keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sealgate.config.asyncos.cipher import served, translated
from sealgate.config.asyncos.element import Element, shortened
from sealgate.config.asyncos.finding import Findings
from sealgate.config.schema import TlsService
from sealgate.tls.cipher import DEFAULT
from sealgate.tls.library import Library
from sealgate.tls.plan import TlsPlan, plan_client, plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import ProtocolVersion, Selection, SelectionError, parse_version

OTHER = "other_clients"
LONGEST = 2000
SERVICES: dict[str, tuple[str, Callable[[TlsPolicy, Library], TlsPlan]]] = {
    "gui_https": ("GUI HTTPS", plan_server),
    "inbound_smtp": ("Inbound SMTP", plan_server),
    "outbound_smtp": ("Outbound SMTP", plan_client),
    OTHER: ("Other TLS Client Services", plan_client),
}
UPGRADED = Selection(ProtocolVersion.TLS1_1, ProtocolVersion.TLS1_2)
STRICTER = Selection(ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_2)

_OF = {"gui": "gui_https", "https": "gui_https", "inbound": "inbound_smtp", "outbound": "outbound_smtp"}
_SETTING = re.compile(r"ssl_(gui|https|gui_https|inbound|outbound)(?:_smtp|_https)?_(method|ciphers?)")
_OTHER = re.compile(r"(?:ssl_)?other_(?:tls_)?clients?_(?:services_)?tls_?v?1_?0")
_WORD = re.compile(r"(?i)(sslv?(?:23|2|3)|tlsv?1(?:[._]?[0-3])?)[\s/,;+&:]*")
_YES = ("1", "yes", "on", "true", "enabled", "enable", "tlsv1_0")
_NO = ("", "0", "no", "off", "false", "disabled", "disable")


@dataclass(frozen=True, slots=True)
class Method:
    """The versions that a service spoke, without SSL, and where that stands."""

    versions: frozenset[ProtocolVersion]
    element: Element


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file says of TLS, by service. `other_tls10` is where other clients are allowed TLS 1.0."""

    methods: dict[str, Method]
    ciphers: dict[str, Element]
    other_tls10: Element | None = None

    @property
    def newer(self) -> bool:
        """Whether TLS 1.3 is set anywhere."""
        return any(ProtocolVersion.TLS1_3 in method.versions for method in self.methods.values())


def read_tls(groups: list[Element], findings: Findings) -> Stated:
    """The settings below `ssl`."""
    methods: dict[str, Method] = {}
    ciphers: dict[str, Element] = {}
    other: Element | None = None
    seen: dict[str, Element] = {}
    for element in (child for group in groups for child in group.children):
        if len(element.value) > LONGEST:
            findings.problem(element, f"this has {len(element.value):,} characters, and no setting of TLS {LONGEST:,}")
        elif (first := seen.setdefault(element.tag, element)) is not element:
            findings.problem(element, f"this stands here a second time, after line {first.line}; keep one of them")
        elif _OTHER.fullmatch(element.tag.lower()):
            other = element if _switch(element, findings) else other
        elif (match := _SETTING.fullmatch(element.tag.lower())) is None:
            findings.leave(element, "Sealgate has no such setting of TLS")
        elif match[2] == "method":
            methods[_OF[match[1].partition("_")[0]]] = Method(_versions(element, findings), element)
        else:
            ciphers[_OF[match[1].partition("_")[0]]] = element
    return Stated(methods, ciphers, other)


def _switch(element: Element, findings: Findings) -> bool:
    text = element.value.lower()
    if text not in (*_YES, *_NO):
        findings.problem(element, f"{shortened(element.value)!r} is neither yes nor no (1 or 0)")
    return text in _YES


def _versions(element: Element, findings: Findings) -> frozenset[ProtocolVersion]:
    """`tlsv1_1tlsv1_2`, `tlsv1/tlsv1.2` or `sslv2sslv3tlsv1`; older words for SSL are named and dropped."""
    rest, found = element.value, set[ProtocolVersion]()
    while rest:
        match = _WORD.match(rest)
        if match is None:
            break
        rest, word = rest[match.end() :], match[1].lower()
        if word.startswith("ssl"):
            findings.change(element, f"{word} is dropped: no SSL of any version is spoken here (RFC 6176, RFC 7568)")
        else:
            number = word.removeprefix("tlsv").removeprefix("tls")
            found.add(parse_version("1.0" if number == "1" else f"1.{number[-1]}"))
    if rest or not element.value:
        findings.problem(element, f"{shortened(element.value)!r} is no SSL method; it is made of tlsv1_0, tlsv1_1, "
                         "tlsv1_2 and tlsv1_3, or the older tlsv1/tlsv1.2, sslv3tlsv1 and so on")  # fmt: skip
    return frozenset(found)


def check_runs(stated: Stated, findings: Findings) -> None:
    """Where TLS 1.3 is set every selection is kept, so each must be one unbroken run."""
    for method in stated.methods.values() if stated.newer else ():
        try:
            Selection.of(method.versions)
        except SelectionError as error:
            findings.problem(method.element, str(error))


@dataclass(frozen=True, slots=True)
class Laid:
    """The services as they come up, and the sentences that must not be overlooked."""

    services: dict[str, TlsService]
    banner: tuple[str, ...]


def lay_tls(stated: Stated, present: dict[str, TlsService], library: Library, findings: Findings) -> Laid:
    """What each service speaks after the rule of the upgrade, with ciphers that it can use."""
    services: dict[str, TlsService] = {}
    for name in SERVICES:
        selection = _selection(stated, name, present[name])
        services[name] = _with_ciphers(stated, name, selection, present[name].ciphers, library, findings)
    return Laid(services, tuple(_newer_banner(services) if stated.newer else _older_banner(stated, services)))


def _selection(stated: Stated, name: str, present: TlsService) -> Selection:
    method = stated.methods.get(name)
    if not stated.newer:
        alone = method is not None and method.versions == {ProtocolVersion.TLS1_2}
        return STRICTER if alone else UPGRADED
    if method is not None:
        return Selection.of(method.versions)
    if name == OTHER:
        return UPGRADED if stated.other_tls10 is None else Selection(ProtocolVersion.TLS1_0, ProtocolVersion.TLS1_2)
    return present.selection


def _with_ciphers(
    stated: Stated, name: str, selection: Selection, present: str, library: Library, findings: Findings
) -> TlsService:
    label, plan = SERVICES[name]
    element = stated.ciphers.get(name)
    ciphers = present
    if element is not None:
        ciphers, said = translated(element.value, library)
        for sentence in said:
            findings.change(element, sentence)
    possible = served(ciphers, selection, plan, library)
    place = element or (stated.methods[name].element if name in stated.methods else None)
    if possible is None:
        ciphers = DEFAULT
        if place is not None:
            findings.change(place, f"nothing of this string is left that {label} could use; its ciphers are {DEFAULT}")
    elif possible != selection:
        if place is not None:
            findings.change(place, f"these ciphers have no suite for TLS below {possible.lowest.number}, so {label} "
                            f"speaks {possible}")  # fmt: skip
        selection = possible
    return TlsService(versions=tuple(version.number for version in selection), ciphers=ciphers)


def _newer_banner(services: dict[str, TlsService]) -> list[str]:
    what = ", ".join(f"{SERVICES[name][0]} {service.selection}" for name, service in services.items())
    return [f"This configuration sets TLS 1.3, so its selections are kept: {what}."]


def _older_banner(stated: Stated, services: dict[str, TlsService]) -> list[str]:
    kept = [SERVICES[name][0] for name, service in services.items() if service.selection != UPGRADED]
    but = f", except {_listed(kept)}: TLS 1.2 alone, which is stricter, is kept" if kept else ""
    lines = [
        "This configuration is from before TLS 1.3, so it comes up as after an upgrade to AsyncOS 15.5: "
        f"TLS 1.1 and 1.2 on every service{but}."
    ]
    old = ProtocolVersion.TLS1_0
    on = [SERVICES[name][0] for name in services if name in stated.methods and old in stated.methods[name].versions]
    on += [SERVICES[OTHER][0]] if stated.other_tls10 is not None and SERVICES[OTHER][0] not in on else []
    if on:
        lines.append(
            f"TLS 1.0 was on for {_listed(on)}, and has been switched off: it is deprecated (RFC 8996). You can select "
            "it again with sslconfig."
        )
    return [*lines, "TLS 1.3 is off until you select it with sslconfig."]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
