"""What the body of a request holds: looked at before anything is done, so that nothing is begun that cannot be ended.

What selects messages of the queue is passed on to the workers, which look at it themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sealgate.process.channel import ChannelError

LONGEST_COMMENT = 1000
"""Characters of a comment."""

_LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a body: whether it may be there, what it is, as the end of "is not …", and whether it must be."""

    fits: Callable[[Any], bool]
    what: str
    needed: bool = False


def _is_text(value: Any) -> bool:
    """A surrogate is half a character (RFC 3629 §3): JSON can carry it, and nothing behind it can keep it."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_NUMBER


def _is_days(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair)) for pair in value
    )


def _is_steps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(step, dict) for step in value)


_STEPS = Field(_is_steps, "a list of steps")
_FLAG = Field(lambda value: isinstance(value, bool), "true or false")
_LIMIT = Field(_is_number, "a whole number")
_COUNT = Field(_is_number, "a whole number", needed=True)
_NAME = Field(lambda value: value is None or _is_text(value), "a name")
_COMMENT = Field(
    lambda value: _is_text(value) and len(value) <= LONGEST_COMMENT, f"text of at most {LONGEST_COMMENT} characters"
)
_MINUTES = Field(
    lambda value: value is None or (isinstance(value, int | float) and not isinstance(value, bool)),
    "a number of minutes",
)
_WHAT = Field(_is_pairs, "a list of kinds and names", needed=True)
_TEXT = Field(_is_text, "text in UTF-8", needed=True)

BODIES: Mapping[str, Mapping[str, Field]] = {
    "login": {"name": _TEXT, "passphrase": _TEXT},
    "showconfig": {"secrets": _FLAG},
    "edit": {"steps": Field(_is_steps, _STEPS.what, needed=True), "dry": _FLAG},
    "load": {"text": _TEXT},
    "certificates": {"steps": _STEPS, "name": _NAME},
    "commit": {"comment": _COMMENT, "minutes": _MINUTES},
    "loadconfig": {"text": _TEXT, "comment": _COMMENT},
    "token-make": {
        "name": _TEXT,
        "scope": _TEXT,
        "days": Field(_is_days, "a number of days", needed=True),
    },
    "token-revoke": {"number": Field(_is_number, "a whole number", needed=True)},
    "passwd": {"name": _NAME, "passphrase": _TEXT},
    "revisions": {"limit": _LIMIT},
    "rollback": {"revision": Field(_is_number, "the number of a revision", needed=True)},
    "audit": {"limit": _LIMIT},
    "queue-list": {"limit": _COUNT},
    "queue-show": {"mid": _COUNT},
    "queue-body": {"mid": _COUNT},
    "hosts": {"limit": _COUNT},
    "suspend": {"what": _WHAT},
    "resume": {"what": _WHAT},
}
"""The values that the body of each request may hold, as far as anybody looks at them."""


def look_at(op: str, body: Mapping[str, Any]) -> None:
    """`ChannelError` names the first value that is not as it should be."""
    for name, field in BODIES.get(op, {}).items():
        if name not in body:
            if field.needed:
                raise ChannelError(f"the request {op!r} lacks {name!r}: {field.what}")
        elif not field.fits(body[name]):
            raise ChannelError(f"the {name} of the request {op!r} is not {field.what}")
