"""What operators ask of a running gateway, over the Unix socket of its home directory."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from pathlib import Path
from typing import Any

from sealgate.control.acts import Acts
from sealgate.control.changes import Changes
from sealgate.control.crew import Crew
from sealgate.control.login import Seat
from sealgate.control.queue import QueueDesk
from sealgate.control.requests import look_at
from sealgate.control.roles import NotAllowed, Operator, permit
from sealgate.control.suspension import Suspending
from sealgate.control.tokens import TokenDesk
from sealgate.event.facts import OperatorRefused, StopOrdered
from sealgate.process.channel import Channel, ChannelError

SOCKET = "control.sock"

COPY_PATIENCE = 3600.0
"""Seconds that the copies of large spools may take."""


class Service:
    """Answers requests of operators, each with who asks and when that session began."""

    def __init__(
        self,
        supervisor: Channel,
        suspending: Suspending,
        changes: Changes,
        tokens: TokenDesk,
        acts: Acts,
        version: str,
    ) -> None:
        self._crew = Crew(supervisor)
        self._queue = QueueDesk(self._crew, acts)
        self._changes = changes
        self._tokens = tokens
        self._acts = acts
        self._suspending = suspending
        self._version = version

    async def answer(self, seat: Seat, op: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request of whoever sits there; `ChannelError` carries the sentence for the person."""
        if op == "login":
            look_at(op, body)
            operator = await seat.login(body["name"], body["passphrase"])
            return {"name": operator.name, "role": operator.role}
        return await self.ask(seat.operator, op, body)

    async def ask(self, operator: Operator, op: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request of this operator, if his role goes that far. `NotAllowed`, and `ChannelError` as above."""
        try:
            permit(operator, op)
            look_at(op, body)
            return await self._handle(operator, op, body)
        except NotAllowed:
            refused = OperatorRefused(operator.name, operator.role, operator.face, op)
            self._acts.add(operator, "refused", refused, request=op, role=operator.role)
            raise

    async def _handle(self, operator: Operator, op: str, body: dict[str, Any]) -> dict[str, Any]:
        match op:
            case "status":
                return await self._status()
            case "copy-queue":
                return await self._copy_queue(operator)
            case "copy-done":
                return (await self._crew.ask("copy-done", {})).good
            case "suspend":
                return await self._suspending.suspend(operator, body["what"])
            case "resume":
                return await self._suspending.resume(operator, body["what"])
            case "stop":
                self._acts.add(operator, "stop", StopOrdered(operator.name))
                return await self._crew.stop()
        if (answer := self._tokens.handle(operator, op, body)) is not None:
            return answer
        answer = await self._changes.handle(operator, op, body)
        return await self._queue.handle(operator, op, body) if answer is None else answer

    async def _status(self) -> dict[str, Any]:
        running = await self._crew.running()
        answers = await self._crew.ask("status", {})
        suspended, fault = self._suspending.listed()
        state = {"suspended": suspended, "fault": fault, "silent": answers.silent}
        return {"version": self._version, "running": running, "workers": answers.good, **state}

    async def _copy_queue(self, operator: Operator) -> dict[str, Any]:
        """Copies of all spools, each made by the worker that owns it; whoever asked says when they may go."""
        self._acts.add(operator, "backup")
        answers = await self._crew.ask("copy", {}, COPY_PATIENCE)
        if answers.silent:
            raise ChannelError(f"not every queue could be copied: {'; '.join(answers.silent)}")
        return {"folders": {child: answer["folder"] for child, answer in answers.good.items()}}


def open_socket(home: Path) -> socket.socket:
    """The listening Unix socket of the gateway, for its own user and root only."""
    path = home / SOCKET
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old_mask = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(old_mask)
    listening.listen(64)
    listening.setblocking(False)
    return listening


def peer_name(connection: socket.socket) -> str | None:
    """The user at the other end, or None if it is neither root nor the gateway's own user."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    if uid not in (0, os.geteuid()):
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
