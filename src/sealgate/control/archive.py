"""The file of a backup: a tar of plain files, and at its end a list of them with their digests.

An archive without that list is not whole. Nothing in it is believed before it has been read to the end.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sealgate.store.body import sync_folder

LIST = "sealgate-backup.json"
FORMAT = 1
PIECE = 1 << 20

_MEMBER = re.compile(r"revisions\.db|ids\.json|suspended\.json|spool/worker-\d{1,4}/(?:spool\.db|bodies/\d{1,19})")

Progress = Callable[[int, int], None]
"""Hears how many members are done, of how many; 0 is not known yet."""


class ArchiveError(Exception):
    """A backup that cannot be written or read; a sentence."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backup says of itself: the version that wrote it, when (RFC 3339), and whether the queue is in it."""

    version: str
    at: str
    queue: bool


@contextmanager
def archive_file(target: Path) -> Iterator[IO[bytes]]:
    """What will be `target` when the block ends, all of it on the disk; if it raises, `target` stays what it was."""
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.unlink(missing_ok=True)  # of a backup that was killed
        fd = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            yield file
            file.flush()
            os.fsync(fd)
        draft.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise ArchiveError(f"the backup {target} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def write_archive(
    file: IO[bytes], members: Sequence[tuple[str, Path]], facts: Facts, progress: Progress, *, packed: bool
) -> None:
    """Write these files under these names, and compress them if they are to be `packed`."""
    with tarfile.open(fileobj=file, mode="w:gz" if packed else "w", format=tarfile.PAX_FORMAT) as tar:
        _write(tar, members, facts, progress)


def is_packed(target: Path) -> bool:
    """Whether a file of that name is compressed."""
    return target.suffix in (".gz", ".tgz")


def _write(tar: tarfile.TarFile, members: Sequence[tuple[str, Path]], facts: Facts, progress: Progress) -> None:
    digests: dict[str, str] = {}
    for number, (name, path) in enumerate(members, 1):
        with path.open("rb") as file:
            reader = _Digesting(file)
            tar.addfile(_entry(name, os.fstat(file.fileno()).st_size), reader)
        digests[name] = reader.digest.hexdigest()
        progress(number, len(members))
    about = {"format": FORMAT, "version": facts.version, "at": facts.at, "queue": facts.queue, "members": digests}
    text = json.dumps(about, indent=1).encode()
    tar.addfile(_entry(LIST, len(text)), io.BytesIO(text))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class _Digesting:
    """A file that is digested while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def read_archive(source: Path, file: IO[bytes], folder: Path, progress: Progress) -> Facts:
    """Unpack a backup into an empty folder, durably, and check that it is whole. `ArchiveError` says what it is not.

    `file` is `source`, opened: who unpacks it need not have the right to.
    """
    digests: dict[str, str] = {}
    about: Any = None
    try:
        with tarfile.open(fileobj=file, mode="r:*") as tar:
            for member in tar:
                if about is not None:
                    raise ArchiveError(f"{source} goes on behind its end, at {member.name!r}")
                if member.name == LIST and member.isreg():
                    about = json.loads(_opened(tar, member).read(1 << 30))
                    continue
                if not member.isreg() or not _MEMBER.fullmatch(member.name) or member.name in digests:
                    raise ArchiveError(f"{source} has no place for {member.name!r}: it is no backup of a gateway")
                digests[member.name] = _unpack(_opened(tar, member), folder / member.name)
                progress(len(digests), 0)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise ArchiveError(f"{source} is no backup, or a damaged one: {error}") from error
    except OSError as error:
        what = error.filename or source
        raise ArchiveError(f"{source} cannot be unpacked: {what}: {error.strerror or error}") from error
    progress(len(digests), len(digests))
    return _checked(source, about, digests)


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # it is a plain file
    return file


def _unpack(data: IO[bytes], path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        while piece := data.read(PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(fd)
    return digest.hexdigest()


def _checked(source: Path, about: Any, digests: dict[str, str]) -> Facts:
    match about:
        case None:
            raise ArchiveError(f"{source} is not whole: it ends before its list of members")
        case {"format": int(known), "version": str(version)} if known > FORMAT:
            raise ArchiveError(f"{source} was written by a newer Sealgate ({version}); restore it with that version")
        case {"format": 1, "version": str(version), "at": str(at), "queue": bool(queue), "members": dict(listed)}:
            wrong = sorted(name for name in listed.keys() | digests.keys() if listed.get(name) != digests.get(name))
            if wrong:
                raise ArchiveError(f"{source} is damaged: {wrong[0]} is not what was written")
            return Facts(version, at, queue)
    raise ArchiveError(f"{source} is no backup: its list of members makes no sense")
