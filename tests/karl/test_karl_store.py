"""What a store keeps of sessions and their versions, how it is asked, and by whom."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from karl_cases import trajectories
from karl_stores import GOOD, HALF, by_calls, in_a_fresh_python, kept, plain

from ebmhw.errors import InvalidTrajectory, StoreError
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.record import Scored, from_record
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.rules import Rules, labelled
from ebmhw.karl.store import Store
from ebmhw.karl.trajectory import GLOBAL, Outcome, ToolEvent, Trajectory, Turn


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "karl.sqlite", scorer=by_calls, timeout=10) as opened:
        yield opened


scores = st.one_of(st.none(), st.tuples(*[st.floats(0, 1)] * 6).map(lambda values: Reward(*values)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(trajectories(), scores, st.one_of(st.none(), st.floats(-9, 9))), max_size=6, unique_by=lambda item: item[0].id))
def test_round_trip(tmp_path: Path, items: list[tuple[Trajectory, Reward | None, float | None]]) -> None:
    path = tmp_path / "round.sqlite"
    path.unlink(missing_ok=True)
    with Store(path, scorer=by_calls) as store:
        assert store.put_many(Scored(*item) for item in items) == (len(items), 0, 0)
        expected = [Scored(kept(trajectory), reward or by_calls(kept(trajectory)), advantage) for trajectory, reward, advantage in items]
        assert list(store) == expected
        assert [store.get(item[0].id) for item in items] == expected
        assert store.put_many(expected) == (0, 0, len(items))
        assert store.export_jsonl(tmp_path / "round.jsonl") == len(items)
        assert not store.check()
    copy = tmp_path / "copy.sqlite"
    copy.unlink(missing_ok=True)
    own = [by_calls(scored.trajectory) for scored in expected]
    told: list[Problem] = []
    with Store(copy, scorer=by_calls) as store:
        assert store.import_jsonl(tmp_path / "round.jsonl", on_problem=told.append) == (len(items), 0, 0, 0, 0)
        assert list(store) == [
            Scored(one.trajectory, reward, one.advantage if one.reward == reward else None) for one, reward in zip(expected, own, strict=True)
        ]
        assert len(told) == sum(one.reward != reward for one, reward in zip(expected, own, strict=True))
        assert store.import_jsonl(tmp_path / "round.jsonl", on_problem=told.append) == (0, 0, len(items), 0, 0)


def test_more_events_than_the_schema_allows(store: Store, tmp_path: Path) -> None:
    long = plain(calls=173, tool_counts={"Bash": 180}, turns=(Turn("user", "é𝄞\0"),))
    store.put(long)
    assert store.get(long.id).trajectory == long
    store.export_jsonl(tmp_path / "out.jsonl")
    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert len(record["trajectory"]["events"]) == 50
    assert from_record(record).trajectory == long


def test_half_a_surrogate_pair_becomes_a_question_mark(store: Store) -> None:
    store.put(plain(session_id="s\ud800", prompt="a\udfff", user="\ud83d", turns=(Turn("user", "\udc00"),)))
    (scored,) = store
    assert (scored.trajectory.session_id, scored.trajectory.prompt, scored.trajectory.user, scored.trajectory.turns[0].text) == ("s?", "a?", "?", "?")
    assert store.annotate("s\ud800", redo=True) is not None
    assert store.count(user="\ud83d") == 1
    assert not store.check()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trajectories(), st.data())
def test_versions_of_a_session_in_any_order_keep_the_longest(tmp_path: Path, whole: Trajectory, data: st.DataObject) -> None:
    """Prefixes of a session, as a tap or a reader sees them while it goes on."""
    whole = kept(whole)
    cuts = [*data.draw(st.lists(st.integers(0, len(whole.events)), min_size=1, max_size=4)), len(whole.events)]
    order = data.draw(st.permutations(cuts))
    path = tmp_path / "versions.sqlite"
    path.unlink(missing_ok=True)
    with Store(path, scorer=by_calls) as store:
        for cut in order:
            store.put(whole.but(events=whole.events[:cut], tool_counts={}))
        assert list(store) == [Scored(whole, by_calls(whole), None)]


def test_an_older_version_never_replaces_but_adds_what_only_it_knows(store: Store) -> None:
    newer = plain(calls=3, ended_at=200.0, started_at=100.0, outcome=Outcome(build=True))
    assert store.put(newer) == "added"
    older = plain(calls=2, ended_at=150.0, started_at=100.0, user="ann", prompt="please", outcome=Outcome(build=False, redo=True, verified=0.5))
    assert store.put(older, GOOD) == "updated"
    found = store.get("traj_1")
    assert found.trajectory == newer.but(user="ann", prompt="please", outcome=Outcome(build=True, redo=True, verified=0.5))
    # The given reward is of what was not kept.
    assert found.reward == by_calls(found.trajectory)
    assert store.put(older) == store.put(newer) == "same"
    # Of equally long versions the later one counts.
    assert store.put(newer.but(outcome=Outcome(build=False))) == "updated"
    assert store.get("traj_1").trajectory.outcome == Outcome(build=False, redo=True, verified=0.5)


def test_an_id_of_another_session_replaces_nothing(store: Store) -> None:
    store.put(plain())
    before = list(store)
    for attempt in (lambda: store.put(plain(calls=99, session_id="other")), lambda: store.put_many([plain(calls=99, session_id="other")])):
        with pytest.raises(InvalidTrajectory, match="traj_1 is of the session 'other', the store's record of that id of 's1'; nothing of it"):
            attempt()
    assert list(store) == before
    assert store.put(plain(calls=99)) == "updated"


def test_the_time_of_recording_is_the_first(store: Store) -> None:
    store.put(plain(recorded_at=100.0))
    assert store.put(plain(recorded_at=200.0)) == "same"
    assert store.put(plain(calls=5, recorded_at=300.0)) == "updated"
    assert store.get("traj_1").trajectory.recorded_at == 100.0


def test_scores_stay_until_what_they_are_of_changes(store: Store) -> None:
    first = plain(domain="web", label_source="rules")
    store.put(first, GOOD, 1.5)
    assert store.put(first) == "same"
    assert store.get("traj_1")[1:] == (GOOD, 1.5)
    assert store.put(first.but(user="ann")) == "updated"
    assert store.get("traj_1")[1:] == (GOOD, 1.5)
    assert store.put(first, HALF) == "updated"  # the advantage was of the other reward
    assert store.get("traj_1")[1:] == (HALF, None)
    store.put_scores([("traj_1", GOOD, -0.5)])
    assert store.get("traj_1")[1:] == (GOOD, -0.5)
    assert store.put(first.but(domain="ml", user="ann")) == "updated"  # nor is an advantage one in another domain
    assert store.get("traj_1")[1:] == (GOOD, None)
    longer = first.but(events=plain(calls=9).events, tool_counts={}, domain="ml")
    assert store.put(longer) == "updated"
    assert store.get("traj_1")[1:] == (by_calls(longer), None)
    assert store.put(longer, HALF, 2.0) == "updated"
    assert store.get("traj_1")[1:] == (HALF, 2.0)


def test_the_package_scores_what_comes_without_scores(tmp_path: Path) -> None:
    from ebmhw.karl.reward import score

    with Store(tmp_path / "s.sqlite") as store:
        store.put(plain())
        assert store.get("traj_1").reward == score(plain())


def test_put_scores_is_all_or_nothing(store: Store) -> None:
    store.put_many([plain("traj_1"), plain("traj_2", session_id="s2")])
    before = list(store)
    with pytest.raises(InvalidTrajectory, match="no record 'traj_3'; give ids"):
        store.put_scores([("traj_1", GOOD, None), ("traj_3", GOOD, None)])
    with pytest.raises(InvalidTrajectory, match="reward of traj_1 is nan; give a number from 0 to 1"):
        store.put_scores([("traj_1", GOOD._replace(total=float("nan")), None)])
    with pytest.raises(InvalidTrajectory, match="advantage of traj_1 is inf"):
        store.put_scores([("traj_1", GOOD, float("inf"))])
    assert list(store) == before
    assert store.put_scores([("traj_2", GOOD, 3.0)]) == 1
    assert store.get("traj_2")[1:] == (GOOD, 3.0)


def test_filters(store: Store) -> None:
    store.put(plain("traj_1", domain="web", user="ann", started_at=100.0, ended_at=150.0, outcome=Outcome(verified=1.0)), HALF)
    store.put(plain("traj_2", session_id="s2", user="bob", started_at=200.0, task="t"), HALF)
    store.put(plain("traj_3", session_id="s3", domain="web", skill="css", agent="codex", model="m"), HALF)

    def found(**filters: object) -> list[str]:
        ids = [scored.trajectory.id[-1] for scored in store.trajectories(**filters)]
        assert len(ids) == store.count(**filters) == len(store.ids(**filters))
        return ids

    assert found() == ["1", "2", "3"]
    assert found(domain="web") == ["1", "3"] and found(domain=GLOBAL) == ["2"]
    assert found(user="ann") == ["1"] and found(task="t") == ["2"] and found(skill="css", agent="codex", model="m") == ["3"]
    assert found(since=100) == ["1", "2"] and found(since="1970-01-01T00:02:00Z") == ["2"] and found(until=200) == ["1"]
    assert found(verified=True) == ["1"] and found(verified=False) == ["2", "3"]
    assert found(session_id="s2") == ["2"] and found(scored=True) == ["1", "2", "3"] and found(scored=False) == []
    assert store.hold_out(["traj_1"]) == 1 and store.hold_out(["traj_1"]) == 0
    assert store.mark_trained(["traj_3"], at=500.0) == 1
    assert found(held_out=True) == ["1"] and found(held_out=False) == ["2", "3"] and store.held_out() == {"traj_1"}
    assert found(trained=True) == ["3"] and store.trained_at("traj_3") == 500.0 and store.trained_at("traj_1") is None
    assert store.domains() == {GLOBAL: (1, 1, 0, 0, 0.5), "web": (2, 2, 1, 1, 0.5)}
    with pytest.raises(TypeError, match="no filter colour; filters are domain"):
        store.trajectories(colour="red")
    with pytest.raises(InvalidTrajectory, match="since is 'yesterday'; give Unix seconds"):
        store.trajectories(since="yesterday")
    assert "traj_1" in store and "traj_9" not in store and 1 not in store
    assert store.delete(["traj_1", "traj_9"]) == 1 and len(store) == 2


def test_states_survive_updates_and_files(store: Store, tmp_path: Path) -> None:
    store.put(plain())
    store.hold_out(["traj_1"])
    store.mark_trained(["traj_1"], at=1234.5)
    store.put(plain(calls=9))
    assert store.held_out() == {"traj_1"} and store.trained_at("traj_1") == 1234.5
    store.export_jsonl(tmp_path / "s.jsonl")
    with Store(tmp_path / "other.sqlite", scorer=by_calls) as other:
        other.put(plain(calls=20))
        assert other.import_jsonl(tmp_path / "s.jsonl") == (0, 1, 0, 0, 0)
        assert other.held_out() == {"traj_1"} and other.trained_at("traj_1") == 1234.5
        assert other.get("traj_1").trajectory.total_tools == 20
    assert store.hold_out(["traj_1"], held=False) == 1 and store.held_out() == frozenset()
    with pytest.raises(InvalidTrajectory, match="no record 'traj_2'"):
        store.hold_out(["traj_1", "traj_2"])
    with pytest.raises(InvalidTrajectory, match="give a list of ids"):
        store.hold_out("traj_1")
    assert store.held_out() == frozenset()


def test_relabelling_by_weight(store: Store) -> None:
    store.put(plain("traj_1", domain="old", skill="s", label_source="routing"), HALF, 1.0)
    store.put(plain("traj_2", domain="old", label_source="rules"), HALF, 1.0)
    store.put(plain("traj_3"), HALF, 1.0)
    store.put(plain("traj_4", prompt="nothing", domain="own", label_source="rules"), HALF, 1.0)
    seen = []

    def rules(trajectory: Trajectory) -> tuple[str | None, str | None, str] | None:
        seen.append(trajectory.id)
        return None if trajectory.prompt == "nothing" else ("css", "web", "rules")

    assert store.relabel(rules) == 2
    assert len(seen) == 4
    labels = {scored.trajectory.id: (scored.trajectory.skill, scored.trajectory.domain, scored.advantage) for scored in store}
    assert labels == {
        "traj_1": ("s", "old", 1.0),
        "traj_2": ("css", "web", None),
        "traj_3": ("css", "web", None),
        "traj_4": (None, "own", 1.0),
    }
    assert store.relabel(rules) == 0
    assert store.relabel(lambda _: ("deploy", "infra", "routing"), domain="web") == 2
    # A label by routing survives a longer version that rules labelled.
    store.put(plain("traj_3", calls=30, domain="ml", skill="torch", label_source="rules"))
    found = store.get("traj_3").trajectory
    assert (found.skill, found.domain, found.label_source, found.total_tools) == ("deploy", "infra", "routing", 30)
    with pytest.raises(InvalidTrajectory, match="the label of traj_1 is 3; give"):
        store.relabel(lambda _: 3)
    assert not store.check()


def test_rules_label_stored_sessions_as_they_label_those_that_are_read(store: Store) -> None:
    rules = Rules.of([{"pattern": "c1$", "domain": "web", "skill": "css"}, {"pattern": "c3$", "skill": "torch"}])
    cases = {
        "own": {"domain": "airline"},
        "blank": {},
        "guess": {"domain": "ml", "label_source": "rules"},
        "told": {"skill": "s", "label_source": "routing"},
    }
    sessions = [plain(f"traj_{name}_{calls}", calls, **values) for name, values in cases.items() for calls in (1, 2, 9)]
    sessions.append(plain("traj_other", 2, domain="d", label_source="elsewhere"))
    store.put_many(sessions)
    changed = sum(labelled(one, rules) != one for one in sessions)
    assert store.relabel(rules) == changed > 3
    assert [scored.trajectory for scored in store] == [kept(labelled(one, rules)) for one in sessions]
    assert store.get("traj_own_2").trajectory.domain == "airline" and store.get("traj_blank_1").trajectory.domain is None
    assert store.relabel(rules) == 0
    # Functions guess no better.
    assert store.relabel(lambda _: ("x", "guessed", "rules"), domain="airline") == 0
    assert store.relabel(lambda _: ("x", "told", "invocation"), domain="airline") == 3


@pytest.mark.parametrize("value", [1.0 + 2**-52, -1e-17, 1.0, 0.0])
def test_a_scorer_that_rounds_beyond_the_ends_is_at_them(tmp_path: Path, value: float) -> None:
    with Store(tmp_path / "karl.sqlite", scorer=lambda _: HALF._replace(total=value, process=value)) as store:
        store.put(plain())
        store.put_many([plain("traj_2", session_id="s2")])
        store.annotate("s2", redo=True)
        expected = HALF._replace(total=round(value), process=round(value))
        assert [scored.reward for scored in store] == [expected] * 2
        assert store.put_scores((scored.trajectory.id, scored.reward, None) for scored in store) == 2


@pytest.mark.parametrize("value", [1.001, -0.5, float("nan"), "much"])
def test_a_scorer_whose_rewards_are_none_is_refused(tmp_path: Path, value: object) -> None:
    with Store(tmp_path / "karl.sqlite", scorer=lambda _: HALF._replace(total=value)) as store:
        for attempt in (lambda: store.put(plain()), lambda: store.put_many([plain()])):
            with pytest.raises(InvalidTrajectory, match=r"reward of traj_1 is .*; give a number from 0 to 1"):
                attempt()
        assert len(store) == 0


def test_what_is_no_trajectory_is_refused_and_leaves_nothing(store: Store) -> None:
    for wrong, text in (
        (plain("session_1"), "starts with traj_"),
        (plain(outcome=Outcome(verified=float("nan"))), "verified is nan"),
        (plain(channel="radio"), "channel is 'radio'"),
        (plain(session_id=None), "session_id is None"),
        (plain().but(events=(ToolEvent("Bash", exit_code=2**80),)), "exit_code"),
        (None, "None is no trajectory"),
    ):
        with pytest.raises(InvalidTrajectory, match=text):
            store.put(wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidTrajectory, match="outcome of traj_1 is 2"):
        store.put(plain(), GOOD._replace(outcome=2))
    assert len(store) == 0


def test_a_huge_count_of_calls(store: Store) -> None:
    many = plain(tool_counts={"Bash": 2**62, "Read": 2**62, "Edit": 2**62})
    store.put(many)
    assert store.get("traj_1").trajectory == many
    assert not store.check()


def test_iteration_is_a_snapshot_and_streams(store: Store, tmp_path: Path) -> None:
    store.put_many(plain(f"traj_{number}", session_id=f"s{number}") for number in range(600))
    rows = iter(store)
    first = next(rows)
    with Store(store.path, scorer=by_calls) as other:
        other.put_many(plain(f"traj_{number}", calls=7, session_id=f"s{number}") for number in range(0, 1200, 2))
        other.delete(["traj_599"])
    rest = list(rows)
    assert [scored.trajectory.id for scored in (first, *rest)] == [f"traj_{number}" for number in range(600)]
    assert {scored.trajectory.total_tools for scored in rest} == {2}
    assert len(store) == 899
    next(iter(store))  # one that is left alone does not hold the file


def test_threads_take_turns(store: Store) -> None:
    faults: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(25):
                store.put(plain(f"traj_{thread}_{number}", session_id=f"{thread}"))
                store.annotate(f"{thread}", redo=True)
                assert sum(1 for _ in store.trajectories(session_id=f"{thread}")) == number + 1
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(store) == 100 and not store.check()


FORKED = """
    store = Store(sys.argv[1], scorer=by_calls, timeout=10)
    store.put(plain("traj_1"))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.put(plain("traj_2"))
            status = 0 if len(store) == 2 else 2
            store.close()
            store.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.put(plain("traj_3"))
    assert store.ids() == ["traj_1", "traj_2", "traj_3"]
    assert not store.check()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_a_connection_of_its_own(tmp_path: Path) -> None:
    in_a_fresh_python(FORKED, tmp_path / "karl.sqlite")


def test_another_host_is_refused_and_told(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(plain())
    monkeypatch.setenv("KARL_CANONICAL_WRITER", "writer-host")
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    for attempt in (
        lambda: store.put(plain(calls=9)),
        lambda: store.put_many([plain(calls=9)]),
        lambda: store.annotate("s1", correction=True),
        lambda: store.put_scores([("traj_1", GOOD, None)]),
        lambda: store.delete(["traj_1"]),
        lambda: Store(tmp_path / "new.sqlite"),
    ):
        with pytest.raises(StoreError, match=r"this host is laptop, the store's only writer is writer-host .* leave the session in the spool"):
            attempt()
    assert not (tmp_path / "new.sqlite").exists()
    assert store.get("traj_1").trajectory == plain()  # reading goes on
    with Store(store.path, read_only=True) as read:
        assert len(read) == 1
    monkeypatch.setattr(socket, "gethostname", lambda: "Writer-Host")
    assert store.put(plain(calls=9)) == "updated"


def test_read_only(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such store"):
        Store(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(StoreError, match="empty or of an earlier version"):
        Store(tmp_path / "empty.sqlite", read_only=True)
    store.put(plain())
    with Store(store.path, read_only=True) as read:
        with pytest.raises(StoreError, match=r"karl\.sqlite: the store was opened with read_only=True, nothing was stored"):
            read.put(plain(calls=9))
        store.put(plain(calls=9))
        assert read.get("traj_1").trajectory.total_tools == 9


def test_the_home_is_made_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBMHW_KARL_HOME", str(tmp_path / "a" / "b c%20#?"))
    with Store(scorer=by_calls) as store:
        assert store.path == tmp_path / "a" / "b c%20#?" / "trajectories.sqlite"
        store.put(plain())
        assert {path.name for path in store.path.parent.iterdir()} == {f"trajectories.sqlite{end}" for end in ("", "-wal", "-shm", "-file")}
        if os.name == "posix":
            assert {path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()} == {0o600}
    with Store(scorer=by_calls) as store:
        assert len(store) == 1


def test_a_closed_store_says_so(store: Store) -> None:
    rows = iter(store)
    store.close()
    store.close()
    for attempt in (lambda: len(store), lambda: store.put(plain()), lambda: list(rows), lambda: store.get("traj_1")):
        with pytest.raises(StoreError, match="the store is closed; open it again"):
            attempt()


def test_it_needs_the_standard_library_only(tmp_path: Path) -> None:
    program = """
import sys
from ebmhw.karl import Store
from ebmhw.karl.store.endurance import session
with Store(sys.argv[1]) as store:
    store.put(session(0, 0, 3))
    store.annotate("w0-0", correction=True)
    store.export_jsonl(sys.argv[2])
    assert store.import_jsonl(sys.argv[2]) == (0, 0, 1, 0, 0)
    assert not store.check()
print(sorted({"numpy", "scipy", "dimod", "click", "yaml"} & set(sys.modules)))
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "s.sqlite"), str(tmp_path / "s.jsonl")], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout == "[]\n"
