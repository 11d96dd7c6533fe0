"""Database: the SQLite file of a store; its transactions, snapshots and waiting."""

from __future__ import annotations

import os
import random
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar, final

from ebmhw.errors import StoreError
from ebmhw.karl.home import canonical_writer
from ebmhw.karl.store import schema
from ebmhw.karl.store.belonging import check_log, holds_something, index_of, log_of, note_file
from ebmhw.karl.store.faults import fault, is_busy

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.05
"""Seconds between two tries of a locked store, the longer the later; each is drawn at random up to that, so that writers do not move in step."""

_WAL_BYTES = 2**26
"""To which the log beside the file is cut after it grew under a long reader."""

_INHERITED: Final[list[sqlite3.Connection]] = []
"""Connections of a parent process, never used nor closed here: SQLite's locks are the parent's."""


@final
class Database:
    """A file, opened by one process; its threads take turns.

    A commit is on the disk when it returns (WAL with synchronous=FULL): the spool's copy of a session is removed then, and NORMAL would lose the
    last commits with the power. FULL costs 0.2 ms a commit more (0.3 ms rather than 0.1 ms, virtual disk), nothing within a batch.

    Parameters
    ----------
    path : of the file; made where it is not there and ``read_only`` is false
    timeout : seconds to wait for other writers
    """

    def __init__(self, path: Path, *, read_only: bool = False, timeout: float = 30.0) -> None:
        self.path = path
        self.read_only = read_only
        self.timeout = timeout
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._file: os.stat_result | None = None
        self._log: os.stat_result | None = None
        self._index: os.stat_result | None = None
        self._immutable = False
        self._connection: sqlite3.Connection | None = self._opened()

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        if self._pid != os.getpid():
            self._disown()
            return
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold a transaction that writes: committed at the end, undone where anything is raised.

        Raises
        ------
        StoreError : this host or this opening may not write, the file is locked for longer than the timeout, or it cannot be written
        """
        self._check_writer()
        with self._held() as connection, self._told(writing=True):
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                yield connection
                self._check_file()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query."""
        with self._held() as connection, self._told(writing=False):
            return self._patiently(lambda: connection.execute(query, values).fetchall())

    def streamed(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the rows of a query as the file is when the first is taken, whatever is written meanwhile; memory has a bound."""
        with self._held():  # neither closed nor inherited
            pass
        connection = self._connected(writable=False)
        try:
            with self._told(writing=False):
                # One statement reads one state of the file, however long it takes.
                cursor = self._patiently(lambda: connection.execute(query, values))
            while True:
                with self._told(writing=False):
                    row = cursor.fetchone()
                if row is None:
                    return
                yield row
        finally:
            connection.close()

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        if self._pid != os.getpid():
            closed = self._connection is None
            self._disown()
            if not closed:
                self._connection = self._opened()
        with self._lock:
            if self._connection is None:
                raise StoreError(f"{self.path}: the store is closed; open it again")
            self._check_file()
            yield self._connection

    def _disown(self) -> None:
        """Leave what a fork copied to the parent."""
        if self._connection is not None:
            _INHERITED.append(self._connection)
        self._connection, self._lock, self._pid = None, threading.RLock(), os.getpid()

    def _check_file(self) -> None:
        """Look whether the path and its log still lead to the files that are open: what is written to others is lost when they are closed."""
        moved = self._moved()
        if moved is not None:
            self._save_log()
            raise StoreError(moved)

    def _save_log(self) -> None:
        """Bring the records of a log whose name was taken away into the file: with the last process, the log goes."""
        connection = self._connection
        if connection is None or self.read_only or connection.in_transaction or self._file is None or self._index is None:
            return
        with suppress(OSError, sqlite3.Error):
            # Under the same index SQLite's locks hold; under another one, others may have written the file since.
            if os.path.samestat(self._file, os.stat(self.path)) and os.path.samestat(self._index, os.stat(index_of(self.path))):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _moved(self) -> str | None:
        """Return what happened to the files that are open, None where nothing did."""
        what, file, path = "the file", self._file, self.path
        with suppress(OSError):
            if file is not None and os.path.samestat(file, os.stat(path)):
                if self._immutable:
                    other = holds_something(log_of(path))
                    return f"{path}: another process writes the store, which was opened as one that nobody does; open it again" if other else None
                what, file, path = f"its log {log_of(path).name}", self._log, log_of(path)
                if file is not None and os.path.samestat(file, os.stat(path)):
                    return None
        return (
            f"{self.path}: {what} was removed or replaced while it was open; nothing more was stored in it: open the store again, once all processes "
            "that use it have closed it"
        )

    def _check_writer(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.path}: the store was opened with read_only=True, nothing was stored; open it without to write")
        writer, host = canonical_writer(), socket.gethostname()
        if writer is not None and writer.casefold() != host.casefold():
            raise StoreError(
                f"{self.path}: this host is {host}, the store's only writer is {writer} (KARL_CANONICAL_WRITER); nothing was stored: leave the "
                "session in the spool, which that host folds into the store, or set the variable to this host"
            )

    def _opened(self) -> sqlite3.Connection:
        self._file = self._log = self._index = None
        there = self._check_path()
        check_log(self.path)
        if self.read_only:
            return self._opened_to_read()
        if not there:
            self._check_writer()
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{self.path.parent}: the folder cannot be made ({error.strerror or error}); give another path") from None
        connection = self._connected(writable=True)
        try:
            with self._told(writing=True):
                if not there:
                    # Sessions are private. By name: closing a handle of the file would drop the locks of this process's other connections.
                    with suppress(OSError):
                        os.chmod(self.path, 0o600)
                note_file(self.path)
                self._prepare(connection)
                self._remember(connection)
            if not there:
                _flush_folder(self.path.parent)
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened_to_read(self) -> sqlite3.Connection:
        self._immutable = False
        try:
            return self._connected_to_read()
        except StoreError as error:
            # Of a folder that may not be written, where SQLite cannot put the log that it reads through. Without one, nobody writes the store.
            if not isinstance(error.__cause__, sqlite3.OperationalError) or holds_something(log_of(self.path)):
                raise
            if not any(part in str(error.__cause__) for part in ("unable to open", "readonly")):
                raise
        self._immutable = True
        return self._connected_to_read()

    def _connected_to_read(self) -> sqlite3.Connection:
        connection = self._connected(writable=False)
        try:
            with self._told(writing=False):
                if self._patiently(lambda: schema.version_of(connection, self.path, schema.MIGRATIONS)) < len(schema.MIGRATIONS):
                    raise StoreError(
                        f"{self.path}: the store is empty or of an earlier version; write to it once (`ebmhw karl ingest`, or Store without "
                        "read_only=True), or give another"
                    )
                self._remember(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remember(self, connection: sqlite3.Connection) -> None:
        """Note which files are open."""
        self._patiently(lambda: connection.execute("SELECT count(*) FROM sqlite_master").fetchone())  # opens the log
        if not self._immutable:
            self._log = os.stat(log_of(self.path))
            self._index = os.stat(index_of(self.path))
        self._file = os.stat(self.path)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        def version() -> int:
            return schema.version_of(connection, self.path, schema.MIGRATIONS)

        if self._patiently(version) < len(schema.MIGRATIONS):
            self._check_writer()
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                schema.migrate(connection, version(), schema.MIGRATIONS)  # another process may have done it meanwhile
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        # After the tables: a file whose header names no application is then never more than an empty one.
        mode = self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        if mode != "wal":
            raise StoreError(
                f"{self.path}: its file system cannot share a write-ahead log (SQLite stays in mode {mode}); put the store on a local disk"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = 1")  # macOS: through the disk's cache
        connection.execute("PRAGMA checkpoint_fullfsync = 1")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")

    def _check_path(self) -> bool:
        """Tell whether the file is there."""
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError:
            if self.read_only:
                raise StoreError(f"{self.path}: there is no such store; give the path of one, or open it without read_only=True to make it") from None
            return False
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.path}: the store cannot be looked at ({error}); give another path") from None
        if not stat.S_ISREG(mode):
            raise StoreError(f"{self.path}: this is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}; give the path of a file")
        return True

    def _connected(self, *, writable: bool) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={'rwc' if writable else 'ro'}{'&immutable=1' if self._immutable else ''}"
        with self._told(writing=False):
            # Waiting is done by _patiently. Threads take turns by _lock.
            return sqlite3.connect(address, uri=True, timeout=0, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _told(self, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise StoreError(f"{self.path}: the file was removed while it was opened; open it again") from None
        except sqlite3.Error as error:
            moved = None if self._file is None else self._moved()
            if moved is not None:
                raise StoreError(moved) from error
            raise fault(self.path, error, writing=writing, opening=self._file is None) from error

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Return what ``attempt`` returns, tried again while others hold the file."""
        end, wait = time.monotonic() + self.timeout, _FIRST_WAIT
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= end:
                    raise
            time.sleep(random.uniform(0, wait))
            wait = min(2 * wait, _LONGEST_WAIT)


def _flush_folder(folder: Path) -> None:
    """Bring the name of a new file to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
