"""The settings of the gateway that are in no table: `setconfig`, and the words that AsyncOS has for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.field import ask_one_of, ask_setting, ask_settings, value_lines
from sealgate.cli.dialogue.question import Operation, run_menu
from sealgate.cli.dialogue.talk import Talk
from sealgate.config.edit import setting_named
from sealgate.config.setting import settings_of


@dataclass(frozen=True, slots=True)
class Group:
    """A group of settings, and the word for it in the menu of `setconfig`."""

    path: str
    word: str

    @property
    def help(self) -> str:
        """What it holds."""
        return setting_named(self.path).help

    @property
    def names(self) -> Sequence[str]:
        """Its settings; groups inside have commands of their own."""
        group = setting_named(self.path).group
        assert group is not None
        return tuple(each.path for each in settings_of(group) if each.group is None)

    async def run(self, talk: Talk) -> None:
        """Show it, and change all of it or one setting, until Enter."""
        operations = [
            Operation("SET", "Change one setting.", self._one),
            Operation("SETUP", "Change all settings, one after another.", self._all),
        ]
        await run_menu(talk, operations, self._show)

    async def _show(self, talk: Talk) -> None:
        values = (await talk.configuration())[self.path]
        talk.say("", f"{self.path} settings:", *value_lines(values, self.path, self.names))

    async def _one(self, talk: Talk) -> None:
        await ask_one_of(talk, self.path, self.names)

    async def _all(self, talk: Talk) -> None:
        await ask_settings(talk, self.path, self.names)


GATEWAY = Group("gateway", "GATEWAY")
LIMITS = Group("limits", "LIMITS")
DELIVERY = Group("delivery", "DELIVERY")
DNS = Group("dns", "DNS")
LOGS = Group("logs", "LOGS")
TLS = Group("tls", "TLS")
GUI = Group("gui", "GUI")
GROUPS = (GATEWAY, LIMITS, DELIVERY, DNS, LOGS, TLS, GUI)


async def setconfig(talk: Talk) -> None:
    """Choose a group, and again, until Enter."""

    async def nothing(talk: Talk) -> None:
        """The menu says it all."""

    await run_menu(talk, [Operation(each.word, each.help, each.run) for each in GROUPS], nothing)


async def sethostname(talk: Talk) -> None:
    """One prompt."""
    await ask_setting(talk, "gateway.hostname")


def _command(word: str, group: Group) -> Command:
    more = f"{word} set NAME VALUE\n{word} setup\n\nSettings: {', '.join(group.names)}."
    return Command(word, group.help, group.run, more=more)


SETCONFIG = Command(
    "setconfig",
    "Change settings of the gateway that have no other command.",
    setconfig,
    more=f"setconfig {'|'.join(each.word.lower() for each in GROUPS)} set NAME VALUE",
)
SETHOSTNAME = Command("sethostname", "Set the name of the gateway.", sethostname, more="sethostname NAME")
DELIVERYCONFIG = _command("deliveryconfig", DELIVERY)
DNSCONFIG = _command("dnsconfig", DNS)
LOGCONFIG = _command("logconfig", LOGS)
