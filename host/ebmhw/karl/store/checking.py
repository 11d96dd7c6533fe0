"""Checking: whether a store's file and each of its records are sound."""

from __future__ import annotations

from ebmhw.errors import NewerRecord, StoreError
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.rows import READ, columns_of, scored_of, text_of
from ebmhw.karl.store.salvaging import salvaged

_DERIVED = ("session", "domain", "skill", "user", "task", "agent", "model", "started", "ended", "tools", "verified")


def problems(database: Database) -> tuple[Problem, ...]:
    """Return what is wrong with a store."""
    path = str(database.path)
    found: list[Problem] = []
    try:
        found += [Problem(path, None, f"SQLite's check: {row[0]}") for row in database.rows("PRAGMA integrity_check") if row[0] != "ok"]
    except StoreError as error:
        found.append(Problem(path, None, str(error).removeprefix(f"{path}: ")))
    for row in salvaged(database, ", ".join((*_DERIVED, *READ)), "1", [], found.append):
        stored, rest = row[: len(_DERIVED)], row[len(_DERIVED) :]
        try:
            trajectory = scored_of(rest, database.path).trajectory
            columns = columns_of(trajectory, text_of(rest[-1], rest[0], database.path))
        except (StoreError, NewerRecord) as error:
            found.append(Problem(path, None, str(error).removeprefix(f"{path}: ")))
            continue
        wrong = [name for name, value in zip(_DERIVED, stored, strict=True) if columns[name] != value]
        wrong += ["id"] if trajectory.id != rest[0] else []
        if wrong:
            found.append(Problem(path, None, f"columns {', '.join(wrong)} of {rest[0]} are not those of its record"))
    return tuple(found)
