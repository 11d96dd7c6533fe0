"""Files that are no store, of other versions, damaged, on full disks or out of reach: told with cause and remedy, and left as they are."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from karl_stores import by_calls, in_a_fresh_python, plain

from ebmhw.errors import NewerRecord, StoreError
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.record import VERSION, to_record
from ebmhw.karl.store import Store, Stored, salvage, schema
from ebmhw.karl.trajectory import Turn


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "karl.sqlite", scorer=by_calls, timeout=10) as opened:
        yield opened


def test_paths_that_are_no_store(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and longer than the hundred bytes that a header of SQLite has\n" * 9)
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE bookmarks (url TEXT)")
        database.commit()
    file = tmp_path / "file"
    file.write_text("x")
    paths = [(tmp_path, "this is a folder"), (text, "no store of trajectories, nor any SQLite"), (foreign, "SQLite database, but no store")]
    paths += [(file / "below.sqlite", "cannot be"), (tmp_path / "nul\0byte", "cannot be")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        paths.append((tmp_path / "pipe", "no regular file"))
    for path, message in paths:
        before = path.read_bytes() if path in (text, foreign) else None
        with pytest.raises(StoreError, match=message) as caught:
            Store(path)
        assert str(caught.value).startswith(str(path)) or str(file) in str(caught.value)
        if before is not None:
            assert path.read_bytes() == before


def test_a_later_schema_is_refused_and_left(store: Store) -> None:
    store.put(plain())
    store.close()
    with closing(sqlite3.connect(store.path)) as database:
        database.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
        database.execute("ALTER TABLE record ADD COLUMN mood TEXT")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = store.path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(NewerRecord, match=rf"karl\.sqlite: the store has version {len(schema.MIGRATIONS) + 1}.*later ebmhw"):
            Store(store.path, read_only=read_only)
    assert store.path.read_bytes() == before


def test_an_earlier_schema_is_migrated_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(plain())
    store.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("ALTER TABLE record ADD COLUMN mood TEXT", "CREATE TABLE bad (")))
    with pytest.raises(StoreError, match="nothing of this was stored"):
        Store(store.path)
    with closing(sqlite3.connect(store.path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) - 1,)
        assert "mood" not in {row[1] for row in database.execute("PRAGMA table_info(record)")}
    monkeypatch.setattr(
        schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], ("ALTER TABLE record ADD COLUMN mood TEXT", "UPDATE record SET mood = 'calm'"))
    )
    with pytest.raises(StoreError, match="of an earlier version; write to it once"):
        Store(store.path, read_only=True)
    with Store(store.path, scorer=by_calls) as migrated:
        assert [scored.trajectory for scored in migrated] == [plain()]
        migrated.put(plain("traj_2"))
    with closing(sqlite3.connect(store.path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert database.execute("SELECT mood FROM record ORDER BY number").fetchall() == [("calm",), (None,)]


def test_a_full_disk_leaves_the_store_as_it_was(store: Store) -> None:
    big = plain(turns=tuple(Turn("user", os.urandom(1500).hex()) for _ in range(40)))
    store.put(plain())
    before = list(store)
    connection = store._database._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    for attempt in (lambda: store.put(big), lambda: store.put_many([plain(calls=3), big])):
        with pytest.raises(StoreError, match=r"karl\.sqlite: the disk is full \(.*\); nothing of this was stored.*free space, then store again"):
            attempt()
        assert list(store) == before and not store.check()
    connection.execute("PRAGMA max_page_count = 1000000")
    assert store.put_many([plain(calls=3), big]) == Stored(updated=2)


def test_an_export_cannot_replace_the_store(store: Store, tmp_path: Path) -> None:
    store.put(plain())
    (tmp_path / "link.jsonl").symlink_to(store.path)
    for target in (store.path, f"{store.path}-wal", tmp_path / "." / "karl.sqlite", tmp_path / "link.jsonl"):
        with pytest.raises(StoreError, match="this is the store itself"):
            store.export_jsonl(target)
    with pytest.raises(StoreError, match="the records cannot be written there"):
        store.export_jsonl(tmp_path / "none" / "out.jsonl")
    assert len(store) == 1


def damaged(path: Path) -> None:
    """Write over the second half of the pages."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\x5a" * (len(data) - len(data) // 2)
    path.write_bytes(data)


def test_a_damaged_file_is_told_and_what_can_be_read_is(store: Store, tmp_path: Path) -> None:
    store.put_many(plain(f"traj_{number:03}", calls=9, session_id=f"s{number}", prompt=os.urandom(200).hex()) for number in range(300))
    store.close()
    damaged(store.path)
    before = store.path.read_bytes()
    with Store(store.path, scorer=by_calls) as opened:
        with pytest.raises(StoreError, match=r"karl\.sqlite: it is damaged .*malformed.*save what can be read with export_jsonl"):
            list(opened)
        assert opened.check()
        problems: list[object] = []
        saved = opened.export_jsonl(tmp_path / "saved.jsonl", on_problem=problems.append)
        assert 0 < saved < 300 and problems
    assert store.path.read_bytes() == before
    with Store(tmp_path / "new.sqlite", scorer=by_calls) as new:
        assert new.import_jsonl(tmp_path / "saved.jsonl").added == saved


def test_what_can_be_read_of_a_file_that_cannot_be_opened_is_saved(store: Store, tmp_path: Path) -> None:
    sessions = [plain(f"traj_{number:03}", calls=9, session_id=f"s{number}", prompt=os.urandom(200).hex()) for number in range(300)]
    store.put_many(sessions)
    store.close()
    data = store.path.read_bytes()
    store.path.write_bytes(data[: len(data) // 2])
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"it is damaged \(.*malformed.*store\.salvage\('.*karl\.sqlite', 'OUT\.jsonl'\)"):
            Store(store.path, read_only=read_only)
    problems: list[Problem] = []
    saved = salvage(store.path, tmp_path / "out.jsonl", on_problem=problems.append)
    assert 50 < saved < 300 and {problem.path for problem in problems} == {str(store.path)}
    assert store.path.read_bytes() == data[: len(data) // 2]
    with Store(tmp_path / "new.sqlite", scorer=by_calls) as new:
        assert new.import_jsonl(tmp_path / "out.jsonl").added == saved
        assert {scored.trajectory.id for scored in new} < {session.id for session in sessions}
        assert all(scored.trajectory in sessions for scored in new)
    store.path.write_bytes(b"\x5a" * 9000)
    with pytest.raises(StoreError, match=r"karl\.sqlite: nothing can be saved of it: file is not a database"):
        salvage(store.path, tmp_path / "none.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir() or "none" in path.name) == []


@pytest.mark.parametrize("body", [b"", b"\x78\x01junk", "text", "short"])
def test_a_damaged_record_does_not_hide_the_others(store: Store, body: object) -> None:
    store.put_many(plain(f"traj_{number}", session_id=f"s{number}") for number in range(3))
    with closing(sqlite3.connect(store.path)) as other:
        stored = other.execute("SELECT body FROM record WHERE id = 'traj_1'").fetchone()[0]
        other.execute("UPDATE record SET body = ? WHERE id = 'traj_1'", (stored[:-5] if body == "short" else body,))
        other.commit()
    with pytest.raises(StoreError, match=r"the record 'traj_1' is damaged .* delete"):
        list(store)
    with pytest.raises(StoreError, match="is damaged"):
        store.get("traj_1")
    problems: list[object] = []
    assert [scored.trajectory.id for scored in store.trajectories(on_problem=problems.append)] == ["traj_0", "traj_2"]
    assert len(problems) == len(store.check()) == 1 and "traj_1" in str(problems[0])
    store.delete(["traj_1"])
    assert not store.check()


def test_columns_that_differ_from_the_record_are_found(store: Store) -> None:
    store.put(plain(domain="web"))
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("UPDATE record SET domain = 'ml', tools = 9")
        other.commit()
    (problem,) = store.check()
    assert problem.text == "columns domain, tools of traj_1 are not those of its record"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_by_root(store: Store) -> None:
    _as_nobody(store)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(store: Store) -> None:
    store.put(plain())
    store.close()
    os.chmod(store.path, 0o400)
    os.chmod(store.path.parent, 0o500)
    try:
        _refused(store.path)
    finally:
        os.chmod(store.path.parent, 0o700)


def _refused(path: Path) -> None:
    with pytest.raises(StoreError, match=rf"{path.name}: (it cannot be opened|it cannot be written here)"), Store(path, scorer=by_calls) as opened:
        opened.put(plain(calls=9))
    with Store(path, read_only=True) as opened:
        assert [scored.trajectory for scored in opened] == [plain()] and len(opened) == 1 and not opened.check()
        with pytest.raises(StoreError, match="read_only=True, nothing was stored"):
            opened.put(plain(calls=9))
    with pytest.raises(StoreError, match=r"new\.sqlite: it cannot be opened .*must be there, and be one you may write|check that its folder"):
        Store(path.parent / "new.sqlite")
    with pytest.raises(StoreError, match="the folder cannot be made"):
        Store(path.parent / "below" / "new.sqlite")


def _as_nobody(store: Store) -> None:
    store.put(plain())
    store.close()
    os.chmod(store.path, 0o644)
    before = store.path.read_bytes()
    folders = [store.path.parent, *store.path.parent.parents]
    modes = {folder: folder.stat().st_mode for folder in folders}
    try:
        for folder in folders:
            if modes[folder] & 0o005 != 0o005:
                os.chmod(folder, 0o755)
        in_a_fresh_python(
            """
            from test_karl_store_faults import _refused
            with Store(Path(sys.argv[1]), read_only=True) as opened:
                assert len(list(opened)) == 1 and not opened.check()  # all that is imported late, while it may be read
            os.setuid(65534)
            _refused(Path(sys.argv[1]))
        """,
            store.path,
        )
    finally:
        for folder, mode in modes.items():
            if folder.stat().st_mode != mode:
                os.chmod(folder, mode)
    assert store.path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed here")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_while_it_is_open(store: Store, tmp_path: Path, replaced: bool) -> None:
    store.put(plain())
    store.path.rename(tmp_path / "moved.sqlite")
    if replaced:
        store.path.write_bytes((tmp_path / "moved.sqlite").read_bytes())
    for attempt in (lambda: store.put(plain("traj_2")), lambda: len(store), lambda: list(store)):
        with pytest.raises(StoreError, match="removed or replaced while it was open; nothing more was stored in it: open the store again"):
            attempt()


def test_a_record_of_a_later_version_is_left(store: Store) -> None:
    store.put_many([plain(), plain("traj_2", session_id="s2")])
    record = to_record(plain())
    record["ebmhw"]["version"] = VERSION + 1
    body = zlib.compress(json.dumps(record).encode())
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("UPDATE record SET body = ? WHERE id = 'traj_1'", (body,))
        other.commit()
    for attempt in (lambda: store.put(plain(calls=9)), lambda: list(store), lambda: store.annotate("s1", redo=True)):
        with pytest.raises(NewerRecord, match=r"karl\.sqlite: traj_1: the record has version"):
            attempt()
    problems: list[object] = []
    assert [scored.trajectory.id for scored in store.trajectories(on_problem=problems.append)] == ["traj_2"] and len(problems) == 1
    with closing(sqlite3.connect(store.path)) as other:
        assert other.execute("SELECT body FROM record WHERE id = 'traj_1'").fetchone() == (body,)


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", True, None])
def test_a_timeout_that_is_none(tmp_path: Path, timeout: object) -> None:
    with pytest.raises(StoreError, match=r"timeout is .*; give seconds, 0 or more"):
        Store(tmp_path / "s.sqlite", timeout=timeout)  # type: ignore[arg-type]
