"""Store: scored trajectories on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, final

from ebmhw.errors import NewerRecord, StoreError, shown
from ebmhw.karl.home import STORE, home
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.record import Scored
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store import labelling, marking
from ebmhw.karl.store.annotating import Annotated, Note, annotate_all, annotate_one
from ebmhw.karl.store.belonging import SUFFIXES
from ebmhw.karl.store.checking import problems
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.filters import condition
from ebmhw.karl.store.jsonl import Imported, export_records, import_records, path_of, states
from ebmhw.karl.store.putting import Kind, Scorer, Stored, put_batches, put_one, within
from ebmhw.karl.store.rows import READ, DomainCounts, Ready, instant, ready, scored_of, without_halves
from ebmhw.karl.store.salvaging import salvaged
from ebmhw.karl.trajectory import Trajectory


@final
class Store:
    """A file of records, which processes and threads of one machine may read and write at once.

    What `put` and the other methods return for is on the disk: neither a killed process nor a cut of the power takes it back. A record changes in one
    transaction, as a whole or not at all. After a fork, a child uses a connection of its own.

    Parameters
    ----------
    path : of the file, made where it is not there; None for ``trajectories.sqlite`` in `ebmhw.karl.home.home`
    read_only : refuse to write
    timeout : seconds to wait for other writers
    scorer : makes the reward of a trajectory that is put without, or that changes; None for `ebmhw.karl.reward.score`

    Raises
    ------
    StoreError
        here and by every method: the file is no store, damaged, locked for longer than the timeout, on a full disk, not to be written or closed, or
        (where it writes) KARL_CANONICAL_WRITER names another host; what was to be stored is where it was
    NewerRecord
        a later version of this package made the store

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ebmhw.karl import Reward, Store, ToolEvent, Trajectory
    >>> session = Trajectory("traj_1", "s1", (ToolEvent("Bash", {"command": "make"}, success=True),), domain="infra")
    >>> with Store(Path(tempfile.mkdtemp()) / "karl.sqlite") as store:
    ...     store.put(session, reward=Reward(0.5, 0.5, 0.5, 0.5, 0.5, 0.5))
    ...     store.put(session)
    ...     [record.trajectory.id for record in store.trajectories(domain="infra")]
    'added'
    'same'
    ['traj_1']
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        read_only: bool = False,
        timeout: float = 30.0,
        scorer: Scorer | None = None,
    ) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
            raise StoreError(f"timeout is {shown(timeout)}; give seconds, 0 or more")
        self._database = Database(home() / STORE if path is None else path_of(path), read_only=read_only, timeout=timeout)
        self.path = self._database.path
        self._scorer: Scorer = within(_score if scorer is None else scorer)

    def put(self, trajectory: Trajectory, reward: Reward | None = None, advantage: float | None = None) -> Kind:
        """Store a trajectory: "added", "updated", or "same" where its record holds all of it already.

        Of two versions of a session (one ``id``), the longer is kept, whichever comes first, with what only the other one knows; of equally long
        ones, the later put. Longer is: more calls of tools, then more turns, then a later end. What was annotated stays, and labels of a source that
        weighs more (routing, invocation, rules). Rewards are made where none is given, and anew where the kept version is not the given one.

        Raises
        ------
        InvalidTrajectory : it cannot be stored, or the record of its id is of another session
        """
        return put_one(self._database, ready(trajectory, reward, advantage), self._scorer)

    def put_many(self, trajectories: Iterable[Trajectory | Scored]) -> Stored:
        """Store many, as `put` each, in transactions of `ebmhw.karl.store.putting.BATCH`; return how many were added, updated and the same.

        Where one raises, those of the transactions before it are stored; putting them again does no harm.
        """
        done = Stored()
        for kinds in put_batches(self._database, map(_ready, trajectories), self._scorer):
            done = done.plus(kinds)
        return done

    def get(self, identity: str) -> Scored | None:
        """Return the record of an id, None where there is none."""
        rows = self._database.rows(f"SELECT {', '.join(READ)} FROM record WHERE id = ?", (without_halves(identity),))
        return scored_of(rows[0], self.path) if rows else None

    def trajectories(self, *, on_problem: Report | None = None, **filters: Any) -> Iterator[Scored]:
        """Yield the records in the order in which they came, as the store is when the first is taken, whatever is written meanwhile.

        While it goes on, the log beside the file cannot shrink: take what you need and let it end.

        Parameters
        ----------
        on_problem : takes damaged records and pages, which are skipped; where it is None they raise
        filters : as of `ebmhw.karl.store.filters.condition`: domain, since, until, scored, held_out, trained, verified, session_id, skill, user,
            task, agent, model
        """
        return (scored for scored, _ in self._records(on_problem, filters))

    def __iter__(self) -> Iterator[Scored]:
        """Yield all records."""
        return self.trajectories()

    def __len__(self) -> int:
        """Return how many records there are."""
        return self.count()

    def __contains__(self, identity: object) -> bool:
        """Tell whether there is a record of an id."""
        return isinstance(identity, str) and bool(self._database.rows("SELECT 1 FROM record WHERE id = ?", (without_halves(identity),)))

    def count(self, **filters: Any) -> int:
        """Return how many records there are; filters as of `trajectories`."""
        where, values = condition(**filters)
        return int(self._database.rows(f"SELECT count(*) FROM record WHERE {where}", values)[0][0])

    def ids(self, **filters: Any) -> list[str]:
        """Return the ids of records, in the order in which they came; filters as of `trajectories`."""
        where, values = condition(**filters)
        return [row[0] for row in self._database.rows(f"SELECT id FROM record WHERE {where} ORDER BY number", values)]

    def domains(self) -> dict[str, DomainCounts]:
        """Return what there is of each domain, by its name."""
        return marking.domains(self._database)

    def annotate(
        self, session_id: str, *, correction: bool | None = None, redo: bool | None = None, continued: bool | None = None, at: Any = None
    ) -> Scored | None:
        """Note what was learnt of a session to its last record, score it anew, and return it; None where there is no such record.

        What was said to have happened is not taken back by a later False. Each correction is counted; one at the same time as an earlier one is
        that one. Where the reward changes, the advantage, which belonged to it, becomes None.

        Parameters
        ----------
        at : when it was learnt (Unix seconds, ISO 8601 or a datetime): of the session's records, the last that began before and ended at most 5
            minutes earlier; None for its last record
        """
        return annotate_one(self._database, Note(session_id, at, correction, redo, continued), self._scorer)

    def annotate_many(self, notes: Iterable[Note]) -> Annotated:
        """Annotate by a list of what was learnt, as `annotate` each."""
        return annotate_all(self._database, notes, self._scorer)

    def put_scores(self, scores: Iterable[tuple[str, Reward, float | None]]) -> int:
        """Set rewards and advantages by id, all or none; return how many.

        Raises
        ------
        InvalidTrajectory : an id has no record, or a score is not a number that it may be
        """
        return marking.put_scores(self._database, scores)

    def relabel(self, rules: Any, **filters: Any) -> int:
        """Label records by rules; return how many changed.

        Labels of a source that weighs more stay, and so do domains that came with a session's source (where the label is one by rules), and what no
        rule matches.

        Parameters
        ----------
        rules : `ebmhw.karl.rules.Rules`, which label as `ebmhw.karl.rules.labelled` does, or a function of a trajectory that returns (skill, domain,
            source) or None
        filters : as of `trajectories`
        """
        return labelling.relabel(self._database, rules, self._records(None, filters))

    def hold_out(self, identities: Iterable[str], held: bool = True) -> int:
        """Keep records from training, or give them free; return how many changed. An unknown id raises InvalidTrajectory."""
        return marking.mark(self._database, identities, "held_out", int(held))

    def held_out(self) -> frozenset[str]:
        """Return the ids of records that are kept from training."""
        return frozenset(self.ids(held_out=True))

    def mark_trained(self, identities: Iterable[str], at: Any = None) -> int:
        """Note that records were trained on, now or ``at``; return how many changed. An unknown id raises InvalidTrajectory."""
        return marking.mark(self._database, identities, "trained", time.time() if at is None else instant(at, "at"))

    def trained_at(self, identity: str) -> float | None:
        """Return when a record was trained on last, None if never."""
        rows = self._database.rows("SELECT trained FROM record WHERE id = ?", (without_halves(identity),))
        return rows[0][0] if rows else None

    def sessions_in_parts(self) -> list[str]:
        """Return the names of sessions that have more than one record."""
        return [name for (name,) in self._database.rows("SELECT session FROM record GROUP BY session HAVING COUNT(*) > 1 ORDER BY MIN(number)")]

    def delete(self, identities: Iterable[str]) -> int:
        """Remove records; return how many were there. Their bytes stay in the file, in pages that later records take."""
        return marking.delete(self._database, identities)

    def import_jsonl(self, path: str | os.PathLike[str], on_problem: Report | None = None) -> Imported:
        """Store the records of a KARL JSONL file (ours or the paper's), as `put` each; lines that cannot be are reported and skipped.

        Records of later versions are reported too, and left in the file. What looks like a secret is cut out, and parameters of calls beyond
        `ebmhw.karl.tools.KEYS` are dropped, whoever wrote them. What this package exported keeps its states, and its scores where they are what this
        store's scorer gives within 1e-9; an advantage stays along with them, up to `ebmhw.karl.store.jsonl.ADVANTAGE`. Other scores are made anew,
        which is reported (unless the store has the very same). A record with the id of another session is reported and skipped.

        Raises
        ------
        InvalidFile : the file cannot be opened
        """
        return import_records(self._database, path_of(path), on_problem, self._scorer)

    def export_jsonl(self, path: str | os.PathLike[str], *, on_problem: Report | None = None, **filters: Any) -> int:
        """Write records to a file, one a line, whole or not at all; return how many. Parameters as of `trajectories`."""
        target = path_of(path)
        # Renamed over the file, records would be all that is left of the store.
        if os.path.realpath(target) in {os.path.realpath(self.path) + suffix for suffix in ("", *SUFFIXES)}:
            raise StoreError(f"{target}: this is the store itself; give another path for the export")
        return export_records(target, self._records(on_problem, filters))

    def check(self) -> tuple[Problem, ...]:
        """Return what is wrong with the file, by SQLite's own check and by reading every record; nothing if it is sound."""
        return problems(self._database)

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def _records(self, on_problem: Report | None, filters: dict[str, Any]) -> Iterator[tuple[Scored, dict[str, Any]]]:
        return _parsed(self._database, *condition(**filters), on_problem)


def _parsed(database: Database, where: str, values: list[Any], on_problem: Report | None) -> Iterator[tuple[Scored, dict[str, Any]]]:
    columns = f"held_out, trained, {', '.join(READ)}"
    if on_problem is None:
        rows = database.streamed(f"SELECT {columns} FROM record WHERE {where} ORDER BY number", values)
    else:
        rows = salvaged(database, columns, where, values, on_problem)
    for held_out, trained, *row in rows:
        try:
            yield scored_of(row, database.path), states(held_out, trained)
        except (StoreError, NewerRecord) as error:
            if on_problem is None:
                raise
            on_problem(Problem(str(database.path), None, str(error).removeprefix(f"{database.path}: ")))


def _ready(item: Trajectory | Scored) -> Ready:
    return ready(*item) if isinstance(item, Scored) else ready(item)


def _score(trajectory: Trajectory) -> Reward | None:
    from ebmhw.karl.reward import score

    return score(trajectory)
