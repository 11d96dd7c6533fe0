"""Putting: trajectories into the table; those that are there are updated, never replaced by less."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.merging import merged, noted_of
from ebmhw.karl.store.rows import READ, Ready, columns_of, ready, reward_of, score_columns, text_of, trajectory_of, valid_reward
from ebmhw.karl.tools import session_name
from ebmhw.karl.trajectory import Trajectory

BATCH = 256
"""Records of a transaction, at most: others wait for its end, 0.1 s or so."""

BATCH_BYTES = 2**24
"""Of their JSON."""

ROUNDING = 1e-9
"""By which a scorer's numbers may be outside 0 to 1; they are moved to the nearer end."""

Scorer = Callable[[Trajectory], Reward | None]
Kind = Literal["added", "updated", "same"]
Refused = Callable[[Ready, InvalidTrajectory], None]


class Stored(NamedTuple):
    """How many trajectories were new, brought a record further, or changed nothing."""

    added: int = 0
    updated: int = 0
    same: int = 0

    def plus(self, kinds: Iterable[Kind]) -> Stored:
        """Return the counts with more."""
        more = list(kinds)
        return Stored(self.added + more.count("added"), self.updated + more.count("updated"), self.same + more.count("same"))


def within(scorer: Scorer) -> Scorer:
    """Return a scorer whose rewards are numbers within 0 to 1, rounding aside; it raises InvalidTrajectory where the given one's are not."""

    def score(trajectory: Trajectory) -> Reward | None:
        made = scorer(trajectory)
        if made is None:
            return None
        return valid_reward(Reward(*map(_clamped, made)), trajectory.id)

    return score


def put_batches(database: Database, items: Iterable[Ready], scorer: Scorer, refused: Refused | None = None) -> Iterator[list[Kind]]:
    """Store trajectories, a transaction a batch; yield what each did, once its batch is on the disk.

    Parameters
    ----------
    refused : takes those that cannot be stored, which are left out; where it is None they raise
    """
    batch: list[Ready] = []
    size = 0
    for item in items:
        try:
            batch.append(_with_reward(database, item, scorer))
        except InvalidTrajectory as error:
            if refused is None:
                raise
            refused(item, error)
            continue
        size += len(item.text)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield put_batch(database, batch, scorer, refused)
            batch, size = [], 0
    if batch:
        yield put_batch(database, batch, scorer, refused)


def put_batch(database: Database, batch: Iterable[Ready], scorer: Scorer, refused: Refused | None = None) -> list[Kind]:
    """Store trajectories in one transaction; ``refused`` as of `put_batches`."""
    now = time.time()
    kinds: list[Kind] = []
    left: list[tuple[Ready, InvalidTrajectory]] = []
    with database.writing() as connection:
        for item in batch:
            try:
                # Whatever it raises, it has written nothing then.
                kinds.append(_put(connection, database, item, scorer, now))
            except InvalidTrajectory as error:
                if refused is None:
                    raise
                left.append((item, error))
    for item, reason in left:
        assert refused is not None
        refused(item, reason)
    return kinds


def put_one(database: Database, item: Ready, scorer: Scorer) -> Kind:
    """Store a trajectory."""
    return put_batch(database, [_with_reward(database, item, scorer)], scorer)[0]


def update(connection: sqlite3.Connection, number: int, columns: dict[str, Any]) -> None:
    """Change columns of a row."""
    changes = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE record SET {changes} WHERE number = ?", (*columns.values(), number))


def _clamped(value: Any) -> Any:
    if not isinstance(value, (int, float)):
        return value
    return 0.0 if -ROUNDING <= value < 0 else 1.0 if 1 < value <= 1 + ROUNDING else value


def _with_reward(database: Database, item: Ready, scorer: Scorer) -> Ready:
    # What is new is scored before the transaction begins, so that other writers do not wait for it.
    if item.reward is None and not database.rows("SELECT 1 FROM record WHERE id = ?", (item.trajectory.id,)):
        return item._replace(reward=scorer(item.trajectory))
    return item


def _put(connection: sqlite3.Connection, database: Database, given: Ready, scorer: Scorer, now: float) -> Kind:
    identity = given.trajectory.id
    row = connection.execute(f"SELECT number, session, noted, held_out, trained, {', '.join(READ)} FROM record WHERE id = ?", (identity,)).fetchone()
    if row is None:
        reward = given.reward or scorer(given.trajectory)
        states = {"held_out": int(given.held_out), "trained": given.trained, "stored": now}
        columns = columns_of(given.trajectory, given.text) | score_columns(reward, given.advantage) | states
        connection.execute(f"INSERT INTO record ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", list(columns.values()))
        return "added"
    number, session, noted, held_out, trained, _, *scores, body = row
    # Names of sessions may have come with secrets, which readers take out.
    stored_of, given_of = session_name(session), session_name(given.trajectory.session_id)
    if stored_of != given_of:
        raise InvalidTrajectory(
            f"{identity} is of the session {shown(given_of)}, the store's record of that id of {shown(stored_of)}; nothing of it was stored: give "
            "another id, as ebmhw.karl.trajectory_id makes them"
        )
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
