"""Marking: scores and states of records by their ids, and what there is of each domain."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.rows import DomainCounts, score_columns, valid_advantage, valid_reward, without_halves
from ebmhw.karl.trajectory import GLOBAL


def put_scores(database: Database, scores: Iterable[tuple[str, Reward, float | None]]) -> int:
    """Set rewards and advantages, all or none; return how many."""
    rows = [(score_columns(valid_reward(reward, identity), valid_advantage(advantage, identity)), identity) for identity, reward, advantage in scores]
    if not rows:
        return 0
    changes = ", ".join(f"{name} = ?" for name in rows[0][0])
    now = time.time()
    with database.writing() as connection:
        for columns, identity in rows:
            number = _number(connection, identity)
            connection.execute(f"UPDATE record SET {changes}, stored = ? WHERE number = ?", (*columns.values(), now, number))
    return len(rows)


def mark(database: Database, identities: Iterable[str], column: str, value: Any) -> int:
    """Set a state of records, all or none; return how many did not have it."""
    changed = 0
    given = _given(identities)
    with database.writing() as connection:
        for identity in given:
            number = _number(connection, identity)
            changed += connection.execute(f"UPDATE record SET {column} = ? WHERE number = ? AND {column} IS NOT ?", (value, number, value)).rowcount
    return changed


def delete(database: Database, identities: Iterable[str]) -> int:
    """Remove records; return how many were there."""
    given = _given(identities)
    with database.writing() as connection:
        return sum(connection.execute("DELETE FROM record WHERE id = ?", (without_halves(identity),)).rowcount for identity in given)


def domains(database: Database) -> dict[str, DomainCounts]:
    """Return what there is of each domain, by its name."""
    rows = database.rows(
        "SELECT coalesce(domain, ?) AS name, count(*), count(reward), sum(held_out), count(trained), avg(reward) FROM record GROUP BY 1 ORDER BY 1",
        (GLOBAL,),
    )
    return {name: DomainCounts(*counts) for name, *counts in rows}


def _given(identities: Iterable[str]) -> list[str]:
    if isinstance(identities, str):
        raise InvalidTrajectory(f"ids are {shown(identities)}; give a list of ids")
    return list(identities)


def _number(connection: sqlite3.Connection, identity: str) -> int:
    row = connection.execute("SELECT number FROM record WHERE id = ?", (without_halves(identity),)).fetchone()
    if row is None:
        raise InvalidTrajectory(f"the store has no record {shown(identity)}; give ids of records in it (nothing was changed)")
    return int(row[0])
