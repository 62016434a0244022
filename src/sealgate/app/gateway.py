"""`sealgate serve`: the supervisor's process, from the stored revision to an orderly end."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

from sealgate import __version__
from sealgate.app.logs import configure, open_journal
from sealgate.cli.commands import stored
from sealgate.config.schema import GuiSettings
from sealgate.config.schema.gui import CLASSIC
from sealgate.control.commit import payload_of
from sealgate.control.confirm import take_back_overdue
from sealgate.control.offline import note
from sealgate.event.facts import ServiceUnavailable
from sealgate.net.tls.library import measure_library
from sealgate.process.endpoint import Endpoint, EndpointError
from sealgate.process.ids import IdError
from sealgate.process.lock import HomeInUse, lock_home_now
from sealgate.process.supervisor import Supervisor
from sealgate.store.revisions import Revisions


def serve(options: argparse.Namespace, ready: Callable[[], None] = lambda: None) -> int:
    """Run until told to stop; `ready` is called when the gateway serves."""
    revisions = stored(options.home)
    _take_back(options.home, revisions)
    revision = revisions.current()
    if revision is None:
        print(f"There is no configuration in {options.home}; make one with: sealgate init", file=sys.stderr)
        return 1
    payload = payload_of(revision.number, revision.configuration, measure_library())
    for sentence in payload["all_faults"]:
        print(f"sealgate: {sentence}", file=sys.stderr)
    try:
        return uvloop.run(_supervise(options.home, payload, ready))
    except (HomeInUse, IdError, EndpointError) as error:
        print(f"sealgate: {error}", file=sys.stderr)
        return 1


def _take_back(home: Path, revisions: Revisions) -> None:
    """What is overdue comes back before anything listens; on a home in use it is the affair of the gateway there."""
    try:
        lock = lock_home_now(home)
    except HomeInUse:
        return
    try:
        back = take_back_overdue(revisions, datetime.datetime.now(datetime.UTC))
        if back is not None:
            note(home, "commit", back.who, back.face, revision=back.number, comment=back.comment)
    finally:
        os.close(lock)


async def _supervise(home: Path, payload: dict[str, Any], ready: Callable[[], None]) -> int:
    journal = open_journal(home, "supervisor", payload["configuration"])
    for sentence in payload["all_faults"]:
        journal.emit(ServiceUnavailable("tls", sentence))

    supervisor = Supervisor(
        home,
        payload,
        endpoints_of,
        lambda child, fd: [sys.executable, "-m", "sealgate.app.child", child, str(fd), str(home)],
        journal.emit,
        version=__version__,
        reopen=journal.reopen,
        ready=ready,
        applied=lambda payload: configure(journal, payload["configuration"]),
    )
    try:
        return await supervisor.run()
    finally:
        journal.flush()


def endpoints_of(payload: Mapping[str, Any]) -> list[Endpoint]:
    """What a configuration listens on; what cannot be served is not bound at all."""
    configuration, faults = payload["configuration"], payload["faults"]
    listeners = [
        Endpoint(listener["name"], address, listener["port"])
        for listener in configuration["listeners"]
        if listener["enabled"] and listener["name"] not in faults
        for address in listener["addresses"]
    ]
    gui = GuiSettings.model_validate(configuration["gui"])
    served = gui.enabled and CLASSIC not in faults
    return listeners + [
        Endpoint(name, address, port, "control")
        for name, port in (gui.ports.items() if served else ())
        for address in gui.addresses
    ]
