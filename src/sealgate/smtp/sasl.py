"""How a client says who it is: the mechanisms of AUTH (RFC 4954), PLAIN (RFC 4616) and LOGIN.

LOGIN has no RFC; it asks for the name and then for the passphrase, and clients that know nothing else are many.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.event import Challenge, Login
from sealgate.smtp.parameters import words

LONGEST_NAME = 255
"""Characters of a login that are looked at."""

Names = tuple[str, str]


class Exchange:
    """One AUTH command, from its mechanism to a login."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._responses: list[str] = []

    def step(self) -> Challenge | Login | Reply:
        """What comes next: a challenge, the login, or the reply that ends it."""
        mechanism, told = self._mechanism, len(self._responses)
        if told < len(mechanism.prompts):
            return Challenge(Reply(334, b2a_base64(mechanism.prompts[told], newline=False).decode("ascii")))
        found = mechanism.read(self._responses)
        return found if isinstance(found, Reply) else Login(mechanism.name, *found)

    def respond(self, line: bytes) -> Reply | None:
        """Take the client's next response, without its CRLF; a reply ends the exchange (RFC 4954 §4)."""
        if line == b"*":
            return replies.AUTH_CANCELLED
        if len(line) % 4:
            return replies.AUTH_UNREADABLE
        try:
            response = a2b_base64(line, strict_mode=True).decode("utf-8")
        except ValueError:  # neither base64 nor UTF-8
            return replies.AUTH_UNREADABLE
        self._responses.append(response)
        return None


def begin(parameters: bytes) -> Exchange | Reply:
    """The parameters of AUTH: a mechanism, and perhaps its first response; `=` is an empty one (RFC 4954 §4)."""
    given = words(parameters)
    if not 1 <= len(given) <= 2:
        return replies.SYNTAX
    name, *initial = given
    mechanism = MECHANISMS.get(name.upper())
    if mechanism is None:
        return replies.UNKNOWN_MECHANISM
    exchange = Exchange(mechanism)
    if not initial:
        return exchange
    return exchange.respond(b"" if initial[0] == b"=" else initial[0]) or exchange


def _read_plain(responses: Sequence[str]) -> Names | Reply:
    """`authorization NUL name NUL passphrase`. Who logs in acts for nobody else (RFC 4616 §2)."""
    parts = responses[0].split("\0")
    if len(parts) != 3:
        return replies.AUTH_MALFORMED
    authorization, name, passphrase = parts
    if authorization and authorization != name:
        return replies.AUTH_FOR_ANOTHER
    return _checked(name, passphrase)


def _read_login(responses: Sequence[str]) -> Names | Reply:
    return _checked(responses[0], responses[1])


def _checked(name: str, passphrase: str) -> Names | Reply:
    """No control characters but in the passphrase, and no NUL there (RFC 4616 §2).

    A name that no account can have is none: failures are counted by name, and names of any length would be much to
    remember.
    """
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or not passphrase or "\0" in passphrase:
        return replies.AUTH_MALFORMED
    return name, passphrase


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One way to log in: what it asks for, one after the other, and what it makes of the responses."""

    name: str
    prompts: tuple[bytes, ...]
    read: Callable[[Sequence[str]], Names | Reply]


MECHANISMS: dict[bytes, Mechanism] = {
    b"PLAIN": Mechanism("PLAIN", (b"",), _read_plain),
    b"LOGIN": Mechanism("LOGIN", (b"Username:", b"Password:"), _read_login),
}
