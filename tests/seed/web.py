"""The pages of a gateway, wherever they are: found by what its processes listen on."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.peers.ports import HOST
from tests.running import Gateway

LISTEN = "0A"


class FaceMissing(Exception):
    """The gateway has no pages yet."""


def ports(gate: Gateway) -> list[int]:
    """Every TCP port that the gateway's processes listen on, mail left out; FaceMissing if there is none."""
    sockets = {inode for pid in (gate.pid, *gate.children().values()) for inode in _sockets(pid)}
    found = {port for table in ("tcp", "tcp6") for inode, port in _listening(table) if inode in sockets}
    others = sorted(found - set(gate.ports.values()))
    if not others:
        raise FaceMissing("this gateway listens on nothing but its mail ports")
    return others


def page(gate: Gateway, path: str = "/") -> str:
    """What a browser gets from the first port with pages; FaceMissing if there is none at this path."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    place = f"https://{HOST}:{ports(gate)[0]}{path}"
    try:
        with urllib.request.urlopen(place, timeout=20, context=context) as answer:
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            raise FaceMissing(f"this gateway has no page at {path}") from None
        raise
    return text


def dialogue(gate: Gateway, *lines: str) -> str:
    """What `sealgate cli` prints to somebody who types these lines."""
    return gate.command("cli", text="".join(f"{line}\n" for line in lines)).stdout


def _sockets(pid: int) -> set[str]:
    links = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def _listening(table: str) -> list[tuple[str, int]]:
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [(row[9], int(row[1].rsplit(":", 1)[1], 16)) for row in rows if row[3] == LISTEN]
