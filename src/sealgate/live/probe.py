"""Trying a running listener as a mail server would: connect, STARTTLS where TLS begins with it, one version only."""

from __future__ import annotations

import asyncio
import socket

from sealgate.net.tls import probe
from sealgate.smtp.client import ClientMachine, ProtocolFault
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.trial import Attempt
from sealgate.tls.version import ProtocolVersion

PATIENCE = 10.0
"""Seconds that one trial may take."""

_READ = 65536


class _Unready(Exception):
    """The service does not come as far as TLS; a sentence."""


async def try_listener(
    sock: socket.socket, version: ProtocolVersion, *, implicit_tls: bool, server_name: str | None = None
) -> Attempt:
    """On a connected socket, which is closed afterwards. What never comes as far as TLS is a failure with its words."""
    sock.setblocking(False)
    try:
        async with asyncio.timeout(PATIENCE):
            if not implicit_tls:
                await _ask_for_tls(sock)
            return await probe.attempt(sock, version, server_name)
    except TimeoutError:
        sentence = f"nothing came of it within {PATIENCE:g} seconds"
        return Attempt(version, None, TlsFailure(Origin.TIMEOUT, None, sentence))
    except (OSError, _Unready, ProtocolFault) as error:
        return Attempt(version, None, TlsFailure(Origin.CLOSED, None, getattr(error, "strerror", None) or str(error)))
    finally:
        sock.close()


async def _ask_for_tls(sock: socket.socket) -> None:
    machine = ClientMachine("probe.invalid")
    await _reply(sock, machine, 220)
    for command, code in ((machine.ehlo(), 250), (machine.starttls(), 220)):
        await asyncio.get_running_loop().sock_sendall(sock, command)
        await _reply(sock, machine, code)
    machine.tls_started()


async def _reply(sock: socket.socket, machine: ClientMachine, code: int) -> None:
    while (reply := machine.next_reply()) is None:
        data = await asyncio.get_running_loop().sock_recv(sock, _READ)
        if not data:
            raise _Unready("the connection was closed before TLS")
        machine.receive(data)
    if reply.code != code:
        raise _Unready(f"it answered {reply.code} {' '.join(reply.lines)}")
