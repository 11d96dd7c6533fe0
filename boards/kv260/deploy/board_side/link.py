"""The board's end of the connection: requests come in, answers go out, and whoever works in between hears that the host is gone."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, final

LINE_BYTES: Final = 1 << 16
"""Most bytes of a request."""

_PIECE: Final = 1 << 16
_POLL_SECONDS: Final = 0.1


@final
class Gone(Exception):
    """Nobody waits for an answer any more: the connection ended, the deploy was called off, or a signal came."""


@final
class Link:
    """The connection, on descriptors 0 and 1.

    Attributes
    ----------
    token : what answers begin with
    deaf : whether `check` lets work go on although the host is gone
    """

    def __init__(self) -> None:
        self.token = ""
        self.deaf = False
        self._waiting = b""
        self._signal = 0

    def watch_signals(self) -> None:
        """Take signals that end a process as the end of the connection."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._caught)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        self._signal = number

    def say(self, answer: dict[str, Any]) -> None:
        """Write an answer; that nobody reads it is found when the next request is waited for."""
        data = f"{self.token} {json.dumps(answer)}\n".encode()
        while data:
            try:
                data = data[os.write(1, data) :]
            except OSError:
                return

    def check(self) -> None:
        """Raise `Gone` where a signal came, or the host called off what goes on or has gone. During a step the host says nothing else."""
        if self.deaf:
            return
        if self._signal:
            raise Gone(f"signal {self._signal}")
        if self._waiting:
            raise Gone("called off")
        if select.select([0], [], [], 0)[0]:
            got = os.read(0, _PIECE)
            self._waiting += got
            raise Gone("called off" if got else "the connection ended")

    def line(self, seconds: float) -> dict[str, Any]:
        """Return the next request."""
        while b"\n" not in self._waiting:
            if len(self._waiting) > LINE_BYTES:
                raise Gone("the host sent no request")
            self._waiting += self._more(seconds)
        line, _, self._waiting = self._waiting.partition(b"\n")
        try:
            found = json.loads(line.decode())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Gone("the host sent no request")
        return found

    def data(self, size: int, seconds: float) -> Iterator[bytes]:
        """Yield the next bytes of the host, piece by piece."""
        while size:
            if not self._waiting:
                self._waiting = self._more(seconds)
            piece, self._waiting = self._waiting[:size], self._waiting[size:]
            size -= len(piece)
            yield piece

    def _more(self, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while not self._signal:
            left = end - time.monotonic()
            if left <= 0:
                raise Gone(f"the host said nothing for {seconds:.0f} s")
            if select.select([0], [], [], min(left, _POLL_SECONDS))[0]:
                got = os.read(0, _PIECE)
                if not got:
                    raise Gone("the connection ended")
                return got
        raise Gone(f"signal {self._signal}")
