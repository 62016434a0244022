"""A terminal with completion and history."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import DummyHistory, InMemoryHistory
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle

from sealgate.cli.dialogue.talk import EndOfInput, Left


class Typed:
    """A terminal: Tab completes, the arrow keys bring commands back, Ctrl-C leaves a command, Ctrl-D the session."""

    interactive = True

    def __init__(self) -> None:
        output = Vt100_Output.from_pty(sys.stdout)
        output.enable_cpr = False  # nothing here needs to know where the cursor stands
        self._commands: PromptSession[str] = PromptSession(output=output, history=InMemoryHistory())
        self._answers: PromptSession[str] = PromptSession(output=output, history=DummyHistory())
        self._ahead: deque[str] = deque()

    def write(self, text: str) -> None:
        """At once."""
        sys.stdout.write(text)
        sys.stdout.flush()

    async def read(self, prompt: str, *, words: Sequence[str] = (), secret: bool = False, command: bool = False) -> str:
        """What is typed up to Enter; a secret is not shown. Lines that were pasted together answer one by one."""
        if self._ahead:
            line = self._ahead.popleft()
            self.write(f"{prompt}\n" if secret else f"{prompt}{line}\n")
            return line
        line, *ahead = (await self._typed(prompt, words, secret=secret, command=command)).split("\n")
        self._ahead.extend(ahead[:-1] if ahead and not ahead[-1] else ahead)
        return line

    def forget_ahead(self) -> None:
        """What was pasted behind a wrong answer is not taken for answers to other questions."""
        self._ahead.clear()

    async def _typed(self, prompt: str, words: Sequence[str], *, secret: bool, command: bool) -> str:
        session = self._commands if command else self._answers
        try:
            return await session.prompt_async(
                prompt,
                completer=WordCompleter(list(words), ignore_case=True),
                complete_while_typing=False,
                complete_style=CompleteStyle.READLINE_LIKE,
                reserve_space_for_menu=0,
                is_password=secret,
                handle_sigint=False,
            )
        except KeyboardInterrupt:
            raise Left from None
        except EOFError:
            raise EndOfInput from None
