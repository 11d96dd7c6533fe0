"""Budgets are kept whatever a candidate does, and nothing is left behind however a stream ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from streaming_deeds import Acts, Clock

from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.batch.worker import Lost, Worker
from ebmhw.verify.streaming import Verdicted, verify_stream
from ebmhw.verify.streaming.checking import Candidate, make_checker


def pipeline() -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=[Acts()])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.set(monkeypatch)


def children() -> int:
    return len(multiprocessing.active_children())


def by_index(records: list[Verdicted]) -> list[Verdicted]:
    return sorted(records, key=lambda record: record.index)


def test_what_hangs_is_ended_at_its_budget_and_the_others_go_on() -> None:
    hostile = ["sleep", "spin", "regex"]
    found = by_index(list(verify_stream("", [*hostile, "right", "wrong"], pipeline(), budget=0.3, workers=2)))
    assert [record.stopped for record in found] == ["budget"] * 3 + [None, None]
    assert [record.verdict for record in found] == ["UNKNOWN"] * 3 + ["VERIFIED", "VIOLATED"]
    assert found[1].reason == "the check of candidate 1 did not end within its budget of 0.3 s"
    # A busy machine ends them late, but far from what they asked for.
    assert all(0.3 <= record.seconds < 20 for record in found[:3])
    assert children() == 0


def test_without_a_budget_a_hang_goes_on(clock: Clock) -> None:
    """The control: it is the budget that ended them."""
    stream = verify_stream("", ["sleep", "right"], pipeline(), workers=2, total_budget=1000.0)
    assert next(stream).index == 1
    clock.ahead = 1000.0
    assert [(record.index, record.stopped) for record in stream] == [(0, "total budget")]


def test_what_heeds_its_clock_reports_what_it_has() -> None:
    (found,) = verify_stream("", ["heeds"], VerifyRepairPipeline(domains=["arithmetic", Acts()]), budget=0.2, workers=1)
    assert found.stopped is None
    assert found.report is not None
    assert [(one.domain, one.code) for one in found.report.failures] == [("acts", "pipeline-timeout")]
    (here,) = verify_stream("", ["heeds"], pipeline(), budget=0.2, workers=0)
    assert here.verdict == "UNKNOWN"
    for one in (found, here):
        assert one.reason.endswith("not done within the budget of 0.2 s: acts; give a larger budget, or a shorter text")
    (total,) = verify_stream("", ["heeds"], pipeline(), total_budget=0.2, workers=0)
    assert "give a larger total_budget" in total.reason
    (own,) = verify_stream("", ["heeds"], VerifyRepairPipeline(domains=[Acts()], time_limit=0.2), budget=9.0, workers=0)
    assert "give a larger time_limit" in own.reason


@pytest.mark.parametrize("deed", ["exit", "crash"])
def test_what_ends_its_process_is_lost_alone(deed: str) -> None:
    found = by_index(list(verify_stream("", ["right", deed, "right", "wrong"], pipeline(), workers=1)))
    assert [record.stopped for record in found] == [None, "crashed", None, None]
    assert "candidate 1 did not survive: its process" in found[1].reason


def test_what_leaves_by_an_exception_is_in_its_report() -> None:
    found = by_index(list(verify_stream("", ["leave", "right"], pipeline(), workers=1)))
    assert found[0].stopped == "crashed"
    assert found[1].verified


def test_the_total_budget_ends_all_with_a_record_of_each(clock: Clock) -> None:
    stream = verify_stream("", ["sleep", "right", "right", "sleep", 5], pipeline(), workers=2, total_budget=1000.0)
    found = [next(stream)]
    clock.ahead = 1000.0
    found += stream
    assert [(record.index, record.stopped) for record in found] == [(1, None), (0, "total budget"), *((at, "not reached") for at in (2, 3, 4))]
    assert found[-1].reason == "the total budget of 1000 s ended before candidate 4 was reached"
    assert children() == 0


def test_a_total_budget_of_nothing_reaches_nothing() -> None:
    for workers in (0, 1):
        found = list(verify_stream("", ["right", "wrong"], pipeline(), workers=workers, total_budget=1e-9))
        assert [record.stopped for record in found] == ["not reached"] * 2


def test_candidates_that_are_not_there_yet_are_not_asked_for_once_time_is_over(clock: Clock) -> None:
    source = iter(["sleep", "right", "never"])
    stream = verify_stream("", source, pipeline(), workers=2, total_budget=1000.0)
    assert next(stream).index == 1
    clock.ahead = 1000.0
    assert [record.stopped for record in stream] == ["total budget"]
    assert next(source) == "never"


@pytest.mark.parametrize("way", ["break", "close", "raise", "stop"])
def test_nothing_is_left_behind_however_it_ends(way: str) -> None:
    threads = threading.active_count()
    stream = verify_stream("", ["right", "sleep", "spin", "regex"], pipeline(), workers=2, stop="verified" if way == "stop" else None)
    if way == "raise":
        with pytest.raises(KeyError):
            for _ in stream:
                raise KeyError
        stream.close()
    elif way == "stop":
        assert [record.index for record in stream] == [0]
    else:
        for _ in stream:
            break
        stream.close()
    assert children() == 0
    assert threading.active_count() == threads


def test_a_process_ends_itself_where_nobody_looks_at_its_budget() -> None:
    """A consumer of a stream may be busy between two records, or killed; "regex" runs within C, where no handler of Python's is called."""
    worker = Worker[Candidate, Verdicted](partial(make_checker, pipeline(), "", {}, None), 0.2, 0.1, 0.0)
    assert worker.hear() == []
    worker.give([(0, Candidate(0, "regex"))])
    lost = worker.hear()
    assert isinstance(lost, Lost)
    assert lost.timed_out
    worker.dismiss()
    worker.end()


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from streaming_deeds import Acts, Clock
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.streaming import verify_stream
if __name__ == "__main__":
    try:
        for record in verify_stream("", ["right", "spin", "sleep"], VerifyRepairPipeline(domains=[Acts()]), budget={budget}, workers=2):
            print(record.index, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes by /proc")
@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "interrupted\n"), (signal.SIGKILL, "")])
def test_an_interrupt_or_a_kill_leaves_no_process(tmp_path: Path, number: int, said: str) -> None:
    script = tmp_path / "stream.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent), budget=1.0))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "0\n"
        os.kill(running.pid, number)
        assert running.stdout.read() == said
        running.wait(30)
    until = time.monotonic() + 30
    while (left := session(running.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []


def session(number: int) -> list[int]:
    """Return the processes of a session that are there and no zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, belongs = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(belongs) == number and state != "Z":
            found.append(int(path.parent.name))
    return found
