"""The device tree's overlay: compiled, applied to a board's tree, and read back property by property."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from board_fdt import BASE, Node, added, cells, read_tree, text
from board_images import synthetic_entry
from board_tools import tool

from boards.kv260.firmware.overlay import OVERLAY, overlay_source, write_overlay
from boards.kv260.firmware.ports import PortBits, read_ports
from ebmhw import rtl
from ebmhw.board.block_design import APP, BLOCKS, CLOCKS_MHZ, GIC_SPI, INTERRUPT_CONTROLLER_ADDRESS, PL_CLOCK_ID, PL_RESETS
from ebmhw.board.hwh import hwh_text
from ebmhw.board.loaded import loaded_design
from ebmhw.board.manifest import BitstreamEntry, UnitHashes
from ebmhw.board.system import TREE
from ebmhw.contract.design import UNITS
from ebmhw.contract.sources import Sidecar

LABELS = ("amba", "fpga_full", "gic", "zynqmp_clk", "zynqmp_reset")

# As Kria-PYNQ's own overlay is made: ports, memory, and an interrupt of which there is but one.
OTHER = """\
/dts-v1/;
/plugin/;
&amba {
	#address-cells = <2>;
	#size-cells = <2>;
	afi0: afi0 { compatible = "xlnx,afi-fpga"; config-afi = <4 0>, <14 0>; };
	zocl: zyxclmm_drm { compatible = "xlnx,zocl"; };
	fabric: fabric@A0000000 { compatible = "generic-uio"; interrupt-parent = <&gic>; interrupts = <0 89 4>; reg = <0 0xa0000000 0 0x10000>; };
};
"""


def random_facts(seed: int) -> dict[str, Any]:
    """Return changes of an entry that fit no contract but have the right form."""
    rng = random.Random(seed)
    return {
        "units": {unit.name: UnitHashes(rng.getrandbits(32), rng.getrandbits(32)) for unit in UNITS},
        "contract_digest": f"{rng.getrandbits(256):064x}",
        "sources_digest": f"{rng.getrandbits(256):064x}",
        "clock_mhz": rng.choice(CLOCKS_MHZ),
    }


def compile_tree(folder: Path, name: str, source: str) -> tuple[Path, str]:
    """Compile a tree, and return its path and what dtc said."""
    (folder / f"{name}.dts").write_text(source)
    command = [tool("dtc"), "-@", "-I", "dts", "-O", "dtb", "-o", f"{name}.dtb", f"{name}.dts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return folder / f"{name}.dtb", done.stderr


def apply(folder: Path, base: str, *overlays: Path) -> subprocess.CompletedProcess[str]:
    """Apply overlays to a base's source; the result is ``merged.dtb``."""
    blob, said = compile_tree(folder, "base", base)
    assert not said
    command = [tool("fdtoverlay"), "-i", str(blob), "-o", str(folder / "merged.dtb"), *map(str, overlays)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def merge(folder: Path, entry: BitstreamEntry, ports: PortBits | None = None) -> tuple[Node, Node]:
    """Return a board's tree with the overlay of an entry, and without."""
    tool("dtc")
    source = overlay_source(entry) if ports is None else overlay_source(entry, ports)
    (folder / "work").mkdir()
    made = write_overlay(source, folder, folder / "work")
    done = apply(folder, BASE, made)
    assert done.returncode == 0, done.stderr
    return read_tree((folder / "merged.dtb").read_bytes()), read_tree((folder / "base.dtb").read_bytes())


def faults(folder: Path) -> list[str]:
    """Return what dtc says of the finished tree, whose cells it can count."""
    command = [tool("dtc"), "-I", "dtb", "-O", "dts", "-o", "/dev/null", "merged.dtb"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60).stderr.splitlines()
    # Three of the nodes are no devices with addresses, as in all overlays of AMD for this board.
    known = [f"(simple_bus_reg): /axi/{APP}-{name}: missing or empty reg/ranges property" for name in ("afi", "clock", "interrupt")]
    return [line for line in said if not any(line.endswith(one) for one in known)]


def expected(entry: BitstreamEntry, base: Node) -> Mapping[str, dict[str, bytes]]:
    """Return all nodes that the overlay is to add, from the entry and the block design."""
    clock, gic = (base.at(path).cells("phandle")[0] for path in ("clock-controller", "axi/interrupt-controller@f9010000"))
    nodes = {
        f"/axi/{APP}-afi": {"compatible": text("xlnx,afi-fpga"), "config-afi": cells(4, 0, 5, 0, 14, 0xA00)},
        f"/axi/{APP}-clock": {
            "compatible": text("xlnx,fclk"),
            "#clock-cells": cells(0),
            "clocks": cells(clock, PL_CLOCK_ID),
            "assigned-clocks": cells(clock, PL_CLOCK_ID),
            "assigned-clock-rates": cells(entry.clock_mhz * 1_000_000),
            "clock-output-names": text(f"{APP}-clock"),
        },
        f"/axi/{APP}-interrupt": {"compatible": text("generic-uio"), "interrupt-parent": cells(gic), "interrupts": cells(0, GIC_SPI, 4)},
        f"/axi/axi-intc-0@{INTERRUPT_CONTROLLER_ADDRESS:x}": {"reg": cells(0, INTERRUPT_CONTROLLER_ADDRESS, 0, 0x1_0000)},
    }
    for block in BLOCKS:
        name = block.unit.name
        nodes[f"/axi/{name.replace('_', '-')}@{block.address:x}"] = {
            "compatible": text(f"ebmhw,{name.replace('_', '-')}-1.0"),
            "reg": cells(0, block.address, 0, 0x1_0000),
            "ebmhw,build": cells(int(entry.sources_digest[:8], 16)),
            "ebmhw,map-hash": cells(entry.units[name].map_hash),
            "ebmhw,packet-hash": cells(entry.units[name].packet_hash),
            "ebmhw,contract-digest": text(entry.contract_digest),
        }
        nodes[f"/axi/{block.dma.replace('_', '-')}@{block.dma_address:x}"] = {"reg": cells(0, block.dma_address, 0, 0x1_0000)}
    return nodes


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_with_the_overlay_says_all_of_the_entry_and_nothing_else(tmp_path: Path, seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    entry = synthetic_entry(tmp_path / "bits", **random_facts(seed))
    merged, base = merge(tmp_path, entry)
    assert added(merged, base) == expected(entry, base)
    region, resets = merged.at("fpga-region"), base.at("reset-controller").cells("phandle")[0]
    assert region.properties == base.at("fpga-region").properties | {
        "firmware-name": text(f"{APP}.bit.bin"),
        "resets": cells(*(cell for number in PL_RESETS for cell in (resets, number))),
    }
    assert merged.at("axi").properties == base.at("axi").properties
    assert faults(tmp_path) == []
    assert capfd.readouterr().err == ""


def test_what_is_loaded_is_read_from_the_tree(tmp_path: Path) -> None:
    entry = synthetic_entry(tmp_path / "bits", **random_facts(7))
    merged, base = merge(tmp_path, entry)
    merged.write(tmp_path / "board" / TREE)
    found = loaded_design(tmp_path / "board")
    assert found is not None and found.build == entry.build
    assert {name: (unit.map_hash, unit.packet_hash) for name, unit in found.units.items()} == {
        name: (unit.map_hash, unit.packet_hash) for name, unit in entry.units.items()
    }
    assert all(unit.contract_digest == entry.contract_digest for unit in found.units.values())
    assert [unit.address for unit in found.units.values()] == [block.address for block in BLOCKS]
    base.write(tmp_path / "bare" / TREE)
    assert loaded_design(tmp_path / "bare") is None


def test_ports_are_read_from_a_handoff_of_the_whole_design(tmp_path: Path) -> None:
    sidecar = Sidecar.from_json((rtl.FOLDER / "kv260.json").read_text(encoding="utf-8"))
    text = hwh_text(sidecar)
    for control, memory in ((32, 128), (128, 64)):
        changed = re.sub(r'(C_MAXIGP0_DATA_WIDTH" VALUE=")\d+', rf"\g<1>{control}", text)
        changed = re.sub(r'(C_SAXIGP2_DATA_WIDTH" VALUE=")\d+', rf"\g<1>{memory}", changed)
        (tmp_path / "ebmhw.hwh").write_text(changed)
        assert read_ports(tmp_path / "ebmhw.hwh") == PortBits(control, memory)


# UG1087: AFIFM RDCTRL and WRCTRL bits 1..0 are 0 for 128 bits, 1 for 64, 2 for 32; AFI_FS bits 9..8 the other way round.
@pytest.mark.parametrize(("control", "afi_fs"), [(32, 0x800), (64, 0x900), (128, 0xA00)])
@pytest.mark.parametrize(("memory", "fabric"), [(32, 2), (64, 1), (128, 0)])
def test_ports_get_the_widths_that_they_were_built_with(tmp_path: Path, control: int, afi_fs: int, memory: int, fabric: int) -> None:
    source = overlay_source(synthetic_entry(tmp_path), PortBits(control, memory))
    assert f"config-afi = <4 {fabric:#x}>, <5 {fabric:#x}>, <14 {afi_fs:#x}>;" in source


@pytest.mark.parametrize("order", [1, -1])
def test_the_overlay_leaves_another_one_alone(tmp_path: Path, order: int) -> None:
    ours, base = merge(tmp_path, synthetic_entry(tmp_path / "bits"))
    other, said = compile_tree(tmp_path, "other", OTHER)
    assert not said
    assert apply(tmp_path, BASE, other).returncode == 0
    theirs = added(read_tree((tmp_path / "merged.dtb").read_bytes()), base)
    done = apply(tmp_path, BASE, *[other, tmp_path / OVERLAY][::order])
    assert done.returncode == 0, done.stderr
    both = added(read_tree((tmp_path / "merged.dtb").read_bytes()), base)

    def plain(nodes: Mapping[str, dict[str, bytes]]) -> dict[str, dict[str, bytes]]:
        # Numbers of labelled nodes depend on the order.
        return {path: {name: value for name, value in node.items() if name != "phandle"} for path, node in nodes.items()}

    symbols = set(added(ours, base)) & set(theirs)
    assert not symbols
    assert plain(both) == plain(added(ours, base)) | plain(theirs)


@pytest.mark.parametrize("label", LABELS)
def test_a_board_without_a_label_is_refused(tmp_path: Path, label: str) -> None:
    merge(tmp_path, synthetic_entry(tmp_path / "bits"))
    (tmp_path / "merged.dtb").unlink()
    done = apply(tmp_path, BASE.replace(f"{label}: ", "").replace(f"&{label}>", "0x7>"), tmp_path / OVERLAY)
    assert done.returncode and "NOTFOUND" in done.stderr
    assert not (tmp_path / "merged.dtb").exists()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (f"clocks = <&zynqmp_clk {PL_CLOCK_ID}>;", "clocks = <&zynqmp_clk>;"),
        (f"interrupts = <0 {GIC_SPI} 4>;", f"interrupts = <0 {GIC_SPI}>;"),
        ("reg = <0x0 0xa0020000 0x0 0x10000>;", "reg = <0xa0020000 0x10000 0x0>;"),
        ("<&zynqmp_reset 116>, ", "<&zynqmp_reset>, "),
        ("axi-dma-phi@a0030000", "axi-dma-phi@a0000000"),
    ],
)
def test_a_wrong_number_of_cells_is_seen(tmp_path: Path, right: str, wrong: str) -> None:
    source = overlay_source(synthetic_entry(tmp_path / "bits"))
    assert right in source
    overlay, said = compile_tree(tmp_path, "wrong", source.replace(right, wrong))
    done = apply(tmp_path, BASE, overlay)
    assert said or done.returncode or faults(tmp_path)
