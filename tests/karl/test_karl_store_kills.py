"""Writers that are killed at any point: what put returned for is there, once, and the store is sound."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from karl_stores import by_calls, plain

from ebmhw.karl.store import Store
from ebmhw.karl.store.endurance import endure, judged, session


def test_writers_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    run = endure(tmp_path, writers=4, records=200, calls=3, kill_s=0.02, kills=7, seed=random.randrange(2**32))
    assert run._replace(kills=0, seconds=0) == (800, 0, 0, 0, 0, 0, 0)
    assert run.kills > 0
    # The judge sees what is wrong.
    logs = [tmp_path / f"writer_{number}.log" for number in range(4)]
    with Store(tmp_path / "endured.sqlite", scorer=by_calls) as store:
        store.delete([session(0, 7, 3).id])
        store.put(session(1, 7, 4))
        store.put(plain("traj_foreign"))
    assert judged(tmp_path / "endured.sqlite", logs, 200, 3) == (800, 0, 1, 0, 2, 0, 0)


def test_kills_while_the_store_is_made(tmp_path: Path) -> None:
    rng = random.Random(5)
    for attempt in range(6):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        command = [sys.executable, "-m", "ebmhw.karl.store.endurance", str(folder / "s.sqlite"), str(folder / "0.log"), "0", "5000", "3"]
        process = subprocess.Popen(command)
        end = time.monotonic() + 30
        while not (folder / "s.sqlite").exists() and time.monotonic() < end:
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Store(folder / "s.sqlite", scorer=by_calls) as store:
            assert not store.check()
            log = folder / "0.log"
            assert set(log.read_text().split()) <= set(store.ids())
            assert store.put(plain()) == "added"
