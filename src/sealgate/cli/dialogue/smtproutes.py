"""`smtproutes`: the hosts that take the mail of a domain, past its MX records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import KEPT, field
from sealgate.cli.dialogue.paste import paste_table
from sealgate.cli.dialogue.question import Operation, run_menu
from sealgate.cli.dialogue.table import Table, aligned
from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.config.edit import Add, Set, setting_named
from sealgate.config.schema.delivery import MX
from sealgate.config.text import value_of

DEFAULT_WORD = "ALL"
ROUTES = Table("routes", "route", "routes", (("*", DEFAULT_WORD),))
DNS_WORD = "USEDNS"
FORM = "domain host, host:port"


async def smtproutes(talk: Talk) -> None:
    """Menu, and again, until Enter."""
    operations = [
        Operation("NEW", "Create a new route.", _new),
        Operation("EDIT", "Edit destinations of an existing route.", _edit),
        Operation("DELETE", "Remove a route.", _delete),
        Operation("PRINT", "Display all routes.", _print),
        Operation("IMPORT", "Import new routes from a paste, instead of all that are there.", _import),
        Operation("EXPORT", "Export all routes as lines to copy.", _export),
        Operation("CLEAR", "Remove all routes.", ROUTES.clear),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    talk.say("", await ROUTES.said(talk))


async def _new(talk: Talk) -> None:
    domain = await ROUTES.new_name(
        talk,
        "Enter the domain for which you want to set up a permanent route.\n"
        'Partial hostnames such as ".example.com" are allowed.\n'
        f'Use "{DEFAULT_WORD}" for the default route.',
    )
    hosts = await talk.ask(_hosts(domain, None))
    if await talk.edit(Add(ROUTES.path, {"domain": domain, "hosts": hosts})):
        talk.say(f"Mapping for {ROUTES.shown(domain)} to {_targets(hosts)} created.")


async def _edit(talk: Talk) -> None:
    domain = await ROUTES.choose(talk, "edit")
    if domain is None:
        return
    hosts = await talk.ask(_hosts(domain, (await ROUTES.row(talk, domain))["hosts"]))
    if hosts is not KEPT and await talk.edit(Set(f"{ROUTES.path}[{domain}].hosts", hosts)):
        talk.say(f"Mapping for {ROUTES.shown(domain)} to {_targets(hosts)} saved.")


def _hosts(domain: str, present: list[str] | None) -> Question[Any]:
    asked = field(f"{ROUTES.path}.hosts", present, needed=present is None)
    return Question(
        text="Enter the destination hosts, separated by commas, to which you want mail for "
        f"{ROUTES.shown(domain)} to be delivered.\n"
        f"Enter {DNS_WORD} by itself to use normal DNS resolution for this route.",
        read=lambda typed: asked.read(_dns(typed)),
        present=asked.present,
        help=asked.help,
    )


async def _delete(talk: Talk) -> None:
    domain = await ROUTES.choose(talk, "remove")
    if domain is not None and await ROUTES.remove(talk, domain):
        talk.say(f"Route for {ROUTES.shown(domain)} removed.")


async def _print(talk: Talk) -> None:
    rows = [(ROUTES.shown(row["domain"]), _targets(row["hosts"])) for row in await ROUTES.rows(talk)]
    talk.say("", *(aligned([("Domain", "Destination hosts"), *rows]) if rows else ["No routes are configured."]))


async def _import(talk: Talk) -> None:
    await paste_table(talk, ROUTES, FORM, _route)


def _route(line: str) -> Mapping[str, Any]:
    domain, _, hosts = line.partition(" ")
    return {"domain": ROUTES.name_of(domain), "hosts": value_of(setting_named("routes.hosts"), _dns(hosts.strip()))}


async def _export(talk: Talk) -> None:
    talk.say("", *(f"{ROUTES.shown(row['domain'])} {_targets(row['hosts'])}" for row in await ROUTES.rows(talk)))


def _dns(text: str) -> str:
    return MX if text.upper() in (DNS_WORD, MX.upper()) else text


def _targets(hosts: list[str]) -> str:
    return DNS_WORD if hosts == [MX] else ", ".join(hosts)


SMTPROUTES = Command(
    "smtproutes",
    "Set up permanent domain redirections.",
    smtproutes,
    more="smtproutes new DOMAIN HOSTS\n"
    "smtproutes edit DOMAIN HOSTS\n"
    "smtproutes delete DOMAIN\n"
    "smtproutes print|clear|export\n"
    'smtproutes import "LINES"\n\n'
    f'HOSTS is one word: a host, host:port, several with commas, or {DNS_WORD}. Lines are "{FORM}".',
)
