"""`smtpauthconfig`: the accounts that log in to send mail. Passphrases are typed twice, and only their hash is kept."""

from __future__ import annotations

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import ask_settings
from sealgate.cli.dialogue.question import Operation, run_menu, yes_or_no
from sealgate.cli.dialogue.secret import ask_passphrase
from sealgate.cli.dialogue.table import Table, aligned
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import Set, setting_named
from sealgate.config.text import text_of

ACCOUNTS = Table("accounts", "account", "accounts")

SECRET = "passphrase"


async def smtpauthconfig(talk: Talk) -> None:
    """Menu, and again, until Enter."""
    operations = [
        Operation("NEW", "Create a new account.", _new),
        Operation("EDIT", "Edit an account.", _edit),
        Operation("PASSPHRASE", "Give an account another passphrase.", _passphrase),
        Operation("DELETE", "Remove an account.", _delete),
        Operation("LIST", "Display all accounts.", _list),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    talk.say("", await ACCOUNTS.said(talk))


async def _new(talk: Talk) -> None:
    name = await ACCOUNTS.new_name(talk)
    if await ACCOUNTS.add(talk, {"name": name, SECRET: await ask_passphrase(talk)}):
        await _ask(talk, name)


async def _edit(talk: Talk) -> None:
    name = await ACCOUNTS.choose(talk, "edit")
    if name is not None:
        await _ask(talk, name)


async def _ask(talk: Talk, name: str) -> None:
    await ask_settings(talk, f"accounts[{name}]", (each for each in ACCOUNTS.settings if each != SECRET))


async def _passphrase(talk: Talk) -> None:
    name = await ACCOUNTS.choose(talk, "change")
    if name is not None:
        await talk.edit(Set(f"accounts[{name}].{SECRET}", await ask_passphrase(talk)))


async def _delete(talk: Talk) -> None:
    name = await ACCOUNTS.choose(talk, "delete")
    if name is None:
        return
    if await talk.ask(yes_or_no(f"Are you sure you want to delete the account {name}?", True)):
        await ACCOUNTS.remove(talk, name)


async def _list(talk: Talk) -> None:
    shown = [("Account", "Enabled", "Senders")]
    for row in await ACCOUNTS.rows(talk):
        enabled, senders = (text_of(setting_named(f"accounts.{name}"), row[name]) for name in ("enabled", "senders"))
        shown.append((row["name"], enabled, senders if row["senders"] else "itself"))
    talk.say("", *(aligned(shown) if len(shown) > 1 else ["No accounts are configured."]))


SMTPAUTHCONFIG = Command(
    "smtpauthconfig",
    "Configure the accounts that log in to send mail (SMTP AUTH).",
    smtpauthconfig,
    more="smtpauthconfig new NAME      (the passphrase is asked for, twice)\n"
    "smtpauthconfig edit NAME [SENDERS [yes|no]]\n"
    "smtpauthconfig passphrase NAME\n"
    "smtpauthconfig delete NAME\n"
    "smtpauthconfig list",
)
