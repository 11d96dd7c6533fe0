"""Putting: trajectories into the table; those that are there are updated, never replaced by less."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.merging import merged, noted_of
from ebmhw.karl.store.rows import READ, Ready, columns_of, ready, reward_of, score_columns, text_of, trajectory_of
from ebmhw.karl.trajectory import Trajectory

BATCH = 256
"""Records of a transaction, at most: others wait for its end, 0.1 s or so."""

BATCH_BYTES = 2**24
"""Of their JSON."""

Scorer = Callable[[Trajectory], Reward | None]
Kind = Literal["added", "updated", "same"]


class Stored(NamedTuple):
    """How many trajectories were new, brought a record further, or changed nothing."""

    added: int = 0
    updated: int = 0
    same: int = 0

    def plus(self, kinds: Iterable[Kind]) -> Stored:
        """Return the counts with more."""
        more = list(kinds)
        return Stored(self.added + more.count("added"), self.updated + more.count("updated"), self.same + more.count("same"))


def put_batches(database: Database, items: Iterable[Ready], scorer: Scorer) -> Iterator[list[Kind]]:
    """Store trajectories, a transaction a batch; yield what each did, once its batch is on the disk."""
    batch: list[Ready] = []
    size = 0
    for item in items:
        batch.append(_with_reward(database, item, scorer))
        size += len(item.text)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield put_batch(database, batch, scorer)
            batch, size = [], 0
    if batch:
        yield put_batch(database, batch, scorer)


def put_batch(database: Database, batch: Iterable[Ready], scorer: Scorer) -> list[Kind]:
    """Store trajectories in one transaction."""
    now = time.time()
    with database.writing() as connection:
        return [_put(connection, database, item, scorer, now) for item in batch]


def put_one(database: Database, item: Ready, scorer: Scorer) -> Kind:
    """Store a trajectory."""
    return put_batch(database, [_with_reward(database, item, scorer)], scorer)[0]


def update(connection: sqlite3.Connection, number: int, columns: dict[str, Any]) -> None:
    """Change columns of a row."""
    changes = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE record SET {changes} WHERE number = ?", (*columns.values(), number))


def _with_reward(database: Database, item: Ready, scorer: Scorer) -> Ready:
    # What is new is scored before the transaction begins, so that other writers do not wait for it.
    if item.reward is None and not database.rows("SELECT 1 FROM record WHERE id = ?", (item.trajectory.id,)):
        return item._replace(reward=scorer(item.trajectory))
    return item


def _put(connection: sqlite3.Connection, database: Database, given: Ready, scorer: Scorer, now: float) -> Kind:
    identity = given.trajectory.id
    row = connection.execute(f"SELECT number, noted, held_out, trained, {', '.join(READ)} FROM record WHERE id = ?", (identity,)).fetchone()
    if row is None:
        reward = given.reward or scorer(given.trajectory)
        states = {"held_out": int(given.held_out), "trained": given.trained, "stored": now}
        columns = columns_of(given.trajectory, given.text) | score_columns(reward, given.advantage) | states
        connection.execute(f"INSERT INTO record ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", list(columns.values()))
        return "added"
    number, noted, held_out, trained, _, *scores, body = row
    text = text_of(body, identity, database.path)
    before = after = given
    if text != given.text:
        before = Ready(trajectory_of(text, identity, database.path), text)
        after = ready(merged(before.trajectory, given.trajectory, noted_of(noted)))
    reward, advantage = _scores(before.trajectory, after.trajectory, given, (reward_of(scores[:-1]), scores[-1]), scorer)
    changes: dict[str, Any] = {}
    if after.text != text:
        changes |= columns_of(after.trajectory, after.text)
    if [*(reward or (None,) * 6), advantage] != scores:
        changes |= score_columns(reward, advantage)
    if given.held_out and not held_out:
        changes["held_out"] = 1
    if given.trained is not None and trained is None:
        changes["trained"] = given.trained
    if not changes:
        return "same"
    update(connection, number, changes | {"stored": now})
    return "updated"


def _scores(
    before: Trajectory, after: Trajectory, given: Ready, stored: tuple[Reward | None, float | None], scorer: Scorer
) -> tuple[Reward | None, float | None]:
    """Return reward and advantage of the merged version: the given ones if they are of it, the stored ones if it has not changed."""
    fits = _scored_by(after) == _scored_by(given.trajectory)
    changed = _scored_by(after) != _scored_by(before)
    reward = stored[0]
    if fits and given.reward is not None:
        reward = given.reward
    elif changed or reward is None:
        reward = scorer(after)
    if fits and given.advantage is not None:
        return reward, given.advantage
    # An advantage belongs to a reward within a domain.
    return reward, stored[1] if reward == stored[0] and after.domain == before.domain else None


def _scored_by(trajectory: Trajectory) -> tuple[Any, ...]:
    """Return what rewards depend on."""
    times = trajectory.started_at, trajectory.ended_at, trajectory.duration_s
    return trajectory.events, trajectory.turns, trajectory.outcome, times, trajectory.tool_counts
