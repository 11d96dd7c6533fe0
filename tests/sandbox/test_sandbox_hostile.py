"""Hostile programs: each is contained within its limit, and says that it really tried. What they could do outside is in the file of controls."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_kinds import KINDS, SOON, Kind
from sandbox_surroundings import a_victim, an_outside, program, state

from ebmhw.sandbox import Confined, Ended

pytestmark = pytest.mark.confined

SLOW = [kind for kind in KINDS if kind.limits is SOON]
HEAVY = {"fork bomb", "a loop in one call of C", "a finaliser without end", "an unraisablehook without end", "a regular expression without end"}
"""Of these, those that use a processor all the time, as two others that remain do."""
QUICK = [kind for kind in KINDS if kind.limits is not SOON]


@pytest.fixture(scope="module")
def victim() -> Iterator[int]:
    with a_victim() as process:
        yield process


def _judge(kind: Kind, ended: Ended, group: int) -> None:
    assert ended.cause in kind.cause.split(" or "), ended
    lines = ended.stdout.decode().splitlines()
    assert len(lines) >= len(kind.says), ended
    for line, expected in zip(lines, kind.says, strict=False):
        # "refused EXDEV or EACCES": either will do.
        assert line in {f"refused {error}" for error in expected.removeprefix("refused ").split(" or ")} | {expected}, ended
    if kind.cause != "output":
        assert len(lines) == len(kind.says), ended
    assert ended.seconds < kind.limits.seconds + 20.0  # a machine that is busy otherwise is given time
    assert len(ended.stdout) + len(ended.stderr) <= kind.limits.output_bytes
    assert ended.peak_memory <= kind.limits.memory
    with pytest.raises(OSError) as gone:  # nobody is left of its group, which it could not leave
        os.killpg(group, 0)
    assert gone.value.errno == errno.ESRCH


@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_it_is_contained(kind: Kind, tmp_path: Path, victim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = an_outside(tmp_path / "outside")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = state(outside)
    with Confined(program(tmp_path / "program.py", kind.text, outside, victim), kind.limits) as process:
        group = process.group
        ended = process.end()
    _judge(kind, ended, group)
    assert list(scratch.iterdir()) == []
    assert state(outside) == before


@pytest.fixture(scope="module")
def stopped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, victim: int) -> Iterator[dict[str, tuple[Ended, int]]]:
    """All that only the clock stops, and that are tested in this session, run at once; their ends by name."""
    asked = [item.callspec.params.get("kind") for item in request.session.items if getattr(item, "callspec", None)]
    # Tests of other files have parameters of this name too.
    tested = {kind.name for kind in asked if isinstance(kind, Kind)}
    folder = tmp_path_factory.mktemp("stopped")
    outside = an_outside(folder / "outside")
    running = []
    try:
        for place, kind in enumerate(kind for kind in SLOW if kind.name in tested):
            process = Confined(program(folder / f"program{place}.py", kind.text, outside, victim), kind.limits)
            process.__enter__()
            running.append((kind, process, process.group))
        yield {kind.name: (process.end(), group) for kind, process, group in running}
    finally:
        for _, process, _ in running:
            process.close()


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow if kind.name in HEAVY else (), id=kind.name) for kind in SLOW])
def test_it_is_stopped_by_the_clock(kind: Kind, stopped: dict[str, tuple[Ended, int]]) -> None:
    ended, group = stopped[kind.name]
    _judge(kind, ended, group)
    assert ended.cause == "time" and ended.signal == 9 and ended.status is None


def test_there_are_enough_kinds_and_each_has_its_name() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 40
