"""`userconfig`: the operators, who administer the gateway."""

from __future__ import annotations

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import ask_settings
from sealgate.cli.dialogue.question import Operation, run_menu, yes_or_no
from sealgate.cli.dialogue.secret import ask_passphrase
from sealgate.cli.dialogue.table import Table, aligned
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import Set
from sealgate.mail.text import printable

OPERATORS = Table("operators", "operator", "operators")

SECRET = "passphrase"


async def userconfig(talk: Talk) -> None:
    """Menu, and again, until Enter."""
    operations = [
        Operation("NEW", "Create a new operator.", _new),
        Operation("EDIT", "Change the role, the full name, or whether it may log in.", _edit),
        Operation("PASSPHRASE", "Give an operator another passphrase.", _passphrase),
        Operation("DELETE", "Remove an operator.", _delete),
        Operation("LIST", "Display all operators.", _list),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    talk.say("", await OPERATORS.said(talk))


async def _new(talk: Talk) -> None:
    name = await OPERATORS.new_name(talk)
    if await OPERATORS.add(talk, {"name": name, SECRET: await ask_passphrase(talk)}):
        await _ask(talk, name, "full_name", "enabled")


async def _edit(talk: Talk) -> None:
    name = await OPERATORS.choose(talk, "edit")
    if name is not None:
        await _ask(talk, name, *(each for each in OPERATORS.settings if each != SECRET))
        await _warn(talk)


async def _ask(talk: Talk, name: str, *settings: str) -> None:
    await ask_settings(talk, f"operators[{name}]", settings)


async def _passphrase(talk: Talk) -> None:
    name = await OPERATORS.choose(talk, "change")
    if name is not None:
        await talk.edit(Set(f"operators[{name}].{SECRET}", await ask_passphrase(talk)))


async def _delete(talk: Talk) -> None:
    name = await OPERATORS.choose(talk, "delete")
    if name is None:
        return
    if await talk.ask(yes_or_no(f"Are you sure you want to delete the operator {name}?", True)):
        await OPERATORS.remove(talk, name)
        await _warn(talk)


async def _warn(talk: Talk) -> None:
    """Say what those who change operators take from themselves."""
    for path, sentence in (await talk.shown())["remarks"]:
        if path.startswith(OPERATORS.path):
            talk.say(f"Note: {sentence}.")


async def _list(talk: Talk) -> None:
    shown = [("Name", "Role", "Enabled", "Full name")]
    for row in await OPERATORS.rows(talk):
        enabled = "yes" if row["enabled"] else "no"
        shown.append((row["name"], row["role"], enabled, printable(row["full_name"] or "")))
    talk.say("", *(aligned(shown) if len(shown) > 1 else ["No operators are configured."]))


USERCONFIG = Command(
    "userconfig",
    "Configure the operators, who administer the gateway.",
    userconfig,
    more="userconfig new NAME      (the passphrase is asked for, twice)\n"
    "userconfig edit NAME [ROLE [FULL NAME [yes|no]]]\n"
    "userconfig passphrase NAME\n"
    "userconfig delete NAME\n"
    "userconfig list",
)
