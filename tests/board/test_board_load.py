"""Loading firmware: what is refused before, what is believed after, and what is put back."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from pathlib import Path

import pytest
from board_tree import TREE, put
from board_xmutil import OTHER, Board

from ebmhw.backends.kv260 import hold
from ebmhw.board.block_design import APP
from ebmhw.board.load import load_firmware, sudo_command
from ebmhw.board.loaded import loaded_design
from ebmhw.board.manifest import Manifest, UnitHashes
from ebmhw.board.xmutil import Xmutil
from ebmhw.errors import BoardError, FirmwareError, InvalidRun, PermissionDenied


@pytest.fixture
def board(tmp_path: Path, monkeypatch) -> Board:
    monkeypatch.setattr(hold, "FOLDERS", (tmp_path,))
    return Board(tmp_path)


def load(board: Board, **options):
    return load_firmware(board.root, **{"xmutil": board.xmutil, "is_root": True, "settle": 0.6, **options})


def test_firmware_is_loaded_in_the_place_of_another(board):
    said: list[str] = []
    done = load(board, replace=True, say=said.append)
    assert done.changed and done.replaced == (OTHER,) and done.design.build == board.entry.build
    assert said == [f"unloading {OTHER}", f"loading {APP}, build {board.entry.build:#010x}"]
    assert board.active == APP and loaded_design(board.root).differences() == []


def test_another_firmware_goes_only_with_consent(board):
    with pytest.raises(BoardError, match=f"{OTHER} is loaded, which would be unloaded.*--replace") as caught:
        load(board)
    assert "sudo" in str(caught.value) and board.active == OTHER and board.log == ["listapps"]


def test_what_runs_already_is_left_alone_unless_asked(board):
    board.set(APP)
    assert not load(board).changed and board.log == []
    done = load(board, again=True)
    assert done.changed and board.log.count(f"loadapp {APP}") == 1


def test_an_earlier_build_of_ours_needs_no_consent(board):
    board.set(APP)
    shutil.rmtree(board.root / TREE / "axi")
    shutil.copytree(board.state / "nodes" / APP, board.root / TREE / "axi")
    for node in (board.root / TREE / "axi").glob("*@*"):
        put(node / "ebmhw,build", bytes(4))
    assert loaded_design(board.root).build == 0
    assert load(board).design.build == board.entry.build


def test_a_board_that_a_process_uses_is_left_alone(board):
    taken = hold.Hold()
    try:
        with pytest.raises(BoardError, match=r"nothing was loaded: .*in use by another backend of this process"):
            load(board, replace=True)
        assert board.active == OTHER
    finally:
        taken.release()
    assert load(board, replace=True).changed


def test_a_loader_that_takes_no_names_is_asked_by_its_client(board, tmp_path):
    client = tmp_path / "dfx-mgr-client"
    shutil.copy(board.xmutil.program, client)
    board.misbehave({"loadapp": "new", "unloadapp": "new", f"loadapp {APP}": "new", f"unloadapp {OTHER}": "works"})
    text = Path(board.xmutil.program).read_text()
    # The client does what xmutil refuses.
    client.write_text(text.replace('if mode == "new":', "if False:"))
    client.chmod(0o755)
    assert load(board, replace=True, xmutil=Xmutil(board.xmutil.program, str(client), 5.0, 5.0)).changed
    assert f"-unloadByName {OTHER}" in board.log and f"-loadByName {APP}" in board.log


def test_nothing_loaded_before(board):
    board.set("")
    assert load(board).replaced == ()


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("lies", "the device tree has no node of ebmhw"),
        ("fails", "exit status 1; it printed: error sending message"),
        ("write error", "FPGA manager says 'write error'"),
        ("no nodes", "the device tree has no node of ebmhw, the FPGA manager says 'operating'"),
        ("half", "a node of ising_core and none of phi_unit"),
    ],
)
def test_firmware_that_does_not_come_up_is_told_and_the_old_one_put_back(board, mode, says):
    board.misbehave({f"loadapp {APP}": mode})
    with pytest.raises(BoardError, match=f"{APP} did not come up") as caught:
        load(board, replace=True)
    assert says in str(caught.value) and str(caught.value).endswith(f"{OTHER} is loaded again")
    assert board.active == OTHER and loaded_design(board.root) is None


def test_a_loader_that_hangs_is_killed_and_the_old_one_put_back(board):
    board.misbehave({f"loadapp {APP}": "hangs"})
    began = time.monotonic()
    with pytest.raises(BoardError, match=r"did not end within 0\.5 s and was stopped"):
        load(board, replace=True, xmutil=Xmutil(board.xmutil.program, "", 5.0, 0.5))
    assert time.monotonic() - began < 10 and board.active == OTHER


def test_a_refusal_is_not_waited_for(board):
    board.misbehave({f"loadapp {APP}": "refuses"})
    began = time.monotonic()
    with pytest.raises(BoardError, match=f"{APP} did not come up.*load Error: -1") as caught:
        load(board, replace=True, settle=60)
    assert time.monotonic() - began < 30 and str(caught.value).endswith(f"{OTHER} is loaded again")


def test_where_the_old_one_does_not_come_back_either_that_is_said(board):
    board.misbehave({"loadapp": "lies"})
    with pytest.raises(BoardError, match=f"{OTHER} could not be loaded again either.*reboot the board"):
        load(board, replace=True)


def test_what_cannot_be_unloaded_is_said_with_the_kernels_overlays(board):
    (board.root / "sys/kernel/config/device-tree/overlays/k26-starter-kits_image_1").mkdir(parents=True)
    board.misbehave({"unloadapp": "lies"})
    with pytest.raises(BoardError, match=f"{OTHER} could not be unloaded.*sudo rmdir /sys/kernel/config.*_image_1 && sudo systemctl") as caught:
        load(board, replace=True)
    assert str(caught.value).endswith(f"{OTHER} is loaded again") and f"loadapp {APP}" not in board.log


def test_an_interrupt_puts_the_old_one_back(board):
    def say(text: str) -> None:
        if text.startswith("loading"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(board, replace=True, say=say)
    assert board.active == OTHER


def test_without_root_nothing_happens_and_the_command_is_named(board):
    with pytest.raises(PermissionDenied) as caught:
        load(board, replace=True, is_root=False)
    assert sudo_command(APP, True) in str(caught.value) and sudo_command(APP, True).endswith("-m ebmhw board load --replace") and board.log == []


def test_a_listing_that_is_none_stops_before_anything_changes(board):
    for mode in ("fails", "lies", "hangs"):
        board.misbehave({"listapps": mode})
        with pytest.raises(BoardError, match=r"does not say what is loaded.*systemctl restart dfx-mgr"):
            load(board, replace=True, xmutil=Xmutil(board.xmutil.program, "", 0.5, 0.5))
    assert board.active == OTHER and set(board.log) == {"listapps"}


# --- files


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        (f"{APP}.bit.bin", Path.unlink, "is missing"),
        (f"{APP}.bit.bin", _cut, "it was copied in part"),
        (f"{APP}.bit.bin", _flip, "it is damaged, or another build's"),
        (f"{APP}.dtbo", _cut, "is no whole device-tree overlay"),
        (f"{APP}.dtbo", Path.unlink, "is missing"),
        ("shell.json", _cut, "does not say"),
    ],
)
def test_damaged_firmware_is_not_loaded(board, name, change, says):
    change(board.firmware / name)
    with pytest.raises(FirmwareError, match=r"not whole.*make deploy") as caught:
        load(board, replace=True)
    assert says in str(caught.value) and name in str(caught.value) and board.log == []


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("ebmhw.bit", _flip, "SHA-256"),
        ("ebmhw.bit", _cut, "copied in part"),
        ("ebmhw.hwh", Path.unlink, "cannot be read"),
        ("manifest.json", _cut, "is no manifest"),
        ("manifest.json", Path.unlink, "has 0 entries"),
    ],
)
def test_a_damaged_record_is_not_trusted(board, name, change, says):
    change(board.share / name)
    with pytest.raises(FirmwareError) as caught:
        load(board, replace=True)
    assert says in str(caught.value) and board.log == []


def test_a_second_image_in_the_folder_is_refused(board):
    put(board.firmware / "old.bit.bin", b"x")
    with pytest.raises(FirmwareError, match=r"old\.bit\.bin does not belong there"):
        load(board, replace=True)


def test_firmware_of_another_version_is_not_loaded(board):
    units = {name: UnitHashes(1, hashes.packet_hash) for name, hashes in board.entry.units.items()}
    entry = dataclasses.replace(board.entry, units=units)
    Manifest({}).with_entry(entry).write(board.share / "manifest.json")
    with pytest.raises(FirmwareError, match="cannot drive it: the register map of ising_core has hash 0x00000001 in the bitstream, 0x"):
        load(board, replace=True)
    assert board.log == []


# --- machines


def test_another_machine_and_one_without_a_loader_are_refused(board, tmp_path, monkeypatch):
    with pytest.raises(BoardError, match="this is no KV260 but a machine without a device tree"):
        load_firmware(tmp_path / "nowhere")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(BoardError, match=r"no xmutil.*PYNQ itself can download"):
        load(board, xmutil=None)
    with pytest.raises(FirmwareError, match="another cannot be read"):
        load(board, app="another")


@pytest.mark.parametrize("app", ["", "-x", "../etc", "a b", "x" * 65, 7])
def test_names_that_are_none_are_refused(board, app):
    with pytest.raises(InvalidRun, match="the firmware's name is"):
        load(board, app=app)
