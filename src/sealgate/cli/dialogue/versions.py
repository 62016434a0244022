"""TLS versions as the menu of `sslconfig` numbers them, and what a change of them means. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.tls.version import ProtocolVersion, Selection, SelectionError

MENU = tuple(sorted(ProtocolVersion, reverse=True))
"""In the order of their numbers: 1 is TLS v1.3, 4 is TLS v1.0."""

EXAMPLES = "as 2, 1-3 or 1,2"


def lines() -> list[str]:
    """The menu."""
    return [f"{number}. TLS v{version.number}" for number, version in enumerate(MENU, 1)]


def bracket(selection: Selection) -> str:
    """A selection as numbers: `2`, or `2-3`."""
    first, last = MENU.index(selection.highest) + 1, MENU.index(selection.lowest) + 1
    return str(first) if first == last else f"{first}-{last}"


def read_versions(text: str) -> Selection:
    """Numbers, ranges and commas as a selection; `ValueError` is a sentence."""
    chosen = {version for part in text.split(",") for version in _part(part.strip(), text)}
    try:
        return Selection.of(chosen)
    except SelectionError as error:
        whole = bracket(Selection(min(chosen), max(chosen)))
        raise ValueError(f"{error}; type {whole}") from None


def _part(part: str, text: str) -> tuple[ProtocolVersion, ...]:
    if not part:
        raise ValueError(f"{text!r} has no number beside its comma; type numbers from 1 to {len(MENU)}, {EXAMPLES}")
    low, dash, high = (each.strip() for each in part.partition("-"))
    if dash and not (low and high):
        raise ValueError(f"{part!r} is half a range; a range has a number at both ends, as 1-3")
    first = _number(low)
    last = _number(high) if dash else first
    if first > last:
        raise ValueError(f"{part!r} runs backwards; type {last}-{first}")
    return MENU[first - 1 : last]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no number; type numbers from 1 to {len(MENU)}, {EXAMPLES}")
    if len(text) > 9 or not 1 <= int(text) <= len(MENU):
        raise ValueError(f"there is no number {text}; type numbers from 1 to {len(MENU)}, {EXAMPLES}")
    return int(text)


def warning(old: Selection, new: Selection) -> str | None:
    """The line on TLS 1.0, when it is switched on."""
    if ProtocolVersion.TLS1_0 in old or ProtocolVersion.TLS1_0 not in new:
        return None
    return (
        "Warning: TLS v1.0 is deprecated (RFC 8996) and open to attacks on its CBC suites; keep it for peers you know."
    )


def meaning(old: Selection, new: Selection, who: str, effect: str) -> str | None:
    """One line on what a change of versions means to `who`, as "peers"; None if there is no change.

    `effect` is what becomes of those that have no version in common any more.
    """
    return None if old == new else f"This change: {'; '.join(_meanings(old, new, who, effect))}."


def _meanings(old: Selection, new: Selection, who: str, effect: str) -> Iterator[str]:
    shut_out = list(_shut_out(old, new))
    if shut_out:
        yield f"{who} that {', and those that '.join(shut_out)} {effect}"
    if new.lowest <= ProtocolVersion.TLS1_1 and new.lowest < old.lowest:
        yield "TLS v1.1 and older lower the security level of the whole service: TLS v1.2 signs with SHA-1 too"
    elif not shut_out:
        added = " and ".join(_label(version) for version in new if version not in old)
        yield f"{added} is spoken as well, and nobody is shut out"


def _shut_out(old: Selection, new: Selection) -> Iterator[str]:
    if new.lowest > old.lowest:
        yield f"end at {_label(MENU[MENU.index(new.lowest) + 1])}"
    if new.highest < old.highest:
        yield f"speak nothing older than {_label(MENU[MENU.index(new.highest) - 1])}"


def _label(version: ProtocolVersion) -> str:
    return f"TLS v{version.number}"
