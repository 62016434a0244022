"""`listenerconfig`: where mail comes in, who may send there, and to whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import ask_one_of, ask_settings, value_lines
from sealgate.cli.dialogue.hostaccess import host_access
from sealgate.cli.dialogue.question import Operation, choice, run_menu
from sealgate.cli.dialogue.rcptaccess import recipient_access
from sealgate.cli.dialogue.table import Table
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import Remove, Set, setting_named
from sealgate.config.references import renaming, users_of
from sealgate.config.setting import settings_of

LISTENERS = Table("listeners", "listener", "listeners")

INTERFACE = ("enabled", "addresses", "port", "implicit_tls")
CERTIFICATE = ("certificates",)
TLS = ("tls", "client_certificate", "client_trust_file")
SMTPAUTH = ("auth", "sender_must_match")

KINDS = ("private", "public")
PROTOCOLS = ("SMTP", "SMTPS")


def _limits() -> tuple[str, ...]:
    """Every setting that counts something."""
    group = setting_named(LISTENERS.path).group
    assert group is not None
    return tuple(
        each.path for each in settings_of(group) if each.value_type in (int, float) and each.path not in INTERFACE
    )


LIMITS = _limits()
SETUP = tuple(each for each in LISTENERS.settings if each not in {*INTERFACE, *CERTIFICATE, *TLS, *SMTPAUTH, *LIMITS})


async def listenerconfig(talk: Talk) -> None:
    """The listeners and the menu, and again, until Enter."""
    operations = [
        Operation("NEW", "Create a new listener.", _new),
        Operation("EDIT", "Modify a listener.", _edit),
        Operation("DELETE", "Remove a listener.", _delete),
    ]
    await run_menu(talk, operations, _show)


async def _show(talk: Talk) -> None:
    rows = await LISTENERS.rows(talk)
    talk.say("", "Currently configured listeners:")
    talk.say(*(f"{number}. {_line(row)}" for number, row in enumerate(rows, 1)) if rows else ["  none"])


def _line(row: Mapping[str, Any]) -> str:
    protocol = PROTOCOLS[row["implicit_tls"]]
    state = "" if row["enabled"] else ", not enabled"
    return f"{row['name']} (on {', '.join(row['addresses'])}) {protocol} TCP Port {row['port']} {_kind(row)}{state}"


def _kind(row: Mapping[str, Any]) -> str:
    return str(row["kind"]).capitalize()


# -- a listener more, a listener less


async def _new(talk: Talk) -> None:
    kind = KINDS[await _choose(talk, "Please select the type of listener you want to create.", KINDS)]
    name = await LISTENERS.new_name(talk, "Please enter a name for this listener (Ex: InboundMail):")
    implicit = await _choose(talk, "Choose a protocol; SMTPS is SMTP inside TLS from the first byte.", PROTOCOLS)
    rows = await LISTENERS.rows(talk)
    shown: list[str] = next((row["certificates"] for row in rows if row["certificates"]), [])
    given = {"name": name, "kind": kind, "implicit_tls": bool(implicit), "certificates": shown}
    # A listener without a certificate is of no use as a rule: the question proposes what the others show.
    if not await LISTENERS.add(talk, given):
        return
    await ask_settings(talk, f"listeners[{name}]", ("addresses", *CERTIFICATE, "tls"))
    talk.say(f"Listener {name} created. EDIT changes its other settings, and who may send through it.")


async def _choose(talk: Talk, text: str, options: tuple[str, ...]) -> int:
    labels = [option.capitalize() if option.islower() else option for option in options]
    place: int = await talk.ask(choice(text, labels, 0))
    return place


async def _delete(talk: Talk) -> None:
    name = await LISTENERS.choose(talk, "delete")
    if name is None:
        return
    steps: list[Set | Remove] = []
    for user in users_of(await talk.configuration(), LISTENERS.path, name):
        rest = [each for each in user.names if each != name]
        if not rest:  # an empty list is every listener
            group = user.path.rpartition(".")[0]
            talk.refuse(
                f"{group} is for the listener {name} alone: delete it first, or it would be for every listener."
            )
            return
        steps.append(Set(user.path, rest))
    if await talk.edit(*steps, Remove(LISTENERS.path, name)):
        talk.say(f"Listener {name} deleted.")


# -- one listener


async def _edit(talk: Talk) -> None:
    name = await LISTENERS.choose(talk, "edit")
    if name is not None:
        await _Listener(name).edit(talk)


class _Listener:
    """The menu of one listener, which may get another name on the way."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def _path(self) -> str:
        return f"listeners[{self._name}]"

    async def edit(self, talk: Talk) -> None:
        """Its settings and the menu, and again, until Enter."""
        operations = [
            Operation("NAME", "Change the name of the listener.", self._rename),
            Operation("INTERFACE", "Change its addresses and its port.", self._asking(INTERFACE)),
            Operation("CERTIFICATE", "Choose its certificates.", self._asking(CERTIFICATE)),
            Operation("TLS", "Change whether TLS and client certificates are asked for.", self._asking(TLS)),
            Operation("SMTPAUTH", "Change whether clients log in.", self._asking(SMTPAUTH)),
            Operation("LIMITS", "Change the injection limits.", self._asking(LIMITS)),
            Operation("SETUP", "Configure general options.", self._asking(SETUP)),
            Operation("SET", "Change one setting by its name.", self._one),
            Operation("HOSTACCESS", "Modify the Host Access Table.", self._host_access),
            Operation("RCPTACCESS", "Modify the Recipient Access Table.", recipient_access),
        ]
        await run_menu(talk, operations, self._show)

    async def _show(self, talk: Talk) -> None:
        row = await LISTENERS.row(talk, self._name)
        talk.say("", f"Name: {self._name}", *value_lines(row, LISTENERS.path, LISTENERS.settings))

    def _asking(self, names: tuple[str, ...]) -> Callable[[Talk], Awaitable[None]]:
        async def ask(talk: Talk) -> None:
            await ask_settings(talk, self._path, names)

        return ask

    async def _one(self, talk: Talk) -> None:
        await ask_one_of(talk, self._path, LISTENERS.settings)

    async def _host_access(self, talk: Talk) -> None:
        await host_access(talk, self._name)

    async def _rename(self, talk: Talk) -> None:
        name = await LISTENERS.new_name(talk, "Enter the new name of this listener.")
        if await talk.edit(*renaming(await talk.configuration(), LISTENERS.path, self._name, name)):
            self._name = name


LISTENERCONFIG = Command(
    "listenerconfig",
    "Configure listeners, who may send through them, and to whom.",
    listenerconfig,
    more="listenerconfig new private|public NAME SMTP|SMTPS PORT [ADDRESSES [CERTIFICATES [TLS]]]\n"
    "listenerconfig edit LISTENER set NAME VALUE\n"
    "listenerconfig edit LISTENER name|interface|certificate|tls|smtpauth|limits|setup [VALUES]\n"
    "listenerconfig edit LISTENER hostaccess new|edit|delete|move|default|print [ANSWERS]\n"
    "listenerconfig edit LISTENER rcptaccess new|edit|delete|import|export|clear|print [ANSWERS]\n"
    "listenerconfig delete LISTENER",
)
