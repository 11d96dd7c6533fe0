"""Labels by priority, events joined by time, and inferred success."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.errors import InvalidTrajectory
from ebmhw.karl.moments import moment
from ebmhw.karl.rules import Event, Rule, Rules, annotated, join, labelled, success
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory

RULES = Rules((Rule("x", "ruled", "rules-domain"),))


def session(name="s", start=0.0, end=100.0, part=0, **more):
    return Trajectory(f"traj_{name}_{part}", name, started_at=start, ended_at=end, **more)


def routed(skill, ts=None, kind="routing"):
    return Event("s", kind, ts, skill, f"{skill}-domain")


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("routing", "invocation", "correction")),
        st.one_of(st.none(), st.integers(0, 3).map(float)),
        st.sampled_from((None, "a", "b")),
    ),
    max_size=5,
)


@settings(max_examples=200)
@given(EVENTS, st.booleans(), st.sampled_from(((None, None), ("rules", "own"), ("invocation", "own"), ("routing", "own"))))
def test_priority(drawn, matches, own):
    base = session(prompt="x" if matches else "y", label_source=own[0], skill=own[1], domain=own[1])
    found = labelled(base, RULES, [Event("s", kind, ts, skill) for kind, ts, skill in drawn])
    candidates = [(3, own[1], own[0])]
    if own[0]:
        candidates = [({"routing": 0, "invocation": 1, "rules": 2}[own[0]], own[1], own[0])]
    if matches:
        candidates.append((2, "ruled", "rules"))
    for place, kind in enumerate(("routing", "invocation")):
        told = [(ts is not None, ts, number, skill) for number, (other, ts, skill) in enumerate(drawn) if other == kind and skill]
        if told:
            last = sorted(told, key=lambda one: (one[0], one[1] or 0, one[2]))[-1]
            candidates.append((place, last[3], kind))
    # Of equal weight, what is found now replaces what stood there.
    best = min(candidates, key=lambda one: one[0])
    best = [one for one in candidates if one[0] == best[0]][-1]
    assert (found.skill, found.label_source) == (best[1], best[2])


def test_labels_of_rules():
    assert labelled(session(prompt="x"), RULES).domain == "rules-domain"
    nothing = session(prompt="y")
    assert labelled(nothing, RULES) is nothing and labelled(nothing) is nothing
    assert labelled(session(prompt="x"), Rules((Rule("x", "only"),))).domain is None
    # A benchmark's own domain stays.
    assert labelled(session(prompt="x", domain="airline"), RULES).domain == "airline"
    assert labelled(session(prompt="x", domain="airline"), RULES, [routed("r")]).domain == "r-domain"


def test_events_of_others():
    event = Event.of({"session_id": "s", "type": "routing_decision", "ts": "2026-03-14T16:55:00Z", "skill": "a", "domain": "", "more": 1})
    assert event == Event("s", "routing", moment("2026-03-14T16:55:00Z"), "a", None)
    assert Event.of({"session_id": "s", "kind": "redo"}) == Event("s", "redo")
    for data, match in (
        ([], r"the event is \[\]; give a JSON object"),
        ({"type": "redo"}, "session_id of an event is None"),
        ({"session_id": "s", "type": "chat"}, "type of an event of session 's' is 'chat'; give one of routing, .*invocation_record"),
        ({"session_id": "s", "type": "redo", "ts": "soon"}, "time of an event of session 's' is 'soon'; give a time such as"),
        ({"session_id": "s", "type": "redo", "skill": 3}, "skill of an event of session 's' is 3; give a text"),
    ):
        with pytest.raises(InvalidTrajectory, match=match):
            Event.of(data)


@pytest.mark.parametrize("minute", [0, 1, 30, 54, 55, 56, 57, 58, 59])
@pytest.mark.parametrize(("hour", "day"), [(0, 1), (12, 14), (23, 14), (23, 31)])
def test_windows_end_five_minutes_later_at_any_minute(minute, hour, day):
    """The paper's bridge sets the minute to at most 59, which cuts windows from minute 55 on."""
    end = datetime(2026, 3, day, hour, minute, 30, tzinfo=timezone.utc)
    one = session("s", (end - timedelta(minutes=10)).timestamp(), end.timestamp())

    def joined(later):
        return bool(join([Event("s", "correction", (end + later).timestamp())], [one]))

    assert joined(timedelta(0)) and joined(timedelta(minutes=4, seconds=59)) and joined(timedelta(minutes=5))
    assert not joined(timedelta(minutes=5, seconds=1)) and not joined(timedelta(minutes=-10, seconds=-1)) and joined(timedelta(minutes=-10))


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2000), st.one_of(st.none(), st.integers(-500, 700))), max_size=5),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("routing", "correction")), st.integers(-10, 3500)), max_size=10),
)
def test_every_event_is_about_one_session(sessions, drawn):
    made = [
        session(name, float(start), None if length is None else float(start + length), number)
        for number, (name, start, length) in enumerate(sessions)
    ]
    events = [Event(name, kind, float(ts)) for name, kind, ts in drawn]
    joined = join(iter(events), iter(made))
    by_id = {one.id: one for one in made}
    assert sum(map(len, joined.values())) <= len(events)

    def holds(one, event):
        end = max(one.started_at, one.started_at if one.ended_at is None else one.ended_at)
        return one.session_id == event.session_id and one.started_at <= event.ts <= end + 300

    for event in set(events):
        owners = [identity for identity, own in joined.items() if event in own]
        holding = [one for one in made if holds(one, event)]
        assert bool(owners) == bool(holding) and len(owners) <= 1
        if not owners:
            continue
        assert joined[owners[0]].count(event) == events.count(event)
        owner = by_id[owners[0]]
        before = [one for one in holding if one.started_at < event.ts]
        if event.kind == "correction" and before:
            assert owner.started_at == max(one.started_at for one in before)
        else:
            assert owner.started_at == max(one.started_at for one in holding)


def test_a_first_prompt_that_corrects_is_about_the_session_before():
    first, second = session("s", 0, 100), session("s", 150, 300, 1)
    events = [Event("s", "correction", 150.0), Event("s", "routing", 150.0, "a")]
    assert join(events, [first, second]) == {first.id: (events[0],), second.id: (events[1],)}


def test_clocks_that_jump_and_times_that_are_not_known():
    back = session("s", 1000.0, 10.0)
    assert join([Event("s", "redo", 1200.0)], [back]) and not join([Event("s", "redo", 500.0)], [back])
    lasting = session("s", 1000.0, None, duration_s=400.0)
    assert join([Event("s", "redo", 1650.0)], [lasting]) and not join([Event("s", "redo", 1701.0)], [lasting])
    timeless = Trajectory("traj_t", "s")
    assert join([Event("s", "redo", 5.0)], [timeless]) and join([Event("s", "redo")], [session()])
    # Of several, nobody knows which.
    assert not join([Event("s", "redo")], [session(), session(part=1)])
    assert not join([Event("other", "redo")], [timeless])


@given(trajectories(), st.lists(st.sampled_from(("correction", "redo", "routing")), max_size=5))
def test_events_annotate(base, kinds):
    found = annotated(base, [Event(base.session_id, kind) for kind in kinds])
    before, after = base.outcome, found.outcome
    assert after.correction == (True if "correction" in kinds else before.correction)
    assert after.redo == (True if "redo" in kinds else before.redo)
    assert after.corrections == max(before.corrections, kinds.count("correction"))
    assert (after.build, after.continued, after.verified) == (before.build, before.continued, before.verified)
    assert found.events == base.events
    if set(kinds) <= {"routing"}:
        assert found is base


@settings(max_examples=300)
@given(trajectories())
def test_success_is_inferred_in_this_order(base):
    found = success(base)
    known = [event.success for event in base.events if event.success is not None]
    outcome = base.outcome
    if outcome.build is not None:
        wanted = outcome.build
    elif outcome.correction is not None:
        wanted = not outcome.correction
    elif len(known) >= 3 and known.count(True) / len(known) >= 0.85:
        wanted = True
    elif len(known) >= 3 and known.count(True) / len(known) < 0.5:
        wanted = False
    else:
        wanted = True if outcome.continued else None
    assert found.value is wanted and found.reason


def test_success_at_its_limits():
    def of(good, bad, unknown=0, **outcome):
        events = [ToolEvent("Bash", {}, True)] * good + [ToolEvent("Bash", {}, False)] * bad + [ToolEvent("Bash")] * unknown
        return success(Trajectory("traj_a", "a", tuple(events), outcome=Outcome(**outcome)))

    assert of(17, 3) == (True, "17 of 20 calls succeeded (85% or more)")
    assert of(16, 4).value is None and of(1, 1).value is None and of(1, 1, continued=True) == (True, "the user went on")
    assert of(1, 2) == (False, "1 of 3 calls succeeded (below 50%)") and of(2, 2).value is None
    # Calls of unknown success are no failures, as they are in the paper's code.
    assert of(3, 0, 100).value is True and of(2, 0, 100).value is None
    assert of(9, 0, build=False) == (False, "its last build failed") and of(9, 0, correction=True) == (False, "the user corrected it")
    assert of(1, 2, correction=False) == (True, "the user did not correct it")
    assert of(0, 9, verified=1.0).value is False
