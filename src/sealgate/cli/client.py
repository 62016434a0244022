"""Asking a running gateway over its Unix socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from sealgate.control.service import SOCKET
from sealgate.process.channel import Channel, ChannelError
from sealgate.process.frame import FrameError

PATIENCE = 120.0


class NotRunning(Exception):
    """No gateway answers on this home directory."""


class Refused(Exception):
    """The gateway refused; the sentence is its own."""


def ask(
    home: Path, op: str, body: dict[str, Any] | None = None, *, patience: float | None = PATIENCE
) -> dict[str, Any]:
    """One request, one answer; without `patience`, as long as it takes."""
    return asyncio.run(_ask(home, op, body or {}, patience))


async def _ask(home: Path, op: str, body: dict[str, Any], patience: float | None) -> dict[str, Any]:
    channel = connect(home)
    try:
        return await channel.request(op, body, timeout=patience)
    except (ChannelError, FrameError) as error:
        raise Refused(str(error)) from error
    except TimeoutError as error:
        raise Refused(f"the gateway did not answer within {patience:g} seconds") from error
    finally:
        channel.close()


def connect(home: Path) -> Channel:
    """A channel to the gateway of this home, on the running event loop; `NotRunning`, or `Refused`."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(home / SOCKET))
    except PermissionError as error:
        connection.close()
        raise Refused(f"only root and the gateway's own user may ask it: {home / SOCKET}") from error
    except OSError as error:
        connection.close()
        raise NotRunning(f"no gateway runs on {home}; start it with: sealgate --home {home} serve") from error
    return Channel(connection, lambda op, body, fds: None, lambda: None, descriptors=False)
