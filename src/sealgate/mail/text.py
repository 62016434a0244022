"""Text of strangers: what of it can be seen, and all of it made harmless to who reads it."""

from __future__ import annotations

_JOINERS = str.maketrans("", "", "\u200c\u200d")


def is_visible(text: str) -> bool:
    """Whether it holds no control, no separator but the blank, and nothing that turns the line around.

    The two joiners are not seen, but some scripts cannot be written without them (RFC 5892 §A).
    """
    return text.translate(_JOINERS).isprintable()


def printable(text: str) -> str:
    """One line that does nothing to a log or a terminal: what is not printable is an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escape(c) for c in text)


def escape(char: str) -> str:
    """A character as Python writes it in ASCII."""
    return char.encode("unicode_escape").decode("ascii")
