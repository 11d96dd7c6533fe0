"""The hardware hand-off (.hwh) of our block design: the XML in which Vivado tells software what a bitstream holds, as far as PYNQ reads it.

A bitstream comes with the .hwh that Vivado wrote. This one is for boards that are simulated: the same cells, addresses, registers, parameters and
interrupts, from the same constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as xml

from ebmhw.board import peripherals
from ebmhw.board.block_design import (
    BLOCKS,
    CLOCK_MHZ,
    CLOCKS_MHZ,
    CONTROL_BITS,
    DMA_LENGTH_BITS,
    DMA_MEMORY_BITS,
    DMA_VLNV,
    INTERRUPT_CONTROLLER,
    INTERRUPT_CONTROLLER_ADDRESS,
    INTERRUPT_CONTROLLER_VLNV,
    INTERRUPTS,
    PART,
    REGISTER_RANGE,
    STEM,
    Block,
)
from ebmhw.board.hwh_nets import Nets
from ebmhw.contract.registers import WORD_BITS, Field, Register, RegisterMap
from ebmhw.contract.sources import Sidecar
from ebmhw.errors import FirmwareError

PROCESSOR: Final = "zynq_ultra_ps_e_0"
CONCATENATION: Final = "interrupt_lines"
RESET: Final = "reset_0"
CONTROL: Final = "smartconnect_control"
MEMORY: Final = "smartconnect_memory"
"""Cells that no software drives."""

REGISTERS_PORT: Final = "M_AXI_HPM0_FPD"
MEMORY_PORT: Final = "S_AXI_HP0_FPD"

_PLL, _PLL_MHZ = "IOPLL", 1000
"""What clocks of the programmable logic are divided from, as it runs on the K26."""

_MEMORIES: Final = {"HP0_DDR_LOW": (0x0_0000_0000, 0x0_7FFF_FFFF), "HP0_DDR_HIGH": (0x8_0000_0000, 0x8_7FFF_FFFF)}
"""The 4 GiB of the module, as its two halves lie in the processor's addresses."""

_VLNVS: Final = {
    PROCESSOR: "xilinx.com:ip:zynq_ultra_ps_e:3.5",
    CONCATENATION: "xilinx.com:ip:xlconcat:2.1",
    RESET: "xilinx.com:ip:proc_sys_reset:5.0",
    CONTROL: "xilinx.com:ip:smartconnect:1.0",
    MEMORY: "xilinx.com:ip:smartconnect:1.0",
}

_ACCESS: Final = {"ro": "read-only", "rw": "read-write", "w1c": "read-write", "wo": "write-only", "pulse": "write-only"}
"""IP-XACT's words for `ebmhw.contract.registers.Access`."""

_AXIS: Final = "xilinx.com:interface:axis:1.0"
_AXI: Final = "xilinx.com:interface:aximm:1.0"


def hwh_text(sidecar: Sidecar, clock_mhz: int = CLOCK_MHZ) -> str:
    """Return the .hwh of a bitstream of that RTL.

    Parameters
    ----------
    sidecar : of the RTL; the units' ports and parameters are taken from it, their registers from the contract
    clock_mhz : of the programmable logic, one of `ebmhw.board.block_design.CLOCKS_MHZ`
    """
    if clock_mhz not in CLOCKS_MHZ:
        raise FirmwareError(f"the clock of the programmable logic is {clock_mhz!r} MHz; give one of {', '.join(map(str, CLOCKS_MHZ))}")
    return _Design(sidecar, clock_mhz).text()


class _Design:
    """Writes one design; modules first, then what connects them."""

    def __init__(self, sidecar: Sidecar, clock_mhz: int) -> None:
        self._clock_mhz = clock_mhz
        self._root = xml.Element("EDKSYSTEM", EDWVERSION="1.2", TIMESTAMP="", VIVADOVERSION="")
        self._root.append(xml.Comment(" Written by ebmhw.board.hwh for a simulated board, not by Vivado. "))
        device, _, rest = PART.partition("-")
        package, _, grade = rest.partition("-")
        about = {"ARCH": "zynquplus", "DEVICE": device, "NAME": STEM, "PACKAGE": package, "SPEEDGRADE": f"-{grade}"}
        xml.SubElement(self._root, "SYSTEMINFO", about)
        xml.SubElement(self._root, "EXTERNALPORTS")
        xml.SubElement(self._root, "EXTERNALINTERFACES")
        self._modules = xml.SubElement(self._root, "MODULES")
        self._nets = Nets(clock_mhz)
        for block in BLOCKS:
            self._unit(block, sidecar)
            self._dma(block)
        self._interrupts()
        self._rest()
        self._connect()

    def text(self) -> str:
        self._nets.write(self._modules)
        xml.indent(self._root)
        return xml.tostring(self._root, encoding="unicode", xml_declaration=True) + "\n"

    # --- modules

    def _module(self, cell: str, vlnv: str, parameters: dict[str, str], registers: tuple[str, RegisterMap] | None = None) -> xml.Element:
        _, _, name, version = vlnv.split(":")
        facts = {"FULLNAME": f"/{cell}", "HWVERSION": version, "INSTANCE": cell, "IPTYPE": "PERIPHERAL", "IS_ENABLE": "1"}
        module = xml.SubElement(self._modules, "MODULE", facts | {"MODCLASS": "PERIPHERAL", "MODTYPE": name, "VLNV": vlnv})
        xml.SubElement(module, "DOCUMENTS")
        if registers:
            _address_block(module, *registers)
        inside = xml.SubElement(module, "PARAMETERS")
        for key, value in parameters.items():
            xml.SubElement(inside, "PARAMETER", NAME=key, VALUE=value)
        for tag in ("PORTS", "BUSINTERFACES"):
            xml.SubElement(module, tag)
        return module

    def _unit(self, block: Block, sidecar: Sidecar) -> None:
        facts = sidecar.units[block.unit.name]
        parameters = {name: str(value) for name, value in facts.parameters.items()} | _range(block.address)
        self._module(block.cell, block.vlnv, parameters, ("s_axi", block.unit.registers))
        for port in facts.ports:
            self._nets.port(block.cell, port.name, port.direction == "output", port.bits)
        for bus, vlnv, kind in (("s_axi", _AXI, "SLAVE"), ("s_axis", _AXIS, "TARGET"), ("m_axis", _AXIS, "INITIATOR")):
            signals = [port.name.removeprefix(f"{bus}_") for port in facts.ports if port.name.startswith(f"{bus}_")]
            self._nets.bus(block.cell, bus, vlnv, kind, {signal.upper(): f"{bus}_{signal}" for signal in signals})

    def _dma(self, block: Block) -> None:
        data, jobs, results = str(DMA_MEMORY_BITS), str(block.unit.job_bits), str(block.unit.result_bits)
        common = {"include_sg": "0", "micro_dma": "0", "sg_length_width": str(DMA_LENGTH_BITS), "addr_width": "40", "prmry_is_aclk_async": "0"}
        mm2s = {"include_mm2s": "1", "include_mm2s_dre": "0", "m_axi_mm2s_data_width": data, "m_axis_mm2s_tdata_width": jobs}
        s2mm = {"include_s2mm": "1", "include_s2mm_dre": "0", "m_axi_s2mm_data_width": data, "s_axis_s2mm_tdata_width": results}
        # Vivado writes each twice, as a parameter of the VHDL and as one of the cell; PYNQ reads the latter, in small letters.
        lower = {f"c_{name}": value for name, value in (common | mm2s | s2mm).items()}
        upper = {name.upper(): value for name, value in lower.items()}
        module = self._module(block.dma, DMA_VLNV, upper | lower | _range(block.dma_address), ("S_AXI_LITE", peripherals.DMA))
        ranges = xml.SubElement(module, "MEMORYMAP")
        for port in ("M_AXI_MM2S", "M_AXI_S2MM"):
            for name, (low, high) in _MEMORIES.items():
                _memory_range(ranges, port, PROCESSOR, MEMORY_PORT, name, "MEMORY", low, high)
            self._nets.bus(block.dma, port, _AXI, "MASTER", {})
        nets = self._nets
        for name in ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk"):
            nets.port(block.dma, name, False, 1)
        nets.port(block.dma, "axi_resetn", False, 1)
        for name in ("mm2s_introut", "s2mm_introut"):
            nets.port(block.dma, name, True, 1)
        nets.stream(block.dma, "M_AXIS_MM2S", "m_axis_mm2s", block.unit.job_bits, drives=True)
        nets.stream(block.dma, "S_AXIS_S2MM", "s_axis_s2mm", block.unit.result_bits, drives=False)
        nets.bus(block.dma, "S_AXI_LITE", _AXI, "SLAVE", {})

    def _interrupts(self) -> None:
        lines = len(INTERRUPTS)
        parameters = {"C_NUM_INTR_INPUTS": str(lines), "C_KIND_OF_INTR": "0x00000000", "C_KIND_OF_LVL": "0xFFFFFFFF", "C_IRQ_IS_LEVEL": "1"}
        registers = ("s_axi", peripherals.INTERRUPT_CONTROLLER)
        self._module(INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_VLNV, parameters | _range(INTERRUPT_CONTROLLER_ADDRESS), registers)
        nets = self._nets
        nets.bus(INTERRUPT_CONTROLLER, "s_axi", _AXI, "SLAVE", {})
        for name in ("s_axi_aclk", "s_axi_aresetn"):
            nets.port(INTERRUPT_CONTROLLER, name, False, 1)
        nets.port(INTERRUPT_CONTROLLER, "intr", False, lines)
        nets.port(INTERRUPT_CONTROLLER, "irq", True, 1)
        self._module(CONCATENATION, _VLNVS[CONCATENATION], {"NUM_PORTS": str(lines), "dout_width": str(lines)})
        for number in range(lines):
            nets.port(CONCATENATION, f"In{number}", False, 1)
        nets.port(CONCATENATION, "dout", True, lines)

    def _rest(self) -> None:
        nets = self._nets
        self._module(RESET, _VLNVS[RESET], {"C_EXT_RESET_HIGH": "0"})
        for name, drives in (("slowest_sync_clk", False), ("ext_reset_in", False), ("peripheral_reset", True), ("peripheral_aresetn", True)):
            nets.port(RESET, name, drives, 1)
        slaves, masters = 1 + 2 * len(BLOCKS), 2 * len(BLOCKS)
        for cell, ports in ((CONTROL, (1, slaves)), (MEMORY, (masters, 1))):
            self._module(cell, _VLNVS[cell], {"NUM_SI": str(ports[0]), "NUM_MI": str(ports[1])})
            for name in ("aclk", "aresetn"):
                nets.port(cell, name, False, 1)
            for letter, count, kind in (("S", ports[0], "SLAVE"), ("M", ports[1], "MASTER")):
                for number in range(count):
                    nets.bus(cell, f"{letter}{number:02d}_AXI", _AXI, kind, {})
        processor = self._module(PROCESSOR, _VLNVS[PROCESSOR], self._processor_parameters())
        processor.set("IS_PL", "FALSE")
        for name, drives in (("maxihpm0_fpd_aclk", False), ("saxihp0_fpd_aclk", False), ("pl_clk0", True), ("pl_resetn0", True)):
            nets.port(PROCESSOR, name, drives, 1)
        nets.port(PROCESSOR, "pl_ps_irq0", False, 1)
        nets.bus(PROCESSOR, REGISTERS_PORT, _AXI, "MASTER", {})
        nets.bus(PROCESSOR, MEMORY_PORT, _AXI, "SLAVE", {})
        ranges = xml.SubElement(processor, "MEMORYMAP")
        for cell, bus, address in _served():
            _memory_range(ranges, REGISTERS_PORT, cell, bus, "Reg", "REGISTER", address, address + REGISTER_RANGE - 1)

    def _processor_parameters(self) -> dict[str, str]:
        made = {"C_MAXIGP0_DATA_WIDTH": str(CONTROL_BITS), "C_SAXIGP2_DATA_WIDTH": str(DMA_MEMORY_BITS)}
        made |= {"PSU__MAXIGP0__DATA_WIDTH": str(CONTROL_BITS), "PSU__SAXIGP2__DATA_WIDTH": str(DMA_MEMORY_BITS), "PSU__USE__IRQ0": "1"}
        for number in range(4):
            used, clock = number == 0, f"PSU__CRL_APB__PL{number}_REF_CTRL"
            mhz = self._clock_mhz if used else 100
            made |= {
                f"PSU__FPGA_PL{number}_ENABLE": str(int(used)),
                f"{clock}__DIVISOR0": str(_PLL_MHZ // mhz),
                f"{clock}__DIVISOR1": "1",
                f"{clock}__SRCSEL": _PLL,
                f"{clock}__FREQMHZ": str(mhz),
                f"{clock}__ACT_FREQMHZ": f"{mhz:.6f}",
            }
        return made

    # --- what connects them

    def _connect(self) -> None:
        nets = self._nets
        clocked = [(RESET, "slowest_sync_clk"), (CONTROL, "aclk"), (MEMORY, "aclk"), (INTERRUPT_CONTROLLER, "s_axi_aclk")]
        clocked += [(PROCESSOR, "maxihpm0_fpd_aclk"), (PROCESSOR, "saxihp0_fpd_aclk")]
        low = [(CONTROL, "aresetn"), (MEMORY, "aresetn"), (INTERRUPT_CONTROLLER, "s_axi_aresetn")]
        for number, block in enumerate(BLOCKS):
            clocked += [(block.cell, "clk"), *((block.dma, name) for name in ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk"))]
            low.append((block.dma, "axi_resetn"))
            nets.join_stream((block.dma, "m_axis_mm2s"), (block.cell, "s_axis"))
            nets.join_stream((block.cell, "m_axis"), (block.dma, "s_axis_s2mm"))
            for way, port in enumerate(("M_AXI_MM2S", "M_AXI_S2MM")):
                nets.join_bus((block.dma, port), (MEMORY, f"S{2 * number + way:02d}_AXI"))
        nets.join((PROCESSOR, "pl_clk0"), clocked, "clk")
        nets.join((PROCESSOR, "pl_resetn0"), [(RESET, "ext_reset_in")], "rst")
        nets.join((RESET, "peripheral_reset"), [(block.cell, "rst") for block in BLOCKS], "rst")
        nets.join((RESET, "peripheral_aresetn"), low, "rst")
        for number, pin in enumerate(INTERRUPTS):
            cell, _, name = pin.partition("/")
            nets.join((cell, name), [(CONCATENATION, f"In{number}")], "INTERRUPT")
        nets.join((CONCATENATION, "dout"), [(INTERRUPT_CONTROLLER, "intr")], "INTERRUPT")
        nets.join((INTERRUPT_CONTROLLER, "irq"), [(PROCESSOR, "pl_ps_irq0")], "INTERRUPT")
        nets.join_bus((PROCESSOR, REGISTERS_PORT), (CONTROL, "S00_AXI"))
        for number, (cell, bus, _) in enumerate(_served()):
            nets.join_bus((CONTROL, f"M{number:02d}_AXI"), (cell, bus))
        nets.join_bus((MEMORY, "M00_AXI"), (PROCESSOR, MEMORY_PORT))


def _served() -> list[tuple[str, str, int]]:
    """Return what the processor reaches: cell, its bus, its address."""
    units = [pin for block in BLOCKS for pin in ((block.cell, "s_axi", block.address), (block.dma, "S_AXI_LITE", block.dma_address))]
    return [*units, (INTERRUPT_CONTROLLER, "s_axi", INTERRUPT_CONTROLLER_ADDRESS)]


def _range(address: int) -> dict[str, str]:
    return {"C_BASEADDR": f"0x{address:08X}", "C_HIGHADDR": f"0x{address + REGISTER_RANGE - 1:08X}"}


def _memory_range(into: xml.Element, master: str, cell: str, slave: str, block: str, kind: str, low: int, high: int) -> None:
    facts = {"ADDRESSBLOCK": block, "BASENAME": "C_BASEADDR", "BASEVALUE": f"0x{low:08X}", "HIGHNAME": "C_HIGHADDR", "HIGHVALUE": f"0x{high:08X}"}
    facts |= {"INSTANCE": cell, "IS_DATA": "TRUE", "IS_INSTRUCTION": "TRUE", "MASTERBUSINTERFACE": master, "MEMTYPE": kind}
    xml.SubElement(into, "MEMRANGE", facts | {"SLAVEBUSINTERFACE": slave})


def _address_block(module: xml.Element, interface: str, registers: RegisterMap) -> None:
    # Vivado writes those of its own cells in capitals.
    spell: Callable[[str], str] = str.upper if registers in (peripherals.DMA, peripherals.INTERRUPT_CONTROLLER) else str
    facts = {"ACCESS": "read-write", "INTERFACE": interface, "NAME": "Reg", "RANGE": str(REGISTER_RANGE), "USAGE": "register"}
    block = xml.SubElement(xml.SubElement(module, "ADDRESSBLOCKS"), "ADDRESSBLOCK", facts)
    inside = xml.SubElement(block, "REGISTERS")
    for register in registers.registers:
        _register(inside, register, spell(register.name))


def _register(into: xml.Element, register: Register, name: str) -> None:
    element = xml.SubElement(into, "REGISTER", NAME=name)
    access = _access(register.fields)
    size = (
        ("ADDRESS_OFFSET", hex(register.offset)),
        ("SIZE", str(WORD_BITS)),
        ("ACCESS", access),
        ("IS_ENABLED", "true"),
        ("RESET_VALUE", hex(register.reset)),
    )
    _properties(element, [("DESCRIPTION", register.doc), *size])
    fields = xml.SubElement(element, "FIELDS")
    for field in register.fields:
        inside = xml.SubElement(fields, "FIELD", NAME=field.name)
        place = ("ADDRESS_OFFSET", str(field.lsb)), ("ACCESS", _ACCESS[field.access]), ("BIT_OFFSET", str(field.lsb)), ("BIT_WIDTH", str(field.bits))
        _properties(inside, [("DESCRIPTION", field.doc), *place])


def _access(fields: Iterable[Field]) -> str:
    """Return the access of a register: what its fields have in common, else both ways."""
    kinds = {_ACCESS[field.access] for field in fields}
    return kinds.pop() if len(kinds) == 1 else "read-write"


def _properties(element: xml.Element, properties: Sequence[tuple[str, str]]) -> None:
    for name, value in properties:
        xml.SubElement(element, "PROPERTY", NAME=name, VALUE=value)
