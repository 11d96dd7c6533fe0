"""Deploys to a board behind a real sshd: what they leave there, what they check before, and who is not let in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from board_deploying import Bench, arguments, bench, sshd, upgrade
from board_images import synthetic_entry
from board_sshd import Sshd, free_port, make_folder, units_here
from board_tree import MODEL, TREE, put

from boards.kv260.deploy import ssh
from boards.kv260.deploy.__main__ import main
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.ssh import Target
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.manifest import UnitHashes
from ebmhw.errors import BoardError, ConfigError, CredentialError, EbmhwError, FirmwareError, NetworkError

__all__ = ["bench", "sshd", "upgrade"]

ROOT = Path(__file__).resolve().parents[2]
ISING = units_here()[0]
STEPS = ["connect", "look", "check", "take", "upload", "unload", "install", "load", "verify", "self-test", "keep"]


def test_a_deploy_puts_both_folders_into_place_loads_and_tests(bench: Bench) -> None:
    report = bench.deploy()
    for where, folder in ((APP, f"{FIRMWARE_ROOT}/{APP}"), ("share", SHARE_ROOT)):
        here, there = bench.firmware / where, bench.board.root / folder[1:]
        assert {one.name: one.read_bytes() for one in here.iterdir()} == {one.name: one.read_bytes() for one in there.iterdir()}
        assert there.stat().st_mode & 0o777 == 0o755 and all(one.stat().st_mode & 0o777 == 0o644 for one in there.iterdir())
    assert (bench.board.root / "run/dfx-mgr").read_text() == APP
    assert [row["what"] for row in report.data["selftest"]] == ["identity", "known answer"]
    assert report.data["state"] == "deployed"
    assert [step["step"].split()[0] for step in report.data["steps"]] == STEPS
    assert all(step["state"] == "ok" and step["seconds"] >= 0 for step in report.data["steps"])
    assert bench.leftovers() == []
    json.loads(report.to_json())


def test_a_user_with_sudo_deploys_as_root_does(bench: Bench) -> None:
    put(bench.board.control / "uid", "1000\n")
    bench.deploy()
    assert "permission: sudo without a password" in bench.told
    assert bench.leftovers() == []


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(bench: Bench) -> None:
    before = bench.board.tree()
    report = bench.deploy(dry_run=True)
    assert bench.board.tree() == before
    assert "upload 6 files" in bench.told and f"xmutil loadapp {APP}" in bench.told
    assert report.data["facts"]["model"] == MODEL.rstrip("\0") and report.data["state"] == "untouched"
    assert [one for one in bench.board.calls() if one != "listapps"] == []


def test_no_room_is_refused_with_sizes(bench: Bench) -> None:
    with pytest.raises(BoardError, match=r"has [\d.]+ MiB free, 0.0 MiB and \d+.0 MiB in reserve are needed; make room"):
        bench.deploy(reserve=1 << 60)


def test_an_old_bitstream_is_refused_with_both_hashes(bench: Bench, tmp_path: Path) -> None:
    right = synthetic_entry(tmp_path / "right")
    units = dict(right.units) | {ISING[0]: UnitHashes(0x1234_5678, right.units[ISING[0]].packet_hash)}
    make_folder(tmp_path / "old", units=units)
    message = f"hash 0x12345678 in the bitstream, {ISING[1]:#010x} in this version of ebmhw; build the bitstream of this checkout"
    with pytest.raises(BoardError, match=message):
        bench.deploy(firmware=tmp_path / "old")


def test_all_checks_are_told_together(bench: Bench) -> None:
    put(bench.board.root / TREE / "model", "ZynqMP ZCU104 RevC\0")
    put(bench.board.root / TREE / "compatible", "xlnx,zynqmp-zcu104-revC\0")
    put(bench.board.control / "uid", "1000\n")
    put(bench.board.control / "no-sudo", "")
    put(bench.board.site / "pynq-3.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pynq\nVersion: 2.7.0\n")
    bench.board.install_python(change=1)
    report = Report(bench.lines)
    with pytest.raises(BoardError, match=r"^3 checks failed") as caught:
        bench.deploy(report=report, reserve=0)
    assert all(part in str(caught.value) for part in ("no KV260", "neither root nor sudo", "pynq is 2.7.0", "the register map of ising_core"))
    assert len(report.data["checks"]) >= 8


def refused(sshd: Sshd) -> tuple[Path, str]:
    return sshd.client("refused", port=free_port()), "board"


KEYS: dict[str, tuple[Callable[[Sshd], tuple[Path, str]], type[EbmhwError], str]] = {
    "refused": (refused, NetworkError, "board refuses the connection; is sshd running there"),
    "host key changed": (lambda one: (one.client("changed", "other"), one.user), CredentialError, "its host key changed.*ssh-keygen -R board"),
    "host key unknown": (
        lambda one: (one.client("unknown", None), one.user),
        CredentialError,
        "the host key of board is not known here; log in once",
    ),
    "no key": (lambda one: (one.client("no-key", identity="other"), one.user), CredentialError, "does not let us in without a password.*ssh-copy-id"),
    "wrong user": (lambda one: (one.config, "nobody-of-that-name"), CredentialError, "nobody-of-that-name@board does not let us in"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_connection_that_is_not_made_says_what_to_do(bench: Bench, name: str) -> None:
    change, kind, message = KEYS[name]
    config, user = change(bench.sshd)
    with pytest.raises(kind, match=message):
        bench.deploy(ssh=("-F", str(config)), target=Target(user, "board"))


def test_a_board_that_never_answers_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "CONNECT_S", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        config = bench.sshd.client("silent", port=silent.getsockname()[1])
        with pytest.raises(NetworkError, match="board does not answer within 1 s; is it on"):
            bench.deploy(ssh=("-F", str(config)))


def test_a_host_that_is_no_name_is_told(bench: Bench) -> None:
    with pytest.raises(NetworkError, match=r"there is no machine 'no-board\.invalid'|no connection to"):
        bench.deploy(target=Target(None, "no-board.invalid"))


@pytest.mark.parametrize(
    "text", ["-oProxyCommand=touch x", "root@-x", "a b@c", "x@", "@x", "", "root@board\n", "root@b;ls", "root@board:22", "$(id)@x"]
)
def test_what_ssh_might_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not user@host"):
        Target.parse(text)


@pytest.mark.parametrize("text", ["ubuntu@kria", "kria.local", "root@192.168.2.99", "ubuntu@fe80::1%eth0", "a_b.c-d@x"])
def test_names_of_boards_are_taken(text: str) -> None:
    assert str(Target.parse(text)) == text


def test_a_firmware_folder_that_is_none_is_refused(bench: Bench) -> None:
    for change, message in (
        (lambda: (bench.firmware / APP / "README").write_text("x"), "README does not belong there"),
        (lambda: (bench.firmware / APP / "README").unlink() or (bench.firmware / "share/ebmhw.hwh").write_text("x"), "ebmhw.hwh has 1 bytes, not"),
        (lambda: (bench.firmware / "share/ebmhw.hwh").unlink(), "ebmhw.hwh is missing"),
        (lambda: shutil.rmtree(bench.firmware), "make the firmware first"),
    ):
        change()
        with pytest.raises(FirmwareError, match=message):
            bench.plan()


def test_the_command_says_json_and_its_status(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(bench, "--json")) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["ok"], found["state"], found["build"]) == (True, "deployed", f"{bench.entry.build:#010x}")
    assert f"runs build {bench.entry.build:#010x}" in err
    bench.board.faults(selftest="fail")
    assert main(arguments(bench, "--json")) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["state"], found["error"]["code"]) == (False, "as before", "hardware-fault")


def test_a_failing_self_test_brings_back_the_earlier_build(upgrade: Bench) -> None:
    before = upgrade.board.tree()
    upgrade.board.faults(selftest="fail")
    with pytest.raises(EbmhwError, match="the self-test failed in 1 of 2 rows: known answer: 3 of 64 spins"):
        upgrade.deploy()
    assert upgrade.board.tree() == before and "the board is as it was before" in upgrade.told


def test_a_cut_connection_has_the_board_go_back_by_itself(upgrade: Bench) -> None:
    before = upgrade.board.tree()

    def cut(step: str, connection: Any) -> None:
        if step == "load":
            os.kill(connection.process, signal.SIGKILL)

    with pytest.raises(NetworkError, match=r"the connection to .* ended"):
        upgrade.deploy(cut)
    upgrade.gone()
    assert upgrade.board.tree() == before
