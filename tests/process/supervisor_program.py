"""A whole gateway of test children in a process of its own, for what can only be tried on a real one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sealgate.event.facts import Event
from sealgate.process.lock import HomeInUse
from sealgate.process.member import Timing
from sealgate.process.supervisor import Supervisor
from tests.process.house import endpoints_of, environment, program


def tell(event: Event) -> None:
    print(event, flush=True)


async def run(home: Path) -> int:
    payload = json.loads((home / "payload.json").read_text())
    supervisor = Supervisor(
        home,
        payload,
        endpoints_of,
        program(),
        tell,
        version="0",
        reopen=lambda: print("reopened", flush=True),
        ready=lambda: print("ready", flush=True),
        environment=environment(),
        timing=Timing(home=payload.get("patience", 10.0), beat=payload.get("beat", 1.0), stop_workers=3.0),
    )
    return await supervisor.run()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(run(Path(sys.argv[1]))))
    except HomeInUse as error:
        sys.exit(str(error))
