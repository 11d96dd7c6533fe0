"""What `ebmhw board status` says of boards in every state, and the one thing that it says to do next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from board_tree import MODEL, TREE, add_machine, cells, put
from board_xmutil import OTHER, Board

from ebmhw.board import machine as machines
from ebmhw.board.block_design import APP, GIC_SPI
from ebmhw.board.status import Status, board_status
from ebmhw.board.xmutil import Xmutil


@pytest.fixture
def board(tmp_path: Path, monkeypatch) -> Board:
    made = Board(tmp_path)
    monkeypatch.setattr(machines, "_version", lambda name: "3.0.1")
    put(made.root / TREE / "axi/fabric@A0000000/compatible", "generic-uio\0")
    put(made.root / TREE / "axi/fabric@A0000000/interrupts", cells(0, GIC_SPI, 4))
    put(made.root / "sys/class/uio/uio4/name", "fabric\n")
    put(made.root / "sys/bus/platform/devices/axi:fclk0/set_rate", "199998000\n")
    return made


def status(board: Board, **options) -> Status:
    return board_status(board.root, **{"xmutil": board.xmutil, **options})


def test_a_board_that_can_be_used(board):
    board.set(APP)
    found = status(board)
    assert found.usable and found.problems == () and found.next == "" and found.active == [APP]
    assert [note for note in found.notes if "root" not in note and "xmutil" not in note] == []
    data = json.loads(json.dumps(found.as_data()))
    assert data["usable"] and data["loaded"]["build"] == data["installed"]["build"] == f"{board.entry.build:#010x}"
    rows = dict(found.rows())
    assert MODEL.rstrip("\0") in rows["machine"] and rows["clock"] == "199.998 MHz"
    assert rows["interrupt"] == "/dev/uio4 (fabric@A0000000: Kria-PYNQ's overlay)"
    assert f"{APP} (loaded)" in rows["loader"] and "200 MHz, phi unit from RTL" in rows["installed"]


def test_other_firmware_is_loaded(board):
    found = status(board)
    assert not found.usable and found.problems[0] == f"ebmhw is not loaded; loaded is {OTHER}"
    assert found.next == "sudo ebmhw board load --replace"
    board.set("")
    assert status(board).next == "sudo ebmhw board load"


def test_nothing_is_installed(board):
    shutil.rmtree(board.firmware)
    shutil.rmtree(board.share)
    found = status(board)
    assert "the firmware is not installed" in found.problems[1] and "make deploy" in found.next


def test_damage_is_seen_to_before_loading(board):
    (board.share / "ebmhw.bit").write_bytes(b"cut")
    found = status(board)
    assert any("3 bytes" in problem for problem in found.problems) and "make deploy" in found.next


@pytest.mark.parametrize("installed_lost", [False, True])
def test_a_loaded_design_of_another_version_is_told_with_both_hashes(board, installed_lost):
    board.set(APP)
    for node in (board.root / TREE / "axi").glob("*@*"):
        if (node / "ebmhw,map-hash").exists():
            put(node / "ebmhw,map-hash", cells(0xBAD))
    if installed_lost:
        (board.share / "manifest.json").unlink()
    found = status(board)
    assert not found.usable and "has hash 0x00000bad in the loaded design, 0x" in found.problems[0]
    assert (
        ("build the bitstream with this version and deploy it" in found.next)
        if installed_lost
        else ("--replace: what is installed fits this version" in found.next)
    )


def test_half_a_design_and_a_manager_with_an_error(board):
    board.set(APP)
    shutil.rmtree(next((board.root / TREE / "axi").glob("phi_unit@*")))
    found = status(board)
    assert "none of phi_unit" in found.problems[0] and found.next == "sudo ebmhw board load --replace" and found.as_data()["loaded"] is None
    board.set(APP)
    put(board.root / "sys/class/fpga_manager/fpga0/state", "write error\n")
    assert "says 'write error', not 'operating'" in status(board).problems[0]


def test_without_pynq_its_environment_is_named(board, monkeypatch):
    board.set(APP)
    monkeypatch.setattr(machines, "_version", lambda name: None)
    found = status(board)
    assert not found.usable and "pynq is not installed" in found.problems[0] and "install.sh -b KV260" in found.next
    (board.root / machines.PYNQ_ENVIRONMENT.lstrip("/")).mkdir(parents=True)
    assert "run ebmhw with /usr/local/share/pynq-venv/bin/python" in status(board).next


def test_notes_say_what_is_odd(board):
    board.set(APP)
    put(board.root / "sys/bus/platform/devices/axi:fclk0/set_rate", "250000000\n")
    (board.root / "sys/class/uio/uio4/name").unlink()
    notes = " ".join(status(board).notes)
    assert "faster than the 200 MHz" in notes and "modprobe uio_pdrv_genirq" in notes and status(board).usable
    put(board.root / "sys/bus/platform/devices/axi:fclk0/set_rate", "99999999\n")
    shutil.rmtree(board.root / TREE / "axi/fabric@A0000000")
    notes = " ".join(status(board).notes)
    assert "slower than the 200 MHz" in notes and "the driver polls instead" in notes
    for node in (board.root / TREE / "axi").glob("*@*"):
        put(node / "ebmhw,build", cells(1))
    assert "loaded is build 0x00000001, installed" in " ".join(status(board).notes)


def test_a_loader_that_hangs_or_lies_is_told(board):
    board.set(APP)
    for mode in ("hangs", "lies"):
        board.misbehave({"listapps": mode})
        found = status(board, xmutil=Xmutil(board.xmutil.program, "", 0.5, 0.5))
        assert found.usable and "the loader did not list its firmware" in " ".join(found.notes) and found.apps == ()


def test_a_laptop_is_told_what_works_on_it(tmp_path):
    found = board_status(tmp_path, search_path="")
    assert not found.usable and found.problems[0].startswith("this is no KV260 but a machine without a device tree")
    assert "get_backend('cpu')" in found.next and "--backend simulated" in found.next and found.notes == () and len(found.rows()) == 3


def test_another_board_is_not_offered_our_firmware(tmp_path):
    add_machine(tmp_path, "ZynqMP KR260 revB\0", "xlnx,zynqmp-sk-kr260-revB\0xlnx,zynqmp\0")
    found = board_status(tmp_path, search_path="")
    assert found.problems == ("this is no KV260 but another board (ZynqMP KR260 revB)",) and found.listed is None
