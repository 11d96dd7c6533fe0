"""Buffers: the events of each session as lines of a file of its own, which is only ever appended to, and renamed when the session ends.

In the folder ``spool``, <key> a hash of the session's name, <mark> unique on all machines:

- ``<key>.open.jsonl``: a session that goes on
- ``<key>.<mark>.side.jsonl``: of such a session, what could not be appended because another process held the buffer too long
- ``<key>.<mark>.ended.jsonl``: an ended session, which `ebmhw.karl.tap.folding.fold` takes into the store, on this machine or another
- ``<key>.<mark>.then-<mark>.note.jsonl``: the first prompt after the ended session of that mark
- ``<key>.last.json``: the end of the last one, for such notes

Where something else lies at the name of a buffer, a folder, a link or somebody else's file, it is left as it is, and events go beside it.
A process that is killed leaves a line that is cut; the next one ends it. Lines are not forced onto the disk: what a crash of the machine (not of a
process) loses is what the operating system had not written yet.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, final

from ebmhw.karl.tap.handles import TAIL, OddFile, append, first_line, is_at, last_line, line_of, locked_within, opened
from ebmhw.karl.tap.values import number, text

OPEN, SIDE, ENDED, NOTE, LAST = ".open.jsonl", ".side.jsonl", ".ended.jsonl", ".note.jsonl", ".last.json"

_MARK = re.compile(r"[0-9a-f-]{1,60}")

WAIT_S = 0.05
"""That an event waits for a buffer that another process holds; each holds it for one write, some 0.02 ms."""


@final
class Buffers:
    """The buffers of one spool, which is made, for its owner alone, where it is not there.

    Parameters
    ----------
    spool : the folder
    wait_s : how long an event waits for its session's buffer
    """

    def __init__(self, spool: str | os.PathLike[str], wait_s: float = WAIT_S) -> None:
        self.spool = os.fspath(spool)
        self._wait_s = wait_s

    def append(self, session: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """Append lines to a session's buffer; where that is held too long or cannot be had, to a file beside it.

        Raises
        ------
        OSError : they cannot be written, as on a full disk; what the buffer held is as it was
        """
        data = b"".join(encoded(line) for line in lines)
        key = key_of(session)
        with self._held(key) as handle:
            if handle is None:
                self._whole(self.path(key, SIDE, mark()), data)
            else:
                append(handle, data)

    def end(self, session: str, line: Mapping[str, Any]) -> str | None:
        """Append the line of a session's end and put its buffer among the ended ones; return its path there, None where there is none yet."""
        key = key_of(session)
        if not self.is_open(session):
            return None
        with self._held(key) as handle:
            if handle is None:
                self._whole(self.path(key, SIDE, mark()), encoded(line))
                return None
            append(handle, encoded(line))
            return self._rename(key, handle)

    def is_open(self, session: str) -> bool:
        """Tell whether a session goes on."""
        return os.path.lexists(self.path(key_of(session), OPEN))

    def close(self, key: str, may: Callable[[int], bool]) -> str | None:
        """Put a buffer among the ended ones, as `end` does, if ``may`` (given its handle, while nobody adds to it) says so; return its path.

        Raises
        ------
        OddFile : it is no regular file, or somebody else's
        """
        with self._held(key, create=False) as handle:
            return self._rename(key, handle) if handle is not None and may(handle) else None

    def note(self, session: str, line: Mapping[str, Any]) -> bool:
        """Keep a prompt as a note on the session of the same name that ended before it; return whether there is one."""
        key = key_of(session)
        # A process may have been killed between the line of the end and the renaming.
        with suppress(OddFile):
            self.close(key, lambda handle: False)
        last = self.path(key, LAST)
        try:
            ended = _last_end(last)
        except (FileNotFoundError, OddFile):
            return False
        if ended is not None:
            # Its name comes after that of the session, whatever the wall clock did meanwhile.
            before = str(ended.get("mark", ""))
            own = f"{before}.then-{mark()}" if _MARK.fullmatch(before) else mark()
            self._whole(self.path(key, NOTE, own), encoded({**line, "after": ended}))
        with suppress(FileNotFoundError):
            os.unlink(last)
        return ended is not None

    def path(self, key: str, suffix: str, mark: str = "") -> str:
        """Return the path of a file of the session with that key (`key_of`)."""
        return os.path.join(self.spool, key + (f".{mark}" if mark else "") + suffix)

    def _rename(self, key: str, handle: int) -> str:
        own = mark()
        # Should the disk be full, the note on a correction is lost, not the session.
        with suppress(OSError):
            ended = _end_of(handle)
            if ended is not None:
                self._whole(self.path(key, LAST), encoded({**ended, "mark": own}))
        path = self.path(key, ENDED, own)
        os.rename(self.path(key, OPEN), path)
        return path

    def _whole(self, path: str, data: bytes) -> None:
        """Write a small file under a name that nobody reads, then give it its own."""
        make_private(self.spool)
        hidden = os.path.join(self.spool, f".{mark()}.tmp")
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                append(handle, data)
            finally:
                os.close(handle)
            os.rename(hidden, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(hidden)
            raise

    @contextmanager
    def _held(self, key: str, *, create: bool = True) -> Iterator[int | None]:
        """Yield a handle of a buffer that nobody else holds, None where another process does for too long, or it is not there nor to be created.

        What is no buffer is an `OddFile`; where one is to be created, None is yielded for it.
        """
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT if create else 0)
        path = self.path(key, OPEN)
        end = time.monotonic() + self._wait_s
        while True:
            try:
                handle = opened(path, flags)
            except OddFile:
                if not create:
                    raise
                yield None
                return
            except FileNotFoundError:
                if not create:
                    yield None
                    return
                make_private(self.spool)
                continue
            try:
                if not locked_within(handle, end):
                    yield None
                    return
                # Whoever held it may have put it among the ended ones.
                if not is_at(handle, path):
                    if time.monotonic() < end:
                        continue
                    # Some file systems never give a file the same number twice.
                    yield None
                    return
                if _ends_session(handle):
                    # Whoever wrote that was killed before the renaming.
                    self._rename(key, handle)
                    continue
                yield handle
                return
            finally:
                os.close(handle)


def make_private(spool: str | os.PathLike[str]) -> None:
    """Make a spool, and the home that it is in, for their owner alone, where they are not there: prompts are nobody else's business."""
    for folder in (os.path.dirname(os.fspath(spool)), os.fspath(spool)):
        if folder:
            os.makedirs(folder, mode=0o700, exist_ok=True)


def key_of(session: str) -> str:
    """Return what files of a session are named by, whatever it is called."""
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def mark() -> str:
    """Return a part of a name that no other process uses, on no machine."""
    return f"{time.time_ns():020d}-{os.urandom(6).hex()}"


def encoded(line: Mapping[str, Any]) -> bytes:
    """Return a line as it stands in a buffer."""
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _ends_session(handle: int) -> bool:
    size = os.fstat(handle).st_size
    tail = os.pread(handle, TAIL, max(0, size - TAIL))
    return b'"kind":"end"' in tail and (last_line(handle) or {}).get("kind") == "end"


def _end_of(handle: int) -> dict[str, Any] | None:
    """Return when a session ended, by the wall clock as it went at its start; None where its lines do not tell."""
    first, last = first_line(handle), last_line(handle)
    if first is None or last is None:
        return None
    kept = _clocks(last)
    begun, ups = number(first.get("t")), (number(first.get("up")), number(last.get("up")))
    if begun is not None and ups[0] is not None and ups[1] is not None and text(first.get("boot")) and first["boot"] == last.get("boot"):
        kept["t"] = begun + ups[1] - ups[0]
    return kept


def _last_end(path: str) -> dict[str, Any] | None:
    """Return the end that a file keeps, None where it cannot be read."""
    handle = opened(path, os.O_RDONLY)
    try:
        found = line_of(os.pread(handle, TAIL, 0))
    finally:
        os.close(handle)
    return None if found is None else _clocks(found) | {"mark": text(found.get("mark")) or ""}


def _clocks(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line's clocks say, as far as it is that."""
    said = {"t": number(line.get("t")), "up": number(line.get("up")), "boot": text(line.get("boot"))}
    return {name: value for name, value in said.items() if value is not None}
