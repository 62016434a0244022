"""Asking a running gateway over its Unix socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

from sealgate.cli.door import Door, NotRunning, Refused
from sealgate.process.channel import Channel, ChannelError
from sealgate.process.frame import FrameError

__all__ = ["NotRunning", "Refused", "ask", "connect"]

PATIENCE = 120.0


def ask(
    door: Door | Path, op: str, body: dict[str, Any] | None = None, *, patience: float | None = PATIENCE
) -> dict[str, Any]:
    """One request, one answer; without `patience`, as long as it takes. A path is a home to come in to as oneself."""
    return asyncio.run(_ask(door if isinstance(door, Door) else Door(door), op, body or {}, patience))


async def _ask(door: Door, op: str, body: dict[str, Any], patience: float | None) -> dict[str, Any]:
    channel = await connect(door)
    try:
        return await channel.request(op, body, timeout=patience)
    except (ChannelError, FrameError) as error:
        raise Refused(str(error)) from error
    except TimeoutError as error:
        raise Refused(f"the gateway did not answer within {patience:g} seconds") from error
    finally:
        channel.close()


async def connect(door: Door) -> Channel:
    """A channel to the gateway behind this door, logged in if it names an operator; `NotRunning`, or `Refused`."""
    channel = _channel(door)
    if door.name is not None:
        try:
            await channel.request("login", {"name": door.name, "passphrase": door.passphrase}, timeout=PATIENCE)
        except (ChannelError, FrameError) as error:
            channel.close()
            raise Refused(str(error)) from error
        except BaseException:
            channel.close()
            raise
    return channel


def _channel(door: Door) -> Channel:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(door.socket))
    except PermissionError as error:
        connection.close()
        raise Refused(f"only root and the gateway's own user may ask it: {door.socket}") from error
    except OSError as error:
        connection.close()
        raise door.not_running from error
    return Channel(connection, lambda op, body, fds: None, lambda: None, descriptors=False)
