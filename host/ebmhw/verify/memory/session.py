"""SessionMemory: notes and checks of this session and of those before, joined with those of others."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, final

from ebmhw.errors import VerificationError, shown
from ebmhw.numbers import whole
from ebmhw.stopping import uninterrupted
from ebmhw.verify.certificate import text_hash
from ebmhw.verify.memory.checking import check_name, check_size, checked_text
from ebmhw.verify.memory.differing import Change, Difference, difference
from ebmhw.verify.memory.hold import held
from ebmhw.verify.memory.pack import Pack, home_of, path_of, read_pack, write_pack
from ebmhw.verify.memory.recording import check_of, counts_of, shape_of
from ebmhw.verify.memory.state import COUNTERS, EMPTY, MOST, Check, Count, Counted, State, latest

if TYPE_CHECKING:
    from ebmhw.verify.repair import RepairReport
    from ebmhw.verify.report import Report


@final
class SessionMemory:
    """What was checked, what caught faults, and what mended them; a context, at whose end it is saved.

    What is noted is in memory until `save`, which joins it with what other processes saved to the same file meanwhile.

    Parameters
    ----------
    path : of its file, made by the first `save` where it is not there; None keeps nothing beyond this object
    keep_texts : keep questions and responses, without what looks like a secret (`ebmhw.redaction`), and not their hashes alone

    Raises
    ------
    InvalidFile
        where the file is damaged or none of a memory; it is left as it is.
    NewerRecord
        where a later version wrote it; it is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, keep_texts: bool = False) -> None:
        self.path, self.keep_texts = None if path is None else path_of(path), bool(keep_texts)
        self._base, self._new, self._checks = EMPTY, dict[tuple[str, str], Count](), dict[str, Check]()
        # In memory the source is this object; in a file it is the file, for all sessions that write there.
        self._source = uuid.uuid4().hex
        if self.path is not None and os.path.lexists(self.path):
            self._take(read_pack(self.path))

    def note(self, kind: str, name: str, tried: int = 1, caught: int = 0) -> None:
        """Count that something was tried, and how often of that it caught a fault or worked.

        Parameters
        ----------
        kind : what it is, such as "property", "strategy", "repair"
        name : its name among these
        tried, caught : whole numbers of at least 0, caught not above tried

        Raises
        ------
        VerificationError
            for anything else, and where the memory holds `COUNTERS` counters already.
        """
        check_name(kind, "kind")
        check_name(name, "name")
        numbers = whole(tried), whole(caught)
        if numbers[0] is None or numbers[1] is None or not 0 <= numbers[1] <= numbers[0] <= MOST:
            raise VerificationError(
                f"{shown(kind)} {shown(name)} was tried {shown(tried)} times and caught {shown(caught)}; give whole numbers, 0 <= caught <= tried"
            )
        self._add({(kind, name): Count(*numbers)})  # type: ignore[arg-type]

    def counts(self, kind: str, name: str) -> Count:
        """Return (tried, caught) over all sources; (0, 0) for what was never noted."""
        known, new = self._base.totals.get((kind, name), Count()), self._new.get((kind, name), Count())
        return Count(known.tried + new.tried, known.caught + new.caught)

    def names(self, kind: str) -> dict[str, Count]:
        """Return the counts of all names of a kind."""
        return {name: count for (one, name), count in sorted(self._state().totals.items()) if one == kind}

    def record(self, report: Report | RepairReport) -> Check:
        """Remember a report, or what became of a repair, and return it as it is remembered.

        Counted with it, unless the very same check is there already: claims by domain and kind (tried: judged; caught: violated), repairs by method.
        """
        # A clock that was never set may stand before 1970; what is read again is 0 or later.
        check, others = check_of(report, min(MOST, max(0, int(time.time()))), self.keep_texts)
        known = check.key in self._base.checks or check.key in self._checks
        if not known:
            self._add(counts_of(report))
        for one in (check, *others):
            earlier = self._checks.get(one.key)
            self._checks[one.key] = one if earlier is None else earlier.joined(one)
        return check

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks that are remembered, the latest first."""
        return self._found(lambda check: True)

    def recall(self, question: str, response: str) -> tuple[Check, ...]:
        """Return what was said of these very texts, the latest first: under which domains, with which verdict and certificate.

        It is no proof. Check the text again, or the certificate whose digest it names (`ebmhw.verify.check_certificate`).
        """
        texts = text_hash(checked_text(question, "question")), text_hash(checked_text(response, "response"))
        return self._found(lambda check: (check.question, check.response) == texts)

    def similar(self, question: str) -> tuple[Check, ...]:
        """Return what was said of answers to questions that differ from this one in numbers, case and blanks only, the latest first."""
        shape = shape_of(checked_text(question, "question"))
        return self._found(lambda check: check.shape == shape)

    def save(self) -> None:
        """Write all to the file, joined with what other processes wrote there; whole or not at all.

        Raises
        ------
        VerificationError
            where there is no path, another process holds the file for too long, or it cannot be written.
        InvalidFile, NewerRecord
            where the file is no memory of this version any more; it is left as it is.
        """
        if self.path is None:
            raise VerificationError("this memory has no file; give a path to SessionMemory, or export it to one")
        with held(self.path):
            if os.path.lexists(self.path):
                self._take(read_pack(self.path))
            state = self._state()
            check_size(state)
            # Interrupted between the two, the end of a with statement would save again and count twice.
            with uninterrupted():
                write_pack(self.path, Pack(state, self._source, home_of(self.path)))
                self._base, self._new, self._checks = state, {}, {}

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write a pack of all that is remembered, whole or not at all, and return how many counters and checks it holds.

        A memory with a file is saved first: a count that left by a pack and is then lost here would be given to something else later.
        """
        target = path_of(path)
        if self.path is not None:
            if os.path.realpath(target) == os.path.realpath(self.path):
                raise VerificationError(f"{target} is the memory's own file; give the pack another path")
            self.save()
        state = self._state()
        write_pack(target, Pack(state, None, None))
        return len(state.counters) + len(state.checks)

    def import_(self, path: str | os.PathLike[str], how: Literal["merge", "replace"] = "merge", *, dry_run: bool = False) -> Change:
        """Take a pack in, and return what changed by it.

        Parameters
        ----------
        path : of a pack, or of another memory's file
        how : "merge" joins it with what is there: importing it again changes nothing. "replace" puts it in the place of what is there
        dry_run : only tell what would change

        Raises
        ------
        VerificationError
            for another ``how``, and where more than `COUNTERS` counters would be held.
        InvalidFile, NewerRecord
            for what is no pack, or one of a later version.
        """
        if how not in ("merge", "replace"):
            raise VerificationError(f"how is {shown(how)}; give 'merge' or 'replace'")
        given = read_pack(path_of(path)).state
        if dry_run:
            return self._changed(given, how, dry_run)
        if self.path is None:
            change, state = self._changed(given, how, dry_run), self._imported(given, how)
            self._base, self._new, self._checks = state, {}, {}
        else:
            with held(self.path):
                if os.path.lexists(self.path):
                    self._take(read_pack(self.path))
                change, state = self._changed(given, how, dry_run), self._imported(given, how)
                with uninterrupted():
                    write_pack(self.path, Pack(state, self._source if how == "merge" else None, home_of(self.path)))
                    self._base, self._new, self._checks = state, {}, {}
        if how == "replace":
            # Who wrote the pack goes on counting under its own sources.
            self._source = uuid.uuid4().hex
        return change

    def diff(self, other: SessionMemory | str | os.PathLike[str]) -> Difference:
        """Return how another memory, or a pack, differs from this one: what it has more, lacks, has otherwise, and what contradicts."""
        theirs = other._state() if isinstance(other, SessionMemory) else read_pack(path_of(other)).state
        return difference(self._state(), theirs)

    def __len__(self) -> int:
        return len(self._state().checks)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> SessionMemory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.path is not None:
            self.save()

    def __repr__(self) -> str:
        state = self._state()
        return f"SessionMemory({'' if self.path is None else repr(str(self.path))}: {len(state.checks)} checks, {len(state.totals)} counters)"

    def _add(self, counts: Mapping[tuple[str, str], Count]) -> None:
        known = {(counted.kind, counted.name) for counted in self._base.counters if counted.source == self._source}.union(self._new)
        more = len(set(counts) - known)
        if more and len(self._base.counters) + len(self._new) + more > COUNTERS:
            raise VerificationError(f"the memory holds {COUNTERS} counters, the most that it may; use fewer names, or start another memory")
        for key, count in counts.items():
            so_far = self._new.get(key, Count())
            self._new[key] = Count(min(MOST, so_far.tried + count.tried), min(MOST, so_far.caught + count.caught))

    def _take(self, pack: Pack) -> None:
        """Take what the file holds as what is known, and its source for what is new, unless it is a copy of another file."""
        assert self.path is not None
        self._base = pack.state
        own = pack.source is not None and pack.home == home_of(self.path)
        self._source = pack.source if own and pack.source is not None else uuid.uuid4().hex

    def _state(self) -> State:
        """Return what is known and what is new together."""
        counters = dict(self._base.counters)
        for (kind, name), count in self._new.items():
            counted = Counted(self._source, kind, name)
            so_far = counters.get(counted, Count())
            counters[counted] = Count(min(MOST, so_far.tried + count.tried), min(MOST, so_far.caught + count.caught))
        checks = dict(self._base.checks)
        for key, check in self._checks.items():
            checks[key] = checks[key].joined(check) if key in checks else check
        return State(counters, latest(checks.values()))

    def _found(self, wanted: Callable[[Check], bool]) -> tuple[Check, ...]:
        found = [check for check in self._state().checks.values() if wanted(check)]
        return tuple(sorted(found, key=lambda check: (check.at, check.key), reverse=True))

    def _imported(self, given: State, how: str) -> State:
        state = self._state().joined(given) if how == "merge" else given
        check_size(state)
        return state

    def _changed(self, given: State, how: str, dry_run: bool) -> Change:
        before = self._state()
        after = self._imported(given, how)
        return Change(how, dry_run, *difference(before, after)[:3], difference(before, given).conflicts)
