"""What a deploy refuses before it changes anything, and how its command ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from board_deploying import Bench, arguments, bench, slow_but, sshd
from board_sshd import VENV, units_here
from board_tree import TREE, put

from ebmhw.board.block_design import FIRMWARE_ROOT
from ebmhw.errors import BoardError

__all__ = ["bench", "sshd"]

ROOT = Path(__file__).resolve().parents[2]


def tree_says(model: str, compatible: str) -> Callable[[Bench], Any]:
    def change(bench: Bench) -> None:
        put(bench.board.root / TREE / "model", model + "\0")
        put(bench.board.root / TREE / "compatible", compatible + "\0")

    return change


def eeprom_says(product: str) -> Callable[[Bench], Any]:
    def change(bench: Bench) -> None:
        tree_says("ZynqMP SMK-K26 Rev1/B/A", "xlnx,zynqmp")(bench)
        put(bench.board.root / "sys/bus/i2c/devices/1-0051/eeprom", b"\x01\x00" + product.encode() + b"\xff" * 40)

    return change


def without(*paths: str) -> Callable[[Bench], Any]:
    def change(bench: Bench) -> None:
        for path in paths:
            one = bench.board.root / path
            shutil.rmtree(one) if one.is_dir() else one.unlink()

    return change


def no_sudo(bench: Bench) -> None:
    put(bench.board.control / "uid", "1000\n")
    put(bench.board.control / "no-sudo", "")


def version_of(name: str, version: str) -> Callable[[Bench], Any]:
    def change(bench: Bench) -> None:
        (path,) = bench.board.site.glob(f"{name}-*/METADATA")
        put(path, f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    return change


def old_dimod(bench: Bench) -> None:
    bench.board.install_python(requires=("numpy", "dimod>=0.12.18"))
    put(bench.board.site / "dimod-0.12.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: dimod\nVersion: 0.12.9\n")


ISING = units_here()[0]
CHECKS: dict[str, tuple[Callable[[Bench], Any], str]] = {
    "a PC": (tree_says("QEMU Virtual Machine", "linux,dummy-virt"), "the machine says QEMU Virtual Machine: it is no KV260, nor a K26; check BOARD"),
    "a ZCU104": (tree_says("ZynqMP ZCU104 RevC", "xlnx,zynqmp-zcu104-revC"), "it is no KV260"),
    "a KR260 by its tree": (
        tree_says("ZynqMP KR260 revB", "xlnx,zynqmp-sk-kr260-revB\0xlnx,zynqmp-smk-k26"),
        "the machine says ZynqMP KR260 revB: it is no KV260",
    ),
    "a KR260 by its EEPROM": (eeprom_says("SCK-KR-G"), "its carrier is SCK-KR-G, not the KV260's"),
    "no xmutil": (without("usr/bin/xmutil"), "has no xmutil: firmware cannot be loaded there"),
    "PetaLinux without dfx-mgr": (without("usr/bin/dfx-mgr-client", FIRMWARE_ROOT[1:]), "has no dfx-mgr-client, no /lib/firmware/xilinx"),
    "dfx-mgr does not run": (
        lambda bench: bench.board.faults(listapps="silent"),
        "listapps` ended .* it printed: nothing; is dfx-mgr running",
    ),
    "no sudo": (no_sudo, "neither root nor sudo without a password"),
    "no PYNQ": (without(VENV), "there is no /usr/local/share/pynq-venv/bin/python3; install Kria-PYNQ"),
    "an old PYNQ": (version_of("pynq", "2.7.0"), "pynq is 2.7.0 in .*, ebmhw needs 3.0 or newer"),
    "an old NumPy": (
        version_of("numpy", "1.21.5"),
        r"numpy is 1.21.5 in .*, ebmhw needs 1.26 or newer; on the board: sudo env PIP_CONFIG_FILE=/dev/null .*pip install 'numpy==1\.26\.\*'",
    ),
    "a new NumPy": (version_of("numpy", "2.1.0"), r"numpy is 2.1.0 in .*, PYNQ needs one below 2; on the board: .* pip install 'numpy==1\.26\.\*'"),
    "no ebmhw": (
        lambda bench: shutil.rmtree(bench.board.site / "ebmhw-0.1.dist-info"),
        "Python: ebmhw is not installed in [^;]*; install .*: make wheel, then make deploy BOARD=.*@board DEPLOY=--install-host$",
    ),
    "nothing in PYNQ's environment": (without(f"{VENV}/lib"), "pynq is not installed in .*; install Kria-PYNQ"),
    "an old dimod": (old_dimod, "ebmhw lacks dimod>=0.12.18; install this checkout's"),
    "another contract": (
        lambda bench: bench.board.install_python(change=1),
        f"the register map of ising_core has hash {ISING[1]:#010x} in the bitstream, {ISING[1] ^ 1:#010x} in the board's ebmhw.*--install-host",
    ),
    "ebmhw without dimod": (lambda bench: bench.board.install_python(requires=("numpy", "dimod>=0.12.18")), "ebmhw lacks dimod>=0.12.18"),
}


@pytest.mark.parametrize("name", slow_but(CHECKS, "a KR260 by its EEPROM", "no ebmhw"))
def test_a_board_that_does_not_fit_is_refused_untouched(bench: Bench, name: str) -> None:
    change, message = CHECKS[name]
    change(bench)
    before = bench.board.tree()
    with pytest.raises(BoardError, match=rf"checks? failed, and nothing on the board was changed: .*{message}"):
        bench.deploy()
    assert bench.board.tree() == before


@pytest.mark.slow
def test_login_files_that_print_do_not_matter_and_floods_end(bench: Bench) -> None:
    bench.board.prelude("import os\nos.write(1, b'Welcome to Ubuntu!\\x1b[31m\\n' * 20)\n")
    bench.deploy(dry_run=True)
    bench.board.prelude("import os\nwhile True: os.write(1, b'y' * 65536)\n")
    with pytest.raises(BoardError, match="printed more than 1048576 bytes instead of an answer"):
        bench.deploy()


ANSWERS = ["nonsense", "[1]", '{"ok": true}', '{"ok": true, "facts": {"uid": "x"}}', '{"ok": true, "facts": ' + "[" * 4000 + "]" * 4000 + "}"]
ANSWERING = """
import os, re
got = b""
while not re.search(rb'"token": "[0-9a-f]{{32}}"', got): got += os.read(0, 65536)
os.write(1, re.search(rb'"token": "([0-9a-f]{{32}})"', got).group(1) + b" " + {answer!r}.encode() + b"\\n")
raise SystemExit
"""


@pytest.mark.parametrize("answer", slow_but(ANSWERS, ANSWERS[3]), ids=["text", "list", "no facts", "wrong facts", "deep"])
def test_answers_that_are_none_are_refused(bench: Bench, answer: str) -> None:
    bench.board.prelude(ANSWERING.format(answer=answer))
    with pytest.raises(BoardError, match="the board's"):
        bench.deploy(dry_run=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_interrupted_ends_after_the_roll_back(bench: Bench, number: signal.Signals) -> None:
    before = bench.board.tree()
    bench.board.faults(selftest="hang")
    command = [sys.executable, "-m", "boards.kv260.deploy", *arguments(bench)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    bench.board.wait_for(bench.board.started, 20)
    os.killpg(process.pid, number)
    out = process.communicate(timeout=20)[0].decode()
    assert process.returncode == 130, out
    assert "self-test: interrupted" in out and "the board is as it was before" in out
    assert bench.board.tree() == before
