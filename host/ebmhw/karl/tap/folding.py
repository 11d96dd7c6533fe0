"""Folding: ended sessions of the spool, this machine's or others', put into the store; their files go when they are committed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

from ebmhw.errors import InvalidTrajectory, NewerRecord, StoreError, shown
from ebmhw.karl.home import SPOOL, STORE, canonical_writer
from ebmhw.karl.home import home as default_home
from ebmhw.karl.prompts import CORRECTION, REDO, asks_for
from ebmhw.karl.tap import faults
from ebmhw.karl.tap.broken import BROKEN, Broken
from ebmhw.karl.tap.buffers import ENDED, NOTE, SIDE, Buffers
from ebmhw.karl.tap.closing import close_idle
from ebmhw.karl.tap.events import VERSION
from ebmhw.karl.tap.handles import OddFile, line_of, locked_within, odd, opened
from ebmhw.karl.tap.placing import placed
from ebmhw.karl.tap.reading import Late, session_in
from ebmhw.karl.tap.spooled import SIDE_BYTES, lines, moment_of_note, reason
from ebmhw.karl.tap.stamps import stamped
from ebmhw.karl.tools import session_name
from ebmhw.redaction import without_secrets

if TYPE_CHECKING:
    from ebmhw.karl.store import Store
    from ebmhw.karl.trajectory import Trajectory

IDLE_S = 6 * 3600.0
"""After which a session without a sign of life has ended: agents that are killed, or have no hook for it, do not say so."""

_LOCK = "fold.lock"
_WAIT_S = 0.2
_STORE_S = 30.0


class Folded(NamedTuple):
    """What folding did.

    Attributes
    ----------
    stored : sessions that were put into the store, or were there already
    annotated : records that the prompt after their session was noted to
    empty : sessions without a prompt or a call, which are not kept
    left : files of ended sessions that are still in the spool: for another host, not come to, or with a problem
    problems : what could not be read, kept or removed, why, and what to do; also in ``tap.log``
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
    session that is put a second time changes nothing. A file that cannot be read is left and told of, and hinders no other.

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
    work = _Fold(folder, None if limit_s is None else time.monotonic() + limit_s)
    with _alone(folder) as alone:
        if not alone:
            return Folded(left=work.left())
        wrong = odd(folder / faults.LOG)
        if wrong is not None:
            work.problem(str(folder / faults.LOG), f"{wrong}; faults are not logged: remove it")
        close_idle(work.buffers, stamped(), idle_s, work.problem)
        if not may_write():
            return Folded(left=work.left(), problems=tuple(work.problems))
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
    def __init__(self, home: Path, end: float | None) -> None:
        self.home, self.end = home, end
        self.buffers = Buffers(home / SPOOL)
        self.stored = self.annotated = self.empty = 0
        self.problems: list[str] = []

    def names(self) -> list[str]:
        return sorted(os.listdir(self.buffers.spool))

    def left(self) -> int:
        return sum(name.endswith(ENDED) for name in self.names())

    def jobs(self, first: str | None) -> list[str]:
        """Return the paths of ended sessions and notes, each session's in the order in which they were written."""
        paths = [os.path.join(self.buffers.spool, name) for name in self.names() if name.endswith((ENDED, NOTE))]
        if first is not None:
            # What belongs to the same session stays in order.
            key = os.path.basename(first).partition(".")[0]
            paths.sort(key=lambda path: not os.path.basename(path).startswith(key))
        return paths

    def run(self, paths: list[str], store: Store) -> None:
        for place, path in enumerate(paths):
            if place and self._late():
                return
            try:
                if path.endswith(NOTE):
                    self._annotate(path, store)
                else:
                    self._store(path, store, patient=not place)
            except (InvalidTrajectory, NewerRecord) as error:
                self.problem(path, f"{error}; the file is left: mend it, or take it out of the spool")
            except Late:
                return

    def _late(self) -> bool:
        return self.end is not None and time.monotonic() >= self.end

    def _store(self, path: str, store: Store, *, patient: bool) -> None:
        broken = Broken(os.path.basename(path))
        try:
            sides = self._sides(path)
            late = (lambda: False) if patient else self._late
            trajectory = session_in(path, [line for found in sides.values() for line in found], broken, self.problem, late)
        except FileNotFoundError:  # taken away meanwhile, as to another machine
            return
        if trajectory is not None and (trajectory.turns or trajectory.total_tools):
            _put(trajectory, store)
            self.stored += 1
        else:
            self.empty += 1
        try:
            broken.keep(self.home)
        except OSError as error:
            # Lines that could be read are in the store; storing them again changes nothing.
            self.problem(
                str(self.home / BROKEN),
                f"{reason(error)}; {len(broken)} lines of {path} that cannot be read are kept nowhere else, so that file is left, what could be read "
                f"of it is stored: make {BROKEN} writable, or remove it",
            )
            return
        # Sides first: those of a session that is gone would be one of their own.
        for done in (*sides, path):
            try:
                with suppress(FileNotFoundError):
                    os.unlink(done)
            except OSError as error:
                self.problem(done, f"{reason(error)}; what it holds is stored: remove it")
                return

    def _sides(self, path: str) -> dict[str, list[bytes]]:
        """Return {path: lines} of the files beside a buffer that were written before it ended, those that cannot be read aside."""
        key, _, rest = os.path.basename(path).partition(".")
        found: dict[str, list[bytes]] = {}
        for name in self.names():
            # Names start with the time of writing.
            if name.startswith(f"{key}.") and name.endswith(SIDE) and name.partition(".")[2] <= rest:
                side = os.path.join(self.buffers.spool, name)
                # What is wrong with it was told when idle sessions were closed.
                with suppress(FileNotFoundError, InvalidTrajectory):
                    found[side] = list(lines(side, SIDE_BYTES))
        return found

    def _annotate(self, path: str, store: Store) -> None:
        try:
            text = b"".join(lines(path, SIDE_BYTES))
        except FileNotFoundError:
            return
        line = line_of(text) or {}
        version = line.get("v")
        if isinstance(version, int) and version > VERSION:
            raise NewerRecord(f"the note has version {shown(version)}, this package reads up to {VERSION}; fold it with a later ebmhw")
        session, at = line.get("session"), moment_of_note(line)
        if not isinstance(session, str) or at is None:
            raise InvalidTrajectory("the note names no session or no time")
        prompt = line.get("prompt")
        asked = asks_for(prompt if isinstance(prompt, str) else "")
        done = store.annotate(session_name(session), correction=asked == CORRECTION, redo=asked == REDO, continued=asked is None, at=at)
        self.annotated += bool(done)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problem(path, f"{reason(error)}; it is noted: remove it")

    def problem(self, place: str, text: str) -> None:
        told = faults.printable(without_secrets(f"{place}: {text}"))
        self.problems.append(told)
        faults.log(self.home, told)


def _put(trajectory: Trajectory, store: Store) -> None:
    try:
        store.put(placed(trajectory, store))
    except (InvalidTrajectory, NewerRecord):
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        # The store's own faults are of other kinds, and stop the folding; this is one of what stands in the session.
        raise InvalidTrajectory(f"the session cannot be stored ({type(error).__name__}: {error})") from error


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Yield whether no other process folds here; none does until the end then."""
    path = home / _LOCK
    try:
        handle = opened(path, os.O_RDWR | os.O_CREAT)
    except OddFile as error:
        raise StoreError(f"{path}: {reason(error)}; nothing was folded: remove it, or give it to this user") from None
    try:
        yield locked_within(handle, time.monotonic() + _WAIT_S)
    finally:
        os.close(handle)
