"""What the real pynq makes of our .hwh and a simulated board: dictionaries, register maps, its own DMA and interrupt classes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_pynq import bitstream, opened, require_pynq

from ebmhw import rtl
from ebmhw.backends.packing import pack_problem
from ebmhw.backends.simulated import SimulatedBus, build_library
from ebmhw.board import block_design
from ebmhw.board.block_design import BLOCKS
from ebmhw.board.hwh import CONCATENATION
from ebmhw.board.simulated.misuse import Misuse
from ebmhw.contract.render import contract_digest
from ebmhw.model import Model

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning:pynq")

PROBLEM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with opened(tmp_path_factory.mktemp("image")) as (made, path):
        made.path = path
        yield made


@pytest.fixture
def overlay(board: Any) -> Any:
    return require_pynq().Overlay(str(board.path), download=False, device=board)


def test_addresses_and_types(overlay: Any) -> None:
    due = {block.cell: (block.address, block.vlnv) for block in BLOCKS} | {block.dma: (block.dma_address, block_design.DMA_VLNV) for block in BLOCKS}
    due[block_design.INTERRUPT_CONTROLLER] = (block_design.INTERRUPT_CONTROLLER_ADDRESS, block_design.INTERRUPT_CONTROLLER_VLNV)
    found = {name: (one["phys_addr"], one["type"]) for name, one in overlay.ip_dict.items() if "phys_addr" in one}
    assert found == due
    assert all(one["addr_range"] == block_design.REGISTER_RANGE for one in overlay.ip_dict.values() if "phys_addr" in one)


def test_interrupts(overlay: Any) -> None:
    pins = {name: (one["controller"], one["index"]) for name, one in overlay.interrupt_pins.items() if not name.startswith(CONCATENATION)}
    assert pins == {name: (block_design.INTERRUPT_CONTROLLER, number) for number, name in enumerate(block_design.INTERRUPTS)}
    (controller,) = overlay.interrupt_controllers.values()
    # PYNQ counts as the GIC does, the device tree from the first shared interrupt.
    assert (controller["parent"], controller["raw_irq"] - 32) == ("", block_design.GIC_SPI)


def test_clocks(overlay: Any) -> None:
    assert [overlay.clock_dict[number]["enable"] for number in range(4)] == [1, 0, 0, 0]
    assert overlay.clock_dict[0]["divisor0"] * overlay.clock_dict[0]["divisor1"] == 5


def test_register_maps_have_the_contracts_names(overlay: Any, board: Any) -> None:
    for block in BLOCKS:
        described = overlay.ip_dict[block.cell]["registers"]
        assert {name: one["address_offset"] for name, one in described.items()} == {one.name: one.offset for one in block.unit.registers.registers}
        for register in block.unit.registers.registers:
            fields = {name: (one["bit_offset"], one["bit_width"]) for name, one in described[register.name]["fields"].items()}
            assert fields == {field.name: (field.lsb, field.bits) for field in register.fields}
        registers = getattr(overlay, block.cell).register_map
        assert int(registers.identity) == block.unit.identity
        assert int(registers.map_hash) == block.unit.registers.hash32
        assert int(registers.contract_hash) == int(contract_digest()[:8], 16)
        registers.interrupt_enable.error = 1
        assert (int(registers.interrupt_enable), registers.interrupt_enable.error, registers.interrupt_enable.batch) == (2, 1, 0)
        registers.interrupt_enable = 0
        registers.input_limit.cycles = 12345
        assert int(registers.input_limit) == 12345
        assert board.fabric.units[block.cell].read(block.unit.registers.register("input_limit")) == 12345


def test_pynqs_own_engine_and_interrupts_drive_it(overlay: Any, board: Any) -> None:
    pynq = require_pynq()
    jobs = pack_problem(PROBLEM, np.zeros(0, dtype=np.int32), 4, 1000, "x").packet(1)
    engine = overlay.axi_dma_ising
    assert type(engine) is pynq.lib.DMA and engine.buffer_max_size == (1 << block_design.DMA_LENGTH_BITS) - 1
    source, target = pynq.allocate((jobs.size,), np.uint64), pynq.allocate((64,), np.uint64)
    source[:] = jobs
    bus = SimulatedBus(build_library(rtl.find("small").verilog, "ising_core"))
    due = bus.exchange(jobs, 64, 20.0)
    bus.close()

    async def transferred(number: int) -> None:
        engine.recvchannel.transfer(target)
        answered = asyncio.ensure_future(engine.recvchannel.wait_async())
        await asyncio.sleep(0)
        # It waits already, so that nothing but an interrupt ends it.
        assert not answered.done()
        engine.sendchannel.transfer(source)
        await asyncio.wait_for(answered, 20)
        await asyncio.wait_for(engine.sendchannel.wait_async(), 20)
        assert board.counters.interrupts > number and engine.recvchannel.transferred == 8 * due.size
        assert np.array_equal(target[: due.size], due), f"transfer {number}"
        target[:] = 0
        target.flush()

    loop = asyncio.get_event_loop_policy().get_event_loop()
    for number in range(3):
        loop.run_until_complete(transferred(number))
    for buffer in (source, target):
        buffer.freebuffer()
    assert not board.fabric.memory.live


def test_what_hangs_a_board_is_told(overlay: Any, board: Any) -> None:
    pynq = require_pynq()
    free = max(one["phys_addr"] for one in overlay.ip_dict.values() if "phys_addr" in one) + block_design.REGISTER_RANGE
    with pytest.raises(Misuse, match=rf"address {free:#x} is read, where there is nothing; on a board this hangs the processor"):
        pynq.MMIO(free, 4096, device=board).read(0)
    with pytest.raises(Misuse, match=r"offset 0x8000 of ising_core is written, where it has no register"):
        pynq.MMIO(BLOCKS[0].address, block_design.REGISTER_RANGE, device=board).write(0x8000, 1)


def test_a_closed_board_leaves_pynq_as_it_was(tmp_path: Path) -> None:
    pynq = require_pynq()
    import pynq.interrupt  # noqa: F811  # the module, beside the package

    before = pynq.interrupt.get_uio_irq, getattr(pynq.Device, "_active_device", None)
    with opened(tmp_path) as (made, _):
        assert pynq.Device.active_device is made and pynq.interrupt.get_uio_irq is not before[0]
    assert pynq.interrupt.get_uio_irq is before[0]
    if before[1] is not None:
        pynq.Device.active_device = before[1]


def test_clocks_are_set_as_on_a_board(board: Any, overlay: Any) -> None:
    pynq = require_pynq()
    assert pynq.Clocks.fclk0_mhz == pytest.approx(100, rel=1e-3)
    for mhz in (200, 250, 100):
        pynq.Clocks.fclk0_mhz = mhz
        assert pynq.Clocks.fclk0_mhz == pytest.approx(mhz, rel=1e-3) and board.fabric.clocks.mhz() == pytest.approx(mhz, rel=1e-3)
    assert board.fabric.clocks.mhz(1) == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("mhz", [100, 200, 250])
def test_a_download_sets_the_clock_and_starts_anew(tmp_path: Path, mhz: int) -> None:
    pynq = require_pynq()
    with opened(tmp_path) as (made, path):
        path = bitstream(tmp_path / "faster", clock_mhz=mhz)
        first = pynq.Overlay(str(path), download=False, device=made)
        first.ising_core.register_map.input_limit = 77
        overlay = pynq.Overlay(str(path), download=True, device=made)
        assert made.counters.loads == 1 and overlay.is_loaded()
        assert made.fabric.clocks.mhz() == pytest.approx(mhz, rel=1e-3)
        reset = BLOCKS[0].unit.registers.register("input_limit").reset
        assert int(overlay.ising_core.register_map.input_limit) == reset
