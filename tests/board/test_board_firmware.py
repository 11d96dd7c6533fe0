"""Making firmware of a bitstream: the image against the .bit, what is written where, and what is refused."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from board_fdt import read_tree
from board_firmware import below, need_tools
from board_images import synthetic_bit, synthetic_bitstreams, synthetic_words

from boards.kv260.firmware import make_firmware
from boards.kv260.firmware.__main__ import main
from ebmhw.board.bit import parse_bit
from ebmhw.board.block_design import PART
from ebmhw.board.manifest import FileFacts, Timing, UnitHashes, read_manifest
from ebmhw.contract.design import UNITS
from ebmhw.contract.render import contract_digest
from ebmhw.errors import FirmwareError


@pytest.mark.parametrize("seed", range(5))
def test_the_image_is_the_configuration_data_in_the_processors_order(tmp_path: Path, seed: int) -> None:
    need_tools()
    rng = random.Random(seed)
    frames, stamp = rng.randrange(40), rng.getrandbits(32)
    synthetic_bitstreams(tmp_path / "a folder with blanks", bit={"frames": frames, "stamp": stamp})
    firmware = make_firmware(tmp_path / "a folder with blanks", "kv260", tmp_path / "out put")
    words = synthetic_words(frames, stamp)
    image = (firmware.folder / "ebmhw-kv260.bit.bin").read_bytes()
    assert image == struct.pack(f"<{len(words)}I", *words)
    # What AMD's platform firmware looks for (xilfpga, BootgenBinFormat).
    assert image.index(bytes.fromhex("bb00000044002211ffffffffffffffff665599aa")) == 64


def test_the_folders_hold_what_a_board_wants_and_nothing_else(tmp_path: Path) -> None:
    need_tools()
    entry = synthetic_bitstreams(tmp_path / "bits", clock_mhz=125, hwh={"control_bits": 32, "memory_bits": 64})
    firmware = make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    package = firmware.package.name
    folder = [f"ebmhw-kv260/{name}" for name in ("ebmhw-kv260.bit.bin", "ebmhw-kv260.dtbo", "shell.json")]
    share = [f"share/{name}" for name in ("ebmhw.bit", "ebmhw.hwh", "manifest.json")]
    assert set(below(tmp_path / "out")) == {*folder, *share, package}
    assert json.loads((firmware.folder / "shell.json").read_text()) == {"shell_type": "XRT_FLAT", "num_slots": "1"}
    served = read_manifest(firmware.share / "manifest.json").entry("kv260")
    assert served == firmware.entry and served.damage(firmware.share) == [] and served.build == entry.build
    assert set(served.files) == {"ebmhw.bit", "ebmhw.hwh"}
    for name in served.files:
        assert (firmware.share / name).read_bytes() == (tmp_path / "bits/kv260" / name).read_bytes()
    # The overlay says the clock of the entry and the ports of the .hwh.
    nodes = read_tree((firmware.folder / "ebmhw-kv260.dtbo").read_bytes()).at("fragment@1/__overlay__")
    assert nodes.at("ebmhw-kv260-clock").cells("assigned-clock-rates") == [125_000_000]
    assert nodes.at("ebmhw-kv260-afi").cells("config-afi") == [4, 1, 5, 1, 14, 0x800]


def test_another_build_takes_the_place_of_the_first(tmp_path: Path) -> None:
    need_tools()
    out = tmp_path / "out"
    synthetic_bitstreams(tmp_path / "bits", bit={"stamp": 1})
    first = make_firmware(tmp_path / "bits", "kv260", out)
    once = below(out)
    assert make_firmware(tmp_path / "bits", "kv260", out) == first and below(out) == once
    synthetic_bitstreams(tmp_path / "bits", bit={"stamp": 2, "date": "2026/04/01"})
    second = make_firmware(tmp_path / "bits", "kv260", out)
    assert second.package != first.package and not first.package.exists()
    assert len(below(out)) == len(once) and below(out) != once


def test_the_report_has_the_true_digests_and_the_next_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits", name="other")
    assert main(["--bitstreams", str(tmp_path / "bits"), "--name", "other", "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = {line.split()[0]: line.split()[1:] for line in lines[1:8]}
    files = below(tmp_path / "out")
    assert told == {name: [f"{len(content):,}", hashlib.sha256(content).hexdigest()] for name, content in files.items()}
    assert lines[-1] == "Next: make deploy BOARD=user@host"
    assert main(["--bitstreams", str(tmp_path / "bits"), "--name", "other", "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == [lines[-2]]


def _with_file(name: str, change: Callable[[bytes], bytes | None]) -> Callable[[Path], None]:
    def spoil(bits: Path) -> None:
        synthetic_bitstreams(bits)
        path = bits / "kv260" / name
        content = change(path.read_bytes())
        path.unlink() if content is None else path.write_bytes(content)

    return spoil


def _with(**changes: Any) -> Callable[[Path], None]:
    return lambda bits: synthetic_bitstreams(bits, **changes) and None


def _with_hwh(content: str) -> Callable[[Path], None]:
    def spoil(bits: Path) -> None:
        entry = synthetic_bitstreams(bits)
        path = bits / "kv260/ebmhw.hwh"
        path.write_text(content)
        manifest = read_manifest(bits / "manifest.json")
        entry = type(entry)(**{**vars(entry), "files": {**entry.files, path.name: FileFacts.of(path)}})
        manifest.with_entry(entry).write(bits / "manifest.json")

    return spoil


FOREIGN = {unit.name: UnitHashes(0x1234_5678, unit.packet_hash) for unit in UNITS}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda bits: None, "has no bitstream 'kv260'; there are: none; build one with `make bitstream`, or copy bitstreams/ from "),
        (_with(name="old"), "has no bitstream 'kv260'; there are: old"),
        (_with_file("ebmhw.bit", lambda content: content[:-4]), "bytes, not 1725: it was copied in part"),
        (_with_file("ebmhw.bit", lambda content: content[:-1] + b"\1"), "has SHA-256 "),
        (_with_file("ebmhw.hwh", lambda content: None), "ebmhw.hwh cannot be read (No such file or directory)"),
        (_with_file("ebmhw.xsa", lambda content: b""), "ebmhw.xsa has 0 bytes"),
        (_with(units=FOREIGN), "has hash 0x12345678 in the bitstream, "),
        (_with(contract_digest="0" * 64), f"digest is 00000000 in the bitstream, {contract_digest()[:8]} in this version"),
        (_with(timing=Timing(-0.2, 0.01, 7)), "misses its timing at 200 MHz: setup slack -0.2 ns"),
        (_with(bit={"part": "7z020clg400"}), f"is for the FPGA '7z020clg400', the KV260 has {PART!r}"),
        (_with(bit={"part": "xck26-sfvc784-2LVI-i"}), "is for the FPGA 'xck26-sfvc784-2LVI-i'"),
        (_with(bit={"design": "base_wrapper"}), "holds the design 'base_wrapper', not 'ebmhw_wrapper'"),
        (_with(bit={"version": "2024.1;PARTIAL=TRUE"}), "configures a part of the FPGA"),
        (_with(bit={"date": "14. March"}), "'14. March' at '15:09:26', which is no date"),
        (_with(hwh={"control_bits": 48}), "says C_MAXIGP0_DATA_WIDTH = 48, not one of 32, 64, 128"),
        (_with(hwh={"axi_dma_phi": 0xA005_0000}), "has axi_dma_phi at 0x00A0050000, this version of ebmhw at 0xa0030000"),
        (_with_hwh("<EDKSYSTEM/>"), "has 0 processors of kind zynq_ultra_ps_e"),
        (_with_hwh("<EDK"), "is no .hwh"),
        (_with_hwh('<?xml version="1.0" encoding="no-such"?><EDKSYSTEM/>'), "is no .hwh"),
    ],
)
def test_a_bitstream_that_is_not_right_is_refused(tmp_path: Path, spoil: Callable[[Path], None], told: str) -> None:
    need_tools()
    spoil(tmp_path / "bits")
    with pytest.raises(FirmwareError) as caught:
        make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")
    assert told in str(caught.value)
    assert "make bitstream" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_bit_says_what_made_it_and_when(tmp_path: Path) -> None:
    bit = parse_bit(synthetic_bit(tmp_path / "x.bit", version="2023.2").read_bytes())
    assert (bit.design, bit.options, bit.part) == ("ebmhw_wrapper", ("UserID=0XFFFFFFFF", "Version=2023.2"), PART)
    assert bit.made == datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc)


def test_a_bit_that_ends_anywhere_else_is_refused(tmp_path: Path) -> None:
    content = synthetic_bit(tmp_path / "x.bit").read_bytes()
    for length in [*range(200), *range(200, len(content), 97), len(content) - 1]:
        with pytest.raises(FirmwareError, match="copy it again, or build it again"):
            parse_bit(content[:length])
    with pytest.raises(FirmwareError, match="cut or joined"):
        parse_bit(content + content)


def test_a_bit_that_is_damaged_anywhere_is_told_or_read(tmp_path: Path) -> None:
    content, rng = synthetic_bit(tmp_path / "x.bit", frames=0).read_bytes(), random.Random(5)
    refused = 0
    for _ in range(3000):
        spoilt = bytearray(content)
        spoilt[rng.randrange(len(content))] = rng.randrange(256)
        try:
            parse_bit(bytes(spoilt))
        except FirmwareError:
            refused += 1
    assert 500 < refused < 2500
