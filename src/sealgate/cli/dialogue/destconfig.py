"""`destconfig`: what holds for mail to single domains, the TLS it needs above all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import ask_settings, value_lines
from sealgate.cli.dialogue.question import Operation, run_menu
from sealgate.cli.dialogue.table import Table, aligned
from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.config.edit import Set, setting_named
from sealgate.config.schema import DeliverySettings
from sealgate.config.text import text_of
from sealgate.tls.level import TlsLevel

DESTINATIONS = Table("destinations", "entry", "entries")

LEVELS = (
    TlsLevel.NO,
    TlsLevel.PREFERRED,
    TlsLevel.REQUIRED,
    TlsLevel.PREFERRED_VERIFY,
    TlsLevel.REQUIRED_VERIFY,
)
"""In the order of their numbers in AsyncOS."""

DEFAULT = "Default"

GLOBAL = {"connections": "connections_per_destination"}
"""Settings of delivery as a whole whose name differs from that in a row."""

TLS_ENABLED = (
    "You have chosen to enable TLS. Servers that ask for a certificate are shown the one chosen with SETUP; certconfig "
    "makes and imports certificates."
)


async def destconfig(talk: Talk) -> None:
    """Menu, and again, until Enter."""
    operations = [
        Operation("SETUP", "Change global settings.", _setup),
        Operation("NEW", "Create a new entry.", _new),
        Operation("EDIT", "Modify an entry.", _edit),
        Operation("DELETE", "Remove an entry.", _delete),
        Operation("DEFAULT", "Change the default.", _default),
        Operation("LIST", "Display a summary list of all entries.", _list),
        Operation("DETAIL", "Display details for one destination or all entries.", _detail),
        Operation("CLEAR", "Remove all entries.", DESTINATIONS.clear),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    talk.say("", await DESTINATIONS.said(talk))


# -- entries


async def _new(talk: Talk) -> None:
    domain = await DESTINATIONS.new_name(talk, "Enter the domain you wish to configure.")
    if await DESTINATIONS.add(talk, {"domain": domain}):
        await _ask(talk, domain)


async def _edit(talk: Talk) -> None:
    domain = await DESTINATIONS.choose(talk, "edit")
    if domain is not None:
        await _ask(talk, domain)


async def _ask(talk: Talk, domain: str) -> None:
    """TLS first: it is what a destination is listed for."""
    row = await DESTINATIONS.row(talk, domain)
    default = TlsLevel.of((await talk.configuration())["delivery"]["tls"])
    present = None if row["tls"] is None else TlsLevel.of(row["tls"])
    await _set_level(talk, f"destinations[{domain}].tls", await talk.ask(_levels(domain, present, default)))
    await ask_settings(talk, f"destinations[{domain}]", (each for each in DESTINATIONS.settings if each != "tls"))


async def _set_level(talk: Talk, path: str, level: TlsLevel | None) -> None:
    if await talk.edit(Set(path, None if level is None else level.word)) and level:
        talk.say(TLS_ENABLED)


def _levels(domain: str, present: TlsLevel | None, default: TlsLevel | None) -> Question[TlsLevel | None]:
    """The numbered choice of AsyncOS. None is the default, where there is one; it has no number, for AsyncOS means
    another level by the next one."""
    words = {**{level.label.lower(): level for level in LEVELS}, **{level.word: level for level in LEVELS}}
    numbers: dict[str, TlsLevel] = {str(number): level for number, level in enumerate(LEVELS, 1)}

    def read(typed: str) -> TlsLevel | None:
        if not typed:
            return present
        if default is not None and typed.lower() == DEFAULT.lower():
            return None
        found = numbers.get(typed, words.get(typed.lower()))
        if found is None:
            last = f" or {DEFAULT.lower()}" if default is not None else ""
            raise ValueError(f"{typed!r} is none of the numbers; type one from 1 to {len(LEVELS)}{last}")
        return found

    lines = [f"{number}. {level.label}" for number, level in numbers.items()]
    hint = [] if default is None else [f"{DEFAULT} is as for all destinations: {default.label}"]
    chosen = DEFAULT if present is None else str(LEVELS.index(present) + 1)
    help_text = f"{setting_named('delivery.tls').help}\nType one number from 1 to {len(LEVELS)}" + (
        "." if default is None else f", or {DEFAULT.lower()}."
    )
    labels = (*(level.label for level in LEVELS), *([] if default is None else [DEFAULT]))
    text = "\n".join([f"Do you want to use TLS support for {domain}?", *lines, *hint])
    return Question(text, read, chosen, help_text, labels)


async def _delete(talk: Talk) -> None:
    domain = await DESTINATIONS.choose(talk, "delete")
    if domain is not None and await DESTINATIONS.remove(talk, domain):
        talk.say(f'Entry for "{domain}" deleted.')


# -- delivery as a whole


async def _default(talk: Talk) -> None:
    """The settings of delivery that an entry may override."""
    present = TlsLevel.of((await talk.configuration())["delivery"]["tls"])
    await _set_level(talk, "delivery.tls", await talk.ask(_levels("all other domains", present, None)))
    await ask_settings(talk, "delivery", (name for each in DESTINATIONS.settings if (name := _overridden(each))))


def _overridden(name: str) -> str | None:
    """The setting of delivery that a setting of a row overrides, TLS apart."""
    found = GLOBAL.get(name, name)
    return found if found in DeliverySettings.model_fields and found != "tls" else None


async def _setup(talk: Talk) -> None:
    await ask_settings(talk, "delivery", ("certificate", "trust_file"))


# -- shown


def _level_of(row: Mapping[str, Any]) -> str:
    return DEFAULT if row["tls"] is None else TlsLevel.of(row["tls"]).label


def _value(row: Mapping[str, Any], name: str) -> str:
    return DEFAULT if row[name] is None else text_of(setting_named(f"destinations.{name}"), row[name])


async def _list(talk: Talk) -> None:
    configuration = await talk.configuration()
    delivery = configuration["delivery"]
    names = ("connections", "messages_per_connection", "max_recipients")
    default = {name: delivery[_overridden(name) or name] for name in names}
    rows = [*configuration["destinations"], {"domain": "(Default)", "tls": delivery["tls"], **default}]
    cells = [[row["domain"], _level_of(row), *(_value(row, name) for name in names)] for row in rows]
    talk.say("", *aligned([["Domain", "TLS", "Connections", "Messages", "Recipients"], *cells]))


async def _detail(talk: Talk) -> None:
    names = await DESTINATIONS.names(talk)
    every = talk.one_line and talk.next_word() is None
    chosen = None if every else await DESTINATIONS.choose(talk, "see, or Enter to see all", names)
    for name in names if chosen is None else [chosen]:
        row = await DESTINATIONS.row(talk, name)
        talk.say("", name, f"  tls: {_level_of(row)}")
        talk.say(*value_lines(row, "destinations", (each for each in DESTINATIONS.settings if each != "tls")))


DESTCONFIG = Command(
    "destconfig",
    "Configure destination controls: TLS and limits for mail to single domains.",
    destconfig,
    more="destconfig new|edit DOMAIN [NUMBER|default]\n"
    "destconfig delete DOMAIN\n"
    "destconfig default [NUMBER]\n"
    "destconfig setup [CERTIFICATE]\n"
    "destconfig list|detail|clear\n\n"
    "The number is one of the TLS menu: 1 No, 2 Preferred, 3 Required, 4 Preferred - Verify, 5 Required - Verify.",
)
