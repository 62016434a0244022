"""What waits for which host: `tophosts`, `hoststatus`, `workqueue`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.difference import date
from sealgate.cli.dialogue.question import choice, wanted
from sealgate.cli.dialogue.talk import Talk
from sealgate.cli.hosts import NOT_COUNTED, domain_of, host_lines, host_rows, suspensions_of
from sealgate.cli.suspend import suspended_lines
from sealgate.cli.text import many, silent_lines
from sealgate.delivery.selection import EVERYTHING, Selection

SHOWN = 20
"""Hosts in the table of `tophosts`."""

MOST = 5000
"""Hosts that are asked for, to be sorted."""

SORTS = {"Active Recipients": "recipients", "Connections Out": "connections", "Deferred Recipients": "deferred"}


async def tophosts(talk: Talk) -> None:
    """The busiest destinations."""
    place: int = await talk.ask(choice("Sort results by:", list(SORTS), 0))
    by = list(SORTS.values())[place]
    answer = await talk.control("hosts", limit=MOST)
    hosts = sorted(answer["hosts"], key=lambda host: (-int(host[by]), str(host["domain"])))[:SHOWN]
    suspended = (await talk.control("status"))["suspended"]
    talk.say("", f"Status as of: {_now()}", *host_rows(hosts, suspensions_of(suspended)))
    _say_silent(talk, answer)


async def hoststatus(talk: Talk) -> None:
    """One destination in full."""
    domain = domain_of(await talk.ask(wanted("Recipient host:", "a domain of recipients")))
    answer = await talk.control("hosts", limit=1, domains=[domain])
    suspended = (await talk.control("status"))["suspended"]
    talk.say("", f"Status as of: {_now()}", *host_lines(domain, answer["hosts"], suspended))
    _say_silent(talk, answer)


async def workqueue(talk: Talk) -> None:
    """Whether mail moves, and how much of it has not been tried yet."""
    if (talk.next_word() or "").lower() == "status":
        talk.drop_word()
    fresh = await talk.control("queue-count", selection=Selection(state="queued").to_body())
    whole = await talk.control("queue-count", selection=EVERYTHING.to_body())
    suspended = suspended_lines((await talk.control("status"))["suspended"])
    talk.say(
        f"Status as of: {_now()}",
        f"Status:       {'Suspended' if suspended else 'Operational'}",
        *(f"              {line}" for line in suspended),
        f"Messages:     {fresh.get('messages', 0)} not tried yet, {many(whole.get('messages', 0), 'message')} in all",
    )
    _say_silent(talk, whole)


def _say_silent(talk: Talk, answer: Mapping[str, Any]) -> None:
    for line in silent_lines(answer["silent"], NOT_COUNTED):
        talk.say(f"Warning: {line}")


def _now() -> str:
    return date(datetime.datetime.now(datetime.UTC).isoformat())


TOPHOSTS = Command("tophosts", "Show the hosts with the most mail waiting for them.", tophosts, more="tophosts [1|2|3]")
HOSTSTATUS = Command("hoststatus", "Show what waits for a host, and why.", hoststatus, more="hoststatus DOMAIN")
WORKQUEUE = Command("workqueue", "Show whether mail moves, and how much waits.", workqueue, more="workqueue [status]")
