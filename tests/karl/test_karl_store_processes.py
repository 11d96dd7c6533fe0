"""Many processes on one store: creating it at once, waiting, reading meanwhile, limits of the system."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from karl_stores import by_calls, plain

from ebmhw.errors import StoreError
from ebmhw.karl.store import Store
from ebmhw.karl.store.endurance import session

WRITER = [sys.executable, "-m", "ebmhw.karl.store.endurance"]


def started(folder: Path, writer: int, records: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*WRITER, str(folder / "s.sqlite"), str(folder / f"{writer}.log"), str(writer), str(records), "3"])


def test_a_store_that_many_make_at_once(tmp_path: Path) -> None:
    processes = [started(tmp_path, writer, 5) for writer in range(5)]
    assert [process.wait(60) for process in processes] == [0] * 5
    with Store(tmp_path / "s.sqlite") as store:
        assert len(store) == 25 and not store.check()


def test_readers_see_whole_states_while_others_write(tmp_path: Path) -> None:
    process = started(tmp_path, 0, 300)
    expected = [session(0, number, 3).id for number in range(300)]
    sizes = []
    with Store(tmp_path / "s.sqlite") as store:
        while process.poll() is None:
            found = [scored.trajectory.id for scored in store]
            assert found == expected[: len(found)]
            sizes.append(len(found))
        assert store.ids() == expected
    assert process.returncode == 0
    assert sizes == sorted(sizes) and len(set(sizes)) > 3


def test_waiting_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path, scorer=by_calls, timeout=0.3) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store.put(plain())
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(StoreError, match=r"other processes keep it locked \(database is locked\); nothing of this was stored.*longer timeout="):
            store.put(plain(calls=9))
        assert 0.3 <= time.monotonic() - begun < 5
        assert store.get("traj_1").trajectory == plain()  # readers do not wait
        other.execute("ROLLBACK")
        assert store.put(plain(calls=9)) == "updated"


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    """The spool's copy is removed after put, so that a cut of the power must not take back what put returned for."""
    with Store(tmp_path / "s.sqlite") as store:
        connection = store._database._connection
        assert connection is not None
        settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "fullfsync")}
        assert settings == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}


LIMITED = """
import resource, signal, sys
sys.path.insert(0, sys.argv[3])
from karl_stores import by_calls, plain
from ebmhw.errors import StoreError
from ebmhw.karl.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
with Store(sys.argv[1], scorer=by_calls) as store:
    try:
        for number in range(100_000):
            store.put(plain(f"traj_{number}", session_id=f"s{number}", prompt=f"{number}" * 80))
            print(f"traj_{number}", flush=True)
    except StoreError as error:
        print(error, file=sys.stderr)
        assert len(store) == number
        sys.exit(7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files here")
@pytest.mark.parametrize("limit", [150_000, 1_000_000])
def test_files_that_may_not_grow(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "s.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(limit), str(Path(__file__).parent)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 7, done.stderr
    assert f"{path}: the d" in done.stderr and "then store again" in done.stderr
    with Store(path, scorer=by_calls) as store:
        assert store.ids() == done.stdout.split()
        assert not store.check() and len(store) > 3
        assert store.put(plain("traj_more", calls=500)) == "added"
