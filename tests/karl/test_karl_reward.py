"""Rewards: judged by a second model written from the formulas of the specification, event by event."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.bench.karl.scores import sessions
from ebmhw.errors import ConfigError
from ebmhw.karl.commands import runs_build, runs_tests
from ebmhw.karl.record import from_record, to_record
from ebmhw.karl.reward import SIGNALS, WEIGHTS, parts, score, suspicions, weighted
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory

MUTATING = ("Edit", "Write", "NotebookEdit")


def plain_signals(session, guard=True):
    """The formulas as they stand in the text."""
    events, counts = session.events, session.tool_counts
    n = len(events)

    outcome = 0.5
    said = session.outcome
    for value, if_no, if_yes in ((said.correction, 0.35, -0.35), (said.redo, 0.25, -0.25), (said.build, -0.10, 0.20), (said.continued, 0, 0.20)):
        if value is not None:
            outcome += if_yes if value else if_no
    outcome = sorted((0, outcome, 1))[1]

    process = 0.5
    if n:
        weights = [0.5 + i / max(n - 1, 1) for i in range(n)]
        s = sum(w for w, event in zip(weights, events, strict=True) if event.success is not False) / sum(weights)
        bash = [event for event in events if event.tool == "Bash"]
        errors = [e for e in bash if (e.exit_code is not None and e.exit_code != 0) or (e.exit_code is None and e.success is False)]
        b = 1 - len(errors) / len(bash) if bash else 1
        text = "".join("x" if event.success is False else "." for event in events)
        m = max(map(len, text.split(".")))
        d = 1 if m < 3 else max(0, 1 - 0.15 * (m - 2))
        late = max(0, 1 - 0.15 * text[-max(1, n // 4) :].count("x"))
        process = 0.40 * s + 0.25 * b + 0.20 * d + 0.15 * late

    efficiency = 0.5
    total = sum(counts.values())
    if total:
        shares = [count / total for count in counts.values() if count]
        h = 0.3 if len(shares) == 1 else -sum(p * math.log2(p) for p in shares) / math.log2(len(shares))
        if session.duration_s is None or session.duration_s <= 0:
            t = 0.5
        else:
            q = total / (session.duration_s / 60)
            t = 1 if 2 <= q <= 8 else 0.8 if q > 8 else 0.6 if q >= 1 else max(0.2, 0.5 - 0.3 * (1 - q))
        f = min(1, sum(counts.get(tool, 0) for tool in MUTATING) / max(0.3 * total, 1))
        efficiency = 0.35 * h + 0.35 * t + 0.30 * f

    if not n:
        verification = 0.5
    elif not any(counts.get(tool) for tool in MUTATING):
        verification = 0.6
    else:
        lines = [(event.params.get("command", ""), event) for event in events if event.tool == "Bash"]
        empty = [
            event
            for _, event in lines
            if event.tests == 0
            or (event.tests is None and event.exit_code == 5 and any(name in event.params["command"] for name in ("pytest", "unittest")))
        ]
        tested = any(runs_tests(line) and not (guard and any(event is e for e in empty)) for line, event in lines)
        again = False
        for place, event in enumerate(events):
            path = event.params.get("file_path")
            again |= event.tool == "Read" and bool(path) and any(e.tool in MUTATING and e.params.get("file_path") == path for e in events[:place])
        verification = 0.4 * tested + 0.3 * any(runs_build(line) for line, _ in lines) + 0.3 * again

    consistency = 0.6
    if n >= 3:
        writes, known, edited = 0, 0, []
        for place, event in enumerate(events):
            path = event.params.get("file_path")
            if event.tool not in MUTATING or not path:
                continue
            edited.append(path)
            before = [e.tool for e in events[:place] if e.params.get("file_path") == path and e.tool in ("Read", *MUTATING)]
            created = event.created
            if created is None:
                created = event.tool == "Write" and event.success is not False and not before
            if not created:
                writes += 1
                known += "Read" in before
        thrashed = sum(edited.count(path) >= 3 for path in set(edited))
        consistency = 0.6 * (known / writes if writes else 0.5) + 0.4 * max(0, 1 - 0.2 * thrashed)
    return outcome, process, efficiency, verification, consistency


@given(trajectories(max_events=16), st.booleans(), st.integers(0, 40))
def test_score_follows_the_formulas(session, guard, more):
    if more > 20:
        # More calls than are kept.
        session = session.but(tool_counts={**session.tool_counts, "Bash": session.tool_counts.get("Bash", 0) + more, "Edit": more % 3})
    found = score(session, guard=guard)
    want = plain_signals(session, guard)
    assert found.signals == pytest.approx(want, abs=1e-12)
    assert found.total == pytest.approx(sum(WEIGHTS[name] * value for name, value in zip(SIGNALS, want, strict=True)), abs=1e-12)
    assert all(0 <= value <= 1 for value in found)


def test_long_sessions_follow_the_formulas():
    for session in sessions(20, seed=4):
        assert score(session).signals == pytest.approx(plain_signals(session), abs=1e-12)


@given(trajectories())
def test_scores_stand_in_records(session):
    found = score(session)
    back = from_record(to_record(session, found))
    assert back.reward == found
    assert score(back.trajectory) == found


@given(trajectories())
def test_parts_make_the_signals(session):
    told = parts(session)
    found = score(session)
    if told["S"] is not None:
        assert found.process == pytest.approx(0.4 * told["S"] + 0.25 * told["B"] + 0.2 * told["D"] + 0.15 * told["L"])
        assert found.efficiency == pytest.approx(0.35 * told["H"] + 0.35 * told["T"] + 0.3 * told["F"])
    if told["tested"] is not None:
        assert found.verification == pytest.approx(0.4 * told["tested"] + 0.3 * told["built"] + 0.3 * told["read_after_write"])
    if told["steady"] is not None:
        assert found.consistency == pytest.approx(0.6 * told["read_before_write"] + 0.4 * told["steady"])
    assert all(value is None or 0 <= value <= 1 for value in told.values())


def session_of(*events, **members):
    return Trajectory("traj_x", "x", tuple(events), **members)


def shell(line, **members):
    return ToolEvent("Bash", {"command": line}, **members)


def on(tool, path, **members):
    return ToolEvent(tool, {"file_path": path}, **members)


def test_an_empty_session_is_neutral():
    assert score(session_of()) == pytest.approx((0.3 * 0.5 + 0.25 * 0.5 + 0.15 * (0.5 + 0.5 + 0.6), 0.5, 0.5, 0.5, 0.5, 0.6))


def test_an_unknown_exit_code_is_no_error():
    assert parts(session_of(shell("ls"), shell("ls", success=True)))["B"] == 1
    assert parts(session_of(shell("ls", success=False), shell("ls", exit_code=0)))["B"] == 0.5
    assert parts(session_of(shell("ls", exit_code=2)))["B"] == 0


def test_reading_after_writing_is_worth_three_tenths():
    assert score(session_of(on("Edit", "a"), on("Read", "a"))).verification == pytest.approx(0.3)
    assert score(session_of(on("Edit", "a"), on("Read", "b"))).verification == 0
    assert score(session_of(on("Read", "a"), on("Edit", "a"))).verification == 0
    assert score(session_of(ToolEvent("Edit"), ToolEvent("Read"))).verification == 0


@pytest.mark.parametrize("told", [True, None])
def test_creating_a_file_is_no_unread_write(told):
    listed = shell("ls")
    created = session_of(on("Write", "new", created=told, success=True), listed, listed)
    assert parts(created)["read_before_write"] == 0.5
    assert parts(session_of(on("Read", "a"), on("Edit", "a"), on("Write", "new", created=told)))["read_before_write"] == 1
    assert parts(session_of(on("Write", "old", created=False), listed, listed))["read_before_write"] == 0
    assert parts(session_of(on("Edit", "old"), listed, listed))["read_before_write"] == 0
    assert parts(session_of(on("Write", "new", success=False), listed, listed))["read_before_write"] == 0
    assert parts(session_of(on("Write", "new"), on("Write", "new"), listed))["read_before_write"] == 0


def test_make_test_is_no_build_and_other_runners_count():
    edit = on("Edit", "a")
    assert score(session_of(edit, shell("make test"))).verification == pytest.approx(0.4)
    for line in ("python -m unittest", "tox", "ctest", "npm run test"):
        assert score(session_of(edit, shell(line))).verification == pytest.approx(0.4)
    for line in ("echo pytest", "pip install pytest", "pytest --version", "pytest --help"):
        assert score(session_of(edit, shell(line))).verification == 0


@pytest.mark.parametrize("run", [shell("pytest", tests=0), shell("pytest", exit_code=5), shell("npx jest", exit_code=1, tests=0)])
def test_a_test_run_without_tests_earns_nothing(run):
    session = session_of(on("Edit", "a"), run)
    assert score(session).verification == 0
    assert score(session, guard=False).verification == pytest.approx(0.4)
    assert score(session_of(on("Edit", "a"), run, shell("pytest", tests=3))).verification == pytest.approx(0.4)
    assert suspicions(session) == ("1 test run of 1 ran no test",)


def test_tests_that_ran_are_no_empty_run_whatever_the_exit_code():
    assert score(session_of(on("Edit", "a"), shell("pytest; ./x", exit_code=5, tests=2))).verification == pytest.approx(0.4)


def test_suspicions_name_what_was_found():
    session = session_of(
        shell("pytest || true"),
        shell("pytest --version"),
        shell("rm -rf tests/test_parser.py"),
        *(shell("git status") for _ in range(10)),
        outcome=Outcome(build=True),
    )
    found = suspicions(session)
    assert [text.split(" ")[0] for text in found] == ["1"] * 4
    assert "version" in found[0]
    assert "|| true" in found[1]
    assert "removed test files" in found[2]
    assert "10 times" in found[3]
    assert suspicions(session_of(shell("ls"), outcome=Outcome(build=True))) == ("the build is said to have passed, but no command builds or tests",)
    assert suspicions(session_of(shell("make", exit_code=0), shell("pytest", tests=4), outcome=Outcome(build=True))) == ()


@given(trajectories())
def test_suspicions_are_texts(session):
    assert all(isinstance(text, str) and text for text in suspicions(session))


@pytest.mark.parametrize("duration", [0.0, -5.0, float("nan")])
def test_a_duration_of_nothing_is_unknown(duration):
    session = session_of(shell("ls"), duration_s=duration)
    assert parts(session)["T"] == 0.5


def test_weighted_renormalises():
    signals = (0.1, 0.5, 0.25, 1.0, 0.0)
    assert weighted(signals) == pytest.approx(sum(WEIGHTS[name] * value for name, value in zip(SIGNALS, signals, strict=True)))
    assert weighted(signals, {"outcome": 3, "process": 1}) == pytest.approx((0.3 + 0.5) / 4)
    assert weighted(dict(zip(SIGNALS, signals, strict=True)), {"verification": 0.5}) == 1
    with pytest.raises(ConfigError, match="'speed'; the signals are outcome, process"):
        weighted(signals, {"speed": 1})
    with pytest.raises(ConfigError, match=r"weight of process is -1; give a number of 0 or more"):
        weighted(signals, {"process": -1})
    with pytest.raises(ConfigError, match="all weights are 0"):
        weighted(signals, {"process": 0})


def test_sessions_of_the_bench_have_distinct_commands():
    made = list(sessions(40, seed=1))
    assert made == list(sessions(40, seed=1))
    lines = [event.params["command"] for session in made for event in session.events if event.tool == "Bash"]
    assert all(session.total_tools == 75 for session in made)
    assert len(set(lines)) > 0.95 * len(lines)
    assert any(map(runs_tests, lines))
    assert not all(map(runs_tests, lines))


def test_a_shuffled_session_is_worth_something_else():
    """The negative control of the order: signals that look at it must see it."""
    session = next(iter(sessions(1, seed=2)))
    events = list(session.events)
    random.Random(1).shuffle(events)
    assert score(session.but(events=tuple(events))) != score(session)
    assert score(session.but(events=tuple(events))).efficiency == score(session).efficiency


def test_the_exit_code_5_is_that_of_pytest_only():
    """Five failing tests are mocha's 5; no test at all is pytest's."""
    for command, tested in (("pytest -q", 0.0), ("python -m unittest", 0.0), ("npx mocha", 1.0), ("cargo test", 1.0)):
        calls = (ToolEvent("Edit", {"file_path": "a"}, True), ToolEvent("Bash", {"command": command}, False, 5))
        assert parts(Trajectory("traj_a", "a", calls))["tested"] == tested, command


@pytest.mark.parametrize(
    ("command", "code", "tested"),
    [
        ("pytest nofile", 4, 0.0),
        ("bazel test //...", 4, 0.0),
        ("npx mocha", 4, 1.0),
        ("python -m unittest", 4, 1.0),
        ("pytest", 127, 0.0),
        ("pytest", 126, 0.0),
        ("pytest; ./deploy", 127, 1.0),
        ("timeout 9 pytest", 124, 1.0),
        ("timeout 9 pytest", 137, 1.0),
        ("pytest", 2, 1.0),
        ("true || pytest", 0, 0.0),
    ],
)
def test_exit_codes_that_say_that_no_test_ran(command, code, tested):
    edit = on("Edit", "a")
    assert parts(session_of(edit, shell(command, exit_code=code)))["tested"] == tested
    # What the output said weighs more.
    if command != "true || pytest":
        assert parts(session_of(edit, shell(command, exit_code=code, tests=2)))["tested"] == 1


def test_a_build_tool_that_is_not_there_builds_nothing():
    edit = on("Edit", "a")
    for code, built in ((127, 0.0), (2, 1.0), (0, 1.0)):
        assert parts(session_of(edit, shell("make", exit_code=code)))["built"] == built
    assert parts(session_of(edit, shell("make", exit_code=127)), guard=False)["built"] == 1


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (shell("pytest nofile; echo '3 passed in 0.1s'"), "1 test run printed what looks like a result of tests"),
        (shell("true || pytest"), "1 command held a test run that is never reached"),
        (shell("[ -n x ] || pytest"), "1 test run may not have been reached, and nothing is known of what it printed"),
        (shell("xargs pytest </dev/null"), "1 test run may not have been reached, and nothing is known of what it printed"),
        (shell("timeout 0.001 pytest", exit_code=124), "1 test run ended at a time limit, and nothing is known of what it printed"),
    ],
)
def test_suspicions_of_test_runs(event, said):
    assert suspicions(session_of(on("Edit", "a"), event)) == (said,)


@pytest.mark.parametrize(
    "event",
    [
        shell("pytest && echo done"),
        shell("pytest -x || pytest --lf"),
        shell("cd a || exit 1; pytest"),
        shell("if ls; then pytest; fi", tests=3),
        shell("timeout 9 pytest", exit_code=124, tests=2),
        shell("true && pytest"),
    ],
)
def test_what_is_no_suspicion(event):
    assert suspicions(session_of(on("Edit", "a"), event)) == ()


def test_tests_before_the_last_change_are_told():
    edit, run = on("Edit", "a"), shell("pytest", tests=3)
    said = ("tests ran only before the last change",)
    assert suspicions(session_of(run, edit)) == said
    assert suspicions(session_of(edit, run, edit)) == said
    assert suspicions(session_of(run, edit, run)) == suspicions(session_of(edit, run)) == suspicions(session_of(run)) == ()
    assert score(session_of(run, edit)).verification == score(session_of(edit, run)).verification
    # More calls than are kept: later runs may be among them.
    assert suspicions(session_of(run, edit, tool_counts={"Bash": 2, "Edit": 1})) == ()


def test_padded_sessions_are_told():
    cycle = [[on("Read", path), on("Edit", path), on("Read", path)] for path in "abc"]
    padded = [event for events in cycle for event in events]
    assert "3 times a file was read, changed and read again in a row" in suspicions(session_of(*padded))[0]
    assert "3 times" in suspicions(session_of(*cycle[0], *cycle[0][1:], *cycle[0][1:]))[0]
    assert suspicions(session_of(*cycle[0], *cycle[1])) == ()
    assert suspicions(session_of(*padded, *(shell(f"ls {place}") for place in range(10)))) == ()
