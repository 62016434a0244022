"""One session: lines are read, commands carried out, until the end."""

from __future__ import annotations

import asyncio
import difflib
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sealgate.cli.client import NotRunning, Refused
from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.difference import waiting_line
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Control, Ended, EndOfInput, Left, Refusal, Talk, Terminal
from sealgate.mail.text import printable
from sealgate.store.database import StoreError

LEAVING = ("quit", "exit")
HELPING = ("help", "?")
LEAVE = "Leave; exit does the same."


class Session:
    """The conversation with one operator. `run` and `line` return its exit status: 1 if anything was refused."""

    def __init__(self, terminal: Terminal, control: Control, commands: Sequence[Command], home: Path) -> None:
        self._terminal = terminal
        self._control = control
        self._commands = commands
        self._home = home
        self._by_word: Mapping[str, Command] = {
            word: command for command in commands for word in (command.word, *command.also)
        }
        self._refused = False
        self._running: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        """Ctrl-C while a command works: leave it."""
        if self._running is not None:
            self._running.cancel()

    async def run(self) -> int:
        """Until `quit`, Ctrl-D or the end of what is piped in."""
        await self._remind()
        words = (*self._by_word, *LEAVING, HELPING[0])
        while True:
            try:
                prompt = f"{await self._name()}> "
                line = await self._terminal.read(prompt, words=words, command=True)
                if not await self._carry_out(line):
                    break
            except Left:
                continue
            except Ended:
                break
            except EndOfInput:
                self._terminal.write("\n")
                await self._say_pending()
                break
        return int(self._refused and not self._terminal.interactive)

    async def line(self, words: Sequence[str]) -> int:
        """One command alone."""
        with suppress(Ended, EndOfInput):
            await self._carry_out(shlex.join(words))
        return int(self._refused)

    async def _name(self) -> str:
        """The name of the gateway, for the prompt."""
        shown: str = (await self._control("candidate", {}))["hostname"]
        return shown

    # -- commands

    async def _carry_out(self, line: str) -> bool:
        """One line; whether the session goes on."""
        try:
            words = shlex.split(line)
        except ValueError:
            self._refuse('A quotation mark is not closed; write words with blanks in them as "two words".')
            return True
        if not words:
            return True
        word, *arguments = words
        if word.lower() in LEAVING:
            return not await self._may_leave()
        if word.lower() in HELPING:
            self._help(arguments)
        else:
            await self._command(word, arguments)
        return True

    async def _command(self, word: str, arguments: Sequence[str]) -> None:
        command = self._by_word.get(word.lower())
        if command is None:
            self._refuse(f"Unknown command: {printable(word)}{self._near(word)}")
            return
        if command.acts and self._refused and not self._terminal.interactive:
            self._refuse(f"{command.word} is not carried out: an answer before it was refused.")
            return
        self._running = asyncio.ensure_future(self._converse(command, arguments))
        try:
            await self._running
        except asyncio.CancelledError:
            self._terminal.write("\n")
        finally:
            self._running = None

    async def _converse(self, command: Command, arguments: Sequence[str]) -> None:
        talk = Talk(self._terminal, self._control, self._home, arguments)
        try:
            await command.run(talk)
            await talk.finish()
        except (Refusal, Refused, NotRunning, StoreError) as refusal:
            self._refuse(str(refusal))
        except OSError as error:
            self._refuse(f"Nothing was done: {error.filename}: {error.strerror}.")
        except Left:
            self._terminal.write("\n")
        except EndOfInput:
            self._refuse(f"The input ended in the middle of {command.word}: nothing of it was kept.")
            raise

    def _refuse(self, sentence: str) -> None:
        self._refused = True
        self._terminal.forget_ahead()
        self._terminal.write(f"{sentence}\n")

    def _near(self, word: str) -> str:
        close = difflib.get_close_matches(word.lower(), (*self._by_word, *LEAVING, HELPING[0]), n=3, cutoff=0.75)
        if not close:
            return ". Type help to see all commands."
        return f". Did you mean {' or '.join(close)}?"

    # -- help

    def _help(self, arguments: Sequence[str]) -> None:
        if not arguments:
            width = max(len(command.word) for command in self._commands)
            for command in sorted(self._commands, key=lambda each: each.word):
                self._terminal.write(f"{command.word:<{width}}  {command.help}\n")
            self._terminal.write(f"{'quit':<{width}}  {LEAVE}\n")
            self._terminal.write("\nhelp COMMAND says more of one; ? at any prompt says what may be typed there.\n")
            return
        if arguments[0].lower() in (*LEAVING, *HELPING):
            self._terminal.write(f"quit - {LEAVE}\nhelp - List the commands; help COMMAND says more of one.\n")
            return
        found = self._by_word.get(arguments[0].lower())
        if found is None:
            self._refuse(f"Unknown command: {printable(arguments[0])}{self._near(arguments[0])}")
            return
        also = f"\nAlso: {', '.join(found.also)}" if found.also else ""
        more = f"\n\n{found.more}" if found.more else ""
        self._terminal.write(f"{found.word} - {found.help}{more}{also}\n")

    # -- the beginning and the end

    async def _pending(self) -> bool:
        return bool((await self._control("candidate", {}))["pending"])

    async def _remind(self) -> None:
        """Of what earlier sessions have left open."""
        shown = await self._control("candidate", {})
        if shown["pending"]:
            self._terminal.write(
                "Changes of an earlier session are not committed: showchanges shows them, clearchanges drops them.\n"
            )
        if shown["confirm_by"] is not None:
            self._terminal.write(f"{waiting_line(shown['confirm_by'])}\n")

    async def _say_pending(self) -> None:
        if await self._pending():
            self._terminal.write("There are uncommitted changes: they are kept until you commit or clear them.\n")

    async def _may_leave(self) -> bool:
        """Whether to go although changes wait; a pipe cannot be asked."""
        if not self._terminal.interactive:
            await self._say_pending()
            return True
        if not await self._pending():
            return True
        question = yes_or_no(
            "There are uncommitted changes; they are kept until you commit or clear them.\nDo you want to leave?", True
        )
        return await Talk(self._terminal, self._control, self._home).ask(question)
