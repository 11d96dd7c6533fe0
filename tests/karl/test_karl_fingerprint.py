"""Fingerprints against a plain model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from karl_cases import trajectories

from ebmhw.karl.baselines import VECTOR_SIZE, Fingerprint, fingerprint, vector
from ebmhw.karl.commands import runs_build, runs_tests
from ebmhw.karl.tools import category
from ebmhw.karl.trajectory import ToolEvent, Trajectory


def made(*events, **more):
    return Trajectory("traj_a", "a", tuple(events), **more)


def wrote(path, success=True):
    return ToolEvent("Edit", {"file_path": path}, success)


def ran(command, tests=None, success=True):
    return ToolEvent("Bash", {"command": command}, success, None, None, None, tests)


@settings(max_examples=200)
@given(trajectories())
def test_fingerprints_are_those_of_the_text(session):
    found = fingerprint(session)
    letters = "".join(category(event.tool) for event in session.events)
    pairs = [letters[number : number + 2] for number in range(len(letters) - 1)]
    assert dict(found.bigrams) == {pair: pairs.count(pair) for pair in pairs}
    looking = sum(letter == "R" for letter in letters)
    assert found.research == (pytest.approx(looking / len(letters)) if letters else None)
    assert found.files == len(
        {event.params["file_path"] for event in session.events if category(event.tool) == "M" and event.params.get("file_path")}
    )
    mutations = [number for number, letter in enumerate(letters) if letter == "M"]
    if not mutations:
        assert found.verified is None
    else:
        later = [event for event in session.events[mutations[0] :] if event.tool == "Bash"]
        commands = [(event.params["command"], event.tests) for event in later]
        assert found.verified == any(runs_build(command) or (runs_tests(command) and tests != 0) for command, tests in commands)
    # Failures as a text: F failed, . did not; each run of F has recovered where a . follows.
    story = "".join("F" if event.success is False or (event.tool == "Bash" and event.exit_code not in (None, 0)) else "." for event in session.events)
    runs = [run for run in story.split(".") if run]
    assert found.recovery == (pytest.approx((len(runs) - story.endswith("F")) / len(runs)) if runs else None)


@settings(max_examples=100)
@given(trajectories())
def test_vectors_are_fixed(session):
    found = vector(session)
    assert found.shape == (VECTOR_SIZE,) and found.dtype == np.float64 and np.isfinite(found).all()
    assert (found == fingerprint(session).vector()).all()
    assert np.linalg.norm(found[:16]) == pytest.approx(1 if len(session.events) > 1 else 0)
    assert np.linalg.norm(found[16:]) <= 1 + 1e-12


def test_vectors_tell_ways_to_work_apart():
    careful = made(*[ToolEvent("Read", {"file_path": f"src/{number}.py"}, True) for number in range(5)], wrote("src/0.py"), ran("pytest -q", 9))
    alike = made(*[ToolEvent("Grep", {"pattern": "x"}, True) for _ in range(4)], wrote("src/7.py"), ran("make test", 3))
    wild = made(*[wrote(f"{number}/x.py", number % 2 == 0) for number in range(7)])

    def likeness(one, other):
        left, right = vector(one), vector(other)
        return left @ right / np.linalg.norm(left) / np.linalg.norm(right)

    assert likeness(careful, alike) > 0.8 > 0.3 > likeness(careful, wild)
    assert likeness(careful, careful) == pytest.approx(1)


def test_what_counts_as_verified():
    edit = wrote("a.py")
    assert fingerprint(made(edit, ran("pytest -q"))).verified is True
    assert fingerprint(made(edit, ran("cargo build"))).verified is True
    assert fingerprint(made(ran("pytest -q"), edit)).verified is False
    assert fingerprint(made(edit, ran("pytest -q", tests=0))).verified is False
    assert fingerprint(made(edit, ran("echo test"))).verified is False
    assert fingerprint(made(ran("pytest -q"))).verified is None


def test_scope():
    def scope(*paths, cwd=None):
        return fingerprint(made(*[ToolEvent("Read", {"file_path": path}) for path in paths], cwd=cwd)).scope

    assert scope() is None and scope("a.py") is None and scope("a.py", "a.py", "./a.py") is None
    assert scope("a.py", "b.py") == 1
    assert scope("src/x/a.py", "src/x/b.py") == 1
    assert scope("src/x/a.py", "src/y/b.py") == 0.5
    assert scope("src/a.py", "docs/b.md") == 0
    assert scope("/home/ann/p/src/a.py", "/home/ann/p/docs/b.md", cwd="/home/ann/p") == 0
    assert scope("/home/ann/p/src/a.py", "src/b.py", cwd="/home/ann/p/") == 1
    assert scope("C:\\p\\src\\a.py", "C:\\p\\src\\b.py", cwd="C:\\p") == 1


def test_signatures():
    assert fingerprint(made()).signature == "R? M0 V? E? S?"
    one = made(ToolEvent("Read", {"file_path": "src/a.py"}), wrote("src/a.py", False), wrote("src/b.py"), ran("pytest"))
    assert fingerprint(one).signature == "R25 M2 V+ E1.0 S1.0 MM MX RM"


def test_a_fingerprint_does_not_change():
    with pytest.raises(AttributeError):
        fingerprint(made()).calls = 3
    assert Fingerprint({}, 0, 0, None, None, None, None) == fingerprint(made())
