"""Files of a store that are removed or replaced under those who use it: told, and never mixed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from karl_stores import by_calls, plain

from ebmhw.errors import StoreError
from ebmhw.karl.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed here")

KILLED = """
import os, sys
sys.path.insert(0, sys.argv[2])
from karl_stores import by_calls, plain
from ebmhw.karl.store import Store
store = Store(sys.argv[1], scorer=by_calls)
store.put_many(plain(f"traj_{number}", session_id=f"s{number}") for number in range(50))
os._exit(0)
"""


def beside(path: Path, end: str) -> Path:
    return Path(f"{path}{end}")


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A store whose writer was killed: its log holds the records."""
    path = tmp_path / "karl.sqlite"
    subprocess.run([sys.executable, "-c", KILLED, str(path), str(Path(__file__).parent)], check=True, timeout=60)
    assert beside(path, "-wal").stat().st_size > 0
    return path


def another(path: Path) -> Path:
    with Store(path, scorer=by_calls) as store:
        store.put(plain("traj_other", session_id="other"))
    return path


@pytest.mark.parametrize("read_only", [False, True])
def test_a_log_of_a_killed_writer_is_taken_up(left: Path, read_only: bool) -> None:
    with Store(left, scorer=by_calls, read_only=read_only) as store:
        assert len(store) == 50 and not store.check()


def _replaced(path: Path) -> None:
    os.replace(another(path.parent / "other.sqlite"), path)


def _emptied(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize(
    ("act", "told"),
    [(_replaced, "the file is not the one that they were written for"), (os.unlink, "the file is gone"), (_emptied, "the file is empty")],
)
def test_a_log_of_another_file_is_not_mixed_into_one(left: Path, act: Callable[[Path], object], told: str) -> None:
    kept = left.parent / "kept.sqlite"
    os.link(left, kept)
    content = left.read_bytes()
    act(left)
    log = beside(left, "-wal").read_bytes()
    for read_only in (False, True) if left.exists() else (False,):
        with pytest.raises(StoreError, match=rf"sqlite-wal beside it holds records, and {told}; nothing was opened.*remove karl\.sqlite-wal"):
            Store(left, read_only=read_only)
    assert beside(left, "-wal").read_bytes() == log
    # Either of what the text says to do.
    if act is _emptied:
        left.write_bytes(content)
    else:
        os.replace(kept, left)
    with Store(left, scorer=by_calls) as store:
        assert len(store) == 50 and not store.check()


def test_without_the_old_log_another_file_can_take_the_place(left: Path) -> None:
    _replaced(left)
    for end in ("-wal", "-shm"):
        beside(left, end).unlink()
    with Store(left, scorer=by_calls) as store:
        store.put(plain())
        assert store.ids() == ["traj_other", "traj_1"] and not store.check()
    with Store(left) as store:
        assert len(store) == 2


def test_all_files_of_a_store_can_be_copied_together(left: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for end in ("", "-wal", "-file"):
        shutil.copy(beside(left, end), folder)
    with pytest.raises(StoreError, match=r"if all of the files were copied here together, remove karl\.sqlite-file"):
        Store(folder / "karl.sqlite")
    (folder / "karl.sqlite-file").unlink()
    with Store(folder / "karl.sqlite", scorer=by_calls) as store:
        assert len(store) == 50 and not store.check()


@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_removed_or_replaced_while_it_is_open_takes_no_more(tmp_path: Path, end: str, replaced: bool) -> None:
    path = tmp_path / "karl.sqlite"
    with Store(path, scorer=by_calls) as store, Store(path, scorer=by_calls) as other:
        store.put(plain())
        place = beside(path, end)
        if replaced:
            shutil.copy(place, tmp_path / "new")
            os.replace(tmp_path / "new", place)
        else:
            os.unlink(place)
        what = f"its log {place.name}" if end else "the file"
        for one in (store, other):
            for attempt in (lambda one=one: one.put(plain("traj_2", session_id="s2")), lambda one=one: list(one)):
                with pytest.raises(StoreError, match=f"{what} was removed or replaced while it was open; nothing more was stored"):
                    attempt()
    if end and not replaced:
        # The last to close the store brought the records of the removed log into the file.
        with Store(path, scorer=by_calls) as store:
            assert store.ids() == ["traj_1"] and not store.check()
    elif not end:
        with pytest.raises(StoreError, match="holds records"):
            Store(path)


def test_what_is_replaced_within_a_transaction_is_not_committed(tmp_path: Path) -> None:
    path = tmp_path / "karl.sqlite"

    def replacing(trajectory: object) -> None:
        path.rename(tmp_path / "moved.sqlite")

    with Store(path, scorer=by_calls) as store:
        store.put(plain())
    with Store(path, scorer=replacing) as store, pytest.raises(StoreError, match="the file was removed or replaced"):
        store.put(plain(calls=9))
    with Store(tmp_path / "moved.sqlite") as store:
        assert [scored.trajectory for scored in store] == [plain()]


NOTICED = """
import os, sys
sys.path.insert(0, sys.argv[2])
from karl_stores import by_calls, plain
from ebmhw.errors import StoreError
from ebmhw.karl.store import Store
store = Store(sys.argv[1], scorer=by_calls)
store.put(plain())
os.unlink(sys.argv[1] + "-wal")
try:
    store.put(plain("traj_2", session_id="s2"))
except StoreError:
    os._exit(7)
"""


def test_records_of_a_removed_log_are_in_the_file_once_that_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "karl.sqlite"
    assert subprocess.run([sys.executable, "-c", NOTICED, str(path), str(Path(__file__).parent)], check=False, timeout=60).returncode == 7
    with Store(path, scorer=by_calls) as store:
        assert store.ids() == ["traj_1"] and not store.check()
