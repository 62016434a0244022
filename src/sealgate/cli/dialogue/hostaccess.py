"""HOSTACCESS of `listenerconfig`: sender groups in their order, and the mail flow policies that they choose.

Policies are there for all listeners, and a group is for all or for some. A person looks at the table of one listener:
what reaches beyond it is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sealgate.cli.dialogue.field import ask_settings
from sealgate.cli.dialogue.question import Operation, choice, run_menu
from sealgate.cli.dialogue.table import Table
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import setting_named
from sealgate.config.references import users_of
from sealgate.config.schema import Listener
from sealgate.config.text import text_of

GROUPS = Table("sender_groups", "sender group", "sender groups")
POLICIES = Table("policies", "mail flow policy", "mail flow policies")

GROUP, POLICY = 0, 1
WHICH = ("Sender Group", "Policy")

DEFAULTS = ("policy", *(each for each in POLICIES.settings if each in Listener.model_fields))
"""What a listener says for hosts in no group, and for whatever a policy leaves open."""


async def host_access(talk: Talk, listener: str) -> None:
    """The menu of the table as this listener reads it."""
    table = _HostAccess(listener)
    operations = [
        Operation("NEW", "Create a new entry.", table.new),
        Operation("EDIT", "Modify an entry.", table.edit),
        Operation("DELETE", "Remove an entry.", table.delete),
        Operation("MOVE", "Move an entry.", GROUPS.move),
        Operation("DEFAULT", "Set the defaults.", table.default),
        Operation("PRINT", "Display the table.", table.print),
    ]
    await run_menu(talk, operations, table.show)


class _HostAccess:
    def __init__(self, listener: str) -> None:
        self._listener = listener

    async def show(self, talk: Talk) -> None:
        """How much there is."""
        groups, policies = await self._groups(talk), await POLICIES.names(talk)
        talk.say(
            "",
            f"Sender groups that listener {self._listener} reads: {', '.join(map(_name, groups)) or 'none'}",
            f"Mail flow policies, for all listeners: {', '.join(policies) or 'none'}",
        )

    async def _groups(self, talk: Talk) -> list[dict[str, Any]]:
        rows = await GROUPS.rows(talk)
        return [row for row in rows if not row["listeners"] or self._listener in row["listeners"]]

    async def new(self, talk: Talk) -> None:
        """A group for this listener, or a policy."""
        table = GROUPS if await _which(talk, "create") == GROUP else POLICIES
        name = await table.new_name(talk)
        given = {"name": name, **({"listeners": [self._listener]} if table is GROUPS else {})}
        if await table.add(talk, given):
            rest = ("listeners",) if table is GROUPS else table.settings
            await ask_settings(talk, f"{table.path}[{name}]", rest)

    async def edit(self, talk: Talk) -> None:
        """All settings of one."""
        table = GROUPS if await _which(talk, "edit") == GROUP else POLICIES
        name = await table.choose(talk, "edit", await self._names(talk, table))
        if name is not None:
            await self._warn(talk, table, name)
            await ask_settings(talk, f"{table.path}[{name}]", table.settings)

    async def delete(self, talk: Talk) -> None:
        """One less; a policy that is chosen somewhere stays."""
        table = GROUPS if await _which(talk, "delete") == GROUP else POLICIES
        name = await table.choose(talk, "delete", await self._names(talk, table))
        if name is None:
            return
        users = users_of(await talk.configuration(), table.path, name)
        if users:
            named = ", ".join(each.path for each in users)
            talk.refuse(f"The {table.noun} {name} is in use: {named}. Choose another one there first.")
            return
        await self._warn(talk, table, name)
        await table.remove(talk, name)

    async def default(self, talk: Talk) -> None:
        """What the listener says where no group and no policy does."""
        await ask_settings(talk, f"listeners[{self._listener}]", DEFAULTS)

    async def print(self, talk: Talk) -> None:
        """The table, read from the top, and the policies behind it."""
        configuration = await talk.configuration()
        listener = next(row for row in configuration["listeners"] if row["name"] == self._listener)
        talk.say("", *_table_lines(await self._groups(talk), listener))
        talk.say(*(line for policy in configuration["policies"] for line in _policy_lines(policy)))

    async def _names(self, talk: Talk, table: Table) -> list[str]:
        return [_name(row) for row in await self._groups(talk)] if table is GROUPS else await POLICIES.names(talk)

    async def _warn(self, talk: Talk, table: Table, name: str) -> None:
        """Who else is concerned."""
        if table is POLICIES:
            talk.say(f"Note: this {table.noun} is one for all listeners.")
            return
        listeners = (await GROUPS.row(talk, name))["listeners"]
        others = [each for each in listeners if each != self._listener]
        if others or not listeners:
            talk.say(f"Note: this {table.noun} is for {', '.join(others) or 'every listener'} as well.")


async def _which(talk: Talk, verb: str) -> int:
    return await talk.ask(choice(f"Which do you wish to {verb}?", WHICH, GROUP))


def _name(row: Mapping[str, Any]) -> str:
    return str(row["name"])


def _table_lines(groups: Sequence[Mapping[str, Any]], listener: Mapping[str, Any]) -> Iterator[str]:
    for group in groups:
        yield f"{group['name']}: ({', '.join(group['listeners']) or 'every listener'})"
        yield from (f"    {member}" for member in group["members"])
        yield f"    ${group['policy']}"
    yield "ALL"
    yield f"    ${listener['policy']}" if listener["policy"] else "    ACCEPT, as the listener says"


def _policy_lines(policy: Mapping[str, Any]) -> Iterator[str]:
    yield f"${policy['name']}"
    given = {
        name: policy[name] for name in POLICIES.settings if name != "action" and policy[name] not in (None, [], ())
    }
    yield f"    {policy['action'].upper()} {{{'' if given else '}'}"
    for name, value in given.items():
        yield f"        {name}: {text_of(setting_named(f'policies.{name}'), value)}"
    if given:
        yield "    }"
