"""Deploys that fail, at every step: the board is what it was before, whatever was on it, and the reason is told."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from board_deploying import QUICK, Bench, bench, slow_but, sshd, upgrade
from board_sshd import OTHER
from board_tree import put

from boards.kv260.deploy.report import Report
from boards.kv260.deploy.ssh import Connection
from ebmhw.backends.kv260.hold import NAME
from ebmhw.board.block_design import APP, SHARE_ROOT
from ebmhw.errors import EbmhwError, HardwareFault

__all__ = ["bench", "sshd", "upgrade"]

NEVER_WORKS = "import errno, os\ndef fail(*_, **__):\n    raise OSError(errno.EIO, 'Input/output error')\n"

# Calls of renameat2 by number: what they return, or "kill" after they are done.
EXCHANGES = """
import ctypes, os, signal, time
real, calls, kinds = ctypes.CDLL, [], {kinds!r}
class Library:
    def __init__(self, *given, **more):
        self.real = real(*given, **more)
    def renameat2(self, *given):
        calls.append(given)
        kind = kinds.get(len(calls))
        if isinstance(kind, int):
            ctypes.set_errno(kind)
            return -1
        status = self.real.renameat2(*given)
        if kind == "slow":
            open(control + "/started", "w").close()
            time.sleep(0.4)
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return status
ctypes.CDLL = Library
"""


@pytest.mark.slow
def test_a_deploy_over_an_earlier_build_replaces_it(upgrade: Bench) -> None:
    upgrade.deploy()
    assert upgrade.leftovers() == []
    assert (upgrade.board.root / SHARE_ROOT[1:] / "ebmhw.bit").read_bytes() == (upgrade.firmware / "share/ebmhw.bit").read_bytes()
    assert "another build is installed, and is replaced" in upgrade.told
    assert [one for one in upgrade.board.calls() if one != "listapps"] == ["unloadapp 0", f"loadapp {APP}"]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unloadapp says error": (
        {"unloadapp": ["error"]},
        "ebmhw-kv260 is not unloaded: `.*unloadapp 0` ended with exit status 0; it printed: remove from slot 0 returns: -1",
    ),
    "unloadapp hangs": ({"unloadapp": ["hang"]}, "unloadapp 0` did not end within 3 s"),
    "loadapp says error": ({"loadapp": ["error"]}, "loadapp ebmhw-kv260` ended with exit status 0; it printed: ebmhw-kv260: load Error: -1"),
    "loadapp says error as in 2022.1": ({"loadapp": ["old error"]}, "Accelerator loaded to slot -1"),
    "loadapp ends with a traceback": ({"loadapp": ["traceback"]}, "ended with exit status 1; it printed: Traceback"),
    "loadapp says nothing": ({"loadapp": ["silent"]}, "ended with exit status 0; it printed: nothing"),
    "loadapp hangs": ({"loadapp": ["hang"]}, "loadapp ebmhw-kv260` did not end within"),
    "loader does not see the folder": ({"listapps": "hides"}, "does not list ebmhw-kv260 within 1 s"),
    "no overlay": ({"loadapp": ["no overlay"]}, "no node ebmhw,ising-core-1.0 after loading"),
    "device tree of another build": ({"loadapp": ["other build"]}, "says build 0x00000000 of ebmhw,ising-core-1.0, not 0x"),
    "manager says write error": ({"loadapp": ["manager"]}, "state is 'write error' after loading"),
    "self-test fails": ({"selftest": "fail"}, "the self-test failed in 1 of 2 rows: known answer: 3 of 64 spins"),
    "self-test hangs": ({"selftest": "hang"}, "selftest --json` did not end within"),
    "self-test prints garbage": ({"selftest": "garbage"}, r"did not say how it went: it ended with 0 and printed: \?\[2J Segmentation fault"),
    "self-test floods": ({"selftest": "flood"}, "did not say how it went"),
    "self-test's status lies": ({"selftest": "lies"}, "exit status is not what its rows say"),
}


@pytest.mark.parametrize("name", slow_but(FAULTS))
def test_a_fault_of_a_step_brings_back_the_earlier_build(upgrade: Bench, name: str) -> None:
    faults, message = FAULTS[name]
    fails(upgrade, message, **faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loadapp says error", "device tree of another build", "self-test fails"])
def test_a_fault_of_a_step_leaves_nothing_where_nothing_was(bench: Bench, name: str) -> None:
    faults, message = FAULTS[name]
    fails(bench, message, **faults)
    assert (bench.board.root / "run/dfx-mgr").read_text() == OTHER


def fails(bench: Bench, message: str, **faults: Any) -> None:
    """Deploy with faults, and compare the whole board with what it was before."""
    before = bench.board.tree()
    bench.board.faults(**faults)
    put(bench.board.control / "hidden", (bench.firmware / APP / f"{APP}.bit.bin").read_bytes())
    report = Report(bench.lines)
    with pytest.raises(EbmhwError, match=message) as caught:
        bench.deploy(report=report)
    assert bench.board.tree() == before
    assert report.data["state"] == "as before" and report.data["problems"] == []
    assert "the board is as it was before" in bench.told and "\x1b" not in bench.told + str(caught.value)


@pytest.mark.slow
def test_rows_of_a_failed_self_test_are_told(upgrade: Bench) -> None:
    upgrade.board.faults(selftest="fail")
    report = Report(upgrade.lines)
    with pytest.raises(HardwareFault):
        upgrade.deploy(report=report)
    assert report.data["selftest"] == [
        {"what": "identity", "passed": True, "detail": "both units"},
        {"what": "known answer", "passed": False, "detail": "3 of 64 spins?[31m"},
    ]
    assert "FAILED known answer: 3 of 64 spins?[31m" in upgrade.told


PRELUDES: dict[str, tuple[str, str]] = {
    "no staging folder": (
        NEVER_WORKS + "made = os.makedirs\nos.makedirs = lambda path, *more, **k: fail() if path.endswith('/share') else made(path, *more, **k)\n",
        "Input/output error",
    ),
    "no room while uploading": (NEVER_WORKS + "os.fsync = fail\n", "cannot be written: Input/output error; make room"),
    "first exchange fails": (EXCHANGES.format(kinds={1: 5}), "Input/output error"),
    "second exchange fails": (EXCHANGES.format(kinds={2: 5}), "Input/output error"),
    "no exchange, second rename fails": (
        EXCHANGES.format(kinds=dict.fromkeys(range(1, 9), 22))
        + "rename, count = os.rename, []\n"
        + "def counted(old, new):\n    count.append(new)\n    if len(count) == 4: raise OSError(5, 'Input/output error')\n    rename(old, new)\n"
        + "os.rename = counted\n",
        "Input/output error",
    ),
}


@pytest.mark.parametrize("name", slow_but(PRELUDES, "second exchange fails"))
def test_a_fault_of_the_file_system_brings_back_the_earlier_build(upgrade: Bench, name: str) -> None:
    prelude, message = PRELUDES[name]
    upgrade.board.prelude(prelude)
    fails(upgrade, message)


@pytest.mark.slow
def test_without_exchange_two_renames_do(upgrade: Bench) -> None:
    upgrade.board.prelude(EXCHANGES.format(kinds=dict.fromkeys(range(1, 9), 22)))
    fails(upgrade, "self-test failed", selftest="fail")
    upgrade.board.faults()
    upgrade.deploy()
    assert upgrade.leftovers() == []


@pytest.mark.slow
def test_another_file_system_is_refused_before_anything_moves(bench: Bench, tmp_path: Any) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder = f"/dev/shm/ebmhw-{os.getpid()}"
    os.mkdir(folder)
    try:
        (bench.board.root / "usr/share/ebmhw").symlink_to(folder)
        fails(bench, "is on another file system than")
    finally:
        os.rmdir(folder)


@pytest.mark.slow
def test_a_file_that_changes_meanwhile_is_found_on_the_board(upgrade: Bench) -> None:
    before = upgrade.board.tree()

    def change(step: str, connection: Any) -> None:
        if step == "upload":
            path = upgrade.firmware / "share/ebmhw.bit"
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)

    with pytest.raises(EbmhwError, match=r"ebmhw.bit arrived with \d+ bytes and SHA-256 [0-9a-f]{16}..., not \d+ and"):
        upgrade.deploy(change)
    assert upgrade.board.tree() == before


def test_a_roll_back_that_fails_says_what_to_do_and_the_next_deploy_repairs(upgrade: Bench) -> None:
    upgrade.board.faults(loadapp=["other build", "error"])
    report = Report(upgrade.lines)
    with pytest.raises(EbmhwError, match="another design is loaded"):
        upgrade.deploy(report=report)
    assert report.data["state"] == "broken"
    assert "THE ROLL-BACK FAILED" in upgrade.told and f"by hand: sudo xmutil loadapp {APP}" in upgrade.told
    upgrade.board.healthy()
    upgrade.deploy()
    assert "died midway; what was there before it is there again" in upgrade.told
    assert upgrade.leftovers() == []


@pytest.mark.parametrize("text", slow_but(["", "[]", '{"version": 1}', '{"version": 2, "pairs": [3]}'], '{"version": 1}'))
def test_a_journal_that_is_none_stops_the_deploy_and_stays(bench: Bench, text: str) -> None:
    put(bench.board.root / f"lib/firmware/.{APP}-deploy/journal.json", text)
    fails(bench, r"journal\.json is no journal of this version's deploys; look at what lies beside it")


def test_a_lock_that_is_held_names_its_holder(upgrade: Bench) -> None:
    with upgrade.board.lock().open("w") as held:
        held.write("ada@lab, since 2026-03-14 15:09:26 UTC, process 4711\n")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        fails(upgrade, "another deploy holds the board: ada@lab, since 2026-03-14 15:09:26 UTC, process 4711")


def test_a_process_that_uses_the_board_is_not_robbed_of_it(upgrade: Bench) -> None:
    path = upgrade.board.root / "run/lock" / NAME
    with path.open("w") as held:
        held.write("4711\n")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        fails(upgrade, r"the board is in use by process 4711; end it \(sudo kill 4711")
    assert "unloadapp 0" not in upgrade.board.calls()


def test_nobody_gets_at_the_board_while_nothing_may_be_loaded(upgrade: Bench) -> None:
    free: dict[str, bool] = {}

    def look(step: str, connection: Any) -> None:
        with (upgrade.board.root / "run/lock" / NAME).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free[step] = True
            except BlockingIOError:
                free[step] = False

    upgrade.deploy(look)
    assert [step for step in STEPS if not free[step]] == ["install", "load", "look", "selftest"]


@pytest.mark.slow
def test_the_lock_of_a_dead_deploy_is_taken_over(upgrade: Bench) -> None:
    upgrade.board.lock().write_text("ada@lab, since 2026-03-14 15:09:26 UTC, process 4711\n")
    upgrade.deploy()
    assert "a dead deploy held the board: ada@lab" in upgrade.told
    assert upgrade.leftovers() == []


STEPS = ["connect", "facts", "begin", "upload", "unload", "install", "load", "look", "selftest", "commit"]


@pytest.mark.parametrize("step", slow_but(STEPS))
def test_ctrl_c_before_a_step_brings_back_the_earlier_build(upgrade: Bench, step: str) -> None:
    def interrupt(now: str, connection: Any) -> None:
        if now == step:
            raise KeyboardInterrupt

    before = upgrade.board.tree()
    with pytest.raises(KeyboardInterrupt):
        upgrade.deploy(interrupt)
    assert upgrade.board.tree() == before


SLOW = """
import os, time
real = os.fsync
def slowly(handle):
    open(control + "/started", "w").close()
    time.sleep(0.2)
    real(handle)
os.fsync = slowly
"""
DURING: dict[str, tuple[str | None, dict[str, Any]]] = {
    "upload": (SLOW, {}),
    "unload": (None, {"unloadapp": ["slow"]}),
    "install": (EXCHANGES.format(kinds={1: "slow"}), {}),
    "load": (None, {"loadapp": ["slow"]}),
    "self-test": (None, {"selftest": "slow"}),
    "self-test that hangs": (None, {"selftest": "hang"}),
}


def during(bench: Bench, step: str, act: Callable[[Any], None]) -> None:
    """Deploy, and act from another thread once a slow part of a step goes on."""
    prelude, faults = DURING[step]
    bench.board.faults(**faults)
    if prelude:
        bench.board.prelude(prelude)
    held: list[Any] = []

    def watch(now: str, connection: Any) -> None:
        held.append(connection)

    def wait() -> None:
        bench.board.wait_for(lambda: bench.board.started() and len(held) > 2)
        act(held[-1])

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        bench.deploy(watch)
    finally:
        thread.join()


@pytest.mark.parametrize("step", slow_but(DURING, "load"))
def test_ctrl_c_during_a_step_brings_back_the_earlier_build(upgrade: Bench, step: str) -> None:
    before = upgrade.board.tree()
    with pytest.raises(KeyboardInterrupt):
        during(upgrade, step, lambda connection: os.kill(os.getpid(), signal.SIGINT))
    assert upgrade.board.tree() == before


@pytest.mark.parametrize("step", slow_but(DURING))
def test_a_connection_cut_during_a_step_has_the_board_go_back_by_itself(upgrade: Bench, step: str) -> None:
    def cut(connection: Connection) -> None:
        os.kill(connection.process, signal.SIGKILL)

    before = upgrade.board.tree()
    with pytest.raises(EbmhwError, match=r"the connection to .* ended"):
        during(upgrade, step, cut)
    upgrade.gone()
    assert upgrade.board.tree() == before
    assert "it does so by itself when it finds us gone" in upgrade.told


KILLS = {
    "after the first exchange": EXCHANGES.format(kinds={1: "kill"}),
    "after the second exchange": EXCHANGES.format(kinds={2: "kill"}),
    "between two renames": EXCHANGES.format(kinds=dict.fromkeys(range(1, 9), 22))
    + "rename, count = os.rename, []\n"
    + "def counted(old, new):\n    count.append(new)\n    rename(old, new)\n    if len(count) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
    + "os.rename = counted\n",
    "while it uploads": "import os, signal\nos.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n",
}


@pytest.mark.parametrize("name", slow_but(KILLS, "after the first exchange"))
def test_what_a_killed_deploy_left_is_repaired_by_the_next(upgrade: Bench, name: str) -> None:
    before = upgrade.board.tree()
    upgrade.board.prelude(KILLS[name])
    with pytest.raises(EbmhwError, match=r"the connection to .* ended"):
        upgrade.deploy()
    upgrade.board.healthy()
    after_repair(upgrade, before)
    if name != "while it uploads":
        assert "died midway; what was there before it is there again" in upgrade.told


def after_repair(bench: Bench, before: dict[str, Any]) -> None:
    """Take the board again, go no further, and compare it with what it was before all."""

    def stop(now: str, connection: Any) -> None:
        if now == "upload":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.deploy(stop)
    assert bench.board.tree() == before


@pytest.mark.slow
def test_a_host_that_says_nothing_is_given_up(upgrade: Bench) -> None:
    before = upgrade.board.tree()

    def wait(now: str, connection: Any) -> None:
        if now == "selftest":
            upgrade.board.wait_for(lambda: not upgrade.board.lock().exists())

    with pytest.raises(EbmhwError, match="the host said nothing for 1 s"):
        upgrade.deploy(wait, limits=replace(QUICK, idle=1))
    assert upgrade.board.tree() == before
