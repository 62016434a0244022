"""What DSN parameters carry as xtext (RFC 3461 §4), read again for a notice: harmless or not at all."""

from __future__ import annotations

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_CODED = re.compile(r"\+([0-9A-F]{2})")
_TYPE = re.compile(r"[A-Za-z0-9-]{1,32}")
UTF8 = "utf-8"


def decoded(xtext: str) -> str | None:
    """The text, None if this is no xtext or holds what is not printable ASCII (RFC 3461 §4.2, §4.4)."""
    if not _XTEXT.fullmatch(xtext):
        return None
    text = _CODED.sub(lambda code: chr(int(code[1], 16)), xtext)
    return text if text.isascii() and text.isprintable() else None


def original_recipient(orcpt: str, *, utf8: bool = False) -> str | None:
    """`type; address` for a notice from the value of ORCPT, or None if that is none.

    Addresses of the type utf-8 have an encoding of their own (RFC 6533 §3) and stay as they came, or are brought to
    its ASCII form where `utf8` does not allow them.
    """
    kind, separator, text = orcpt.partition(";")
    if not separator or not _TYPE.fullmatch(kind):
        return None
    if kind.lower() != UTF8:
        address = decoded(text)
    elif not text.isprintable():
        address = None
    else:
        address = text if utf8 else "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in text)
    return f"{kind.lower()}; {address}" if address else None
