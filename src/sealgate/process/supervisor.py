"""The supervisor: holds the listening sockets, starts the children, restarts what dies.

It knows neither SMTP nor TLS and parses nothing but its own channels, so that little in it can fail.
What the children may ask of it:

    every child   hello, ready, pong                    (see member)
                  lease {"take": […], "give": […]}      (see lease)
                  ids {"kind", "count"}                 -> {"first", "last"}
    control       prepare {"payload"}, swap {"revision"}, abandon      (see rollout)
                  stop                                  the whole gateway, in order
                  running                               -> {"revision", "children": [{"child", "pid", …}]}
                  ask {"to", "op", "body"[, "timeout"]} -> {child: answer or {"error": sentence}}
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sealgate.event.facts import (
    ChildDied,
    ChildStarted,
    Event,
    GatewayStarted,
    GatewayStopping,
    Note,
    ServiceUnavailable,
)
from sealgate.process import lease
from sealgate.process.channel import Answer, Body, Channel, ChannelError, close_all
from sealgate.process.endpoint import Endpoint, EndpointError, owned_by
from sealgate.process.ids import IdBook, IdError
from sealgate.process.lock import lock_home
from sealgate.process.member import Member, Timing
from sealgate.process.notify import ServiceManager
from sealgate.process.rate import RateBook
from sealgate.process.rollout import Rollout, descriptors_of, names_of

CONTROL = "control"
ASK_PATIENCE = 10.0  # seconds that `ask` waits for each worker, unless control says otherwise
ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Supervisor:
    """One gateway's processes, from `run` until it returns.

    `payload` is the running configuration. Only its "revision" and "workers", and what `endpoints` reads, are
    looked at; the children get it as it is. `command(child, fd)` is what to execute for a child whose end of
    the channel is descriptor `fd`. `reopen` is called on SIGHUP, `ready` once when the gateway serves,
    `applied` with every payload that comes into force later.
    """

    def __init__(
        self,
        home: Path,
        payload: Body,
        endpoints: Callable[[Body], Sequence[Endpoint]],
        command: Callable[[str, int], Sequence[str]],
        emit: Callable[[Event], None],
        *,
        version: str,
        reopen: Callable[[], None] = lambda: None,
        ready: Callable[[], None] = lambda: None,
        applied: Callable[[Body], None] = lambda payload: None,
        environment: Mapping[str, str] = os.environ,
        timing: Timing | None = None,
    ) -> None:
        self._home = home
        self._command = command
        self._emit = emit
        self._version = version
        self._reopen = reopen
        self._ready = ready
        self._timing = timing or Timing()
        self._manager = ServiceManager(environment.get("NOTIFY_SOCKET"))
        # No library configuration of the machine may change what the TLS of a child does.
        self._environment = {**environment, "OPENSSL_CONF": ""}
        self._environment.pop("NOTIFY_SOCKET", None)
        self._members: dict[str, Member] = {}
        self._leases = lease.LeaseBook()
        self._rates = RateBook(time.monotonic)
        self._rollout = Rollout(payload, endpoints, self._members.values, self._timing, applied)
        self._tasks: set[asyncio.Task[None]] = set()
        self._beating: asyncio.TimerHandle | None = None
        self._started = False
        self._stopping = False
        self._stopped = asyncio.Event()

    async def run(self) -> int:
        """Serve until stopped; the exit status. HomeInUse, IdError and EndpointError: nothing has begun."""
        self._loop = asyncio.get_running_loop()
        self._lock = await lock_home(self._home, self._timing.home)
        self._disk = ThreadPoolExecutor(1)  # ids wait for the disk; the loop never does
        try:
            self._ids = IdBook(self._home / "ids.json")
            self._listen()
            self._take_signals()
            self._beat()
            self._man()
            await self._stopped.wait()
        finally:
            await self._end()
        return 0

    def stop(self) -> None:
        """Stop in order; called again, at once."""
        if self._stopping:
            for member in self._members.values():
                member.end("the gateway was told twice to stop")
            return
        self._stopping = True
        self._spawn(self._stop())

    # Beginning and end.

    def _listen(self) -> None:
        problems = self._rollout.open()
        if problems and not self._rollout.listening:
            raise EndpointError("; ".join(each.sentence for each in problems))
        for each in problems:
            self._say(ServiceUnavailable(each.endpoint.listener, each.sentence))

    def _take_signals(self) -> None:
        for number in ENDINGS:
            self._loop.add_signal_handler(number, self.stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _hang_up(self) -> None:
        self._manager.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            self._reopen()
        except Exception as error:
            self.warn(f"the logs could not be opened anew: {error}")
        for member in self._members.values():
            if member.present:
                member.present.notify("reopen")
        if self._started:
            self._manager.tell("READY=1")

    def _beat(self) -> None:
        self._beating = self._loop.call_later(self._timing.beat, self._beat)
        self._manager.tell("WATCHDOG=1")
        for member in self._members.values():
            member.beat()

    async def _stop(self) -> None:
        self._say(GatewayStopping())
        self._manager.tell("STOPPING=1")
        self._rollout.close()
        await asyncio.gather(*(each.leave(self._timing.stop_workers) for each in self._workers()))
        await self._members[CONTROL].leave(self._timing.stop_control)
        self._stopped.set()

    async def _end(self) -> None:
        if self._beating:
            self._beating.cancel()
        for number in (*ENDINGS, signal.SIGHUP):
            self._loop.remove_signal_handler(number)
        for task in list(self._tasks):  # none is left after an orderly stop
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._rollout.close()
        self._disk.shutdown()
        if self._stopped.is_set():
            self._ids.close()
        os.close(self._lock)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _say(self, event: Event) -> None:
        try:
            self._emit(event)
        except Exception as error:  # a journal that fails must not take the gateway with it
            context = {"message": f"an event was lost: {event}", "exception": error}
            self._loop.call_exception_handler(context)

    # The crew.

    def _workers(self) -> list[Member]:
        return [member for name, member in self._members.items() if name != CONTROL]

    def _man(self) -> None:
        """Make the crew what the configuration wants."""
        wanted = [CONTROL, *(f"worker-{n}" for n in range(1, int(self._rollout.payload["workers"]) + 1))]
        for name in wanted:
            if name not in self._members and not self._stopping:
                member = self._members[name] = Member(name, self, self._timing)
                self._spawn(member.live())
        for member in self._workers():
            if member.name not in wanted and not member.leaving:
                self._spawn(self._retire(member))

    async def _retire(self, member: Member) -> None:
        """Let it go, and have what it owned taken over before its name can be used again."""
        await member.leave(self._timing.stop_workers)
        heir = self._members["worker-1"]
        if heir.present and not self._stopping:
            try:
                await heir.present.request("retired", {"child": member.name}, timeout=self._timing.retired)
            except (ChannelError, TimeoutError) as error:
                self.warn(f"{heir.name} has not taken over what {member.name} left: {error}")
        del self._members[member.name]
        self._man()

    def spawn(self, child: str, fd: int) -> subprocess.Popen[bytes]:
        """Start a child's process."""
        # Signals to the whole group are the supervisor's affair: a child begins with them blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDINGS, signal.SIGHUP))
        try:
            return subprocess.Popen(
                list(self._command(child, fd)),
                stdin=subprocess.DEVNULL,
                pass_fds=(fd, self._lock),
                env=self._environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def unborn(self, member: Member, error: Exception) -> None:
        """A process could not be started."""
        self.warn(f"{member.name} could not be started: {error}")
        self._look()

    def begun(self, member: Member) -> None:
        """A process has been started."""
        self._say(ChildStarted(member.name, member.pid or 0))

    def greeted(self, member: Member, channel: Channel) -> None:
        """A process has come up."""
        self._spawn(self._begin(member, channel))

    async def _begin(self, member: Member, channel: Channel) -> None:
        await self._rollout.decided()
        if member.channel is not channel or member.present or member.leaving:
            return
        member.present = channel
        listening = owned_by(member.name, self._rollout.listening)
        body = {
            "child": member.name,
            "payload": self._rollout.payload,
            "listeners": names_of(listening),
            "crew": list(self._members),
        }
        try:
            await channel.call("start", body, descriptors_of(listening))
        except ChannelError as error:
            if channel.open:
                member.kill(f"it could not begin: {error}")

    def ready(self, member: Member) -> None:
        """A child serves."""
        self._look()

    def _look(self) -> None:
        """The gateway serves once all children have come up or died trying, and a worker is among the former."""
        serving = sum(worker.serving for worker in self._workers())
        self._manager.tell(f"STATUS={serving} of {len(self._workers())} workers serve")
        if not (self._started or self._stopping) and serving and all(each.tried for each in self._members.values()):
            self._started = True
            self._say(GatewayStarted(self._version, self._rollout.payload["revision"]))
            self._manager.tell("READY=1")
            self._ready()

    def ended(self, member: Member, pid: int, status: int) -> None:
        """A process is gone, and with it what it held."""
        self._leases.drop(member.name)
        if not (member.leaving and status == 0):
            self._say(ChildDied(member.name, pid, status))
        if member.name == CONTROL:
            self._spawn(self._rollout.abandon())
        self._look()

    def warn(self, sentence: str) -> None:
        """Something an operator should read."""
        self._say(Note("Warning", sentence))

    # What the children ask.

    def asked(self, member: Member, op: str, body: Body, fds: list[int]) -> Answer:
        """Answer a child."""
        if member.name == CONTROL and op == "ask":
            return self._ask(body, fds)
        close_all(fds)
        match op, body:
            case "lease", _:
                return self._lease(member, body)
            case "ids", {"kind": str(kind), "count": int(count)}:
                return self._take_ids(kind, count)
        if member.name != CONTROL:
            raise ChannelError(f"{member.name} may not ask {op!r} in this way")
        return self._order(op, body)

    def _lease(self, member: Member, body: Body) -> Body:
        try:
            return lease.serve(self._leases, self._rates, member.name, body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What it holds is unknown now; its death settles it.
            self._loop.call_soon(member.kill, f"its lease request makes no sense: {error!r}")
            raise ChannelError("a lease request that makes no sense") from error

    async def _take_ids(self, kind: str, count: int) -> Body:
        try:
            first, last = await self._loop.run_in_executor(self._disk, self._ids.take, kind, count)
        except IdError as error:
            raise ChannelError(str(error)) from error
        return {"first": first, "last": last}

    def _order(self, op: str, body: Body) -> Answer:
        """What control orders."""
        match op, body:
            case "running", _:
                return self._running()
            case "stop", _:
                self._loop.call_soon(self.stop)
                return {}
            case "abandon", _:
                return self._rollout.abandon()
            case (("prepare" | "swap"), _) if self._stopping:
                raise ChannelError("the gateway is stopping")
            case "prepare", {"payload": {"revision": int(), "workers": int(workers)} as payload}:
                if workers < 1:
                    raise ChannelError(f"a gateway has at least one worker, not {workers}")
                return self._rollout.prepare(payload)
            case "swap", {"revision": int(revision)}:
                return self._swap(revision)
        raise ChannelError(f"the supervisor does not know {op!r} in this form")

    async def _swap(self, revision: int) -> Body:
        answer = await self._rollout.swap(revision)
        self._man()
        return answer

    def _running(self) -> Body:
        children = [
            {
                "child": member.name,
                "pid": member.pid,
                "serving": member.serving,
                "seconds": round(member.age, 3),
                "restarts": member.restarts,
            }
            for member in self._members.values()
        ]
        payload = self._rollout.payload
        return {"revision": payload["revision"], "digest": payload.get("digest"), "children": children}

    async def _ask(self, body: Body, fds: list[int]) -> Body:
        """Pass a request on to one worker or to all, descriptors included."""
        try:
            match body:
                case {"to": str(to), "op": str(op), "body": dict(inner)}:
                    asked = [each for each in self._workers() if to in ("workers", each.name)]
                    patience = float(body.get("timeout", ASK_PATIENCE))
                case _:
                    raise ChannelError("ask wants {to, op, body}")
            if not asked:
                raise ChannelError(f"there is no {to}")
            answers = await asyncio.gather(*(_answer_of(each, op, inner, fds, patience) for each in asked))
            return {member.name: answer for member, answer in zip(asked, answers, strict=True)}
        finally:
            close_all(fds)


async def _answer_of(member: Member, op: str, body: Body, fds: list[int], patience: float) -> Body:
    if member.present is None:
        return {"error": f"{member.name} is not running"}
    try:
        return await member.present.request("ask", {"op": op, "body": body}, fds, patience)
    except TimeoutError:
        return {"error": f"{member.name} has not answered within {patience:g} s"}
    except ChannelError as error:
        return {"error": str(error)}
