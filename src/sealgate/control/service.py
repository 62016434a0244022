"""What operators ask of a running gateway, over the Unix socket of its home directory."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from pathlib import Path
from typing import Any

from sealgate.config.document import parse, render
from sealgate.config.problem import ConfigurationError
from sealgate.control.commit import Committer
from sealgate.process.channel import Channel, ChannelError
from sealgate.store.revisions import Revisions

SOCKET = "control.sock"

COPY_PATIENCE = 3600.0
"""Seconds that the copies of large spools may take."""


class Service:
    """Answers requests of the command line; every one comes with the name of a user of this machine."""

    def __init__(self, supervisor: Channel, revisions: Revisions, committer: Committer, version: str) -> None:
        self._supervisor = supervisor
        self._revisions = revisions
        self._committer = committer
        self._version = version

    async def handle(self, who: str, op: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request; `ChannelError` carries the sentence for the person."""
        match op:
            case "status":
                return await self._status()
            case "queue-list":
                return await self._queue_list(body["limit"])
            case "queue-show":
                return await self._queue_show(body["mid"])
            case "queue-retry":
                return await self._queue_retry(body.get("mids"))
            case "copy-queue":
                return await self._copy_queue()
            case "copy-done":
                return await self._ask_workers("copy-done", {})
            case "showconfig":
                return self._showconfig()
            case "loadconfig":
                return await self._loadconfig(who, body)
        raise ChannelError(f"the gateway does not know the request {op!r}")

    async def _ask_workers(self, op: str, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
        answers = await self._supervisor.request("ask", {"to": "workers", "op": op, "body": body})
        return {child: answer for child, answer in answers.items() if isinstance(answer, dict)}

    async def _status(self) -> dict[str, Any]:
        running = await self._supervisor.request("running", {})
        workers = await self._ask_workers("status", {})
        return {"version": self._version, "running": running, "workers": workers}

    async def _queue_list(self, limit: int) -> dict[str, Any]:
        answers = await self._ask_workers("queue-list", {"limit": limit})
        messages = [
            {**message, "worker": child} for child, answer in answers.items() for message in answer.get("messages", ())
        ]
        messages.sort(key=lambda message: int(message["mid"]))
        silent = sorted(child for child, answer in answers.items() if "error" in answer)
        return {"messages": messages[:limit], "silent": silent}

    async def _queue_show(self, mid: int) -> dict[str, Any]:
        for child, answer in (await self._ask_workers("queue-show", {"mid": mid})).items():
            if answer.get("message"):
                return {"message": {**answer["message"], "worker": child}}
        raise ChannelError(f"no message {mid} is in the queue: it has been delivered or bounced, or never was here")

    async def _queue_retry(self, mids: list[int] | None) -> dict[str, Any]:
        answers = await self._ask_workers("queue-retry", {"mids": mids})
        return {"recipients": sum(answer.get("recipients", 0) for answer in answers.values())}

    async def _copy_queue(self) -> dict[str, Any]:
        """Copies of all spools, each made by the worker that owns it; whoever asked says when they may go."""
        asked = {"to": "workers", "op": "copy", "body": {}, "timeout": COPY_PATIENCE}
        answers = await self._supervisor.request("ask", asked, timeout=COPY_PATIENCE)
        for child, answer in answers.items():
            if "error" in answer:
                raise ChannelError(f"the queue of {child} could not be copied: {answer['error']}")
        return {"folders": {child: answer["folder"] for child, answer in answers.items()}}

    def _showconfig(self) -> dict[str, Any]:
        revision = self._revisions.current()
        if revision is None:
            raise ChannelError("this gateway has no configuration yet; run sealgate init")
        return {"revision": revision.number, "text": render(revision.configuration, mask=True)}

    async def _loadconfig(self, who: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            configuration = parse(body["text"])
        except ConfigurationError as error:
            self._committer.refused(who, error)
            return _problems(error)
        try:
            revision = await self._committer.commit(configuration, who, "cli", body.get("comment", ""))
        except ConfigurationError as error:
            return _problems(error)
        return {"revision": revision.number}


def _problems(error: ConfigurationError) -> dict[str, Any]:
    return {"problems": [[problem.path, problem.sentence] for problem in error.problems]}


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
