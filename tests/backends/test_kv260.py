"""The backend of the board over fakes of PYNQ's objects: what it says is missing, what it loads and when, and what it gives back."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_images import synthetic_entry
from board_tree import add_design, add_machine, add_unit
from conformance import assert_equal_draws, judge
from pynq_boards import Board, Device, Hung, Pynq, SimulatedDevice

import ebmhw
from ebmhw.backends import fleet, get_backend
from ebmhw.backends.kv260 import ENVIRONMENT, Kv260Backend, connection, files, hold, overlay
from ebmhw.board.block_design import BLOCKS, INTERRUPT_CONTROLLER, block
from ebmhw.board.loaded import MAP_HASH
from ebmhw.board.manifest import FILE, BitstreamEntry, Manifest, UnitHashes
from ebmhw.contract import phi_unit
from ebmhw.contract.ising_core import REGISTERS
from ebmhw.errors import BackendUnavailable, BoardError, CoreStalled, FirmwareError, HardwareFault, InvalidRun, NotSupported, PermissionDenied
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)

OPEN = os.open


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A KV260's file system with nothing loaded, and root."""
    root = tmp_path / "root"
    add_machine(root)
    (root / "run/lock").mkdir(parents=True)
    monkeypatch.setattr(overlay, "ROOT", root)
    monkeypatch.setattr(hold, "FOLDERS", (root / "run/lock",))
    monkeypatch.setattr(files, "CHECKOUT", tmp_path / "checkout/ebmhw.bit")
    monkeypatch.setattr(files, "INSTALLED", tmp_path / "share/ebmhw.bit")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    return root


@pytest.fixture
def pynq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pynq]:
    fake = Pynq(tmp_path)
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "ebmhw.backends.kv260.ip", raising=False)
    yield fake
    sys.modules.pop("ebmhw.backends.kv260.ip", None)


@pytest.fixture
def entry(tmp_path: Path) -> BitstreamEntry:
    """The installed bitstream, its manifest beside it."""
    return install(tmp_path / "share")


def install(folder: Path, **changes: Any) -> BitstreamEntry:
    made = synthetic_entry(folder, **changes)
    Manifest({}).with_entry(made).write(folder / FILE)
    return made


def on_board(pynq: Pynq, entry: BitstreamEntry, loaded: bool = False, **size: int) -> Board:
    """Put a board of the entry's build under PYNQ, loaded or to be loaded."""
    board = Board(build=entry.build, **size)
    pynq.device = Device(board if loaded else None, loads=board)
    return board


def assert_works(made: Kv260Backend | Any) -> None:
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, reads=9, seed=1), judge().run(PROGRAM, SCHEDULE, reads=9, seed=1))


# --- what is missing


def test_a_missing_pynq_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(
        BackendUnavailable, match=r"backend 'kv260': pynq does not import .*Kria-PYNQ.*get_backend\('cpu'\), whose samples are the same"
    ):
        get_backend("kv260")


def test_a_missing_bitstream_is_told_with_all_that_was_tried(pynq: Pynq, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        BackendUnavailable,
        match=r"no bitstream at .*checkout/ebmhw.bit \(is not there\), .*share/ebmhw.bit \(is not there\); .*make deploy.*EBMHW_BITSTREAM",
    ):
        get_backend("kv260")
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "a.bit"))
    with pytest.raises(BackendUnavailable, match=r"at [^,]*a.bit \(is not there\); install"):
        get_backend("kv260")
    (tmp_path / "a.bit").write_text("")
    with pytest.raises(BackendUnavailable, match=r"at [^,]*a.bit \(has no .hwh beside it\); install"):
        get_backend("kv260")
    (tmp_path / "a.xsa").write_text("")
    with pytest.raises(BackendUnavailable, match=r"at [^,]*a.xsa \(is no .bit\); install"):
        get_backend("kv260", bitstream=tmp_path / "a.xsa")


def test_bitstreams_are_found_in_order(entry: BitstreamEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.find_bitstream() == (tmp_path / "share/ebmhw.bit").resolve()
    install(tmp_path / "checkout")
    assert files.find_bitstream() == (tmp_path / "checkout/ebmhw.bit").resolve()
    install(tmp_path / "named")
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "named/ebmhw.bit"))
    assert files.find_bitstream() == (tmp_path / "named/ebmhw.bit").resolve()
    assert files.find_bitstream(tmp_path / "share/ebmhw.bit") == (tmp_path / "share/ebmhw.bit").resolve()


def test_what_is_no_bitstream_is_told(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder.bit"
    folder.mkdir()
    half = tmp_path / "half"
    half.mkdir()
    (half / "ebmhw.bit").write_bytes(b"x")
    (half / "ebmhw.hwh").mkdir()
    loop = tmp_path / "loop.bit"
    loop.symlink_to(loop)
    for path, told in (
        (folder, r"folder.bit is a folder"),
        (tmp_path / "share", r"share \(is no .bit\)"),
        (half / "ebmhw.bit", r"ebmhw.hwh is a folder"),
        (tmp_path / ("x" * 300 + ".bit"), r"cannot be looked at: File name too long"),
        (loop, r"is not there"),
        (tmp_path / "share/ebmhw.bit/x.bit", r"is not there"),
        (tmp_path / "nul\0.bit", r"is not there"),
    ):
        for ask in (lambda path=path: get_backend("kv260", bitstream=path), lambda: get_backend("kv260")):
            if "\0" not in str(path):
                monkeypatch.setenv(ENVIRONMENT, str(path))
            elif ask.__defaults__ is None:
                continue
            with pytest.raises(BackendUnavailable, match=rf"there is no bitstream at .*{told}.*; install the firmware"):
                ask()
    assert not pynq.loaded
    with pytest.raises(InvalidRun, match=r"bitstream is b'x.bit'; give the path of a .bit file"):
        get_backend("kv260", bitstream=b"x.bit")


def test_what_lies_beside_a_link_counts(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path) -> None:
    """A link to a .bit has its own .hwh and manifest; those beside its target are of another build, perhaps."""
    on_board(pynq, entry)
    store, links = tmp_path / "store", tmp_path / "links"
    store.mkdir()
    shutil.copytree(tmp_path / "share", links)
    (links / "ebmhw.bit").rename(store / "0123")
    (links / "ebmhw.bit").symlink_to(store / "0123")
    with get_backend("kv260", bitstream=links / "ebmhw.bit") as made:
        assert pynq.loaded == [(str(links / "ebmhw.bit"), True)] and made.status()["manifest"] is not None
    (links / "ebmhw.hwh").write_text("of another build")
    with pytest.raises(FirmwareError, match="nothing was loaded"):
        get_backend("kv260", bitstream=links / "ebmhw.bit")


def test_where_bitstreams_are_looked_for() -> None:
    # Not through the fixture, which moves them.
    done = subprocess.run(
        [sys.executable, "-c", "from ebmhw.backends.kv260 import files; print(files.CHECKOUT, files.INSTALLED)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    root = Path(ebmhw.__file__).resolve().parents[2]
    assert done.stdout.split() == [str(root / "bitstreams/kv260/ebmhw.bit"), "/usr/share/ebmhw/kv260/ebmhw.bit"]


@pytest.mark.parametrize(
    ("model", "compatible", "told"),
    [
        ("ZynqMP ZCU104\0", "xlnx,zynqmp-zcu104\0xlnx,zynqmp\0", r"this is no KV260 but another board \(ZynqMP ZCU104\); run this on a KV260"),
        ("", "", r"this is no KV260 but .*without a device tree.*; run this on a KV260"),
    ],
)
def test_a_wrong_board_is_told(pynq: Pynq, entry: BitstreamEntry, machine: Path, model: str, compatible: str, told: str) -> None:
    on_board(pynq, entry)
    add_machine(machine, model, compatible)
    with pytest.raises(BackendUnavailable, match=told):
        get_backend("kv260")
    assert not pynq.loaded


def test_no_permission_is_told(pynq: Pynq, entry: BitstreamEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_board(pynq, entry)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PermissionDenied, match=r"/dev/mem, which takes root; run this as root in PYNQ's environment \(sudo -i"):
        get_backend("kv260")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    pynq.fails = PermissionError(13, "Permission denied")
    with pytest.raises(PermissionDenied, match=r"could not be loaded \(.*Permission denied\); run this as root"):
        get_backend("kv260")
    pynq.fails = None
    with get_backend("kv260") as made:
        assert_works(made)


def test_what_pynq_fails_with_is_told(pynq: Pynq, entry: BitstreamEntry) -> None:
    with pytest.raises(BackendUnavailable, match=r"ebmhw.bit could not be loaded \(RuntimeError: No Devices Found\); run this on a KV260"):
        get_backend("kv260")
    on_board(pynq, entry)
    for error in (OSError(5, "Input/output error"), KeyError("MEMORYMAP"), IndexError("list index out of range")):
        pynq.fails = error
        with pytest.raises(BackendUnavailable, match=rf"could not be loaded \({type(error).__name__}: .*the .bit and the .hwh of one build"):
            get_backend("kv260")
    pynq.fails = None
    with get_backend("kv260") as made:
        assert_works(made)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"bitstream": 5}, r"bitstream is 5; give the path of a .bit file"),
        ({"download": "yes"}, r"download is 'yes'; give True, False or None"),
        ({"device": "kria"}, r"device is 'kria'; give a pynq.Device, or None for the board's"),
    ],
)
def test_wrong_options_are_refused(pynq: Pynq, entry: BitstreamEntry, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRun, match=told):
        Kv260Backend(**options)


# --- files


def test_damaged_files_are_refused_before_anything_is_loaded(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path) -> None:
    on_board(pynq, entry)
    bit, whole = tmp_path / "share/ebmhw.bit", (tmp_path / "share/ebmhw.bit").read_bytes()
    for broken, told in (
        (whole[:-100], rf"ebmhw.bit has {len(whole) - 100} bytes, not {len(whole)}: it was copied in part"),
        (whole[:-4] + b"oops", r"ebmhw.bit has SHA-256 [0-9a-f]{16}\.\.\., not [0-9a-f]{16}\.\.\.: it is damaged"),
    ):
        bit.write_bytes(broken)
        with pytest.raises(FirmwareError, match=told + r".*manifest.json says; nothing was loaded: copy the files again \(make deploy\)"):
            get_backend("kv260")
    assert not pynq.loaded
    bit.write_bytes(whole)
    # A board needs no .xsa.
    (tmp_path / "share/ebmhw.xsa").unlink()
    with get_backend("kv260") as made:
        assert_works(made)


def test_an_old_bitstream_is_refused_before_anything_is_loaded(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path) -> None:
    on_board(pynq, entry)
    old = {**entry.units, "ising_core": UnitHashes(0x1234_5678, entry.units["ising_core"].packet_hash)}
    install(tmp_path / "share", units=old)
    ours = f"{REGISTERS.hash32:#010x}"
    with pytest.raises(
        FirmwareError,
        match=rf"is of another version: the register map of ising_core has hash 0x12345678 in the bitstream, {ours} in .*; nothing was loaded: build",
    ):
        get_backend("kv260")
    assert not pynq.loaded
    (tmp_path / "share" / FILE).write_text("{")
    with pytest.raises(FirmwareError, match=r"manifest.json is no manifest of bitstreams"):
        get_backend("kv260")


def test_manifests_of_a_checkout_count_too(pynq: Pynq, tmp_path: Path) -> None:
    made = synthetic_entry(tmp_path / "bitstreams/kv260")
    Manifest({}).with_entry(made).with_entry(synthetic_entry(tmp_path / "bitstreams/other", name="other")).write(tmp_path / "bitstreams" / FILE)
    path = tmp_path / "bitstreams/kv260/ebmhw.bit"
    assert files.checked_entry(path) == made
    path.write_bytes(b"")
    with pytest.raises(FirmwareError, match=r"ebmhw.bit has 0 bytes"):
        files.checked_entry(path)
    (tmp_path / "my.bit").write_text("")
    assert files.checked_entry(tmp_path / "my.bit") is None


def test_a_bitstream_without_a_manifest_is_known_by_its_registers(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path) -> None:
    (tmp_path / "share" / FILE).unlink()
    board = on_board(pynq, entry)
    board.core.words[REGISTERS.register("map_hash").offset] = 5
    with pytest.raises(BackendUnavailable, match="backend 'kv260': the core was built for register map of hash 0x00000005"):
        get_backend("kv260")
    board = on_board(pynq, entry)
    board.phi_unit.words[phi_unit.REGISTERS.register("packet_hash").offset] = 6
    with pytest.raises(BackendUnavailable, match="backend 'kv260': the phi unit was built for packets of hash 0x00000006"):
        get_backend("kv260")
    on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert_works(made)
        assert made.status()["manifest"] is None


# --- loading


def test_names_in_the_block_design() -> None:
    assert [(one.cell, one.dma, one.vlnv) for one in BLOCKS] == [
        ("ising_core", "axi_dma_ising", "ebmhw:hdl:ising_core:1.0"),
        ("phi_unit", "axi_dma_phi", "ebmhw:hdl:phi_unit:1.0"),
    ]


@pytest.mark.parametrize("download", [None, True])
def test_an_empty_board_is_loaded(pynq: Pynq, entry: BitstreamEntry, tmp_path: Path, download: bool | None) -> None:
    on_board(pynq, entry, lanes=64, slots=16)
    made = get_backend("kv260", download=download)
    assert isinstance(made, Kv260Backend) and made.name == "kv260" and made.capabilities.lanes == 64
    assert pynq.loaded == [(str((tmp_path / "share/ebmhw.bit").resolve()), True)]
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, reads=70, seed=1), judge().run(PROGRAM, SCHEDULE, reads=70, seed=1))
    status = made.status()
    assert status["downloaded"] is True and status["clock_mhz"] == 200 and status["manifest"]["build"] == f"{entry.build:#010x}"
    assert status["units"]["ising_core"]["ends_by"].startswith("polling") and status["units"]["phi_unit"]["interrupts_lost"] == 0
    made.close()


def test_no_register_is_touched_where_the_board_may_not_serve_it(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    """Every state of the device tree that is not this very build is refused with download=False, without a read."""
    board = on_board(pynq, entry)
    assert pynq.device is not None

    def refused(told: str) -> None:
        with pytest.raises((BackendUnavailable, BoardError), match=told):
            get_backend("kv260", download=False)
        assert pynq.device is not None and pynq.device.reads == 0 and not pynq.loaded

    refused(r"no register is touched, as the live device tree has no node of this design; load it with `ebmhw board load`, or .*download=True")
    add_design(machine, build=0x0BAD)
    refused(rf"build 0x00000bad is loaded, the bitstream is build {entry.build:#010x}; load it with")
    add_unit(machine, block("ising_core"), entry.build, **{MAP_HASH: bytes([0, 0, 0, 7])})
    refused(r"its nodes are of several designs")
    add_unit(machine, block("phi_unit"), entry.build)
    refused(rf"the register map of ising_core has hash 0x00000007 in the loaded design, {REGISTERS.hash32:#010x} in this version")
    add_design(machine, entry.build, manager="write error\n")
    refused(r"the FPGA manager says 'write error', not 'operating'")
    add_design(machine, entry.build)
    pynq.has_loaded("hash of other")
    refused(r"PYNQ has loaded /home/root/other.bit since the board started, maybe over it; load it with")
    pynq.has_loaded("hash of ebmhw.bit")
    pynq.device.board = board
    with get_backend("kv260", download=False) as made:
        assert_works(made)
    assert [download for _, download in pynq.loaded] == [False]


def test_what_is_loaded_is_not_loaded_again(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    on_board(pynq, entry, loaded=True)
    add_design(machine, entry.build)
    with get_backend("kv260") as made:
        assert_works(made)
    assert [download for _, download in pynq.loaded] == [False]
    with get_backend("kv260", download=True) as made:
        assert_works(made)
    assert [download for _, download in pynq.loaded] == [False, True]


def test_what_may_be_loaded_is_loaded_again(pynq: Pynq, entry: BitstreamEntry, machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Unless told otherwise the board is loaded whenever it is not known what it holds: another build, another user of PYNQ, half a design."""
    board = on_board(pynq, entry)
    with caplog.at_level(logging.INFO, "ebmhw.kv260"):
        add_design(machine, build=0x0BAD)
        get_backend("kv260").close()
        add_design(machine, entry.build)
        pynq.has_loaded("hash of other")
        get_backend("kv260").close()
        pynq.has_loaded(None)
        add_unit(machine, block("phi_unit"), 5)
        get_backend("kv260").close()
        assert [download for _, download in pynq.loaded] == [True] * 3
        # The tree is of this build, but PYNQ put another into the logic, and told nobody.
        add_design(machine, entry.build)
        assert pynq.device is not None
        pynq.device.board, pynq.device.loads = Board(build=9), board
        with get_backend("kv260") as made:
            assert_works(made)
    assert [download for _, download in pynq.loaded[3:]] == [False, True]
    assert "after all: backend 'kv260': the core is of build 0x00000009, the phi unit of 0x00000009" in caplog.text
    pynq.device.board = Board(build=9)
    with pytest.raises(BackendUnavailable, match=r"the core is of build 0x00000009, .* of 0x[0-9a-f]{8}; load it with get_backend.*download=True"):
        get_backend("kv260", download=False)


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"bitfile_name": "x"', "folder"])
def test_a_record_of_pynq_that_cannot_be_read_is_no_assurance(pynq: Pynq, entry: BitstreamEntry, machine: Path, record: str) -> None:
    on_board(pynq, entry, loaded=True)
    add_design(machine, entry.build)
    if record == "folder":
        pynq.record.mkdir()
    else:
        pynq.record.write_text(record)
    with pytest.raises(BackendUnavailable, match=r"no register is touched, as PYNQ's record of what it loaded, .*, cannot be read \("):
        get_backend("kv260", download=False)
    assert pynq.device is not None and not pynq.device.reads
    with get_backend("kv260") as made:
        assert_works(made)
    assert pynq.loaded[-1][1]


def test_memory_that_pynq_has_only_after_a_download(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    on_board(pynq, entry, loaded=True)
    assert pynq.device is not None
    add_design(machine, entry.build)
    pynq.device.memory_after_download = True
    with pytest.raises(HardwareFault, match=r"no contiguous memory of 32768 bytes \(Allocate failed: no memory topology\); .*download=True"):
        get_backend("kv260", download=False)
    with get_backend("kv260") as made:
        assert_works(made)
    assert [download for _, download in pynq.loaded] == [False, False, True]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda cells: cells.pop("phi_unit"), r"ebmhw.hwh is of another design: there is no phi_unit; load a bitstream of this version"),
        (
            lambda cells: cells["ising_core"].update(type="ebmhw:hdl:ising_core:0.9"),
            r"ising_core is ebmhw:hdl:ising_core:0.9, not ebmhw:hdl:ising_core:1.0",
        ),
        (lambda cells: cells["ising_core"].update(phys_addr=0xB000_0000), r"ising_core is at 0xb0000000, not at 0xa0000000"),
        (lambda cells: cells["phi_unit"].update(addr_range=-1), r"phi_unit has -1 bytes of addresses, not 4096 or more"),
        (lambda cells: cells["axi_dma_phi"].update(parameters={"c_addr_width": "-1"}), r"axi_dma_phi has addresses of -1 bits, not 32 to 64"),
        (lambda cells: cells["axi_dma_phi"].update(parameters={"c_addr_width": "x"}), r"c_addr_width of axi_dma_phi is 'x', no number"),
        (lambda cells: cells["axi_dma_phi"].update(parameters={"c_include_sg": "1"}), r"axi_dma_phi has c_include_sg 1, not 0"),
        (lambda cells: cells["axi_dma_ising"].update(parameters={"C_SG_LENGTH_WIDTH": "14"}), r"axi_dma_ising has c_sg_length_width 14, not 26"),
    ],
)
def test_another_design_is_told(pynq: Pynq, entry: BitstreamEntry, change: Callable[[Any], Any], told: str) -> None:
    board = on_board(pynq, entry)
    change(pynq.ip_dict)
    with pytest.raises(BackendUnavailable, match=told):
        get_backend("kv260")
    assert not board.memory.live


# --- the clock


def test_a_clock_that_is_off_is_set(pynq: Pynq, entry: BitstreamEntry, machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    on_board(pynq, entry, loaded=True)
    add_design(machine, entry.build)
    pynq.fclk0_mhz = 300.0
    with caplog.at_level(logging.INFO, "ebmhw.kv260"), get_backend("kv260") as made:
        assert pynq.fclk0_mhz == 200 and made.status()["clock_mhz"] == 200
    assert "the programmable logic ran at 300 MHz, now at 200; the design is timed for 200 MHz" in caplog.text


def test_a_clock_that_is_too_fast_and_stays_so_is_refused(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    pynq.fclk0_mhz, pynq.settable = 250.0, False
    with pytest.raises(BoardError, match=r"runs at 250 MHz, the design is timed for 200 MHz, and .* cannot be set \(it reads 250 MHz"):
        get_backend("kv260")
    assert not board.memory.live
    pynq.fclk0_mhz = 100.0
    with get_backend("kv260") as made:
        assert made.status()["clock_mhz"] == 100
        assert_works(made)


def test_an_interrupt_controller_at_another_address_is_never_touched(pynq: Pynq, entry: BitstreamEntry) -> None:
    device = SimulatedDevice(Board(build=entry.build))
    pynq.ip_dict[INTERRUPT_CONTROLLER]["phys_addr"] += 0x1_0000
    with pytest.raises(BackendUnavailable, match=r"axi_intc_0 is at 0xa0050000, not at 0xa0040000"):
        get_backend("kv260", device=device)
    assert not device.reads


# --- one at a time


def test_another_process_is_named_and_its_end_frees_the_board(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    on_board(pynq, entry)
    script = f"""
        import sys, time
        from pathlib import Path
        from ebmhw.backends.kv260 import hold
        hold.FOLDERS = (Path({str(machine / "run/lock")!r}),)
        held = hold.Hold()
        print("held", flush=True)
        time.sleep(60)
    """
    other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(BackendUnavailable, match=rf"in use by process {other.pid} \(.*-kv260.lock\); wait for its end, or .*kill {other.pid}"):
            get_backend("kv260")
        assert not pynq.loaded
    finally:
        other.kill()
        other.wait(10)
        assert other.stdout is not None
        other.stdout.close()
    with get_backend("kv260") as made:
        assert_works(made)


def test_a_second_backend_of_a_process_is_refused(pynq: Pynq, entry: BitstreamEntry) -> None:
    on_board(pynq, entry)
    first = get_backend("kv260")
    with pytest.raises(BackendUnavailable, match=r"in use by another backend of this process .*; use that one, or close\(\) it first"):
        get_backend("kv260")
    assert_works(first)
    first.close()
    get_backend("kv260").close()


def test_a_lock_that_cannot_be_is_told(pynq: Pynq, entry: BitstreamEntry, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_board(pynq, entry)
    (machine / "run/lock/ebmhw-kv260.lock").symlink_to(machine / "elsewhere")
    with pytest.raises(BackendUnavailable, match=r"ebmhw-kv260.lock cannot be opened \(.*\); remove it"):
        get_backend("kv260")
    assert not (machine / "elsewhere").exists()
    monkeypatch.setattr(hold, "FOLDERS", (machine / "none",))
    with pytest.raises(BackendUnavailable, match=r"there is no folder .*none, or no flock"):
        get_backend("kv260")


# --- giving it back


def test_everything_is_given_back(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert_works(made)
        made.phi(np.ones((2, 5), dtype=np.float32))
        assert len(board.memory.live) == 4
    assert not board.memory.live and board.dma.log[-1] == "reset"
    for ask in (lambda: made.run(PROGRAM, SCHEDULE, seed=1), lambda: made.phi(np.ones((2, 5), dtype=np.float32)), made.status):
        with pytest.raises(BackendUnavailable, match=r"backend 'kv260' was closed; make another"):
            ask()
    made.close()
    again = get_backend("kv260")
    assert_works(again)
    del again
    # Nothing refers to it any more.
    get_backend("kv260").close()
    assert not board.memory.live


def test_a_close_that_is_interrupted_keeps_the_board(pynq: Pynq, entry: BitstreamEntry) -> None:
    """Ctrl-C while close() waits: the run goes on, nobody else gets the board, and closing again works."""
    board = on_board(pynq, entry)
    made = get_backend("kv260")
    assert_works(made)
    board.dma.seconds = 0.3
    board.dma.log.clear()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(assert_works, made)
        while not board.dma.log:
            time.sleep(1e-3)
        timer = threading.Timer(0.05, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            made.close()
        timer.join()
        with pytest.raises(BackendUnavailable, match="in use by another backend of this process"):
            hold.Hold()
        assert len(board.memory.live) == 3 and "reset" not in board.dma.log
        run.result(20)
    assert_works(made)
    made.close()
    assert not board.memory.live
    hold.Hold().release()


def test_a_driver_that_was_kept_keeps_the_board(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    core = get_backend("kv260").drivers[0]
    gc.collect()
    assert core.status()["state"] == "idle" and len(board.memory.live) == 2
    del core
    gc.collect()
    assert not board.memory.live
    hold.Hold().release()


def test_a_backend_that_is_forgotten_while_a_run_waits_finishes_it(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    made = get_backend("kv260")
    board.dma.seconds = 0.1
    futures = [made.submit(PROGRAM, SCHEDULE, reads=9, seed=1) for _ in range(3)]
    del made
    for future in futures:
        gc.collect()
        assert_equal_draws(future.result(20), judge().run(PROGRAM, SCHEDULE, reads=9, seed=1))
    limit = time.monotonic() + 20
    while board.memory.live:
        gc.collect()
        time.sleep(0.02)
        assert time.monotonic() < limit


def test_closing_waits_for_what_runs(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    made = get_backend("kv260")
    assert_works(made)
    board.dma.seconds = 0.3
    board.dma.log.clear()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(assert_works, made)
        while not board.dma.log:
            time.sleep(1e-3)
        made.close()
        assert not board.memory.live
        run.result(20)


def test_a_constructor_that_fails_gives_back_what_it_took(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    board.phi_unit.words[phi_unit.REGISTERS.register("identity").offset] = 1
    with pytest.raises(BackendUnavailable, match="the register 'identity' reads 0x00000001, a phi unit's reads"):
        get_backend("kv260")
    board.phi_unit.words[phi_unit.REGISTERS.register("identity").offset] = phi_unit.IDENTITY
    board.memory.full = True
    with pytest.raises(HardwareFault, match="no contiguous memory"):
        get_backend("kv260")
    assert not board.memory.live
    # Memory for the one unit only.
    board.memory.full, board.memory.most = False, len(board.memory.buffers) + 1
    with pytest.raises(HardwareFault, match="no contiguous memory"):
        get_backend("kv260")
    assert len(board.memory.buffers) == board.memory.most and not board.memory.live
    board.memory.most = None
    with get_backend("kv260") as made:
        assert_works(made)


def test_an_engine_that_another_process_left_at_work_is_stopped_first(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    board = on_board(pynq, entry, loaded=True)
    add_design(machine, entry.build)
    board.dma.channels[0x30].control, board.dma.channels[0x30].busy = 1, True
    with get_backend("kv260") as made:
        assert board.dma.log == ["reset"] and board.phi_dma.log == ["reset"]
        assert_works(made)


def test_a_fault_leaves_a_board_that_works(pynq: Pynq, entry: BitstreamEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_GRACE_SECONDS", 0.05)
    board = on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert_works(made)
        board.dma.hangs = True
        with pytest.raises(CoreStalled, match=r"backend 'kv260': the unit did not answer [0-9]+ bytes within .*; it is .*; it is reset"):
            made.run(PROGRAM, SCHEDULE, seed=1)
        board.dma.hangs = False
        assert_works(made)


def test_a_board_measures(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert made.capabilities.units == ("ising", "phi")
        logits = np.random.default_rng(3).normal(0, 4, (500, 70)).astype(np.float16)
        chosen = np.arange(500) % 70
        found = made.phi(logits, chosen=chosen)
        assert np.array_equal(found.array, judge().phi(logits, chosen=chosen).array)
        assert found.info["units"] == 1 and found.info["exchanges"] >= 1
        assert [entry[0] for entry in board.phi_dma.log if entry != "reset"] == ["back", "out"] * found.info["exchanges"]
        # The core's engine was left alone.
        assert board.dma.log == ["reset"]


# --- interrupts, and simulated devices


def test_the_device_of_interrupts_is_opened(
    pynq: Pynq, entry: BitstreamEntry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board, real = on_board(pynq, entry), overlay.this_board
    monkeypatch.setattr(connection, "this_board", lambda: dataclasses.replace(real(), interrupt="/dev/uio4"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", lambda path, *rest, **more: board.controller.open() if path == "/dev/uio4" else OPEN(path, *rest, **more))
        made = get_backend("kv260")
    board.dma.seconds = 0.02
    for _ in range(20):
        assert_works(made)
        found = made.status()["units"]["ising_core"]
        if found["taken"]:
            break
    assert found["ends_by"] == "interrupts" and found["taken"] >= 1
    made.close()
    monkeypatch.setattr(connection, "this_board", lambda: dataclasses.replace(real(), interrupt="/nowhere/uio4"))
    on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert_works(made)
        assert made.status()["units"]["ising_core"]["ends_by"].startswith("polling")
    assert "the device of the interrupts cannot be opened" in caplog.text


def test_a_simulated_device_is_trusted_by_its_hwh(pynq: Pynq, entry: BitstreamEntry, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No board, no root, no hold and no device tree are asked for; several may be open at once, and each says how fast it is."""
    add_machine(machine, "", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    boards = [Board(build=entry.build) for _ in range(2)]
    made = [get_backend("kv260", device=SimulatedDevice(board)) for board in boards]
    assert [download for _, download in pynq.loaded] == [False, False]
    for board, one in zip(boards, made, strict=True):
        board.dma.seconds = 0.02
        assert_works(one)
        assert one.drivers[0].cycles_per_second == 1e6
        assert board.core.words[REGISTERS.register("input_limit").offset] == 500_000
        assert one.status()["units"]["ising_core"]["ends_by"] == "interrupts"
        one.close()
        assert not board.memory.live and board.controller.mer == 0


def test_a_design_without_interrupts_is_polled(pynq: Pynq, entry: BitstreamEntry) -> None:
    board = Board(build=entry.build)
    for pins in ({}, {pin: {"controller": "axi_intc_9", "index": 0} for pin in ("axi_dma_ising/s2mm_introut", "axi_dma_phi/s2mm_introut")}):
        pynq.pins = pins
        with get_backend("kv260", device=SimulatedDevice(board)) as made:
            assert_works(made)
            assert made.status()["units"]["phi_unit"]["ends_by"] == "polling: the design, or the kernel, has no interrupt for it"
    assert INTERRUPT_CONTROLLER == "axi_intc_0"


def test_the_fake_processor_hangs_at_what_is_not_served(pynq: Pynq, entry: BitstreamEntry, machine: Path) -> None:
    """The other tests stand on it: a tree that lies does hang it."""
    on_board(pynq, entry)
    add_design(machine, entry.build)
    with pytest.raises(Hung):
        get_backend("kv260", download=False)


# --- a plain overlay


def test_a_plain_overlay_shows_registers_by_name(pynq: Pynq) -> None:
    board = Board(lanes=64, slots=16)
    module = importlib.import_module("ebmhw.backends.kv260.ip")
    bound = type(sys.modules["pynq"].DefaultIP).bound  # type: ignore[attr-defined]
    assert bound == {"ebmhw:hdl:ising_core:1.0": module.IsingCoreIP, "ebmhw:hdl:phi_unit:1.0": module.PhiUnitIP}
    device = Device(board)
    core, phi = (bound[one.vlnv]({"phys_addr": one.address, "addr_range": 0x1_0000, "device": device, "fullpath": one.cell}) for one in BLOCKS)
    # Nothing is read until something is asked for.
    assert device.reads == 0
    assert core.identity.lanes == 64 and phi.identity.entries_max == 2**19
    assert core.status()["state"] == "idle" and phi.counters()["jobs_done"] == 0
    phi.clear_counters()
    core.reset()
    assert not board.dma.log
    with pytest.raises(NotSupported, match=r"shows registers only; get_backend\('kv260'\) runs jobs"):
        core._connected()._bus.exchange(np.ones(2, dtype=np.uint64), 3, 1.0)
    board.core.words[REGISTERS.register("identity").offset] = 7
    other = module.IsingCoreIP({"phys_addr": BLOCKS[0].address, "addr_range": 0x1_0000, "device": device})
    with pytest.raises(BackendUnavailable, match="the register 'identity' reads 0x00000007"):
        other.status()


def test_imports_stay_late() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import ebmhw.backends.kv260, sys; assert 'ebmhw.backends.kv260.ip' not in sys.modules"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "pynq" not in done.stderr


def test_what_a_run_costs_in_register_accesses(pynq: Pynq, entry: BitstreamEntry) -> None:
    """An exchange of an engine that is done at once: four accesses to launch each way, a look at each, and one for the length of the answer."""
    board = on_board(pynq, entry)
    with get_backend("kv260") as made:
        assert_works(made)
        before = board.dma.accesses
        draws = made.run(PROGRAM, SCHEDULE, reads=9, seed=1)
        assert board.dma.accesses - before == 11 * draws.info["exchanges"]
