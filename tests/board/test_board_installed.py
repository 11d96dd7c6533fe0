"""What the firmware of `make firmware` looks like to the board's side: whole where it is installed, and known where its overlay is applied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from board_fdt import read_tree
from board_firmware import need_tools
from board_images import synthetic_bit, synthetic_bitstreams
from board_tree import MODEL, TREE, add_machine, put

from boards.kv260.firmware import make_firmware
from ebmhw.board.bit import parse_bit
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.installed import installed_firmware
from ebmhw.board.loaded import loaded_design
from ebmhw.board.machine import machine
from ebmhw.errors import FirmwareError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a board's file system with firmware that was really made."""
    need_tools()
    folder = tmp_path_factory.mktemp("firmware")
    synthetic_bitstreams(folder / "bitstreams")
    firmware = make_firmware(folder / "bitstreams", "kv260", folder / "out")
    for source, where in ((firmware.folder, f"{FIRMWARE_ROOT}/{APP}"), (firmware.share, SHARE_ROOT)):
        shutil.copytree(source, folder / "root" / where.lstrip("/"))
    return folder / "root"


def test_firmware_as_it_is_made_is_whole(made):
    found = installed_firmware(made)
    assert found.there and found.damage == () and found.entry is not None and found.entry.differences() == []


def test_an_image_of_another_bitstream_is_told(made, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(made, root)
    image = root / FIRMWARE_ROOT.lstrip("/") / APP / f"{APP}.bit.bin"
    other = synthetic_bit(tmp_path / "other.bit", stamp=7)
    image.write_bytes(parse_bit(other.read_bytes()).image)
    (damage,) = installed_firmware(root).damage
    assert "does not hold what" in damage and "another build's" in damage


def test_the_overlay_as_it_is_made_is_known_in_the_live_tree(made, tmp_path):
    blob = (made / FIRMWARE_ROOT.lstrip("/") / APP / f"{APP}.dtbo").read_bytes()
    add_machine(tmp_path)
    axi = tmp_path / TREE / "axi"
    # Applied: what the fragment for the bus holds lies below the bus.
    read_tree(blob).at("/fragment@1/__overlay__").write(axi)
    found = loaded_design(tmp_path)
    entry = installed_firmware(made).entry
    assert found is not None and found.operating and found.differences() == [] and found.build == entry.build
    put(tmp_path / "sys/class/uio/uio0/name", f"{APP}-interrupt\n")
    put(tmp_path / f"sys/bus/platform/devices/axi:{APP}-clock/set_rate", "199998000\n")
    about = machine(tmp_path, "")
    assert about.interrupt == "/dev/uio0" and about.clock_hz == 199_998_000 and about.model == MODEL.rstrip("\0")


def test_nothing_installed(tmp_path):
    found = installed_firmware(tmp_path)
    assert not found.there and found.entry is None and found.damage == ()


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\x09" + bytes(9) + b"\0\1a\xff\xff", b"\0\0\0\0e\0\0\0\x08abcd", b"\0\0\0\0e\0\0\0\3abc"])
def test_what_is_no_bitstream_is_told(data):
    with pytest.raises(FirmwareError, match=r"no \.bit of Vivado"):
        parse_bit(data)
