"""Rows: trajectories as rows of the table, and back."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.errors import InvalidTrajectory, NewerRecord, StoreError, shown
from ebmhw.karl.moments import moment
from ebmhw.karl.record import Scored, from_record, to_record
from ebmhw.karl.reward.reward import SIGNALS, Reward
from ebmhw.karl.trajectory import Trajectory

BODY_BYTES = 2**28
"""Of a record's JSON."""

SCORES = ("reward", *SIGNALS, "advantage")
READ = ("id", *SCORES, "body")
"""Columns that `scored_of` takes."""

_LEVEL = 1
"""Of zlib. A record of 75 calls of random words: 23 kB of JSON, 7.2 kB at level 1 in 0.2 ms, 6.6 kB at level 6 in 0.4 ms. What is not compressed
costs as much to write (0.15 ms more, in a batch) and three times the disk."""

_LARGEST = 2**63 - 1


class Ready(NamedTuple):
    """A trajectory that can be stored.

    Attributes
    ----------
    trajectory : as reading its record gives it
    text : its record without scores, as JSON in UTF-8
    reward, advantage : as of `put`
    held_out, trained : whether it is kept from training, when it was trained on
    line : of the file that it was read from, None for what was not
    """

    trajectory: Trajectory
    text: bytes
    reward: Reward | None = None
    advantage: float | None = None
    held_out: bool = False
    trained: float | None = None
    line: int | None = None


class DomainCounts(NamedTuple):
    """What a store holds of a domain.

    Attributes
    ----------
    records : all
    scored, held_out, trained : those that have a reward, are held out, were trained on
    mean_reward : of those that have one, None where none has
    """

    records: int
    scored: int
    held_out: int
    trained: int
    mean_reward: float | None


def ready(trajectory: Trajectory, reward: Reward | None = None, advantage: float | None = None, *, read: bool = False) -> Ready:
    """Return what is stored of a trajectory.

    Parameters
    ----------
    read : `from_record` made it, so that it need not be checked by reading it once more, which is half of the work

    Raises
    ------
    InvalidTrajectory : a record could not hold it, or a score is not a number that it may be
    """
    try:
        record = to_record(trajectory)
        made = trajectory if read else from_record(record).trajectory
        if made != trajectory:
            record = to_record(made)
        text = _json(record)
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidTrajectory(f"{shown(getattr(trajectory, 'id', trajectory))} is no trajectory that can be stored ({error})") from None
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        # Halves of surrogate pairs are no text; readers make question marks of them too.
        raw = text.encode("utf-8", "replace")
        made = from_record(json.loads(raw)).trajectory
    if len(raw) > BODY_BYTES:
        raise InvalidTrajectory(f"{made.id} has {len(raw)} bytes as JSON, {BODY_BYTES} are the limit; cut its texts")
    return Ready(made, raw, valid_reward(reward, made.id), valid_advantage(advantage, made.id))


def valid_reward(reward: Reward | None, identity: str) -> Reward | None:
    """Return a reward as plain floats."""
    if reward is None:
        return None
    values = [_number(value, 0.0, 1.0, f"{name} of {identity}") for name, value in zip(("reward", *SIGNALS), reward, strict=True)]
    return Reward(*values)


def valid_advantage(advantage: float | None, identity: str) -> float | None:
    """Return an advantage as a plain float."""
    return None if advantage is None else _number(advantage, -1e9, 1e9, f"advantage of {identity}")


def columns_of(trajectory: Trajectory, text: bytes) -> dict[str, Any]:
    """Return the columns that follow from a trajectory."""
    started, ended = span(trajectory)
    return {
        "id": trajectory.id,
        "session": trajectory.session_id,
        "domain": trajectory.domain,
        "skill": trajectory.skill,
        "user": trajectory.user,
        "task": trajectory.task,
        "agent": trajectory.agent,
        "model": trajectory.model,
        "started": started,
        "ended": ended,
        "tools": min(trajectory.total_tools, _LARGEST),
        "verified": trajectory.outcome.verified,
        "body": zlib.compress(text, _LEVEL),
    }


def score_columns(reward: Reward | None, advantage: float | None) -> dict[str, float | None]:
    """Return the columns of scores."""
    return dict(zip(SCORES, (*(reward or (None,) * 6), advantage), strict=True))


def span(trajectory: Trajectory) -> tuple[float | None, float | None]:
    """Return from when to when a session went, Unix seconds: by its own times, else those of its events; (None, None) where none is known.

    The first is never after the second: of clocks that jumped back, the earlier time is the first.
    """
    start, end = trajectory.started_at, trajectory.ended_at
    if end is None and start is not None and trajectory.duration_s is not None:
        end = start + trajectory.duration_s
    if start is None or end is None:
        times = [event.ts for event in trajectory.events if event.ts is not None]
        times += [turn.ts for turn in trajectory.turns if turn.ts is not None]
        known = [value for value in (start, end) if value is not None] + times
        if not known:
            return None, None
        start = min(known) if start is None else start
        end = max(known) if end is None else end
    return min(start, end), max(start, end)


def text_of(body: Any, identity: str, path: Path) -> bytes:
    """Return the JSON of a record.

    Raises
    ------
    StoreError : the body is damaged
    """
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(body, BODY_BYTES)
        if not unpacker.eof:
            raise zlib.error("incomplete, or over the limit")
    except (zlib.error, TypeError) as error:
        raise _damaged(path, identity, error) from None
    return text


def trajectory_of(text: bytes, identity: str, path: Path) -> Trajectory:
    """Return the trajectory of a record's JSON.

    Raises
    ------
    StoreError : the record is damaged
    NewerRecord : a later version of this package wrote it
    """
    try:
        return from_record(json.loads(text)).trajectory
    except NewerRecord as error:
        raise NewerRecord(f"{path}: {identity}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, identity, error) from None


def reward_of(values: Sequence[Any]) -> Reward | None:
    """Return the reward of the columns of the total and the five signals."""
    return None if values[0] is None else Reward(*values)


def scored_of(row: Sequence[Any], path: Path) -> Scored:
    """Return what a row of the columns `READ` holds."""
    identity, *scores, body = row
    return Scored(trajectory_of(text_of(body, identity, path), identity, path), reward_of(scores[:-1]), scores[-1])


def instant(value: Any, place: str) -> float | None:
    """Return a point in time as Unix seconds: of a number, an ISO 8601 text or a datetime; None for None.

    Raises
    ------
    InvalidTrajectory : it is none
    """
    if value is None:
        return None
    found = moment(value.isoformat() if hasattr(value, "isoformat") else value)
    if found is None:
        raise InvalidTrajectory(f"{place} is {shown(value)}; give Unix seconds or a time such as 2026-01-31T12:00:00Z")
    return found


def without_halves(text: str) -> str:
    """Return a text as UTF-8 can hold it: halves of surrogate pairs are question marks, as in the records."""
    if not isinstance(text, str):
        raise InvalidTrajectory(f"{shown(text)} is no id nor name; give a text")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _number(value: Any, low: float, high: float, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise InvalidTrajectory(f"{place} is {shown(value)}; give a number from {low:g} to {high:g}, or None")
    return number


def _damaged(path: Path, identity: str, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: the record {shown(identity)} is damaged ({error}); save the others with export_jsonl(..., on_problem=print), then delete() it and "
        "read its session again"
    )
