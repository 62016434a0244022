"""What a listener and the terms of a host mean for the SMTP machine."""

from __future__ import annotations

from sealgate.config.schema import Listener
from sealgate.inbound.access import Terms
from sealgate.mail.reply import ReplyStyle
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import Limits, Offer, ServerMachine


def machine_for(settings: Listener, hostname: str, *, encrypted: bool) -> ServerMachine:
    """The machine of a new session, as strict as can be: `govern` follows before a command is read."""
    return ServerMachine(
        hostname,
        offer=Offer(starttls=False, size=settings.max_message_size, reply_style=ReplyStyle(settings.reply_style)),
        limits=Limits(),
        encrypted=encrypted,
        require_tls=True,
        require_auth=True,
    )


def govern(machine: ServerMachine, settings: Listener, terms: Terms, *, speaks_tls: bool) -> None:
    """Put a session under its terms; STARTTLS is offered only where it would work."""
    machine.govern(
        offer=Offer(
            starttls=not settings.implicit_tls and terms.tls != "off" and speaks_tls,
            size=terms.max_message_size,
            reply_style=ReplyStyle(settings.reply_style),
            auth=terms.auth != "off",
            hidden=frozenset(settings.hidden_extensions),
        ),
        limits=Limits(
            line=settings.max_line,
            bad_commands=settings.max_bad_commands,
            recipients=terms.max_recipients,
            size=terms.max_message_size,
            bare_line_endings=BareLineEndings(settings.bare_line_endings),
        ),
        require_tls=terms.tls == "required",
        require_auth=terms.auth == "required",
    )
