"""Working in a home as whoever it belongs to.

Root runs commands on the home of the gateway's own user, who can put a link where a file was a moment ago. What is
written there is written with that user's rights, so that it can harm nobody but him.
"""

from __future__ import annotations

import codecs
import gzip  # noqa: F401  tarfile looks for it at its first use, perhaps where the owner cannot read
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner(home: Path) -> Iterator[None]:
    """With the rights of the home's owner, if we are root and he is not; a home that is not there has none."""
    owner = home.stat() if home.exists() else None
    if os.geteuid() != 0 or owner is None or owner.st_uid == 0:
        yield
        return
    codecs.lookup("ascii")  # as gzip above: Python finds it only while its own folder can be read
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([owner.st_gid])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
