"""Making firmware while something goes wrong: a command, the disk, permissions, an interrupt. What was there before stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from board_firmware import below, need_tools
from board_images import synthetic_bitstreams
from board_tools import tool

from boards.kv260.firmware import build, make_firmware, places
from boards.kv260.firmware.tools import run_tool
from ebmhw.errors import FirmwareError, PermissionDenied

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bootgen", "dtc", "dpkg-deb")


def commands(folder: Path, **scripts: str | None) -> str:
    """Return a PATH with the system's commands but for those that are given: a shell script in its place, or None for nothing."""
    folder.mkdir()
    for name in (*TOOLS, "sh", "sleep", "touch", "tar", "gzip", "rm", "cp"):
        script = scripts.get(name.replace("-", "_"), "")
        if script == "":
            (folder / name).symlink_to(tool(name))
        elif script is not None:
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(("missing", "package"), [("bootgen", "xilinx-bootgen"), ("dtc", "device-tree-compiler"), ("dpkg-deb", "dpkg")])
def test_a_missing_command_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, package: str) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    monkeypatch.setenv("PATH", commands(tmp_path / "bin", **{missing.replace("-", "_"): None}))
    with pytest.raises(FirmwareError, match=rf"there is no {missing} on the PATH.*package {package}"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        (
            "bootgen",
            "echo '[ERROR] no licence'; exit 3",
            r"`.*bootgen -arch zynqmp .*` ended with exit status 3; it printed: \[ERROR\] no licence",
        ),
        ("bootgen", "kill -9 $$", r"` was ended by SIGKILL; it printed: nothing"),
        ("bootgen", "echo done", "bootgen ended well and wrote no ebmhw-kv260.bit.bin; check its installation; it printed: done"),
        ("bootgen", "cp ebmhw-kv260.bit ebmhw-kv260.bit.bin", "bootgen wrote 1725 bytes that are not the 1608 bytes"),
        ("dtc", "exit 1", r"dtc -@ .*ended with exit status 1"),
        ("dtc", "exit 0", "dtc ended well and wrote no ebmhw-kv260.dtbo"),
        ("dpkg-deb", "echo 'no space' >&2; exit 2", r"dpkg-deb --build .*ended with exit status 2; it printed: no space"),
        ("dpkg-deb", "exit 0", "dpkg-deb ended well and wrote no ebmhw-kv260_"),
    ],
)
def test_a_command_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str, told: str) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    before = below(tmp_path / "out")
    synthetic_bitstreams(tmp_path / "bits", clock_mhz=100)
    monkeypatch.setenv("PATH", commands(tmp_path / "bin", **{name.replace("-", "_"): script}))
    with pytest.raises(FirmwareError, match=told):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    assert below(tmp_path / "out") == before


def test_a_command_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(FirmwareError, match=r"`sh -c .*` did not end within 0\.3 s and was stopped; it printed: half"):
        run_tool(["sh", "-c", "echo half; exec sleep 60"], tmp_path, limit=0.3)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_full_disk_leaves_nothing(tmp_path: Path, blocks: int) -> None:
    # A limit on the length of files stands in for a full disk: 1 KiB stops the copy of the .bit, 2 KiB the overlay, 3 KiB the package.
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    command = f'ulimit -f {blocks}; exec "$@"'
    arguments = ["-m", "boards.kv260.firmware", "--bitstreams", str(tmp_path / "bits"), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "make firmware: " in done.stderr and "Traceback" not in done.stderr
    assert ("dpkg-deb --build" if blocks == 3 else "there is no room to write") in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_interrupt_leaves_what_was_there(tmp_path: Path) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    before = below(tmp_path / "out")
    synthetic_bitstreams(tmp_path / "bits", clock_mhz=100)
    path = commands(tmp_path / "bin", dpkg_deb=f"touch {tmp_path}/started; exec sleep 60")
    arguments = ["-m", "boards.kv260.firmware", "--bitstreams", str(tmp_path / "bits"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        limit = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)
    assert process.returncode == 130
    assert said == f"make firmware: interrupted; nothing in {tmp_path / 'out'} is half-written\n"
    assert below(tmp_path / "out") == before


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("number", range(7))
def test_a_move_that_fails_undoes_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, late: bool) -> None:
    # Four places are taken (two folders, the package, an old package) and three are filled: seven moves.
    need_tools()
    out = tmp_path / "out"
    synthetic_bitstreams(tmp_path / "bits")
    package = make_firmware(tmp_path / "bits", "kv260", out).package
    shutil.copy(package, out / "ebmhw-kv260_0.0.1_arm64.deb")
    before = below(out)
    synthetic_bitstreams(tmp_path / "bits", clock_mhz=100)
    calls, rename = [0], os.rename

    def failing(source: Path, target: Path) -> None:
        calls[0] += 1
        if calls[0] != number + 1:
            rename(source, target)
            return
        if late:
            rename(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(places.os, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        make_firmware(tmp_path / "bits", "kv260", out)
    assert calls[0] > number
    assert below(out) == before


@pytest.mark.parametrize("place", ["share", "ebmhw-kv260"])
def test_what_others_wrote_is_not_replaced(tmp_path: Path, place: str) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    (tmp_path / "out" / place).mkdir(parents=True)
    (tmp_path / "out" / place / "dictionary").write_text("words")
    with pytest.raises(FirmwareError, match=f"{place} holds dictionary, which make firmware does not write; move it away, or give another --out"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    assert below(tmp_path / "out") == {f"{place}/dictionary": b"words"}
    shutil.rmtree(tmp_path / "out" / place)
    (tmp_path / "out" / place).symlink_to(tmp_path / "bits")
    with pytest.raises(FirmwareError, match="is no folder, and is to be one"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")


def test_a_bitstream_that_changes_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")

    def other(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:-1] + b"?")

    monkeypatch.setattr(build.shutil, "copyfile", other)
    with pytest.raises(FirmwareError, match=r"'kv260' changed while it was read: .*ebmhw.bit has SHA-256 .*; try again"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    # Nobody makes folders in /sys, root neither.
    with pytest.raises(PermissionDenied, match=r"may not be read or written: /sys/ebmhw.*give another --out"):
        make_firmware(tmp_path / "bits", "kv260", Path("/sys/ebmhw"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_of_another_user_is_told(tmp_path: Path) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(PermissionDenied, match="give another --out, or run it as the owner"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")


def test_an_output_that_is_a_file_is_told(tmp_path: Path) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    (tmp_path / "out").write_text("")
    with pytest.raises(FirmwareError, match="out: File exists; check --bitstreams and --out"):
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
