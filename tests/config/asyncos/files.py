"""AsyncOS configurations for tests, as small as what they show."""

from __future__ import annotations

from pathlib import Path

from sealgate.config.asyncos import Import, import_asyncos
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from tests.config.samples import LIBRARY, configuration

EXAMPLE = Path(__file__).parents[3] / "examples" / "asyncos-15.0.xml"
HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE config SYSTEM "config.dtd">\n'


def file(*sections: str) -> str:
    """A file with these sections, the first of them in line 4."""
    return "\n".join([f"{HEAD}<config>", *sections, "</config>"])


def ssl(**settings: str) -> str:
    """The section of TLS."""
    return f"<ssl>{''.join(f'<ssl_{name}>{text}</ssl_{name}>' for name, text in settings.items())}</ssl>"


def methods(gui: str, inbound: str, outbound: str) -> str:
    """One with these methods."""
    return ssl(gui_method=gui, inbound_method=inbound, outbound_method=outbound)


def routes(*rows: str) -> str:
    """SMTP routes: a domain and its hosts in each row."""
    split = [row.split(" ", 1) for row in rows]
    inside = (
        f"<smtp_route><domain>{name}</domain><destination>{hosts}</destination></smtp_route>" for name, hosts in split
    )
    return f"<smtp_routes>{''.join(inside)}</smtp_routes>"


def recipients(*rows: str, listener: str = "IncomingMail") -> str:
    """A listener with its recipient access table: recipient, access, and what else."""
    inside = []
    for row in rows:
        name, access, *parameters = row.split(" ", 2)
        inside.append(
            f"<rat_entry><rat_address>{name}</rat_address><access>{access}</access>"
            f"<rat_params>{' '.join(parameters)}</rat_params></rat_entry>"
        )
    return (
        f"<listeners><listener><listener_name>{listener}</listener_name><type>public</type>"
        f"<rat>{''.join(inside)}</rat></listener></listeners>"
    )


def destinations(*rows: str) -> str:
    """Destination controls: a domain, and its parameters as elements."""
    split = [row.split(" ", 1) for row in rows]
    inside = (f"<destination><domain>{name}</domain>{rest}</destination>" for name, rest in split)
    return f"<destination_controls>{''.join(inside)}</destination_controls>"


def taken(*sections: str, on: Configuration | None = None) -> Import:
    """What comes of a file with these sections."""
    return import_asyncos(file(*sections), on or configuration(), LIBRARY)


def refusal(text: str) -> tuple[Problem, ...]:
    """Why a file is refused."""
    try:
        found = import_asyncos(text, configuration(), LIBRARY)
    except ConfigurationError as error:
        return error.problems
    raise AssertionError(f"it was taken: {found.read}")
