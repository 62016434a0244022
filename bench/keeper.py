"""Holds a program and everything it starts in one process tree: `python -m bench.keeper COMMAND…`.

A daemon that leaves its parent would leave the tree, and a reaped child takes its CPU time to whoever
reaped it.  The keeper is a child subreaper (prctl(2)): orphans become its children and are reaped here,
so that walking the tree finds every process, and the CPU of the ended ones in their ancestors' totals.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def keep(command: list[str]) -> None:
    """Run `command`; return when it and all that it started have ended.

    SIGTERM is passed on to the command; the end of the keeper's own parent counts as SIGTERM.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_CHILD_SUBREAPER, 1), (PR_SET_PDEATHSIG, signal.SIGTERM)):
        if libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
    head = subprocess.Popen(command)  # reaped below, like its orphans
    signal.signal(signal.SIGTERM, lambda *_: head.terminate())
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    keep(sys.argv[1:])
