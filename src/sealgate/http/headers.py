"""Header fields that every response has, so that no page or answer can forget one."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate

Field = tuple[bytes, bytes]

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere, nothing inline, in no frame."""

_ALWAYS: tuple[Field, ...] = (
    (b"content-security-policy", _CONTENT_SECURITY_POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

_UNLESS_GIVEN: tuple[Field, ...] = ((b"cache-control", b"no-store"),)
"""What a route may say otherwise: files that are the same for everybody may be kept."""


def finished(given: Iterable[Field], *, request: str, hsts: int, last: bool, now: float) -> list[Field]:
    """The fields of a response: those given and those of every response; `hsts` in seconds, 0 for none.

    What is always there replaces what was given. `last` says that the connection ends with it.
    """
    always = [*_ALWAYS, (b"date", formatdate(now, usegmt=True).encode("ascii")), (b"x-request-id", request.encode())]
    if hsts:
        always.append((b"strict-transport-security", b"max-age=%d" % hsts))
    if last:
        always.append((b"connection", b"close"))
    ours = {name for name, _ in always}
    kept = [(name.lower(), value) for name, value in given if name.lower() not in ours]
    names = {name for name, _ in kept}
    return [*kept, *(field for field in _UNLESS_GIVEN if field[0] not in names), *always]
