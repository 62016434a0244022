"""When a deferred recipient is tried again, and when the gateway gives up. Pure."""

from __future__ import annotations


def next_attempt(now: float, attempts: int, first: float, longest: float, jitter: float) -> float:
    """The time of the next attempt after `attempts` failed ones: doubling from `first` up to `longest` seconds.

    `jitter` in 0..1 spreads the attempts over the last quarter of the wait, so that a returning host is not
    met by everything at once.
    """
    wait = min(longest, first * 2.0 ** min(attempts - 1, 30))
    return now + wait * (0.75 + 0.25 * jitter)


def has_expired(now: float, received_at: float, lifetime: float) -> bool:
    """Whether a message has been in the queue for its whole lifetime (RFC 5321 §4.5.4.1)."""
    return now - received_at >= lifetime
