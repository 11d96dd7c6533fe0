"""Following a log: with a writer that is killed in the middle of a line, files that come late, shrink and are replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from observe_logs import write_log

from ebmhw.coherence.observe.following import AwaitedLog, follow
from ebmhw.coherence.observe.reading import open_log
from ebmhw.errors import TimeLimitExceeded

WRITER = """
import sys, time
with open(sys.argv[1], "ab", buffering=0) as stream:
    for step in range(int(sys.argv[2]), 10**9):
        stream.write(b'{"step": %d, "reward": %d, "x": "' % (step, step))
        print(step, flush=True)
        time.sleep(0.002)
        stream.write(b'"}\\n')
"""


class Clock:
    """Time that passes only while somebody sleeps; at some of the looks something happens."""

    def __init__(self, **events: object) -> None:
        self.now, self.events = 0.0, events

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        event = self.events.pop(f"at_{self.now:g}", None)
        if callable(event):
            event()


def killed_writer(path: Path, first: int, count: int) -> int:
    """Have another process write until it is in the middle of a line, and kill it there; return the step of that line."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(count):
            process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        while not path.exists() or path.read_bytes().endswith(b"\n"):
            process.send_signal(signal.SIGCONT)
            time.sleep(0.0005)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.001)
        process.kill()
        process.wait()
    return len(path.read_bytes().splitlines()) - 1


def test_a_writer_that_is_killed_in_the_middle_of_a_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    reader = open_log(path)
    last = killed_writer(path, 0, 20)
    assert reader.poll() == last and reader.run.latest("reward") == last - 1
    assert not reader.run.problems.counts
    # A second writer goes on where the file ends, in the middle of the line.
    killed_writer(path, last, 20)
    reader.poll()
    reader.close()
    run = reader.run
    assert run.problems.counts == {"broken": 1, "cut": 1} and run.problems.places["broken"][0].startswith(f"{path}:{last + 1}: ")
    steps = run.series("reward").steps.tolist()
    assert steps == [step for step in range(steps[-1] + 1) if step != last] and len(steps) > 35


def test_what_comes_is_yielded_until_nothing_comes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"

    def write(*steps: int) -> None:
        with path.open("a") as stream:
            stream.writelines(f'{{"step": {step}, "reward": 1}}\n' for step in steps)

    clock = Clock(at_3=lambda: write(1, 2), at_5=lambda: write(3))
    reader = AwaitedLog(str(tmp_path))
    assert list(follow(reader, 1, 10, 4, clock=clock, sleep=clock.sleep)) == [2, 1]
    assert clock.now == 9 and reader.run.steps.tolist() == [1, 2, 3]
    reader.close()


def test_the_wait_for_a_file_that_never_comes_ends(tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises(TimeLimitExceeded, match=r"x\.jsonl: no record of a training step came within 10 s; check the path, or wait longer"):
        list(follow(AwaitedLog(str(tmp_path / "x.jsonl")), 1, 10, clock=clock, sleep=clock.sleep))
    assert clock.now == 10


def test_a_file_that_was_made_shorter_is_read_again(tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.jsonl", [{"step": step, "reward": step} for step in range(5)])
    reader = open_log(path)
    assert reader.poll() == 5
    write_log(path, [{"step": 0, "reward": 7}])
    assert reader.poll() == 1 and reader.run.series("reward").values.tolist() == [7]
    assert reader.run.problems.counts == {"truncated": 1, "restart": 1, "repeated": 1}
    reader.close()


def test_a_file_that_was_replaced_is_read_to_its_end_first(tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.jsonl", [{"step": 1, "reward": 1}])
    reader = open_log(path)
    assert reader.poll() == 1
    with path.open("a") as stream:
        stream.write('{"step": 2, "reward": 2}\n{"step": 3, "reward": 3}')
    os.rename(path, tmp_path / "a.jsonl.1")
    assert reader.poll() == 1
    write_log(path, [{"step": 4, "reward": 4}])
    assert reader.poll() == 1
    assert reader.run.series("reward").values.tolist() == [1, 2, 3, 4] and reader.run.problems.counts == {"rotated": 1}
    reader.close()


def test_a_state_of_a_trainer_is_read_again_when_it_changes_and_not_while_half_written(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text('{"log_history": [{"step": 1, "reward": 1}]}')
    reader = open_log(path)
    assert (reader.poll(), reader.poll()) == (1, 0)
    path.write_text('{\n"log_history": [{"step": 1, "rew')
    assert reader.poll() == 0 and reader.run.latest("reward") == 1
    path.write_text('{\n"log_history": [{"step": 1, "reward": 1}, {"step": 2, "reward": 2}]}')
    assert reader.poll() == 2 and reader.run.latest("reward") == 2
    reader.close()


def test_the_gate_is_taken_when_the_log_comes_to_rest_and_forgotten_when_it_goes_on(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.jsonl", [{"step": step, "reward": step} for step in range(5)])
    reader = open_log(tmp_path)
    assert (reader.poll(), reader.poll()) == (5, 0) and reader.run.gate_passed is None
    (tmp_path / "gate.json").write_text('{"passed": false, "reasons": ["phi"]}')
    assert (reader.poll(), reader.poll()) == (1, 0)
    assert reader.run.gate_passed is False and reader.run.gate_reasons == ("phi",) and reader.run.finished
    (tmp_path / "gate.json").write_text('{"passed": true, "reasons": []}')
    assert (reader.poll(), reader.poll()) == (1, 0) and reader.run.gate_passed is True
    with path.open("a") as stream:
        stream.write('{"step": 5, "reward": 5}\n')
    os.utime(tmp_path / "gate.json", (0, 0))
    assert (reader.poll(), reader.poll()) == (1, 0)
    assert reader.run.gate_passed is None and not reader.run.finished
    reader.close()
