"""Telling a store what another system says: the records are those that rules make of the sessions, whatever comes first and however often."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from karl_stores import by_calls, plain

from ebmhw.karl.rules import Event, annotated, join, labelled
from ebmhw.karl.store import Store, tell
from ebmhw.karl.trajectory import Outcome, Trajectory

START = 1_800_000_000.0
MOMENTS = st.none() | st.integers(-2, 30).map(lambda tick: START + 100.0 * tick)
FLAGS = st.sampled_from((None, True, False))


@st.composite
def sessions(draw: st.DrawFn) -> list[Trajectory]:
    made = []
    for number in range(draw(st.integers(1, 6))):
        start = draw(MOMENTS)
        values = draw(
            st.sampled_from(({}, {"domain": "own"}, {"domain": "r", "label_source": "rules"}, {"skill": "s", "label_source": "invocation"}))
        )
        redo = draw(FLAGS)
        correction = draw(FLAGS)
        outcome = Outcome(correction=correction, redo=redo, corrections=draw(st.integers(1, 2)) if correction else 0)
        ended = None if start is None else start + draw(st.sampled_from((0.0, 250.0, 1500.0)))
        made.append(plain(f"traj_{number}", 2, session_id=draw(st.sampled_from("ab")), started_at=start, ended_at=ended, outcome=outcome, **values))
    return made


EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from("abc"),
        st.sampled_from(("routing", "invocation", "correction", "redo")),
        MOMENTS,
        st.sampled_from((None, "deploy", "css")),
        st.sampled_from((None, "infra", "web")),
    ),
    max_size=8,
)


@given(sessions(), EVENTS, st.integers())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_become_what_rules_make_of_the_sessions(tmp_path: Path, given_sessions: list[Trajectory], events: list[Event], seed: int) -> None:
    path = tmp_path / "told.sqlite"
    path.unlink(missing_ok=True)
    joined = join(events, given_sessions)
    expected = {one.id: annotated(labelled(one, None, joined.get(one.id, ())), joined.get(one.id, ())) for one in given_sessions}
    mixed = events.copy()
    random.Random(seed).shuffle(mixed)
    with Store(path, scorer=by_calls) as store:
        store.put_many(given_sessions)
        done = tell(store, events)
        assert {scored.trajectory.id: scored.trajectory for scored in store} == expected
        assert all(scored.reward == by_calls(scored.trajectory) for scored in store)
        assert done.records == {one.id for one in given_sessions if expected[one.id] != one}
        assert done.events == sum(map(len, joined.values())) and len(done.left) == len(events) - done.events
        assert sorted(map(repr, done.left)) == sorted(repr(one) for one in events if not any(one in own for own in joined.values()))
        again = tell(store, [one for one in mixed if one.kind in ("correction", "redo")])
        assert again.records == frozenset() and not store.check()


def test_what_was_told_stays_when_a_longer_version_comes(tmp_path: Path) -> None:
    with Store(tmp_path / "told.sqlite", scorer=by_calls) as store:
        store.put(plain(started_at=START, ended_at=START + 60, outcome=Outcome(correction=False, redo=False)))
        tell(store, [Event("s1", "correction", START + 300), Event("s1", "redo", START + 300), Event("s1", "routing", START, "deploy", "infra")])
        store.put(plain(calls=9, started_at=START, ended_at=START + 90, outcome=Outcome(correction=False, redo=False), domain="own"))
        (scored,) = store
        assert scored.trajectory.total_tools == 9 and scored.trajectory.outcome == Outcome(correction=True, redo=True, corrections=1)
        assert (scored.trajectory.skill, scored.trajectory.domain, scored.trajectory.label_source) == ("deploy", "infra", "routing")
        assert scored.reward == by_calls(scored.trajectory)


@pytest.mark.parametrize(("session", "found"), [("s\ud800", 1), ("s?", 1), ("s", 0)])
def test_names_of_sessions_are_those_of_the_records(tmp_path: Path, session: str, found: int) -> None:
    with Store(tmp_path / "told.sqlite", scorer=by_calls) as store:
        store.put(plain(session_id="s\ud800"))
        assert tell(store, [Event(session, "redo")]).events == found
