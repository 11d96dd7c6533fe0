"""A session that was recorded in parts and then read as a whole is one record."""

from __future__ import annotations

from pathlib import Path

from ebmhw.karl.store import Store, absorb
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, trajectory_id


def part(number: int, start: float, calls: int, **more: object) -> Trajectory:
    events = (ToolEvent("Read", {"file_path": "a"}, True),) * calls
    made = Trajectory(trajectory_id("s", number), "s", events, started_at=start, ended_at=start + 50, duration_s=50.0, channel="live")
    return made.but(**more)


def test_parts_within_the_whole_are_absorbed_and_what_was_noted_stays(tmp_path: Path) -> None:
    whole = part(0, 1000.0, 7, ended_at=2050.0, channel="backfill")
    other = Trajectory(trajectory_id("t"), "t", whole.events, started_at=1500.0, ended_at=1550.0, channel="live")
    with Store(tmp_path / "store.sqlite") as store:
        store.put_many([whole, part(1, 1500.0, 2, outcome=Outcome(correction=True, corrections=1)), part(2, 2030.0, 7), part(3, 9000.0, 1), other])
        assert absorb(store) == 2
        assert {one.trajectory.id for one in store} == {whole.id, trajectory_id("s", 3), other.id}
        kept = store.get(whole.id)
        assert kept is not None and kept.trajectory.outcome.correction is True
        assert absorb(store) == 0


def test_what_is_longer_or_live_absorbs_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        store.put_many([part(0, 1000.0, 7, ended_at=2050.0), part(1, 1500.0, 2)])
        assert absorb(store) == 0 and len(store) == 2
    with Store(tmp_path / "other.sqlite") as store:
        store.put_many([part(0, 1000.0, 3, ended_at=2050.0, channel="backfill"), part(1, 1500.0, 4)])
        assert absorb(store) == 0 and len(store) == 2
