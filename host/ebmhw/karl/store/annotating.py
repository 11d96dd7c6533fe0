"""Annotating: what is learnt of a session after its end, noted to its record, which is scored again."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.merging import MOMENTS, Noted, annotated, either, noted_of, noted_text
from ebmhw.karl.store.putting import Scorer, update
from ebmhw.karl.store.rows import READ, columns_of, instant, ready, score_columns, scored_of, without_halves

AFTER_S = 300.0
"""Seconds after a session's end in which something said still is about it, by the KARL paper's bridge."""

BATCH = 256
"""Notes of a transaction."""


class Note(NamedTuple):
    """What was learnt of a session.

    Attributes
    ----------
    session_id : the agent's own name of the session
    at : when, Unix seconds; None if that does not matter: the session's last record is meant
    correction, redo, continued : as of `ebmhw.karl.trajectory.Outcome`, None for what nothing was learnt about
    record : id of the session's record that is meant, whenever it was; None for the one of that time
    """

    session_id: str
    at: float | None = None
    correction: bool | None = None
    redo: bool | None = None
    continued: bool | None = None
    record: str | None = None


class Annotated(NamedTuple):
    """What notes did.

    Attributes
    ----------
    notes : that found their record, those included that changed nothing
    records : whose record changed, by id
    left : notes that no record is there for
    """

    notes: int
    records: frozenset[str]
    left: tuple[Note, ...]


def checked(note: Note) -> Note:
    """Return a note with its time in Unix seconds.

    Raises
    ------
    InvalidTrajectory : it says nothing, or something that it may not
    """
    if not isinstance(note.session_id, str):
        raise InvalidTrajectory(f"session_id is {shown(note.session_id)}; give a text")
    for name in ("correction", "redo", "continued"):
        flag = getattr(note, name)
        if flag is not None and not isinstance(flag, bool):
            raise InvalidTrajectory(f"{name} of the note to {shown(note.session_id)} is {shown(flag)}; give True, False or None")
    if note.correction is None and note.redo is None and note.continued is None:
        raise InvalidTrajectory(f"the note to {shown(note.session_id)} says nothing; give correction, redo or continued")
    return note._replace(session_id=without_halves(note.session_id), at=instant(note.at, f"at of the note to {shown(note.session_id)}"))


def annotate_one(database: Database, note: Note, scorer: Scorer) -> Scored | None:
    """Note something to the record of a session that went on at that time; return the record, None where there is none."""
    with database.writing() as connection:
        return _annotate(connection, database, checked(note), scorer)[0]


def annotate_all(database: Database, notes: Iterable[Note], scorer: Scorer) -> Annotated:
    """Note many things, a transaction a batch."""
    found = 0
    changed: set[str] = set()
    left: list[Note] = []
    given = [checked(Note(*note)) for note in notes]
    for start in range(0, len(given), BATCH):
        with database.writing() as connection:
            done = [(note, *_annotate(connection, database, note, scorer)) for note in given[start : start + BATCH]]
        for note, scored, new in done:
            if scored is None:
                left.append(note)
                continue
            found += 1
            if new:
                changed.add(scored.trajectory.id)
    return Annotated(found, frozenset(changed), tuple(left))


def _annotate(connection: sqlite3.Connection, database: Database, note: Note, scorer: Scorer) -> tuple[Scored | None, bool]:
    """Return the record and whether it changed."""
    query = f"SELECT number, noted, {', '.join(READ)} FROM record WHERE session = ?"
    values: list[Any] = [note.session_id]
    if note.record is not None:
        query += " AND id = ?"
        values.append(without_halves(note.record))
    elif note.at is not None:
        # Plain sums of seconds: hours, days and months need no care. Records without times have no window.
        query += " AND started <= ? AND ended >= ?"
        values += [note.at, note.at - AFTER_S]
    row = connection.execute(f"{query} ORDER BY started DESC, number DESC LIMIT 1", values).fetchone()
    if row is None:
        return None, False
    number, text, *rest = row
    stored = scored_of(rest, database.path)
    before = noted_of(text)
    after, counted = _noted(before, note)
    outcome = annotated(stored.trajectory.outcome, after)
    outcome = outcome._replace(corrections=outcome.corrections + counted)
    if after == before and outcome == stored.trajectory.outcome:
        return stored, False
    made = ready(stored.trajectory.but(outcome=outcome), read=True)
    reward, advantage = stored.reward, stored.advantage
    if outcome != stored.trajectory.outcome or reward is None:
        reward = scorer(made.trajectory)
        advantage = advantage if reward == stored.reward else None
    columns = columns_of(made.trajectory, made.text) | score_columns(reward, advantage)
    update(connection, number, columns | {"noted": noted_text(after), "stored": time.time()})
    return Scored(made.trajectory, reward, advantage), True


def _noted(before: Noted, note: Note) -> tuple[Noted, int]:
    """Return the notes with one more, and the corrections that it adds: none if it was noted before."""
    moments, counted = before.corrections, 0
    if note.correction and (note.at is None or note.at not in moments):
        counted = 1
        if note.at is not None:
            moments = tuple(sorted((*moments, note.at)))[-MOMENTS:]
    flags = either(before.correction, note.correction), either(before.redo, note.redo), either(before.continued, note.continued)
    return Noted(*flags, moments), counted
