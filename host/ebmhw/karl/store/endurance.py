"""Endurance: writers of one store that are killed at random, and what the store holds afterwards.

``python -m ebmhw.karl.store.endurance STORE LOG WRITER RECORDS CALLS`` is one writer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ebmhw.errors import StoreError
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store.store import Store
from ebmhw.karl.trajectory import ToolEvent, Trajectory, trajectory_id

REWARD = Reward(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
"""Given, so that the store is measured and not the scoring."""

_LIMIT_S = 3600.0


class Endured(NamedTuple):
    """What a run showed.

    Attributes
    ----------
    sent : records that writers sent
    kills : SIGKILLs in the midst of writing
    lost : records that `Store.put` returned for and that are not in the store
    doubled : records that are there twice
    changed : records that are there and are none that was sent
    problems : what `Store.check` found
    seconds : from the start of the first writer to the end of the last, their starts included
    """

    sent: int
    kills: int
    lost: int
    doubled: int
    changed: int
    problems: int
    seconds: float


def endure(
    folder: Path, *, writers: int = 4, records: int = 10_000, calls: int = 20, kill_s: float = 0.5, kills: int = 1000, seed: int = 0
) -> Endured:
    """Let processes write a store, kill them at random and start them again until all is written; return what the store holds.

    Parameters
    ----------
    folder : a new one, in which store and logs are made
    writers, records : processes, and records of each
    calls : of tools in a record
    kill_s : mean seconds between kills; a writer is killed once it has stored something since its start
    kills : at most
    """
    store, rng = folder / "endured.sqlite", random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f"writer_{number}.log" for number in range(writers)]
    begun = time.monotonic()
    running = {number: _started(store, logs[number], number, records, calls) for number in range(writers)}
    sizes = dict.fromkeys(running, 0)
    killed = 0
    try:
        while running:
            time.sleep(min(rng.expovariate(1 / kill_s), 10 * kill_s))
            if time.monotonic() - begun > _LIMIT_S:
                raise StoreError(f"{store}: the writers did not end within {_LIMIT_S:g} s; look at {folder}")
            for number, process in list(running.items()):
                status = process.poll()
                if status is not None:
                    del running[number]
                    if status:
                        raise StoreError(f"{store}: writer {number} ended with status {status}: {_tail(logs[number])}")
            ready = [number for number in running if _size(logs[number]) > sizes[number]]
            if ready and killed < kills:
                number = rng.choice(ready)
                running[number].send_signal(signal.SIGKILL)
                killed += running[number].wait() == -signal.SIGKILL
                sizes[number] = _size(logs[number])
                running[number] = _started(store, logs[number], number, records, calls)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    seconds = time.monotonic() - begun
    return judged(store, logs, records, calls, killed, seconds)


def session(writer: int, number: int, calls: int) -> Trajectory:
    """Return the trajectory that a writer sends as its ``number``-th, always the same."""
    name, start = f"w{writer}-{number}", 1_750_000_000.0 + 1000 * number
    events = tuple(
        ToolEvent(("Read", "Edit", "Bash")[at % 3], {"command": f"step {at} of {name}"}, at % 5 != 4, at % 2, start + at) for at in range(calls)
    )
    return Trajectory(trajectory_id(name), name, events, started_at=start, ended_at=start + 500, duration_s=500.0, domain=f"d{number % 7}")


def write(store: Path, log: Path, writer: int, records: int, calls: int) -> None:
    """Store a writer's records one by one; the id of each is appended to the log once `Store.put` returned."""
    done = _logged(log)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT, 0o644)
    # A line that a kill cut short is written again.
    os.ftruncate(handle, sum(len(identity) + 1 for identity in done))
    os.lseek(handle, 0, os.SEEK_END)
    known = set(done)
    with Store(store, timeout=120.0) as opened:
        for number in range(records):
            trajectory = session(writer, number, calls)
            if trajectory.id not in known:
                opened.put(trajectory, REWARD)
                os.write(handle, f"{trajectory.id}\n".encode())
    os.close(handle)


def judged(store: Path, logs: list[Path], records: int, calls: int, kills: int = 0, seconds: float = 0.0) -> Endured:
    """Return what a store holds of what writers, as their logs tell, sent to it."""
    reported = {identity for log in logs for identity in _logged(log)}
    sent = {session(writer, number, 0).id: (writer, number) for writer in range(len(logs)) for number in range(records)}
    found: set[str] = set()
    doubled = changed = 0
    with Store(store) as opened:
        for scored in opened:
            identity = scored.trajectory.id
            doubled += identity in found
            found.add(identity)
            changed += identity not in sent or scored.trajectory != session(*sent[identity], calls) or scored.reward != REWARD
        problems = len(opened.check())
    return Endured(len(sent), kills, len((reported | set(sent)) - found), doubled, changed, problems, seconds)


def _started(store: Path, log: Path, writer: int, records: int, calls: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __spec__.name, str(store), str(log), str(writer), str(records), str(calls)]
    with open(log.with_suffix(".err"), "ab") as errors:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)


def _logged(log: Path) -> list[str]:
    """Return the ids of a log's whole lines."""
    try:
        return log.read_bytes().decode("ascii").split("\n")[:-1]
    except FileNotFoundError:
        return []


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _tail(log: Path) -> str:
    return log.with_suffix(".err").read_text(errors="replace")[-500:]


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6]))
