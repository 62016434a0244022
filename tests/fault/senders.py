"""Senders that never give up: threads that send over TLS, and remember exactly what was answered 250."""

from __future__ import annotations

import itertools
import random
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fault.message import compose

SIZES = (200, 2_000, 20_000, 300_000)  # bytes; the largest is one that the spool keeps as a file
WEIGHTS = (4, 4, 2, 1)
PER_CONNECTION = 10
RECONNECT_PAUSE = 0.02  # seconds; a gateway that is down refuses at once


@dataclass(slots=True)
class Record:
    """What all senders have seen so far."""

    acknowledged: dict[str, float] = field(default_factory=dict)  # Message-ID -> time of its 250
    interruptions: list[str] = field(default_factory=list)  # why sessions ended early

    def longest_silence(self) -> float:
        """Seconds between two acknowledgements, at worst."""
        times = sorted(self.acknowledged.values())
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)


class Senders:
    """Load for the length of a `with`; it ends when the sessions under way have."""

    def __init__(self, port: int, seed: int, count: int = 8) -> None:
        self._port = port
        self._record = Record()
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(f"{seed}.{each}",)) for each in range(count)]

    def __enter__(self) -> Record:
        for thread in self._threads:
            thread.start()
        return self._record

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _send(self, name: str) -> None:
        choice = random.Random(name)
        ids = (f"<{name}.{number}@load.example>" for number in itertools.count())  # none is used twice
        while not self._enough.is_set():
            try:
                self._session(ids, choice)
            except ConnectionRefusedError:  # nobody listens just now
                self._enough.wait(RECONNECT_PAUSE)
            except (OSError, smtplib.SMTPException) as error:  # what it spoke with was killed
                self._record.interruptions.append(repr(error))

    def _session(self, ids: Iterator[str], choice: random.Random) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", self._port, local_hostname="load.example", timeout=20) as connection:
            connection.starttls(context=tls)
            for message_id in itertools.islice(ids, PER_CONNECTION):
                (size,) = choice.choices(SIZES, WEIGHTS)
                data = compose(message_id, size)
                connection.sendmail("sender@load.example", ["someone@inside.example"], data)
                self._record.acknowledged[message_id] = time.monotonic()
                if self._enough.is_set():
                    return
