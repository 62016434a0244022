"""A listener's settings as the SMTP machine takes them."""

from __future__ import annotations

from sealgate.live.revision import LiveListener
from sealgate.mail.reply import ReplyStyle
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import Limits, Offer, ServerMachine


def machine_for(live: LiveListener, hostname: str, *, encrypted: bool) -> ServerMachine:
    """The machine of a new session; STARTTLS is offered only where it would work."""
    settings = live.settings
    return ServerMachine(
        hostname,
        offer=Offer(
            starttls=not settings.implicit_tls and live.contexts is not None,
            size=settings.max_message_size,
            reply_style=ReplyStyle(settings.reply_style),
            hidden=frozenset({"CHUNKING", "DSN", "SMTPUTF8"}),  # until the session handles them
        ),
        limits=Limits(
            line=settings.max_line,
            bad_commands=settings.max_bad_commands,
            recipients=settings.max_recipients,
            size=settings.max_message_size,
            bare_line_endings=BareLineEndings(settings.bare_line_endings),
        ),
        encrypted=encrypted,
        require_tls=settings.tls == "required",
    )
