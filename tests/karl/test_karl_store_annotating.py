"""Annotations: which record of a session they go to, what they change, and that they stay."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from karl_stores import GOOD, by_calls, plain

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.store import Note, Store
from ebmhw.karl.trajectory import Outcome, ToolEvent, trajectory_id


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "karl.sqlite", scorer=by_calls, timeout=10) as opened:
        yield opened


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-01T10:00:00", "2026-03-01T10:30:00"),
        ("2026-03-01T10:00:00", "2026-03-01T10:54:59"),
        ("2026-03-01T10:00:00", "2026-03-01T10:55:00"),  # minutes do not go past 59
        ("2026-03-01T10:00:00", "2026-03-01T10:59:59"),
        ("2026-03-01T23:00:00", "2026-03-01T23:57:30"),
        ("2026-02-28T23:58:00", "2026-02-28T23:59:00"),
        ("2028-02-29T23:58:00", "2028-02-29T23:59:00"),
        ("2026-12-31T23:50:00", "2026-12-31T23:59:59"),
    ],
)
def test_the_window_ends_five_minutes_after_the_session(store: Store, start: str, end: str) -> None:
    store.put(plain(started_at=at(start), ended_at=at(end)))
    for moment, within in (
        (at(start) - 1, False),
        (at(start), True),
        (at(end), True),
        (at(end) + 60, True),
        (at(end) + 299, True),
        (at(end) + 300, True),
        (at(end) + 301, False),
        (at(end) + 3600, False),
    ):
        assert (store.annotate("s1", redo=True, at=moment) is not None) is within, moment - at(end)
    assert store.annotate("s2", redo=True, at=at(start)) is None


def test_times_come_as_texts_and_datetimes_too(store: Store) -> None:
    store.put(plain(started_at=at("2026-03-01T23:50:00"), ended_at=at("2026-03-01T23:58:00")))
    assert store.annotate("s1", redo=True, at="2026-03-02T00:02:59Z")
    assert store.annotate("s1", redo=True, at="2026-03-02T01:02:59+01:00")
    assert store.annotate("s1", redo=True, at=datetime(2026, 3, 2, 0, 3, tzinfo=timezone.utc))
    assert not store.annotate("s1", redo=True, at="2026-03-02T00:03:01Z")
    with pytest.raises(InvalidTrajectory, match="at of the note to 's1' is 'soon'; give Unix seconds"):
        store.annotate("s1", redo=True, at="soon")


BASE = datetime(2026, 12, 31, 22, 0, tzinfo=timezone.utc)
seconds = st.integers(0, 4 * 3600)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), seconds, st.integers(0, 3600)), min_size=1, max_size=5), st.sampled_from("ab"), seconds)
def test_the_last_record_within_its_window_is_meant(tmp_path: Path, parts: list[tuple[str, int, int]], session: str, moment: int) -> None:
    path = tmp_path / "windows.sqlite"
    path.unlink(missing_ok=True)
    when = BASE + timedelta(seconds=moment)
    expected = None
    with Store(path, scorer=by_calls) as store:
        made = []
        for number, (name, offset, length) in enumerate(parts):
            start = BASE + timedelta(seconds=offset)
            end = start + timedelta(seconds=length)
            identity = trajectory_id(name, number)
            made.append(plain(identity, session_id=name, started_at=start.timestamp(), ended_at=end.timestamp()))
            if name == session and start <= when <= end + timedelta(minutes=5) and (expected is None or start >= expected[0]):
                expected = start, identity
        store.put_many(made)
        found = store.annotate(session, correction=True, at=when.timestamp())
        assert (found and found.trajectory.id) == (expected and expected[1])
        corrected = [scored.trajectory.id for scored in store if scored.trajectory.outcome.correction]
        assert corrected == ([expected[1]] if expected else [])


def test_without_a_time_the_last_record_is_meant(store: Store) -> None:
    store.put_many(plain(f"traj_{number}", started_at=start) for number, start in enumerate((100.0, 300.0, 200.0, None)))
    assert store.annotate("s1", correction=True).trajectory.id == "traj_1"
    store.put(plain("traj_9", session_id="timeless"))
    assert store.annotate("timeless", correction=True).trajectory.id == "traj_9"
    assert store.annotate("timeless", correction=True, at=100.0) is None


def test_windows_of_sessions_with_odd_clocks(store: Store) -> None:
    def events(*times: float | None) -> tuple[ToolEvent, ...]:
        return tuple(ToolEvent("Bash", ts=time) for time in times)

    store.put(plain("traj_1", session_id="back", started_at=2000.0, ended_at=1000.0))  # the clock was set back
    store.put(plain("traj_2", session_id="open", started_at=2000.0, duration_s=500.0))
    store.put(plain("traj_3", session_id="calls").but(events=events(2000.0, None, 2600.0, 2500.0)))
    for session, first, last in (("back", 1000, 2300), ("open", 2000, 2800), ("calls", 2000, 2900)):
        inside = [moment for moment in range(500, 4000, 50) if store.annotate(session, redo=True, at=moment)]
        assert (inside[0], inside[-1]) == (first, last)


def test_flags_join_are_counted_and_scored(store: Store) -> None:
    store.put(plain(started_at=100.0, ended_at=200.0, outcome=Outcome(build=True)), GOOD, 2.0)
    scored = store.annotate("s1", correction=False, redo=False, continued=True, at=210.0)
    assert scored == store.get("traj_1")
    assert scored.trajectory.outcome == Outcome(False, False, True, True)
    assert scored.reward == by_calls(scored.trajectory) != GOOD and scored.advantage is None
    assert store.annotate("s1", correction=True, at=220.0).trajectory.outcome == Outcome(True, False, True, True, corrections=1)
    # What happened is not taken back, and the same correction is not counted twice.
    assert store.annotate("s1", correction=False, continued=False, at=230.0).trajectory.outcome == Outcome(True, False, True, True, corrections=1)
    store.put_scores([("traj_1", GOOD, 1.0)])
    again = store.annotate("s1", correction=True, at=220.0)
    assert again.trajectory.outcome.corrections == 1 and again[1:] == (GOOD, 1.0)
    assert store.annotate("s1", correction=True, at=221.0).trajectory.outcome.corrections == 2
    assert store.annotate("s1", correction=True).trajectory.outcome.corrections == 3
    assert not store.check()


def test_annotations_survive_longer_versions(store: Store) -> None:
    short = plain(started_at=100.0, ended_at=200.0)
    store.put(short)
    store.annotate("s1", correction=True, redo=False, at=210.0)
    longer = plain(calls=9, started_at=100.0, ended_at=300.0, outcome=Outcome(correction=False, redo=None, build=True, continued=False))
    assert store.put(longer, GOOD) == "updated"
    scored = store.get("traj_1")
    assert scored.trajectory == longer.but(outcome=Outcome(True, False, True, False, corrections=1))
    assert scored.reward == by_calls(scored.trajectory)  # the given one was of a session without corrections
    assert store.put(longer) == store.put(short) == "same"
    assert store.annotate("s1", correction=True, at=210.0).trajectory.outcome.corrections == 1
    # A longer version that counted the same corrections itself does not count them again.
    assert store.put(longer.but(events=plain(calls=12).events, tool_counts={}, outcome=Outcome(True, True, corrections=2))) == "updated"
    assert store.get("traj_1").trajectory.outcome == Outcome(True, True, True, False, corrections=2)


def test_many_notes_at_once(store: Store) -> None:
    store.put_many(plain(f"traj_{number}", session_id=f"s{number}", started_at=100.0, ended_at=200.0) for number in range(400))
    notes = [Note(f"s{number}", 250.0, correction=True) for number in range(400)] + [Note("s1", 501.0, redo=True), Note("nobody", redo=True)]
    done = store.annotate_many(notes)
    assert done.notes == 400 and len(done.records) == 400
    assert done.left == (Note("s1", 501.0, redo=True), Note("nobody", redo=True))
    assert all(scored.trajectory.outcome == Outcome(correction=True, corrections=1) for scored in store)
    again = store.annotate_many(notes[:400])
    assert (again.notes, again.records, again.left) == (400, frozenset(), ())
    assert store.annotate_many([]) == (0, frozenset(), ())


def test_notes_that_say_nothing_or_nonsense_are_refused(store: Store) -> None:
    store.put(plain())
    with pytest.raises(InvalidTrajectory, match="the note to 's1' says nothing; give correction, redo or continued"):
        store.annotate("s1")
    with pytest.raises(InvalidTrajectory, match="redo of the note to 's1' is 1; give True, False or None"):
        store.annotate("s1", redo=1)  # type: ignore[arg-type]
    with pytest.raises(InvalidTrajectory, match="session_id is None; give a text"):
        store.annotate_many([Note("s1", redo=True), Note(None, redo=True)])  # type: ignore[arg-type]
    assert store.get("traj_1").trajectory == plain()
