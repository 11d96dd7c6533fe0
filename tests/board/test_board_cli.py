"""`ebmhw board`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from board_xmutil import OTHER, Board
from click.testing import CliRunner, Result
from cores import simulated

import ebmhw.backends
from ebmhw.backends.kv260 import hold, overlay
from ebmhw.backends.simulated import toolchain
from ebmhw.board import load as loading
from ebmhw.board import loaded, machine
from ebmhw.board import status as statuses
from ebmhw.board.block_design import APP
from ebmhw.board.selftest import NAMES
from ebmhw.cli.main import main
from ebmhw.contract.design import UNITS
from ebmhw.errors import BackendUnavailable


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["board", *arguments])


@pytest.fixture
def board(tmp_path: Path, monkeypatch) -> Board:
    """A board in the place of this machine's own file system."""
    monkeypatch.setattr(hold, "FOLDERS", (tmp_path,))
    made = Board(tmp_path)
    for module, name in ((statuses, "board_status"), (loading, "load_firmware")):
        inner = getattr(module, name)
        options = {} if name == "board_status" else {"is_root": True, "settle": 0.6}
        monkeypatch.setattr(module, name, lambda inner=inner, options=options, **given: inner(made.root, xmutil=made.xmutil, **options, **given))
    monkeypatch.setattr(machine, "_version", lambda name: "3.0.1")
    return made


def test_status_of_a_board(board):
    found = run("status")
    assert found.exit_code == 1 and "cannot be used: ebmhw is not loaded" in found.output and "next: sudo ebmhw board load --replace" in found.output
    board.set(APP)
    found = run("status")
    assert found.exit_code == 0 and found.output.rstrip().endswith("the board can be used")
    data = json.loads(run("status", "--json").output)
    assert data["usable"] and data["machine"]["board"] == "kv260" and data["apps"][1] == {"name": APP, "active": True}


def test_status_here():
    found = subprocess.run([sys.executable, "-m", "ebmhw", "board", "status", "--json"], capture_output=True, text=True, check=False, timeout=60)
    data = json.loads(found.stdout)
    assert found.returncode == (0 if data["usable"] else 1) and data["machine"]["python"] and (data["usable"] or data["next"])


def test_load(board):
    found = run("load")
    assert found.exit_code == 2 and f"{OTHER} is loaded" in found.stderr and "[board]" in found.stderr and board.active == OTHER
    found = run("load", "--replace", "--json")
    assert found.exit_code == 0
    data = json.loads(found.stdout)
    assert data["changed"] and data["replaced"] == [OTHER] and data["build"] == f"{board.entry.build:#010x}"
    assert f"unloading {OTHER}" in found.stderr
    assert "was loaded already" in run("load").output and "is loaded (" in run("load", "--again").output


def test_load_of_damaged_firmware(board):
    (board.firmware / f"{APP}.dtbo").unlink()
    found = run("load", "--replace")
    assert found.exit_code == 2 and "[firmware]" in found.stderr and board.log == []


def test_selftest_without_a_board(monkeypatch):
    simulated("small")
    found = run("selftest", "--backend", "simulated", "--programs", "1", "--only", "refusals")
    assert found.exit_code == 0 and found.output.count("pass  refusals") == 2 and "the simulated design 'small' passed" in found.output
    found = run("selftest", "--backend", "simulated", "--only", "registers", "--json")
    data = json.loads(found.stdout)
    assert found.exit_code == 0 and data["passed"] and [row["what"] for row in data["rows"]] == ["registers"] and data["rows"][0]["passed"] is True


def test_a_failing_selftest_ends_with_1(monkeypatch):
    backend = simulated("small", threads=1)
    bus = backend.drivers[0]._bus
    read = bus.read
    monkeypatch.setattr(bus, "read", lambda offset: read(offset) ^ (offset == 0x10))
    monkeypatch.setattr(ebmhw.backends, "get_backend", lambda name, **options: backend)
    found = run("selftest", "--backend", "simulated", "--only", "identity", "--json")
    assert found.exit_code == 1 and not json.loads(found.stdout)["passed"]
    found = run("selftest", "--backend", "simulated", "--only", "identity")
    assert found.exit_code == 1 and "FAIL  identity" in found.output and "failed in 1 of 1 rows" in found.output


def test_what_cannot_be_tested_ends_with_2():
    assert run("selftest", "--list").output.split("\n")[:-1] == list(NAMES)
    found = run("selftest", "--backend", "cpu")
    assert found.exit_code == 2 and "no units of hardware" in found.stderr
    assert run("selftest", "--backend", "kv260", "--config", "small").exit_code == 2
    if loaded.loaded_design() is None:
        assert run("selftest").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("selftest", "--backend", "cpu"), "not-supported", "no units of hardware"),
        (("bench", "--backend", "cpu"), "not-supported", "no units of hardware"),
        (("selftest", "--backend", "simulated", "--only", "xyz"), "invalid-run", "soak (where minutes are given), transfers"),
        (("selftest", "--backend", "simulated", "--only", "soak"), "invalid-run", "give how many (--minutes 10)"),
        (("bench", "--backend", "simulated", "--config", "large"), "backend-unavailable", "large"),
    ],
)
def test_an_error_is_json_where_that_was_asked_for(arguments, code, says):
    simulated("small")
    told, plain = run(*arguments, "--json"), run(*arguments)
    assert told.exit_code == plain.exit_code == 2 and plain.stdout == "" and told.stderr == plain.stderr
    error = json.loads(told.stdout)["error"]
    assert set(error) == {"code", "message"} and error["code"] == code and says in error["message"]
    assert told.stderr == f"ebmhw: {error['message']} [{code}]\n"


def test_an_error_of_load_is_json(board):
    found = run("load", "--json")
    error = json.loads(found.stdout)["error"]
    assert found.exit_code == 2 and error["code"] == "board" and f"{OTHER} is loaded" in error["message"]


@pytest.mark.parametrize("command", ["selftest", "bench"])
def test_another_machine_is_named_before_all_that_it_lacks(command, monkeypatch, tmp_path):
    monkeypatch.setattr(overlay, "ROOT", tmp_path)
    monkeypatch.setitem(sys.modules, "pynq", None)
    found = run(command, "--json")
    message = json.loads(found.stdout)["error"]["message"]
    assert found.exit_code == 2 and "this is no KV260 but a machine without a device tree" in message and "pynq" not in message
    assert message.endswith("without a board, --backend simulated runs the design's own Verilog")


@pytest.mark.parametrize(
    "arguments",
    [
        ("board", "selftest", "--backend", "simulated"),
        ("board", "bench", "--backend", "simulated"),
        ("backends", "--calibrate", "--board", "simulated"),
        ("solve", "{graph}", "--backend", "simulated"),
        ("sample", "{graph}", "--beta", "1", "--backend", "simulated"),
    ],
)
def test_a_line_says_that_the_design_is_compiled(arguments, monkeypatch, tmp_path):
    simulated("small")
    seen = []

    def verilate(self, given, folder):
        seen.append(given)
        raise BackendUnavailable("this is far enough")

    monkeypatch.setattr(toolchain.Toolchain, "verilate", verilate)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    graph = tmp_path / "graph.txt"
    graph.write_text("3 2\n1 2 1\n2 3 -1\n")
    found = CliRunner().invoke(main, [one.format(graph=graph) for one in arguments])
    lines = [line for line in found.stderr.splitlines() if line.startswith("compiling the simulated ")]
    assert found.exit_code == 2 and "this is far enough" in found.stderr and len(seen) == len(lines) == 1 and found.stdout == ""
    takes = "up to a minute or two" if "ising_core" in lines[0] else "some seconds"
    assert lines[0] in [
        f"compiling the simulated {unit.name} of {name}.v, {takes}; it is kept for later" for unit in UNITS for name in ("small", "kv260")
    ]


def test_bench_says_that_it_is_a_simulation():
    simulated("small")
    found = run("bench", "--backend", "simulated", "--rounds", "1")
    assert found.exit_code == 0 and "register read" in found.output and "they say nothing of a board" in found.output
    assert "median of 1 round only (least .. most)" in found.output
    data = json.loads(run("bench", "--backend", "simulated", "--rounds", "1", "--json").stdout)
    assert data["simulated"] and len(data["figures"]) == 7


def test_help_needs_no_board_and_no_heavy_library():
    code = "import sys, ebmhw.cli.main as m\ntry: m.main(['board', '--help'])\nexcept SystemExit: pass\nprint(*{'scipy', 'pynq'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))
    assert found.returncode == 0 and "selftest" in found.stdout and found.stdout.endswith("\n\n"), found
