"""Collector: a process that stays, takes events over a Unix socket in the home, and folds ended sessions now and then.

A hook that finds it hands its event over and need not parse, redact and write it itself; a hook that finds none does that. What is written is the
same. A frame is a header line (`ebmhw.karl.tap.clients.header`) and the event as the agent gave it; the answer is "taken", or why it was not.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from ebmhw.errors import ConfigError, EbmhwError
from ebmhw.karl.home import SPOOL
from ebmhw.karl.home import home as default_home
from ebmhw.karl.tap import faults
from ebmhw.karl.tap.buffers import make_private
from ebmhw.karl.tap.clients import HEADER_BYTES, LIMIT_S, SOCKET, TAKEN, Address, parsed_header
from ebmhw.karl.tap.events import END
from ebmhw.karl.tap.folding import IDLE_S, fold
from ebmhw.karl.tap.handles import locked_within, opened
from ebmhw.karl.tap.payloads import parsed
from ebmhw.karl.tap.receiving import BYTES
from ebmhw.karl.tap.stamps import uptime
from ebmhw.karl.tap.tapping import Tap

FOLD_EVERY_S = 60.0
CLIENT_S = 2.0
"""After which a client that has not sent all of its event is cut off."""

CLIENTS = 64
"""At once; further ones wait in the socket's queue, and write themselves after `LIMIT_S`."""

_LOCK = "collector.lock"
_CHUNK = 2**18
_SETTLE_S = 0.5
"""That folding waits after a session's end, for other events that are under way."""


@final
class Collector:
    """A collector of one home; a context manager, which holds socket and lock.

    Parameters
    ----------
    home : folder, as of `ebmhw.karl.home.home` where it is None
    fold_every_s : between two foldings of ended sessions, None where somebody else folds
    idle_s : after which a session without an end has ended

    Raises
    ------
    ConfigError : another collector runs there, or the folder cannot have a socket
    """

    def __init__(self, home: str | os.PathLike[str] | None = None, *, fold_every_s: float | None = FOLD_EVERY_S, idle_s: float = IDLE_S) -> None:
        self.home = default_home() if home is None else Path(home)
        self.taken = 0
        self._every, self._idle_s = fold_every_s, idle_s
        self._tap = Tap(self.home, folds=False)
        self._clients: dict[socket.socket, _Client] = {}
        self._selector = selectors.DefaultSelector()
        self._stopped = threading.Event()
        self._fold_at: float | None = None if fold_every_s is None else time.monotonic()
        self._folder = threading.Thread(target=self._fold_when_due, name="fold", daemon=True)
        self._wake = threading.Condition()
        self._lock = self._locked()
        try:
            self._listener = self._listening()
            self._reader, self._writer = socket.socketpair()
        except BaseException:
            os.close(self._lock)
            raise
        self._reader.setblocking(False)
        for one in (self._listener, self._reader):
            self._selector.register(one, selectors.EVENT_READ)

    def __enter__(self) -> Collector:
        self._folder.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()
        self._folder.join(10.0)
        for client in list(self._clients):
            self._drop(client)
        with suppress(OSError):
            os.unlink(self.home / SOCKET)
        for one in (self._listener, self._reader, self._writer):
            one.close()
        self._selector.close()
        os.close(self._lock)

    def run(self) -> None:
        """Take events until `stop` is called."""
        while not self._stopped.is_set():
            for key, _ in self._selector.select(self._wait()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is not self._reader:
                    self._read(self._clients[key.fileobj])  # type: ignore[index]
            now = time.monotonic()
            for client in [one for one in self._clients.values() if now >= one.end]:
                self._drop(client.link)

    def stop(self) -> None:
        """Make `run` end, from any thread or a signal handler."""
        self._stopped.set()
        with suppress(OSError):
            self._writer.send(b"x")

    def _wait(self) -> float | None:
        if not self._clients:
            return None
        return max(0.0, min(client.end for client in self._clients.values()) - time.monotonic())

    def _accept(self) -> None:
        try:
            link, _ = self._listener.accept()
        except OSError as error:
            if not isinstance(error, (BlockingIOError, ConnectionError)):
                # No handle is left, say: hooks write themselves meanwhile.
                faults.log(self.home, f"collector: {type(error).__name__}: {error}")
                time.sleep(LIMIT_S)
        else:
            link.setblocking(False)
            self._clients[link] = _Client(link, time.monotonic() + CLIENT_S)
            self._selector.register(link, selectors.EVENT_READ)
        if len(self._clients) >= CLIENTS:
            self._selector.unregister(self._listener)

    def _read(self, client: _Client) -> None:
        try:
            part = client.link.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        client.data += part
        try:
            answer = self._answer(client) if part else b""
        except Exception as error:  # whatever one client's event does, the others' go on
            faults.log(self.home, f"collector: {type(error).__name__}: {error}")
            answer = f"not taken: {type(error).__name__}\n".encode()
        if answer is None:
            return
        with suppress(OSError):
            client.link.send(answer)
        self._drop(client.link)

    def _answer(self, client: _Client) -> bytes | None:
        """Return the answer to a client, None where its event has not come yet."""
        at = client.data.find(b"\n", 0, HEADER_BYTES)
        if at < 0:
            return None if len(client.data) < HEADER_BYTES else b"not taken: the header is too long\n"
        found = parsed_header(bytes(client.data[:at]))
        if found is None or found[0] > BYTES:
            return b"not taken: the header is none, or the event is too long\n"
        size, stamp, agent = found
        if len(client.data) < at + 1 + size:
            return None
        now = uptime()
        if stamp.steady is not None and now is not None and now - stamp.steady >= LIMIT_S:
            return b"not taken: it came too late, its hook has written it\n"
        self._tap.agent = agent
        kind = self._tap.handle(parsed(bytes(client.data[at + 1 : at + 1 + size])), stamp)
        self.taken += 1
        if kind == END and self._every is not None:
            self._fold_by(time.monotonic() + _SETTLE_S)
        return TAKEN

    def _drop(self, link: socket.socket) -> None:
        if self._clients.pop(link, None) is None:
            return
        self._selector.unregister(link)
        link.close()
        if len(self._clients) == CLIENTS - 1:
            with suppress(KeyError):
                self._selector.register(self._listener, selectors.EVENT_READ)

    def _fold_by(self, moment: float) -> None:
        with self._wake:
            self._fold_at = moment if self._fold_at is None else min(self._fold_at, moment)
            self._wake.notify()

    def _fold_when_due(self) -> None:
        """Fold ended sessions when it is time, until the end; what fails stays in the spool until the next time."""
        while not self._stopped.is_set():
            with self._wake:
                wait = 0.5 if self._fold_at is None else self._fold_at - time.monotonic()
                if wait > 0:
                    # Short, because a signal handler that stops may not take the lock.
                    self._wake.wait(min(wait, 0.5))
                    continue
                self._fold_at = None if self._every is None else time.monotonic() + self._every
            try:
                fold(self.home, idle_s=self._idle_s)
            except Exception as error:  # a full disk, a locked store
                faults.log(self.home, f"collector: folding: {type(error).__name__}: {error}")

    def _locked(self) -> int:
        try:
            make_private(self.home / SPOOL)
            handle = opened(self.home / _LOCK, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise ConfigError(
                f"{self.home} cannot be written ({error.filename or _LOCK}: {error.strerror}); set EBMHW_KARL_HOME to another folder"
            ) from None
        if not locked_within(handle, time.monotonic()):
            told = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise ConfigError(
                f"a collector runs for {self.home} already (process {told or 'unknown'}); one is enough: end it, or give another EBMHW_KARL_HOME"
            )
        os.ftruncate(handle, 0)
        os.write(handle, b"%d\n" % os.getpid())
        return handle

    def _listening(self) -> socket.socket:
        if not hasattr(socket, "AF_UNIX"):
            raise ConfigError("this system has no Unix sockets; the taps work without a collector")
        # The lock is ours: what lies there is of a collector that was killed.
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                os.unlink(self.home / SOCKET)
            with Address(os.fspath(self.home)) as path:
                listener.bind(path)
            os.chmod(self.home / SOCKET, 0o600)
            listener.listen(128)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"{self.home / SOCKET} cannot be a socket: {error.strerror or error}; set EBMHW_KARL_HOME to a folder on a local disk"
            ) from None
        return listener


@dataclass
class _Client:
    link: socket.socket
    end: float
    data: bytearray = field(default_factory=bytearray)


def main(arguments: list[str]) -> int:
    """Run a collector until Ctrl-C or SIGTERM; return the exit status."""
    if arguments:
        print("usage: python -m ebmhw.karl.tap.collector (no arguments; EBMHW_KARL_HOME names the folder)")
        return 0 if arguments[0] in ("-h", "--help") else 2
    try:
        collector = Collector()
    except EbmhwError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with collector:

        def ended(number: int, frame: Any) -> None:
            collector.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, ended)
        print(f"collecting in {collector.home} (process {os.getpid()}); Ctrl-C ends", flush=True)
        collector.run()
    print(f"ended; {collector.taken} events taken", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
