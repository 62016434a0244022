"""One child as the supervisor sees it: a name, and one process after another until it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from dataclasses import dataclass
from functools import partial
from socket import socketpair
from typing import Protocol

from sealgate.process.channel import Answer, Body, Channel, ChannelError


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the supervisor waits for what; seconds unless said otherwise."""

    home: float = 10.0  # for an earlier gateway to leave the home directory
    beat: float = 1.0  # between two pings
    silence: int = 10  # beats without a pong after which a child is killed
    birth: int = 60  # the same for a process that has not said hello yet
    prepare: float = 30.0  # for a child to prepare a configuration
    swap: float = 2.0  # for a worker to put it in force, or to forget it
    swap_control: float = 10.0  # the same for control: an operator waits there, and no mail
    retired: float = 60.0  # for a worker to take over what another one left
    stop_workers: float = 30.0  # for open sessions to finish
    stop_control: float = 5.0
    parting: float = 5.0  # between the end of a channel and that of its process
    restart: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)  # before the n-th restart in a row
    settled: float = 60.0  # a process that lived so long is the first in a row again


class Office(Protocol):
    """What a member needs of the supervisor."""

    def spawn(self, child: str, fd: int) -> subprocess.Popen[bytes]:
        """Start its process; OSError when that fails."""

    def unborn(self, member: Member, error: Exception) -> None:
        """No process could be started."""

    def begun(self, member: Member) -> None:
        """A process has been started."""

    def greeted(self, member: Member, channel: Channel) -> None:
        """The process has come up and asks what to begin with."""

    def ready(self, member: Member) -> None:
        """It serves."""

    def asked(self, member: Member, op: str, body: Body, fds: list[int]) -> Answer:
        """It wants something; the descriptors are the office's to close."""

    def ended(self, member: Member, pid: int, status: int) -> None:
        """The process is gone; the status is Popen's (minus the number of the signal that killed it)."""

    def warn(self, sentence: str) -> None:
        """Something an operator should read."""


class Member:
    """A child under supervision. `live` is its whole life; all else looks at it or talks to it."""

    def __init__(self, name: str, office: Office, timing: Timing) -> None:
        self.name = name
        self.channel: Channel | None = None
        self.present: Channel | None = None  # the same, once the process has learnt what to begin with
        self.serving = False  # it has said ready
        self.tried = False  # it has said so once, or died trying
        self.leaving = False  # it is not to be started again
        self.restarts = 0
        self._office = office
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0  # loop time of its start
        self._row = 0  # deaths in a row
        self._silent = 0  # beats since it was heard
        self._leave = asyncio.Event()
        self._left = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The number of its process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def age(self) -> float:
        """Seconds since its process was started; 0 while there is none."""
        return self._loop.time() - self._began if self._process else 0.0

    async def live(self) -> None:
        """Run processes, one after another, until it leaves."""
        while not self.leaving:
            self._began = self._loop.time()
            try:
                await self._one_life()
            except Exception as error:
                self.tried = True
                self._office.unborn(self, error)
            if self._loop.time() - self._began >= self._timing.settled:
                self._row = 0
            pause = self._timing.restart[min(self._row, len(self._timing.restart) - 1)]
            self._row += 1
            self.restarts += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), pause)
        self._left.set()

    async def leave(self, patience: float) -> None:
        """Ask it to stop, and wait until its process is gone; after `patience` seconds it is killed."""
        if self.leaving:  # on its way already
            await self._left.wait()
            return
        self.leaving = True
        self._leave.set()
        timer = self._loop.call_later(patience, self.kill, f"it has not stopped within {patience:g} s")
        if self.present is None:
            self.kill()  # it has begun nothing that could be finished
        else:
            with contextlib.suppress(ChannelError):
                await self.present.call("stop")
        await self._left.wait()
        timer.cancel()

    def end(self, why: str) -> None:
        """Kill its process, and start no other."""
        self.leaving = True
        self._leave.set()
        self.kill(why)

    def beat(self) -> None:
        """Once per beat: ask for a sign of life, and end what gives none.

        Beats are counted rather than seconds, so that a machine that slept wakes with all its children.
        """
        if self._process is None:
            return
        self._silent += 1
        if self._silent > (self._timing.silence if self.present else self._timing.birth):
            self.kill(f"it has been silent for {self._silent - 1} beats")
        elif self.present:
            self.present.notify("ping")

    def kill(self, why: str | None = None) -> None:
        """End its process, if there is one, the hard way."""
        if self._process is None:
            return
        if why:
            self._office.warn(f"{self.name} (process {self.pid}) is killed: {why}")
        with contextlib.suppress(OSError):
            self._process.kill()

    async def _one_life(self) -> None:
        ours, theirs = socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            self._process = process = self._office.spawn(self.name, theirs.fileno())
            undo.callback(_destroy, process)
            end = _end_of(process)
            undo.pop_all()
        self._silent = 0
        try:
            self.channel = Channel(
                ours, self._heard, partial(self._parted, process), descriptors=self.name == "control"
            )
            self._office.begun(self)
            status = await end
        finally:
            _destroy(process)
            self._forget()
        self._office.ended(self, process.pid, status)

    def _forget(self) -> None:
        channel, self.channel, self.present = self.channel, None, None
        self._process, self.serving, self.tried = None, False, True
        if channel is not None:
            channel.close("its process has ended")

    def _parted(self, process: subprocess.Popen[bytes]) -> None:
        """The channel has ended first: the process should be ending too."""
        if process is self._process and self.channel is not None:
            why = f"its channel has ended: {self.channel.fault}"
            if self.channel.cut:
                self._office.warn(f"{self.name} (process {self.pid}) misbehaves: {self.channel.fault}")
            self._loop.call_later(self._timing.parting, self._kill_this, process, why)

    def _kill_this(self, process: subprocess.Popen[bytes], why: str) -> None:
        if process is self._process:
            self.kill(why)

    def _heard(self, op: str, body: Body, fds: list[int]) -> Answer:
        assert self.channel is not None
        match op:
            case "pong":
                self._silent = 0
            case "hello":
                self._office.greeted(self, self.channel)
            case "ready":
                self.serving = self.tried = True
                self._office.ready(self)
            case _:
                return self._office.asked(self, op, body, fds)
        return None


def _end_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The status with which the process ends. Any event loop can do it: a pidfd becomes readable."""
    loop = asyncio.get_running_loop()
    end: asyncio.Future[int] = loop.create_future()
    fd = os.pidfd_open(process.pid)

    def over() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        if not end.done():
            end.set_result(process.wait())

    loop.add_reader(fd, over)
    return end


def _destroy(process: subprocess.Popen[bytes]) -> None:
    """No process is left behind unwatched."""
    if process.poll() is None:
        process.kill()
        process.wait()
