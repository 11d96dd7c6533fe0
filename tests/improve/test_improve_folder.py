"""The folder of a loop: damage is named and left alone, what cannot be written is said, and a killed loop goes on."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from improve_candidates import GOOD, WORSE

from ebmhw.errors import ConfigError, InvalidFile
from ebmhw.improve import Breaker, Budget, QuarticMinimum, Situation, improve

pytestmark = pytest.mark.confined

PROPOSALS = (WORSE, GOOD, WORSE + "#", WORSE + "##", WORSE + "###")
BUDGET = Budget(seconds=30.0)


def run(folder: Path, rounds: int = 2, **more: Any) -> Any:
    def propose(situation: Situation) -> str:
        return PROPOSALS[situation.round - 1]

    return improve(QuarticMinimum(), propose, folder, budget=BUDGET, breaker=Breaker(rounds=rounds, failures=rounds), instances=6, **more)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two rounds, the second accepted."""
    folder = tmp_path_factory.mktemp("done")
    assert run(folder).accepted == (2,)
    return folder


@pytest.fixture
def folder(done: Path, tmp_path: Path) -> Path:
    for name in ("loop.json", "rounds.jsonl"):
        (tmp_path / name).write_bytes((done / name).read_bytes())
    return tmp_path


def record(place: str, value: Any) -> Callable[[Path], None]:
    """Return what changes a member of the second round."""

    def change(folder: Path) -> None:
        first, second = (folder / "rounds.jsonl").read_text().splitlines()
        content = json.loads(second)
        *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
        at = content
        for part in way:
            at = at[part]
        at[last] = value
        (folder / "rounds.jsonl").write_text(f"{first}\n{json.dumps(content)}\n")

    return change


def written(name: str, raw: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(raw) and None


def instead(name: str, make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


DAMAGE = {
    "cut": lambda folder: (folder / "rounds.jsonl").write_bytes((folder / "rounds.jsonl").read_bytes()[:-40]),
    "a line twice": lambda folder: (folder / "rounds.jsonl").write_text((folder / "rounds.jsonl").read_text().splitlines()[0] + "\n" + "{}\n"),
    "no text": written("rounds.jsonl", b"\xff\xfe"),
    "nested": written("rounds.jsonl", b"[" * 100_000 + b"\n"),
    "code changed by hand": record("proposal/code", WORSE),
    "no digest": record("proposal/digest", None),
    "no proposal": record("proposal", ["x"]),
    "accepted without gates": record("gates", None),
    "gates of nothing": record("gates", []),
    "a gate's reason": record("gates/0/reason", 5),
    "passed": record("gates/0/passed", "yes"),
    "number": record("round", True),
    "a folder": instead("rounds.jsonl", Path.mkdir),
    "a pipe": instead("rounds.jsonl", os.mkfifo),
    "a link to nothing": instead("rounds.jsonl", lambda path: path.symlink_to("nowhere")),
    "no loop": lambda folder: (folder / "loop.json").unlink(),
    "loop of nothing": written("loop.json", b""),
    "loop is a list": written("loop.json", b"[]"),
    "loop is a pipe": instead("loop.json", os.mkfifo),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_folder_is_named_and_left_alone(folder: Path, what: str) -> None:
    DAMAGE[what](folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(InvalidFile, match=r"rounds\.jsonl|loop\.json"):
        run(folder, rounds=2)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_what_a_killed_loop_had_begun_to_write_is_removed(folder: Path) -> None:
    (folder / ".rounds.jsonl.k3b1").write_bytes(b"half")
    (folder / ".mine").write_bytes(b"a user's")
    found = run(folder)
    assert found.accepted == (2,) and not found.rounds
    assert sorted(path.name for path in folder.iterdir()) == [".mine", "incumbent.py", "loop.json", "rounds.jsonl"]


@pytest.mark.parametrize("where", ["file", "file/within"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(ConfigError, match=r"file.* cannot be written"):
        run(tmp_path / where)


def test_a_full_disk_is_named_and_the_loop_goes_on_once_there_is_room(tmp_path: Path) -> None:
    """Stood in for by the limit of a file's size: what is longer cannot be written."""

    def propose(situation: Situation) -> str:
        if situation.round == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        return PROPOSALS[situation.round - 1]

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(ConfigError, match=r"cannot be written: File too large; earlier rounds are kept"):
            improve(QuarticMinimum(), propose, tmp_path, budget=BUDGET, breaker=Breaker(rounds=2, failures=2), instances=6)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    found = run(tmp_path)
    assert [one.number for one in found.rounds] == [2] and found.accepted == (2,)


def test_one_folder_holds_one_loop_at_a_time(tmp_path: Path) -> None:
    def propose(situation: Situation) -> str:
        with pytest.raises(ConfigError, match="is being written by a run of process"):
            run(tmp_path)
        return GOOD

    found = improve(QuarticMinimum(), propose, tmp_path, budget=BUDGET, breaker=Breaker(rounds=1), instances=6)
    assert found.accepted == (1,)


def test_a_loop_is_shown_as_a_picture_and_by_lines(tmp_path: Path, done: Path) -> None:
    from ebmhw.improve import write_picture

    write_picture(tmp_path / "rounds.png", done, "$quartic$")
    assert (tmp_path / "rounds.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="holds no round of a loop"):
        write_picture(tmp_path / "none.png", tmp_path)
    found = improve(QuarticMinimum(), lambda _: 1 / 0, tmp_path / "a", budget=BUDGET, breaker=Breaker(rounds=1), instances=6)
    assert str(found.rounds[0]) == "round   1  not run   the proposer failed: ZeroDivisionError: division by zero"
    lines = [str(one) for one in run(tmp_path / "b").rounds]
    assert [line.split()[:3] for line in lines] == [["round", "1", "refused"], ["round", "2", "accepted"]] and "MiB  mean energy" in lines[1]


SCRIPT = """
import os, signal, sys
sys.path.insert(0, {here!r})
from test_improve_folder import *

def propose(situation):
    return PROPOSALS[situation.round - 1]

at, seen = int(sys.argv[2]), 0
import ebmhw.improve.skills as skills
def counted(deed):
    def do(*arguments):
        global seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.{name})
        return deed(*arguments)
    return do
for module, name in ((skills, "_write"), (sys.modules["ebmhw.improve.loop"], "tried")):
    setattr(module, name, counted(getattr(module, name)))
improve(QuarticMinimum(), propose, sys.argv[1], budget=BUDGET, breaker=Breaker(rounds=2, failures=2), instances=6)
"""


@pytest.mark.parametrize(("name", "at"), [("SIGINT", 1), ("SIGINT", 12), ("SIGKILL", 7), ("SIGKILL", 12), ("SIGKILL", 13)])
def test_a_loop_that_is_killed_or_interrupted_anywhere_goes_on_as_if_nothing_had_been(tmp_path: Path, done: Path, name: str, at: int) -> None:
    """``at`` counts trials and files: a kill while a file of a round, or of its skill, is written among them."""
    script = SCRIPT.format(here=str(Path(__file__).parent), name=name).replace("import os,", "import ebmhw.improve.loop, os,")
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path), str(at)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == (-signal.SIGKILL if name == "SIGKILL" else -signal.SIGINT), ended.stderr
    assert name == "SIGKILL" or ended.stderr.rstrip().endswith("KeyboardInterrupt")
    found = run(tmp_path)
    assert found.accepted == (2,) and found.code == GOOD
    assert {path.name for path in tmp_path.iterdir()} == {"incumbent.py", "lessons.md", "loop.json", "rounds.jsonl", "skills"}

    def told(folder: Path) -> list[Any]:
        lines = map(json.loads, (folder / "rounds.jsonl").read_text().splitlines())
        return [(line["accepted"], line["candidate"]["energies"]) for line in lines]

    assert told(tmp_path) == told(done)
