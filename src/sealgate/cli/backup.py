"""`sealgate backup` and `sealgate restore`: the state of a gateway as one file."""

from __future__ import annotations

import argparse
import datetime
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sealgate import __version__
from sealgate.cli.client import NotRunning, Refused, ask
from sealgate.cli.door import Door
from sealgate.control import backup as act
from sealgate.control import offline
from sealgate.control.archive import ArchiveError, Facts
from sealgate.store.database import StoreError

BACKUP = """Write the state of the gateway, which may run, to one file. The file holds private keys: only its owner can
read it. With the queue in it (the default), restoring means that mail delivered since the backup is delivered again;
most want --without-queue."""

RESTORE = """Put the state of a backup in the place of this home's. No gateway may run on it. If the backup has a queue,
every message in it is delivered, also one that has been delivered or deleted since the backup was taken. Numbers of
messages and connections go on far above those in the backup, so that none comes twice."""


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and how much."""
    parser.description = BACKUP
    parser.add_argument("file", metavar="FILE", help="the file to write; compressed if it ends in .gz or .tgz")
    parser.add_argument("--without-queue", action="store_true", help="the configuration alone, with all its revisions")


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from."""
    parser.description = RESTORE
    parser.add_argument("file", metavar="FILE", help="what sealgate backup has written")
    parser.add_argument(
        "--force", action="store_true", help="although the home has state, which is kept in HOME/before-restore-…"
    )


def backup(options: argparse.Namespace) -> int:
    """Write a backup; nothing is left of one that fails."""
    options.door.no_operator("a backup")
    home, target = options.home, Path(options.file).absolute()
    if not (home / act.REVISIONS).exists():
        print(f"There is nothing to back up in {home}", file=sys.stderr)
        return 1
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = Facts(__version__, at, not options.without_queue)
    try:
        with _alone(home):
            if options.without_queue:
                act.backup_configuration(home, target, facts, _progress("written"))
            else:
                with _spools(options.door) as folders:
                    act.backup_all(home, folders, target, facts, _progress("written"))
    except ArchiveError as error:
        print(f"sealgate: {error}", file=sys.stderr)
        return 1
    what = "The configuration" if options.without_queue else "Configuration and queue"
    print(f"{what} of {home} written to {target} ({target.stat().st_size} bytes). It holds private keys.")
    return 0


@contextmanager
def _spools(door: Door) -> Iterator[dict[str, Path]]:
    """Copies of the spools: made by those who own them, or here if nothing runs."""
    home = door.home
    try:
        folders = ask(door, "copy-queue", patience=3600.0)["folders"]
    except NotRunning:
        with act.at_rest(home), act.copied_spools(home) as copies:
            yield copies
        return
    try:
        yield {worker: Path(folder) for worker, folder in folders.items()}
    finally:
        try:
            ask(door, "copy-done")
        except (NotRunning, Refused) as error:
            print(f"sealgate: the copies of the queue stay until the next backup or start: {error}", file=sys.stderr)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No other backup is under way: there is one copy of each spool."""
    fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreError(f"another backup of {home} is under way") from error
    finally:
        os.close(fd)


def restore(options: argparse.Namespace) -> int:
    """Restore a backup; a home is left as it was, or has all of the new state."""
    options.door.no_operator("a restore")
    home, source = options.home, Path(options.file)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        act.finish_restore(home)
        with act.at_rest(home):
            if act.has_state(home) and not options.force:
                print(f"{home} has state; with --force it is put aside, in {home}/before-restore-…", file=sys.stderr)
                return 1
            restored = act.restore(home, source, stamp, _progress("read"))
            offline.note(home, "restore", at=restored.facts.at, queue=str(restored.facts.queue).lower())
    except (ArchiveError, StoreError, OSError) as error:
        print(f"Nothing was restored: {error}", file=sys.stderr)
        return 1
    _report(home, restored)
    return 0


def _report(home: Path, restored: act.Restored) -> None:
    print(f"{home} is as the backup of {restored.facts.at} says (Sealgate {restored.facts.version}).")
    if restored.facts.queue:
        print(f"{restored.messages} message(s) wait; those delivered since the backup will be delivered again.")
    if restored.before is not None:
        print(f"What was there before is in {restored.before}; mail in a queue there is not delivered.")


def _progress(verb: str) -> Callable[[int, int], None]:
    """A counter on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda done, of: None

    def show(done: int, of: int) -> None:
        if done == of or done % 100 == 0:
            end = "\n" if done == of else ""
            print(f"\r{done}{f' of {of}' if of else ''} files {verb}", end=end, file=sys.stderr, flush=True)

    return show
