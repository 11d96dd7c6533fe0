"""Folding: ended sessions of the spool, this machine's or others', put into the store; their files go when they are committed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

from ebmhw.errors import InvalidTrajectory, NewerRecord
from ebmhw.karl.home import SPOOL, STORE, canonical_writer
from ebmhw.karl.home import home as default_home
from ebmhw.karl.prompts import CORRECTION, REDO, asks_for
from ebmhw.karl.tap import faults
from ebmhw.karl.tap.buffers import ENDED, LAST, NOTE, OPEN, SIDE, Buffers
from ebmhw.karl.tap.handles import locked_within
from ebmhw.karl.tap.placing import placed
from ebmhw.karl.tap.sessions import session_of
from ebmhw.karl.tap.spooled import age, is_over, lines, merged, moment_of_note, objects
from ebmhw.karl.tap.stamps import stamped

if TYPE_CHECKING:
    from ebmhw.karl.store import Store

IDLE_S = 6 * 3600.0
"""After which a session without a sign of life has ended: agents that are killed, or have no hook for it, do not say so."""

BROKEN = "broken.jsonl"
"""In the home: lines that could not be read, as they stood."""

_LOCK = "fold.lock"
_WAIT_S = 0.2
_STORE_S = 30.0
_BUSY_S = 60.0
"""A buffer that was written to since then is of a session that goes on; that is cheaper to see than what it says."""

_LEFTOVER_S = 86400.0
"""After which temporary files of killed processes, and ends that no prompt followed, go."""


class Folded(NamedTuple):
    """What folding did.

    Attributes
    ----------
    stored : sessions that were put into the store, or were there already
    annotated : records that the prompt after their session was noted to
    empty : sessions without a prompt or a call, which are not kept
    left : files of ended sessions that are still in the spool: written by a later version, for another host, or not come to
    problems : what could not be read, and why; also in ``tap.log``
    """

    stored: int = 0
    annotated: int = 0
    empty: int = 0
    left: int = 0
    problems: tuple[str, ...] = ()


def may_write() -> bool:
    """Tell whether this host may write the store (KARL_CANONICAL_WRITER)."""
    writer = canonical_writer()
    if writer is None:
        return True
    return writer.casefold() == stamped().host.casefold()


def fold(
    home: str | os.PathLike[str] | None = None,
    store: Store | None = None,
    *,
    idle_s: float = IDLE_S,
    limit_s: float | None = None,
    first: str | None = None,
) -> Folded:
    """Put the ended sessions of the spool into the store.

    One process folds at a time, another one leaves at once. A kill at any point loses and doubles nothing: a file goes after the commit, and a
    session that is put a second time changes nothing.

    Parameters
    ----------
    home : folder, as of `ebmhw.karl.home.home` where it is None
    store : that of the home where it is None
    idle_s : after which sessions without an end have ended
    limit_s : after which no other session is begun, and that other writers of the store are waited for; None for no limit, and 30 s
    first : path of an ended session that comes before all others

    Raises
    ------
    StoreError, OSError : the store cannot be written, as on a full disk; what was not stored is still in the spool
    """
    folder = default_home() if home is None else Path(home)
    if not (folder / SPOOL).is_dir():
        return Folded()
    work = _Fold(folder, idle_s, None if limit_s is None else time.monotonic() + limit_s)
    with _alone(folder) as alone:
        if not alone:
            return Folded(left=work.left())
        work.close_idle()
        if not may_write():
            return Folded(left=work.left())
        jobs = work.jobs(first)
        if jobs:
            if store is None:
                from ebmhw.karl.store import Store

                # A hook does not wait half a minute for another writer.
                with Store(folder / STORE, timeout=_STORE_S if limit_s is None else limit_s) as opened:
                    work.run(jobs, opened)
            else:
                work.run(jobs, store)
        return Folded(work.stored, work.annotated, work.empty, work.left(), tuple(work.problems))


@final
class _Fold:
    def __init__(self, home: Path, idle_s: float, end: float | None) -> None:
        self.home, self.idle_s, self.end = home, idle_s, end
        self.buffers = Buffers(home / SPOOL)
        self.stored = self.annotated = self.empty = 0
        self.problems: list[str] = []

    def names(self) -> list[str]:
        return sorted(os.listdir(self.buffers.spool))

    def left(self) -> int:
        return sum(name.endswith(ENDED) for name in self.names())

    def close_idle(self) -> None:
        """Put sessions without a sign of life among the ended ones, and remove what killed processes left."""
        stamp = stamped()
        names = self.names()
        ending = {name.partition(".")[0] for name in names if name.endswith(SIDE) and self._ends(name)}
        open_keys = {name.partition(".")[0] for name in names if name.endswith(OPEN)}
        for name in names:
            path = os.path.join(self.buffers.spool, name)
            key = name.partition(".")[0]
            if name.endswith(OPEN):
                if key not in ending and abs(age(path, stamp.wall)) < min(self.idle_s, _BUSY_S):
                    continue
                self.buffers.close(key, lambda handle, key=key: key in ending or is_over(handle, stamp, self.idle_s))  # type: ignore[misc]
            elif name.endswith(SIDE) and key not in open_keys and age(path, stamp.wall) >= self.idle_s:
                # Its session ended while it was written.
                with suppress(FileNotFoundError):
                    os.rename(path, path.removesuffix(SIDE) + ENDED)
            elif name.endswith((LAST, ".tmp")) and age(path, stamp.wall) > _LEFTOVER_S:
                with suppress(FileNotFoundError):
                    os.unlink(path)

    def _ends(self, name: str) -> bool:
        return any(line.get("kind") == "end" for line in objects(os.path.join(self.buffers.spool, name)))

    def jobs(self, first: str | None) -> list[str]:
        """Return the paths of ended sessions and notes, each session's in the order in which they were written."""
        paths = [os.path.join(self.buffers.spool, name) for name in self.names() if name.endswith((ENDED, NOTE))]
        if first is not None:
            # What belongs to the same session stays in order.
            key = os.path.basename(first).partition(".")[0]
            paths.sort(key=lambda path: not os.path.basename(path).startswith(key))
        return paths

    def run(self, paths: list[str], store: Store) -> None:
        for number, path in enumerate(paths):
            if number and self.end is not None and time.monotonic() >= self.end:
                return
            try:
                if path.endswith(NOTE):
                    self._annotate(path, store)
                else:
                    self._store(path, store)
            except (InvalidTrajectory, NewerRecord) as error:
                self._problem(path, f"{error}; the file is left")
            except (IsADirectoryError, PermissionError) as error:
                self._problem(path, f"it cannot be read: {error.strerror}; it is left")
            except FileNotFoundError:  # taken away meanwhile, as to another machine
                continue

    def _store(self, path: str, store: Store) -> None:
        broken: list[tuple[int, bytes]] = []
        sides = self._sides(path)
        own: Iterable[bytes] = lines(path)
        if sides:
            own = merged(list(own), [line for side in sides for line in lines(side)])
        seen: dict[int, bytes] = {}

        def kept() -> Iterator[bytes]:
            for number, line in enumerate(own, 1):
                seen.clear()
                seen[number] = line
                yield line

        def problem(number: int, text: str) -> None:
            broken.append((number, seen[number]))
            self._problem(f"{path}:{number}", text)

        try:
            trajectory = session_of(kept(), on_problem=problem)
        except InvalidTrajectory:
            if not os.path.isfile(path) or (not broken and os.path.getsize(path)):
                raise
            trajectory = None
        if trajectory is not None and (trajectory.turns or trajectory.total_tools):
            store.put(placed(trajectory, store))
            self.stored += 1
        else:
            self.empty += 1
        self._keep(path, broken)
        for done in (path, *sides):
            with suppress(FileNotFoundError):
                os.unlink(done)

    def _sides(self, path: str) -> list[str]:
        """Return the files beside a buffer whose lines were written before it ended."""
        key = os.path.basename(path).partition(".")[0]
        names = [name for name in self.names() if name.startswith(key) and name.endswith(SIDE)]
        # Names start with the time of writing.
        return [os.path.join(self.buffers.spool, name) for name in names if name.partition(".")[2] <= os.path.basename(path).partition(".")[2]]

    def _annotate(self, path: str, store: Store) -> None:
        line = next(objects(path), {})
        session, at = line.get("session"), moment_of_note(line)
        if isinstance(session, str) and at is not None:
            asked = asks_for(str(line.get("prompt", "")))
            done = store.annotate(session, correction=asked == CORRECTION, redo=asked == REDO, continued=asked is None, at=at)
            self.annotated += bool(done)
        else:
            self._problem(path, "the note names no session or no time; it is dropped")
        os.unlink(path)

    def _keep(self, path: str, broken: list[tuple[int, bytes]]) -> None:
        if not broken:
            return
        name = os.path.basename(path)
        data = b"".join(
            json.dumps({"file": name, "line": number, "text": line.decode("utf-8", "replace")[:4000]}).encode() + b"\n" for number, line in broken
        )
        handle = os.open(self.home / BROKEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)

    def _problem(self, place: str, text: str) -> None:
        self.problems.append(f"{place}: {text}")
        faults.log(self.home, f"{place}: {text}")


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Yield whether no other process folds here; none does until the end then."""
    handle = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield locked_within(handle, time.monotonic() + _WAIT_S)
    finally:
        os.close(handle)
