"""The .hwh of our block design: well formed, of the contract's registers and the block design's addresses, each connection told at both ends."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree as xml

import pytest
from board_pynq import sidecar

from ebmhw.board import block_design, peripherals
from ebmhw.board.hwh import CONCATENATION, PROCESSOR, hwh_text
from ebmhw.contract.design import UNITS
from ebmhw.contract.registers import RegisterMap
from ebmhw.errors import FirmwareError

PYNQ_NAMES = {"address", "width", "debug", "access", "count", "create_subclass"}
"""Attributes of ``pynq.registers.Register``, which makes more of them by the names of fields."""


@pytest.fixture(scope="module", params=["small", "kv260"])
def config(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def root(config: str) -> xml.Element:
    return xml.fromstring(hwh_text(sidecar(config)))


def module(root: xml.Element, cell: str) -> xml.Element:
    (found,) = (one for one in root.iter("MODULE") if one.get("INSTANCE") == cell)
    return found


def parameters(element: xml.Element) -> dict[str, str]:
    return {one.attrib["NAME"]: one.attrib["VALUE"] for one in element.iter("PARAMETER")}


def properties(element: xml.Element) -> dict[str, str]:
    return {one.attrib["NAME"]: one.attrib["VALUE"] for one in element.findall("PROPERTY")}


def wanted() -> list[tuple[str, str, int, RegisterMap]]:
    rows = []
    for block in block_design.BLOCKS:
        rows.append((block.cell, block.vlnv, block.address, block.unit.registers))
        rows.append((block.dma, block_design.DMA_VLNV, block.dma_address, peripherals.DMA))
    controller = block_design.INTERRUPT_CONTROLLER, block_design.INTERRUPT_CONTROLLER_VLNV, block_design.INTERRUPT_CONTROLLER_ADDRESS
    return [*rows, (*controller, peripherals.INTERRUPT_CONTROLLER)]


def test_every_address_is_that_of_the_block_design(root: xml.Element) -> None:
    processor = module(root, PROCESSOR)
    ranges = {one.attrib["INSTANCE"]: (int(one.attrib["BASEVALUE"], 16), int(one.attrib["HIGHVALUE"], 16)) for one in processor.iter("MEMRANGE")}
    assert ranges == {cell: (address, address + block_design.REGISTER_RANGE - 1) for cell, _, address, _ in wanted()}
    assert all(high < low for (_, high), (low, _) in pairwise(sorted(ranges.values())))
    for cell, vlnv, address, _ in wanted():
        found = module(root, cell)
        assert found.get("VLNV") == vlnv and found.get("MODTYPE") == vlnv.split(":")[2]
        assert int(parameters(found)["C_BASEADDR"], 16) == address
    for block in block_design.BLOCKS:
        memory = [(one.get("MASTERBUSINTERFACE"), int(one.attrib["HIGHVALUE"], 16)) for one in module(root, block.dma).iter("MEMRANGE")]
        assert sorted(memory) == sorted((way, high) for way in ("M_AXI_MM2S", "M_AXI_S2MM") for high in (0x7FFF_FFFF, 0x8_7FFF_FFFF))


def test_all_registers_and_fields_are_there(root: xml.Element) -> None:
    for cell, _, _, registers in wanted():
        told = {one.attrib["NAME"].lower(): one for one in module(root, cell).iter("REGISTER")}
        assert list(told) == [one.name for one in registers.registers]
        for register in registers.registers:
            about = properties(told[register.name])
            assert int(about["ADDRESS_OFFSET"], 16) == register.offset and about["SIZE"] == "32" and about["IS_ENABLED"] == "true"
            assert int(about["RESET_VALUE"], 16) == register.reset and about["DESCRIPTION"] == register.doc
            fields = {one.attrib["NAME"]: properties(one) for one in told[register.name].iter("FIELD")}
            assert {name: (int(one["BIT_OFFSET"]), int(one["BIT_WIDTH"])) for name, one in fields.items()} == {
                field.name: (field.lsb, field.bits) for field in register.fields
            }
            assert {name for name, one in fields.items() if one["ACCESS"] == "read-only"} == {
                field.name for field in register.fields if field.access == "ro"
            }
            # PYNQ refuses to write to no register but one that says so.
            assert (about["ACCESS"] == "read-only") == all(field.access == "ro" for field in register.fields)


def test_no_field_is_called_as_what_pynq_needs() -> None:
    for _, _, _, registers in wanted():
        for register in registers.registers:
            assert not {field.name for field in register.fields} & PYNQ_NAMES, f"{register.name} of {registers.name}"


def test_every_connection_is_told_at_both_ends(root: xml.Element) -> None:
    ports = {(one.attrib["INSTANCE"], port.attrib["NAME"]): port for one in root.iter("MODULE") for port in one.iter("PORT")}
    joined = {pin: [(to.attrib["INSTANCE"], to.attrib["PORT"]) for to in port.iter("CONNECTION")] for pin, port in ports.items()}
    assert sum(map(len, joined.values())) >= 100
    for pin, others in joined.items():
        assert len(set(others)) == len(others)
        for other in others:
            assert pin in joined[other]
            one, two = ports[pin], ports[other]
            assert one.get("SIGNAME") == two.get("SIGNAME") and one.get("SIGIS") == two.get("SIGIS")
            assert {one.get("DIR"), two.get("DIR")} == {"I", "O"} and one.get("LEFT") == two.get("LEFT"), (pin, other)
        if ports[pin].get("DIR") == "I" and others:
            assert len(others) == 1, f"{pin} has several drivers"


def test_every_input_of_the_units_is_driven(root: xml.Element, config: str) -> None:
    facts = sidecar(config)
    for unit in UNITS:
        told = {port.attrib["NAME"]: port for port in module(root, unit.name).iter("PORT")}
        assert {name: (port.get("DIR"), int(port.get("LEFT", "0")) + 1) for name, port in told.items()} == {
            port.name: ("I" if port.direction == "input" else "O", port.bits) for port in facts.units[unit.name].ports
        }
        for name, port in told.items():
            # Registers are a bus of a smart connect, whose ports Vivado lists; we do not.
            if port.get("DIR") == "I" and not name.startswith("s_axi_"):
                assert port.find("CONNECTIONS") is not None, f"{name} of {unit.name}"
        assert parameters(module(root, unit.name)).items() >= {name: str(value) for name, value in facts.units[unit.name].parameters.items()}.items()


def test_buses_are_joined_in_pairs(root: xml.Element) -> None:
    buses: dict[str, list[tuple[str, str]]] = {}
    for one in root.iter("MODULE"):
        for bus in one.iter("BUSINTERFACE"):
            buses.setdefault(bus.attrib["BUSNAME"], []).append((bus.attrib["TYPE"], bus.attrib["VLNV"]))
    assert "__NOC__" not in buses
    for name, ends in buses.items():
        kinds = sorted(kind for kind, _ in ends)
        assert kinds in (["MASTER", "SLAVE"], ["INITIATOR", "TARGET"]) and len({vlnv for _, vlnv in ends}) == 1, name


def test_interrupts_are_in_order(root: xml.Element) -> None:
    pins = [port for port in module(root, CONCATENATION).iter("PORT") if port.get("NAME") != "dout"]
    assert [port.attrib["NAME"] for port in pins] == [f"In{number}" for number in range(len(block_design.INTERRUPTS))]
    ends = [next(port.iter("CONNECTION")).attrib for port in pins]
    assert [f"{end['INSTANCE']}/{end['PORT']}" for end in ends] == list(block_design.INTERRUPTS)


@pytest.mark.parametrize("mhz", block_design.CLOCKS_MHZ)
def test_the_clock_is_what_its_divisors_make(mhz: int) -> None:
    told = parameters(module(xml.fromstring(hwh_text(sidecar(), mhz)), PROCESSOR))
    clock = "PSU__CRL_APB__PL0_REF_CTRL"
    first, second = int(told[f"{clock}__DIVISOR0"]), int(told[f"{clock}__DIVISOR1"])
    assert 1 <= first < 64 and 1 <= second < 64
    assert float(told[f"{clock}__ACT_FREQMHZ"]) == {"IOPLL": 1000}[told[f"{clock}__SRCSEL"]] / first / second == mhz
    assert [told[f"PSU__FPGA_PL{number}_ENABLE"] for number in range(4)] == ["1", "0", "0", "0"]


@pytest.mark.parametrize("mhz", [0, 199, 1000])
def test_another_clock_is_refused(mhz: int) -> None:
    with pytest.raises(FirmwareError, match=rf"the clock of the programmable logic is {mhz} MHz; give one of 100, 125, 200, 250"):
        hwh_text(sidecar(), mhz)


def test_the_text_is_the_same_every_time() -> None:
    assert hwh_text(sidecar()) == hwh_text(sidecar())
    for one, other in combinations((100, 200, 250), 2):
        assert hwh_text(sidecar(), one) != hwh_text(sidecar(), other)
