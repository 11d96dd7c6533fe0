"""The Tcl scripts, run under tclsh with Vivado's commands stubbed: what they would have Vivado do, judged against the contract and pins by hand."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from board_tools import tool
from board_vivado import STUB, Call, Design, FakeVivado, timing_report

from boards.kv260.bitstream import SCRIPTS
from boards.kv260.settings import settings_text, word
from ebmhw.board import block_design
from ebmhw.board.block_design import BLOCKS, CLOCKS_MHZ, INTERRUPT_CONTROLLER, INTERRUPTS, PHI_SOURCES
from ebmhw.errors import ConfigError


def run(
    folder: Path, fault: str = "", clock: int = 200, phi: str = "rtl", timing: str | None = None, scripts: Path = SCRIPTS
) -> tuple[FakeVivado, subprocess.CompletedProcess[str]]:
    vivado = FakeVivado(folder / "vivado")
    if timing is not None:
        (vivado.folder / "timing.rpt").write_text(timing)
    work, told = folder / "work", folder / "told"
    work.mkdir()
    told.mkdir()
    sources, memory = {}, {}
    for block in BLOCKS:
        name = block.unit.name
        sources[name] = [work / f"{name}.sv", work / f"{name}_ip.v"]
        memory[name] = [work / f"{name}.dat"] if phi == "hls" and name == "phi_unit" else []
        for path in [*sources[name], *memory[name]]:
            path.write_text("")
    settings = work / "settings.tcl"
    settings.write_text(
        settings_text(
            folder=work,
            reports=told,
            clock_mhz=clock,
            phi=phi,
            jobs=3,
            sources=sources,
            tops={block.unit.name: f"{block.unit.name}_ip" for block in BLOCKS},
            memory_files=memory,
        )
    )
    command = [tool("tclsh"), STUB, "-mode", "batch", "-source", scripts / "build.tcl", "-tclargs", settings]
    return vivado, subprocess.run(
        command, cwd=work, env=vivado.environment(fault), capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )


@cache
def built(root: Path, clock: int, phi: str) -> tuple[Call, ...]:
    vivado, done = run(root / f"{clock}-{phi}", clock=clock, phi=phi)
    assert done.returncode == 0, done.stdout + done.stderr
    return tuple(vivado.calls())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vivado")


@pytest.fixture(scope="module")
def calls(root: Path) -> tuple[Call, ...]:
    return built(root, 200, "rtl")


@pytest.fixture(scope="module")
def design(calls: tuple[Call, ...]) -> Design:
    return Design.of(calls)


def pins(design: Design) -> dict[str, tuple[str, str]]:
    """Kind (net or bus) and direction of every pin that has to be connected, from the product guides; outputs that may stay open are left out."""
    found: dict[str, tuple[str, str]] = {}
    units = {block.vlnv for block in BLOCKS}
    for cell, vlnv in design.cells.items():
        values = design.values[cell]
        if vlnv in units:
            mine = {"in": ["clk", "rst"], "out": ["interrupt"], "slave": ["s_axi", "s_axis"], "master": ["m_axis"]}
        elif ":smartconnect:" in vlnv:
            slaves, masters = int(values["CONFIG.NUM_SI"]), int(values["CONFIG.NUM_MI"])
            mine = {
                "in": ["aclk", "aresetn"],
                "slave": [f"S{index:02}_AXI" for index in range(slaves)],
                "master": [f"M{index:02}_AXI" for index in range(masters)],
            }
        elif ":axi_dma:" in vlnv:
            mine = {
                "in": ["s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn"],
                "out": ["mm2s_introut", "s2mm_introut"],
                "slave": ["S_AXI_LITE", "S_AXIS_S2MM"],
                "master": ["M_AXI_MM2S", "M_AXI_S2MM", "M_AXIS_MM2S"],
            }
        elif ":axi_intc:" in vlnv:
            mine = {"in": ["s_axi_aclk", "s_axi_aresetn", "intr"], "out": ["irq"], "slave": ["s_axi"]}
        elif ":xlconcat:" in vlnv:
            mine = {"in": [f"In{index}" for index in range(int(values["CONFIG.NUM_PORTS"]))], "out": ["dout"]}
        elif ":proc_sys_reset:" in vlnv:
            mine = {"in": ["slowest_sync_clk", "ext_reset_in"], "out": ["interconnect_aresetn", "peripheral_aresetn", "peripheral_reset"]}
        else:
            assert ":zynq_ultra_ps_e" in vlnv, vlnv
            mine = {
                "in": ["maxihpm0_fpd_aclk", "saxihp0_fpd_aclk", "pl_ps_irq0"],
                "out": ["pl_clk0", "pl_resetn0"],
                "slave": ["S_AXI_HP0_FPD"],
                "master": ["M_AXI_HPM0_FPD"],
            }
        for direction, names in mine.items():
            found |= {f"{cell}/{name}": ("net" if direction in {"in", "out"} else "bus", direction) for name in names}
    return found


@pytest.mark.parametrize("phi", PHI_SOURCES)
@pytest.mark.parametrize("clock", CLOCKS_MHZ)
def test_every_pin_is_connected_once_and_driven_once(root: Path, clock: int, phi: str) -> None:
    design = Design.of(built(root, clock, phi))
    due = pins(design)
    used = Counter(pin for net in design.nets for pin in net) + Counter(pin for link in design.links for pin in link)
    assert used == Counter(due.keys())
    for net in design.nets:
        assert len(net) > 1 and [due[pin] for pin in net] == [("net", "out")] + [("net", "in")] * (len(net) - 1), net
    for start, end in design.links:
        assert (due[start], due[end]) == (("bus", "master"), ("bus", "slave")), (start, end)


def test_streams_and_memory_go_where_they_belong(design: Design) -> None:
    links = set(design.links)
    memory = {end.rsplit("/", 1)[0] for start, end in links if start.endswith(("M_AXI_MM2S", "M_AXI_S2MM"))}
    assert len(memory) == 1 and (f"{memory.pop()}/M00_AXI", "zynq_ultra_ps_e_0/S_AXI_HP0_FPD") in links
    for block in BLOCKS:
        assert (f"{block.dma}/M_AXIS_MM2S", f"{block.cell}/s_axis") in links
        assert (f"{block.cell}/m_axis", f"{block.dma}/S_AXIS_S2MM") in links
        values = design.values[block.dma]
        assert design.cells[block.dma] == "xilinx.com:ip:axi_dma:7.1"
        assert values["CONFIG.c_include_sg"] == values["CONFIG.c_sg_include_stscntrl_strm"] == "0"
        assert values["CONFIG.c_sg_length_width"] == "26"
        assert int(values["CONFIG.c_m_axis_mm2s_tdata_width"]) == block.unit.job_bits <= int(values["CONFIG.c_m_axi_mm2s_data_width"])
        assert int(values["CONFIG.c_s_axis_s2mm_tdata_width"]) == block.unit.result_bits <= int(values["CONFIG.c_m_axi_s2mm_data_width"])
    phi = design.values["axi_dma_phi"]
    assert (phi["CONFIG.c_m_axis_mm2s_tdata_width"], phi["CONFIG.c_s_axis_s2mm_tdata_width"]) == ("128", "64")


def test_clock_and_resets_reach_all_cells(design: Design) -> None:
    by_driver = {net[0]: set(net[1:]) for net in design.nets}
    clocked = {pin for pin in pins(design) if pin.endswith(("clk", "aclk")) and not pin.endswith("pl_clk0")}
    assert by_driver["zynq_ultra_ps_e_0/pl_clk0"] == clocked
    assert {pin.split("/")[0] for pin in clocked} | {"interrupt_lines"} == set(design.cells)
    reset = next(cell for cell, vlnv in design.cells.items() if ":proc_sys_reset:" in vlnv)
    assert by_driver[f"{reset}/peripheral_reset"] == {f"{block.cell}/rst" for block in BLOCKS}  # active high, as the units have it
    assert all(pin.endswith("resetn") for pin in by_driver[f"{reset}/peripheral_aresetn"] | by_driver[f"{reset}/interconnect_aresetn"])


def test_interrupts_come_in_the_order_of_the_block_design(design: Design) -> None:
    lines = {net[0]: net[1] for net in design.nets if len(net) == 2}
    assert [lines[pin] for pin in INTERRUPTS] == [f"interrupt_lines/In{index}" for index in range(len(INTERRUPTS))]
    assert lines["interrupt_lines/dout"] == f"{INTERRUPT_CONTROLLER}/intr"
    assert lines[f"{INTERRUPT_CONTROLLER}/irq"] == "zynq_ultra_ps_e_0/pl_ps_irq0"
    values = design.values[INTERRUPT_CONTROLLER]
    # Single output, which is high while an enabled input is; every input a level.
    assert [values[f"CONFIG.{name}"] for name in ("C_IRQ_CONNECTION", "C_IRQ_IS_LEVEL", "C_KIND_OF_INTR")] == ["1", "1", "0x00000000"]


def test_addresses_are_the_block_designs_and_do_not_overlap(design: Design) -> None:
    registers = {segment: (offset, length) for space, offset, length, segment in design.addresses if space == "zynq_ultra_ps_e_0/Data"}
    due = {f"{INTERRUPT_CONTROLLER}/S_AXI/Reg": 0xA004_0000}
    for block in BLOCKS:
        due |= {f"{block.cell}/s_axi/Reg": block.address, f"{block.dma}/S_AXI_LITE/Reg": block.dma_address}
    assert registers == {segment: (offset, 0x1_0000) for segment, offset in due.items()}
    ordered = sorted(registers.values())
    assert all(low + length <= high for (low, length), (high, _) in pairwise(ordered))
    assert ordered[0][0] >= 0xA000_0000 and sum(ordered[-1]) <= 0xB000_0000  # what M_AXI_HPM0_FPD serves below 4 GiB
    spaces = {f"{block.dma}/{channel}" for block in BLOCKS for channel in ("Data_MM2S", "Data_S2MM")}
    memory = {(space, offset, length) for space, offset, length, _ in design.addresses if space != "zynq_ultra_ps_e_0/Data"}
    assert memory == {(space, offset, 0x8000_0000) for space in spaces for offset in (0, 0x8_0000_0000)}
    assert len(design.addresses) == len(registers) + len(memory)
    assert {space for space, _ in design.excluded} == spaces and not any("DDR" in segment for _, segment in design.excluded)


@pytest.mark.parametrize("clock", CLOCKS_MHZ)
def test_processor_has_these_ports_and_this_clock(root: Path, clock: int) -> None:
    calls = built(root, clock, "rtl")
    values = Design.of(calls).values["zynq_ultra_ps_e_0"]
    preset = [index for index, call in enumerate(calls) if call.name == "apply_bd_automation"]
    first = next(index for index, call in enumerate(calls) if call.name == "set_property" and call.words[-1] == "zynq_ultra_ps_e_0")
    assert len(preset) == 1 and preset[0] < first  # the preset would undo what comes before it
    assert calls[preset[0]].options["-config"] == 'apply_board_preset "1"'
    used = {name for name, value in values.items() if "PSU__USE__" in name and value == "1"}
    assert used == {f"CONFIG.PSU__USE__{name}" for name in ("M_AXI_GP0", "S_AXI_GP2", "IRQ0", "FABRIC__RST")}
    assert {name for name in values if "PSU__USE__" in name} >= {f"CONFIG.PSU__USE__{name}" for name in ("M_AXI_GP1", "M_AXI_GP2", "S_AXI_GP0")}
    assert (values["CONFIG.PSU__MAXIGP0__DATA_WIDTH"], values["CONFIG.PSU__SAXIGP2__DATA_WIDTH"]) == ("32", "128")
    assert values["CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"] == str(clock)
    pll = {"IOPLL": 1000, "RPLL": 1500}[values["CONFIG.PSU__CRL_APB__PL0_REF_CTRL__SRCSEL"]]
    assert pll % clock == 0


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.cell)
def test_map_of_the_ip_is_that_of_the_contract(calls: tuple[Call, ...], block: block_design.Block) -> None:
    core = f"ip{BLOCKS.index(block)}"
    prefix = f"{core}/s_axi/Reg"
    made = [call.words for call in calls if call.name == "ipx::add_register" and call.words[1] == prefix]
    registers = block.unit.registers.registers
    assert [name for name, _ in made] == [register.name for register in registers]
    properties: dict[str, dict[str, str]] = {}
    for call in calls:
        if call.name == "set_property" and call.words[-1].startswith(core):
            name, value, handle = call.words
            assert name not in properties.setdefault(handle, {}), f"{name} of {handle} is set twice"
            properties[handle][name] = value
    assert properties[prefix] == {"base_address": "0", "range": "65536", "width": "32", "usage": "register", "access": "read-write"}
    for register in registers:
        handle = f"{prefix}/{register.name}"
        got = properties[handle]
        assert set(got) == {"address_offset", "size", "access", "reset_value", "reset_value_format", "description"}
        assert (int(got["address_offset"], 0), got["size"], int(got["reset_value"])) == (register.offset, "32", register.reset)
        assert got["description"] == register.doc
        assert (got["access"] == "read-only") is all(field.access == "ro" for field in register.fields)
        fields = [call.words[0] for call in calls if call.name == "ipx::add_field" and call.words[1] == handle]
        assert fields == [field.name for field in register.fields]
        for field in register.fields:
            got = properties[f"{handle}/{field.name}"]
            assert (int(got["bit_offset"]), int(got["bit_width"]), got["description"]) == (field.lsb, field.bits, field.doc)
            readable, writable = field.access in {"ro", "rw", "w1c"}, field.access != "ro"
            assert got["access"] == {(True, False): "read-only", (True, True): "read-write", (False, True): "write-only"}[readable, writable]
            assert got.get("modified_write_value") == ("oneToClear" if field.access == "w1c" else None)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.cell)
def test_interfaces_of_the_ip(calls: tuple[Call, ...], block: block_design.Block) -> None:
    core = f"ip{BLOCKS.index(block)}"
    set_to = {
        call.words[2]: call.words[1] for call in calls if call.name == "set_property" and call.words[0] == "value" and call.words[2].startswith(core)
    }
    assert set_to == {
        f"{core}/clk/ASSOCIATED_BUSIF": "s_axi:s_axis:m_axis",
        f"{core}/clk/ASSOCIATED_RESET": "rst",
        f"{core}/rst/POLARITY": "ACTIVE_HIGH",
        f"{core}/interrupt/SENSITIVITY": "LEVEL_HIGH",
    }
    # Those that the packager inferred of itself (here clk) are not made a second time.
    assert [call.words[:2] for call in calls if call.name == "ipx::infer_bus_interface" and call.words[2] == core] == [
        ("rst", "xilinx.com:signal:reset_rtl:1.0"),
        ("interrupt", "xilinx.com:signal:interrupt_rtl:1.0"),
    ]
    # One that is there is not inferred again: it would come a second time.
    assert not any(call.name == "ipx::infer_bus_interfaces" for call in calls)
    package = [call for call in calls if call.name == "ipx::package_project"][BLOCKS.index(block)]
    vendor, library, name, version = block.vlnv.split(":")
    assert (package.options["-vendor"], package.options["-library"]) == (vendor, library)
    named = {call.words[0]: call.words[1] for call in calls if call.name == "set_property" and call.words[-1] == core}
    assert (named["name"], named["version"]) == (name, version)


def test_interfaces_that_the_packager_did_not_infer_are_made_once(tmp_path: Path) -> None:
    vivado, done = run(tmp_path, "infers-nothing")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = Counter(call.words for call in vivado.calls() if call.name.startswith("ipx::infer_bus_interface"))
    assert set(asked.values()) == {1}
    kinds = {"xilinx.com:interface:aximm_rtl:1.0", "xilinx.com:interface:axis_rtl:1.0"}
    assert {words[0] for words in asked if len(words) == 2} == kinds
    assert {words[0] for words in asked if len(words) == 3} == {"clk", "rst", "interrupt"}


def test_only_one_address_block_is_left(calls: tuple[Call, ...]) -> None:
    # The packager makes "reg0"; two blocks would give the cell another name in PYNQ.
    removed = [call.words for call in calls if call.name == "ipx::remove_address_block"]
    assert removed == [("reg0", f"ip{index}/s_axi") for index in range(len(BLOCKS))]
    assert [call.words for call in calls if call.name == "ipx::add_address_block"] == [("Reg", f"ip{index}/s_axi") for index in range(len(BLOCKS))]


@pytest.mark.parametrize("phi", PHI_SOURCES)
def test_files_of_the_ips(root: Path, phi: str) -> None:
    calls = built(root, 200, phi)
    kinds = {Path(call.words[2]).name: call.words[1] for call in calls if call.name == "set_property" and call.words[0] == "file_type"}
    due = {"ising_core.sv": "SystemVerilog", "phi_unit.sv": "SystemVerilog"}
    assert kinds == due | ({"phi_unit.dat": "Memory Initialization Files"} if phi == "hls" else {})
    # The packager takes no SystemVerilog at the top.
    tops = [call.words[1] for call in calls if call.name == "set_property" and call.words[0] == "top"]
    assert tops == ["ising_core_ip", "phi_unit_ip", "ebmhw_wrapper"]


ORDER = (
    "get_board_parts", "ipx::package_project", "ipx::save_core", "create_bd_design", "apply_bd_automation", "connect_bd_intf_net", "connect_bd_net",
    "assign_bd_address", "validate_bd_design", "save_bd_design", "make_wrapper", "generate_target", "launch_runs", "open_run",
    "report_timing_summary", "report_utilization", "get_timing_paths", "close_design", "write_hw_platform", "close_project",
)  # fmt: skip


def test_steps_come_in_order(calls: tuple[Call, ...]) -> None:
    last = {call.name: index for index, call in enumerate(calls)}
    first = {call.name: index for index, call in reversed(list(enumerate(calls)))}
    places = [first[name] for name in ORDER[:-1]] + [last["close_project"]]
    assert places == sorted(places)
    assert first["update_ip_catalog"] < first["create_bd_cell"] and first["validate_bd_design"] > last["assign_bd_address"]
    projects = [call for call in calls if call.name in {"create_project", "close_project"}]
    assert [call.name for call in projects] == ["create_project", "close_project"] * 3
    assert {call.options["-part"] for call in projects if call.name == "create_project"} == {"xck26-sfvc784-2LV-c"}
    set_up = {call.words[0]: call.words[1] for call in calls if call.name == "set_property" and call.words[-1] == "project:ebmhw"}
    assert set_up["board_part"] == "xilinx.com:kv260_som:part0:1.4"
    assert set_up["board_connections"].startswith("som240_1_connector xilinx.com:kv260_carrier:som240_1_connector:")
    runs = [(call.words[0], call.options.get("-to_step"), call.options["-jobs"]) for call in calls if call.name == "launch_runs"]
    assert runs == [("synth_1", None, "3"), ("impl_1", "post_route_phys_opt_design", "3"), ("impl_1", "write_bitstream", "3")]
    timing = next(index for index, call in enumerate(calls) if call.name == "get_timing_paths")
    assert timing < next(index for index, call in enumerate(calls) if call.options.get("-to_step") == "write_bitstream")
    export = next(call for call in calls if call.name == "write_hw_platform")
    assert {"-fixed", "-include_bit", "-force"} <= set(export.options)


FAILURES = {
    "timing": (3, "timing is not met: the worst setup slack is '-0.213' ns"),
    "hold": (3, "timing is not met: the worst hold slack is '-0.213' ns"),
    "unconstrained": (3, "no setup path is constrained; no hold path is constrained"),
    "no-board": (1, r"no board files xilinx.com:kv260_som:part0:\*; install them"),
    "wrong-part": (1, "are of part xck24-ubva530-2LV-c, not xck26-sfvc784-2LV-c"),
    "no-carrier": (1, r"no board files of the carrier: tried the versions \*, 1.3, 1.2, 2.0"),
    "no-stream": (1, "found no interface m_axis among the ports of ising_core_ip"),
    "no-xlconcat": (1, "catalogue has no IP xilinx.com:ip:xlconcat:2.1"),
    "slow-plls": (1, "pl_clk0 cannot run at 200 MHz with the board's PLLs, only at 175.0 MHz from IOPLL"),
    "synth": (1, "run synth_1 ended with status 'synth_design ERROR'"),
    "ip-run": (1, r"run synth_1 ended with status 'Not started'.*; run ebmhw_phi_unit_0_synth_1 ended with status 'synth_design ERROR'"),
    "vanished": (1, r"run synth_1 ended with status 'Running synth_design\.\.\.'; its log is \S+/ebmhw\.runs/synth_1/runme\.log"),
    "route": (1, "run impl_1 ended with status 'route_design ERROR'"),
    "bitstream": (1, "run impl_1 ended with status 'write_bitstream ERROR'"),
    "no-bit": (1, "ebmhw_wrapper.bit"),
    "no-hwh": (1, "ebmhw.hwh"),
    "command:validate_bd_design": (1, "validate_bd_design went wrong"),
    "command:ipx::save_core": (1, "ipx::save_core went wrong"),
    "command:open_run": (1, "open_run went wrong"),
}


@pytest.mark.parametrize("fault", FAILURES)
def test_failure_ends_with_a_status_and_a_reason(tmp_path: Path, fault: str) -> None:
    status, reason = FAILURES[fault]
    vivado, done = run(tmp_path, fault)
    assert done.returncode == status, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("EBMHW FAILED ")]
    assert len(told) == 1 and re.search(reason, told[0]), told
    if status == 3:  # no bitstream is made of a design that does not meet its clock
        assert not any(call.options.get("-to_step") == "write_bitstream" for call in vivado.calls())


def test_report_that_does_not_say_that_timing_is_met_fails(tmp_path: Path) -> None:
    # Pulse widths are in no path's slack.
    figures = (0.104, 0.0, 0, 100, 0.01, 0.0, 0, 100, -0.02, -0.02, 1, 50)
    _, done = run(tmp_path, timing=timing_report(figures, met=False))
    assert done.returncode == 3 and "the report does not say that constraints are met" in done.stdout


@pytest.mark.parametrize("fault", ["board-in-store", "old-carrier"])
def test_board_files_are_found_in_the_store_and_in_old_versions(tmp_path: Path, fault: str) -> None:
    vivado, done = run(tmp_path, fault)
    assert done.returncode == 0, done.stdout + done.stderr
    params = [call.words for call in vivado.calls() if call.name == "set_param"]
    assert params == ([("board.repoPaths", "/store")] if fault == "board-in-store" else [])
    told = (tmp_path / "work" / "board.txt").read_text()
    assert told.startswith("xilinx.com:kv260_som:part0:1.4, som240_1_connector ") and (fault != "old-carrier" or told.rstrip().endswith(":1.3"))


def test_scripts_use_no_command_that_the_stub_lets_pass_unseen(calls: tuple[Call, ...]) -> None:
    # A command of Vivado in a branch that no test takes would not be checked.
    text = "".join(path.read_text() for path in sorted(SCRIPTS.glob("*.tcl")))
    named = set(
        re.findall(r"(?<![\w:])((?:ipx|xhub)::\w+|(?:get|set|create|add|report|launch|open|close|write|make|connect|assign|update)_\w+)", text)
    )
    stub = set(re.findall(r"^\s+(?:[\w:]+ \{[^}]*\}\s*)+$", STUB.read_text(), re.MULTILINE))
    known = {name for line in stub for name in re.findall(r"([\w:]+) \{", line)}
    ours = set(re.findall(r"proc ebmhw::(\w+)", text))
    tried = {"xhub::refresh_catalog", "xhub::install", "xhub::get_xitems"}  # in the text of an error
    named = {name for name in named if re.search(rf"(?:^\s*|\[|\{{){re.escape(name)}(?=[\s\]])", text, re.MULTILINE)}
    assert named - known - ours - tried == set()


SLIPS = {
    "CONFIG.c_sg_length_width": "CONFIG.c_sg_len_width",
    "CONFIG.PSU__MAXIGP0__DATA_WIDTH": "CONFIG.PSU__M_AXI_GP0__DATA_WIDTH",
    "CONFIG.C_IRQ_IS_LEVEL 1": "CONFIG.C_IRQ_IS_LEVEL 2",
    "CONFIG.C_KIND_OF_INTR.VALUE_SRC USER": "CONFIG.C_KIND_OF_INTR.VALUE_SRC MANUAL",
    "CONFIG.c_mm2s_burst_size 16": "CONFIG.c_mm2s_burst_size 24",
    "set_property usage register": "set_property usage registers",
    "set_property reset_value_format long": "set_property reset_value_format hex",
    "set_property modified_write_value": "set_property modified_write_values",
    "{Memory Initialization Files}": "{Memory Initialisation File}",
    "Performance_ExplorePostRoutePhysOpt": "Performance_ExplorePostRoute",
    "board_connections $candidate": "board_connection $candidate",
}


@pytest.mark.parametrize("right", SLIPS)
def test_stub_refuses_a_property_or_value_that_vivado_does_not_have(tmp_path: Path, right: str) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for path in SCRIPTS.glob("*.tcl"):
        (scripts / path.name).write_text(path.read_text().replace(right, SLIPS[right]))
    assert any(SLIPS[right] in path.read_text() for path in scripts.iterdir())
    _, done = run(tmp_path, phi="hls", scripts=scripts)
    assert done.returncode == 1 and "EBMHW FAILED " in done.stdout


TEXTS = [
    "",
    "plain",
    "two words",
    "a{b",
    "a}b",
    "{a}",
    "back\\slash",
    'quo"te',
    "$dollar [bracket]",
    "line\nbreak",
    "tab\t",
    "é ß →",
    "#",
    "-dict",
    ";",
]


def test_values_reach_tcl_unchanged(tmp_path: Path) -> None:
    values = [*TEXTS, TEXTS, {"key one": TEXTS, "two": ["x", {"y": "z }"}]}]
    script = tmp_path / "words.tcl"
    lines = "\n".join(f"lappend all {word(value)}" for value in values)
    show = """
proc show {text} { set out {}; foreach c [split $text {}] { lappend out [scan $c %c] }; return [join $out ,] }
foreach text [lrange $all 0 14] { puts [show $text] }
foreach text [lindex $all 15] { puts [show $text] }
foreach text [dict get [lindex $all 16] {key one}] { puts [show $text] }
puts [show [dict get [lindex [dict get [lindex $all 16] two] 1] y]]
"""
    script.write_text(lines + show, encoding="utf-8")
    done = subprocess.run([tool("tclsh"), script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    got = ["".join(chr(int(code)) for code in line.split(",") if code) for line in done.stdout.split("\n")[:-1]]
    assert got == [*TEXTS, *TEXTS, *TEXTS, "z }"]
    with pytest.raises(ConfigError, match="cannot stand in what Vivado is told"):
        word("\N{SLIGHTLY SMILING FACE}")
