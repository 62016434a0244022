"""RCPTACCESS of `listenerconfig`: which recipients are taken, whatever the accepted domains say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealgate.cli.dialogue.field import ask_setting, ask_settings
from sealgate.cli.dialogue.paste import paste_table
from sealgate.cli.dialogue.question import Operation, choice, run_menu
from sealgate.cli.dialogue.table import Table, aligned
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import Set, setting_named
from sealgate.config.text import value_of, words_of

RECIPIENTS = Table("recipient_access", "entry", "entries")

FORM = "recipient accept|reject [reply]"


async def recipient_access(talk: Talk) -> None:
    """Menu, and again, until Enter."""
    operations = [
        Operation("NEW", "Create a new entry.", _new),
        Operation("EDIT", "Modify an entry.", _edit),
        Operation("DELETE", "Remove an entry.", _delete),
        Operation("DOMAINS", "Change the domains whose mail is accepted.", _domains),
        Operation("PRINT", "Display the table.", _print),
        Operation("IMPORT", "Import a table from a paste, instead of all entries.", _import),
        Operation("EXPORT", "Export the table as lines to copy.", _export),
        Operation("CLEAR", "Remove all entries.", RECIPIENTS.clear),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    domains = (await talk.configuration())["gateway"]["accepted_domains"]
    talk.say(
        "",
        f"Recipient Access Table, one for all listeners. {await RECIPIENTS.said(talk)}",
        f"Accepted domains: {', '.join(domains) or 'none'}",
        "Default Access: REJECT",
    )


async def _new(talk: Talk) -> None:
    name = await RECIPIENTS.new_name(talk, "Enter the recipient address for this entry.")
    if await RECIPIENTS.add(talk, {"recipient": name}):
        await _ask(talk, name)


async def _edit(talk: Talk) -> None:
    name = await RECIPIENTS.choose(talk, "edit")
    if name is not None:
        await _ask(talk, name)


async def _ask(talk: Talk, name: str) -> None:
    actions = words_of(setting_named("recipient_access.action"))
    present = actions.index((await RECIPIENTS.row(talk, name))["action"])
    labels = [each.capitalize() for each in actions]
    chosen = await talk.ask(choice("Select the action to apply to this address.", labels, present))
    await talk.edit(Set(f"recipient_access[{name}].action", actions[chosen]))
    await ask_settings(talk, f"recipient_access[{name}]", (each for each in RECIPIENTS.settings if each != "action"))


async def _delete(talk: Talk) -> None:
    name = await RECIPIENTS.choose(talk, "delete")
    if name is not None:
        await RECIPIENTS.remove(talk, name)


async def _domains(talk: Talk) -> None:
    await ask_setting(talk, "gateway.accepted_domains")


async def _print(talk: Talk) -> None:
    rows = await RECIPIENTS.rows(talk)
    await _show(talk)
    if rows:
        cells = [(row["recipient"], row["action"].upper(), row["reply"] or "") for row in rows]
        talk.say("", *aligned([("Recipient", "Action", "Reply"), *cells]))


async def _import(talk: Talk) -> None:
    await paste_table(talk, RECIPIENTS, FORM, _entry)


def _entry(line: str) -> Mapping[str, Any]:
    recipient, action, *reply = [*line.split(None, 2), ""][:3]
    row: dict[str, Any] = {
        "recipient": RECIPIENTS.name_of(recipient),
        "action": value_of(setting_named("recipient_access.action"), action),
    }
    if reply and reply[0]:
        row["reply"] = value_of(setting_named("recipient_access.reply"), reply[0])
    return row


async def _export(talk: Talk) -> None:
    lines = [f"{row['recipient']} {row['action']} {row['reply'] or ''}".rstrip() for row in await RECIPIENTS.rows(talk)]
    talk.say("", *lines)
