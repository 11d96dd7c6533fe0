"""The published reward: judged by a model of the paper's code, written anew on plain records."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from karl_cases import events, trajectories

from ebmhw.karl.reward import SIGNALS, score
from ebmhw.karl.trajectory import ToolEvent, Trajectory


def record_of(session):
    """What the session tap of the paper's code writes for the calls of a session."""
    calls = [
        {"tool": e.tool, "path": e.params.get("file_path", ""), "line": e.params.get("command", ""), "ok": e.success, "code": e.exit_code}
        for e in session.events
    ]
    return {
        "calls": calls[:50],
        "counts": dict(session.tool_counts),
        "total": sum(session.tool_counts.values()),
        "bash_errors": len([call for call in calls if call["tool"] == "Bash" and call["code"] != 0]),
        "duration": session.duration_s,
        "outcome": session.outcome,
    }


def published(record):
    calls, counts, total = record["calls"], record["counts"], record["total"]
    clip = lambda value: max(0.0, min(1.0, value))  # noqa: E731
    said = record["outcome"]
    outcome = clip(
        0.5
        + {None: 0, True: -0.35, False: 0.35}[said.correction]
        + {None: 0, True: -0.25, False: 0.25}[said.redo]
        + {None: 0, True: 0.20, False: -0.10}[said.build]
        + {None: 0, True: 0.20, False: 0}[said.continued]
    )
    if total == 0:
        process = efficiency = verification = 0.5
    else:
        weights = [0.5 + i / max(len(calls) - 1, 1) for i in range(len(calls))]
        good = sum(weight for weight, call in zip(weights, calls, strict=True) if call["ok"] is not False)
        shell = sum(call["tool"] == "Bash" for call in calls)
        clean = 1 - record["bash_errors"] / shell if shell else 1
        longest = max((len(run) for run in "".join("x" if call["ok"] is False else " " for call in calls).split(" ")), default=0)
        density = max(0, 1 - (longest - 2) * 0.15) if longest >= 3 else 1
        late = sum(call["ok"] is False for call in calls[max(0, len(calls) - max(1, len(calls) // 4)) :])
        process = clip((good / sum(weights) if weights else 0.5) * 0.4 + clean * 0.25 + density * 0.2 + max(0, 1 - late * 0.15) * 0.15)

        diversity = 0.3
        if len(counts) > 1:
            diversity = -sum(c / total * math.log2(c / total) for c in counts.values()) / math.log2(len(counts))
        pace = 0.5
        if record["duration"]:
            rate = total / record["duration"] * 60
            pace = 1 if 2 <= rate <= 8 else 0.8 if rate > 8 else 0.6 if rate >= 1 else max(0.2, 0.5 - (1 - rate) * 0.3)
        touched = min(1, sum(counts.get(tool, 0) for tool in ("Write", "Edit", "NotebookEdit")) / max(total * 0.3, 1))
        efficiency = clip(diversity * 0.35 + pace * 0.35 + touched * 0.3)

        lines = [call["line"].lower() for call in calls if call["tool"] == "Bash"]
        tested = any(word in line for line in lines for word in ("pytest", "npm test", "bun test", "cargo test", "go test", "make test"))
        built = any(word in line for line in lines for word in ("xcodebuild", "cargo build", "make ", "npm run build", "bun build"))
        again = any(
            call["tool"] == "Read" and call["path"] and call["path"] in [c["path"] for c in calls[:place] if c["tool"] in ("Write", "Edit")]
            for place, call in enumerate(calls)
        )
        mutated = any(tool in counts for tool in ("Write", "Edit", "NotebookEdit"))
        verification = tested * 0.4 + built * 0.3 + again * 0.3 * 0.3 if mutated else 0.6

    consistency = 0.6
    if total >= 3:
        written = [(place, call["path"]) for place, call in enumerate(calls) if call["tool"] in ("Edit", "Write") and call["path"]]
        known = sum(any(c["tool"] == "Read" and c["path"] == path for c in calls[:place]) for place, path in written)
        paths = [path for _, path in written]
        thrashed = sum(paths.count(path) >= 3 for path in set(paths))
        consistency = clip((known / len(written) if written else 0.5) * 0.6 + max(0, 1 - thrashed * 0.2) * 0.4)
    signals = (outcome, process, efficiency, verification, consistency)
    return sum(w * s for w, s in zip((0.30, 0.25, 0.15, 0.15, 0.15), signals, strict=True)), *signals


@given(trajectories(max_events=20), st.lists(events(), max_size=60))
def test_the_published_score(session, more):
    grown = (*session.events, *more)
    for one in (session, session.but(events=grown, tool_counts={})):
        found = score(one, paper_compat=True)
        # It is rounded to four places; a tie may fall to either side here.
        assert found == pytest.approx(published(record_of(one)), abs=5.001e-5)
        assert all(value == round(value, 4) and 0 <= value <= 1 for value in found)


def session_of(*calls):
    return Trajectory("traj_x", "x", calls)


def shell(line, **members):
    return ToolEvent("Bash", {"command": line}, **members)


EDIT = ToolEvent("Edit", {"file_path": "a"})
FAULTS = (
    ("an unknown exit code is an error", "process", session_of(shell("ls", success=True), shell("pwd")), 0.75, 1.0),
    ("reading after writing is scaled twice", "verification", session_of(EDIT, ToolEvent("Read", {"file_path": "a"})), 0.09, 0.3),
    ("creating a file is an unread write", "consistency", session_of(ToolEvent("Write", {"file_path": "n"}), shell("a"), shell("b")), 0.4, 0.7),
    ("make test is a build", "verification", session_of(EDIT, shell("make test")), 0.7, 0.4),
    ("words are a test run", "verification", session_of(EDIT, shell("echo pytest")), 0.4, 0.0),
    ("unittest is missed", "verification", session_of(EDIT, shell("python -m unittest")), 0.0, 0.4),
    ("tox is missed", "verification", session_of(EDIT, shell("tox")), 0.0, 0.4),
    ("ctest is missed", "verification", session_of(EDIT, shell("ctest")), 0.0, 0.4),
    ("npm run test is missed", "verification", session_of(EDIT, shell("npm run test")), 0.0, 0.4),
    ("no test need be run", "verification", session_of(EDIT, shell("pytest", tests=0, exit_code=5)), 0.4, 0.0),
    ("notebooks are not files", "consistency", session_of(ToolEvent("NotebookEdit", {"file_path": "n"}), shell("a"), shell("b")), 0.7, 0.4),
)


@pytest.mark.parametrize(("fault", "signal", "session", "theirs", "ours"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_faults_of_the_published_code(fault, signal, session, theirs, ours):
    assert signal in SIGNALS
    assert getattr(score(session, paper_compat=True), signal) == pytest.approx(theirs)
    assert getattr(score(session), signal) == pytest.approx(ours)


def test_only_fifty_calls_are_looked_at():
    late = session_of(EDIT, *(shell("ls", exit_code=0, success=True) for _ in range(49)), shell("pytest", exit_code=0, success=True))
    assert score(late, paper_compat=True).verification == 0
    assert score(late).verification == pytest.approx(0.4)
