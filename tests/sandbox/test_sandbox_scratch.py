"""The scratch folder: counted and removed whatever was made of it, without ever following a link."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("resource", reason="the sandbox is for Linux")
from ebmhw.sandbox.inside import scratch
from ebmhw.sandbox.inside.scratch import DEEPEST, remove, too_much


def _deep(folder: Path, depth: int) -> None:
    """Make folders in each other, deeper than paths can be long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a_folder_of_some_length", dir_fd=here)
        below = os.open("a_folder_of_some_length", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with open(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here), "w") as file:
        file.write("x")
    os.close(here)


def test_a_tree_deeper_than_paths_and_descriptors_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "scratch"
    top.mkdir()
    _deep(top, 1200)
    assert too_much(str(top), 10**6, 1 << 40)
    remove(str(top))
    assert not top.exists()


def test_folders_without_rights_are_counted_and_removed(tmp_path: Path) -> None:
    top = tmp_path / "scratch"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("x")
    for folder in (top / "a" / "b", top / "a", top):
        folder.chmod(0)
    assert too_much(str(top), 2, 1 << 40) and not too_much(str(top), 3, 1 << 40)
    for folder in (top, top / "a", top / "a" / "b"):
        folder.chmod(0o700)
    for folder in (top / "a" / "b", top / "a", top):
        folder.chmod(0)
    remove(str(top))
    assert not top.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x" * 100_000)
    kept.chmod(0o500)
    top = tmp_path / "scratch"
    top.mkdir()
    (top / "to a folder").symlink_to(kept)
    (top / "to a file").symlink_to(kept / "file")
    (top / "to nothing").symlink_to(tmp_path / "nothing")
    os.link(kept / "file", top / "hard") if os.access(kept / "file", os.W_OK) else None
    assert not too_much(str(top), 4, 1 << 20)
    remove(str(top))
    assert not top.exists() and (kept / "file").exists() and kept.stat().st_mode & 0o777 == 0o500
    remove(str(top))  # nothing is there
    (tmp_path / "link").symlink_to(kept)
    remove(str(tmp_path / "link"))
    assert (kept / "file").exists()


WIDE = """
import os, resource, sys
sys.path.insert(0, sys.argv[1])
from inside.scratch import remove, too_much
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
for n in range(200):
    os.mkdir(f"{sys.argv[2]}/{n}")
    open(f"{sys.argv[2]}/{n}/file", "w").close()
print(too_much(sys.argv[2], 400, 1 << 40), too_much(sys.argv[2], 399, 1 << 40))
remove(sys.argv[2])
"""


def test_a_tree_wider_than_descriptors_suffice_for_is_counted_and_removed(tmp_path: Path) -> None:
    top = tmp_path / "scratch"
    top.mkdir()
    command = [sys.executable, "-c", WIDE, str(Path(scratch.__file__).parent.parent), str(top)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (found.stdout, found.stderr, top.exists()) == ("False True\n", "", False)


def test_what_cannot_be_counted_does_not_pass_as_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()

    def full(name: str, beside: int | None) -> int:
        if beside is None:
            return os.open(name, os.O_RDONLY)
        raise OSError(errno.EMFILE, "too many")

    monkeypatch.setattr(scratch, "_open", full)
    with pytest.raises(OSError, match="too many"):
        too_much(str(tmp_path), 10, 1 << 40)


def test_a_folder_that_somebody_still_writes_in_is_removed_once_he_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "scratch"
    top.mkdir()
    rmdir, late = os.rmdir, [3]

    def written_in(path: str, **named: int) -> None:
        if path == str(top) and late[0]:
            late[0] -= 1
            (top / "late").touch()
        rmdir(path, **named)

    monkeypatch.setattr(os, "rmdir", written_in)
    remove(str(top))
    assert not top.exists() and late == [0]


def test_what_counts_is_the_disk_that_is_occupied(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 30)
    assert not too_much(str(tmp_path), 1, 1 << 20)
    (tmp_path / "full").write_bytes(os.urandom(2 << 20))
    assert too_much(str(tmp_path), 2, 1 << 20) and not too_much(str(tmp_path), 2, 3 << 20)


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from(["1", "2", "a", "b"]), min_size=1, max_size=DEEPEST // 4), max_size=12))
def test_every_tree_is_counted_and_removed(tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]) -> None:
    top = tmp_path_factory.mktemp("tree")
    for parts in paths:
        top.joinpath(*parts).mkdir(parents=True, exist_ok=True)
    count = sum(1 for _ in top.rglob("*"))
    assert not too_much(str(top), count, 1 << 40)
    assert count == 0 or too_much(str(top), count - 1, 1 << 40)
    remove(str(top))
    assert not top.exists()
