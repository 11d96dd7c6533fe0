"""The models of what surrounds the units on a board, without pynq: the DMA engine against PG021, the interrupt controller against PG099, memory."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ebmhw.board.block_design import BLOCKS, INTERRUPTS
from ebmhw.board.simulated.counters import Counters
from ebmhw.board.simulated.dma import DmaEngine
from ebmhw.board.simulated.interrupts import InterruptController, UioLine
from ebmhw.board.simulated.memory import BASE, HIGH_BASE, Memory
from ebmhw.board.simulated.misuse import Misuse
from ebmhw.contract.design import UNITS, Unit

RUN, RESET, IOC, ERROR = 1 << 0, 1 << 2, 1 << 12, 1 << 14  # PG021, tables 2-8 and 2-9, as numbers
HALTED, IDLE, INTERNAL, SLAVE, DECODE = 1 << 0, 1 << 1, 1 << 4, 1 << 5, 1 << 6
ADDRESS = {"mm2s": "mm2s_sa", "s2mm": "s2mm_da"}


class Echo:
    """A unit that answers with what it was sent, plus 1, so many words of it; ``slow`` steps long, or never where that is None."""

    def __init__(self, unit: Unit = UNITS[0]) -> None:
        self.unit, self.interrupts = unit, False
        self.words: int | None = None
        self.slow: int | None = 0
        self.abandoned = 0

    def begin(self, jobs: np.ndarray, answer: np.ndarray) -> None:
        self.jobs, self.answer, self.steps = jobs, answer, 0

    def step(self, cycles: int, wanted: Callable[[], bool]) -> tuple[int, int, int] | None:
        if not wanted():
            return None
        self.steps += 1
        if self.slow is None or self.steps <= self.slow:
            time.sleep(1e-4)
            return 0, 0, 0
        given = self.jobs if self.words is None else np.resize(self.jobs, self.words)
        fits = given[: self.answer.size]
        self.answer[: fits.size] = fits + 1
        return (1 if fits.size == given.size else 2), self.jobs.size, fits.size

    def abandon(self) -> None:
        self.abandoned += 1


class Rig:
    """An engine with buffers for both ways."""

    def __init__(self, threaded: bool = False, base: int = BASE, unit: Unit = UNITS[0], words: int = 16) -> None:
        self.counters, self.unit = Counters(), Echo(unit)
        self.memory, self.looks = Memory(base, self.counters), 0
        self.engine = DmaEngine("dma", self.unit, self.memory, self.counters, self.look, threaded=threaded)  # type: ignore[arg-type]
        self.out, self.back = self.memory.allocate(8 * words), self.memory.allocate(8 * words)
        self.out.host.view(np.uint64)[:] = np.arange(words)
        self.memory.flush(self.out, 0, 8 * words)

    def look(self) -> None:
        self.looks += 1

    def start(self, way: str, address: int, length: int) -> None:
        self.engine.write(ADDRESS[way], address & 0xFFFF_FFFF)
        self.engine.write(f"{ADDRESS[way]}_msb", address >> 32)
        self.engine.write(f"{way}_length", length)

    def run(self, way: str = "", bits: int = RUN) -> None:
        for one in [way] if way else ["mm2s", "s2mm"]:
            self.engine.write(f"{one}_dmacr", bits)

    def both(self, out: int = 128, back: int = 128) -> None:
        self.start("s2mm", self.back.address, back)
        self.start("mm2s", self.out.address, out)

    def status(self, way: str) -> int:
        return self.engine.read(f"{way}_dmasr")

    def wait(self, way: str) -> None:
        limit = time.monotonic() + 10
        while not self.status(way) & (IDLE | HALTED):
            assert time.monotonic() < limit
            time.sleep(1e-4)


@pytest.fixture(params=[False, True], ids=["inline", "threaded"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(request.param)
    yield made
    made.engine.close()


# --- the engine


@pytest.mark.parametrize("way", ["mm2s", "s2mm"])
def test_after_a_reset_a_channel_stands(rig: Rig, way: str) -> None:
    for _ in range(2):
        assert rig.engine.read(f"{way}_dmacr") == 0x0001_0002
        assert rig.status(way) == HALTED
        rig.run()
        # Before the first transfer a running channel is not idle.
        assert rig.status(way) == 0 and rig.engine.read(f"{way}_dmacr") & RUN
        # Resetting either resets both.
        rig.engine.write(f"{'s2mm' if way == 'mm2s' else 'mm2s'}_dmacr", RESET)
    assert rig.unit.abandoned == 2


def test_a_length_for_a_channel_that_stands_does_nothing(rig: Rig) -> None:
    rig.both()
    rig.run()
    assert [rig.status(way) for way in ADDRESS] == [0, 0] and not rig.counters.transfers
    rig.start("s2mm", rig.back.address, 0)
    assert rig.status("s2mm") == 0


@pytest.mark.parametrize("base", [BASE, HIGH_BASE])
@pytest.mark.parametrize("threaded", [False, True])
def test_a_transfer(base: int, threaded: bool) -> None:
    rig = Rig(threaded, base)
    rig.run()
    for number in range(3):
        rig.out.host.view(np.uint64)[:] += number
        rig.memory.flush(rig.out, 0, 128)
        rig.both()
        for way in ADDRESS:
            rig.wait(way)
            assert rig.status(way) & ~IOC == IDLE
            assert rig.engine.read(f"{way}_length") == 128
        due = rig.out.host.view(np.uint64) + 1
        if number == 0:
            # Nothing was invalidated: the processor sees what was there.
            assert (rig.back.host == 0xC3).all()
        assert np.array_equal(rig.back.device.view(np.uint64), due)
        rig.memory.invalidate(rig.back, 0, 128)
        assert np.array_equal(rig.back.host.view(np.uint64), due)
    assert rig.counters.transferred == {("dma", "mm2s"): 384, ("dma", "s2mm"): 384}


def test_what_was_not_flushed_is_not_sent(rig: Rig) -> None:
    rig.run()
    rig.out.host[:] = 7
    rig.both()
    rig.wait("s2mm")
    assert np.array_equal(rig.back.device.view(np.uint64), np.arange(16, dtype=np.uint64) + 1)


def test_the_length_is_what_came(rig: Rig) -> None:
    rig.run()
    rig.unit.words = 5
    rig.both()
    rig.wait("s2mm")
    assert rig.engine.read("s2mm_length") == 40 and rig.engine.read("mm2s_length") == 128
    assert (rig.back.device[40:] == 0x3C).all()


def test_an_answer_longer_than_its_room_is_an_internal_error(rig: Rig) -> None:
    rig.run(bits=RUN | ERROR)
    rig.both(back=64)
    rig.wait("s2mm")
    assert rig.status("s2mm") == HALTED | INTERNAL | ERROR
    assert not rig.engine.read("s2mm_dmacr") & RUN and rig.engine.channels["s2mm"].interrupts
    rig.engine.write("s2mm_dmasr", ERROR)
    # The cause stays until a reset, the interrupt does not.
    assert rig.status("s2mm") == HALTED | INTERNAL and not rig.engine.channels["s2mm"].interrupts


@pytest.mark.parametrize("way", ["mm2s", "s2mm"])
@pytest.mark.parametrize("where", ["nowhere", "behind", "too long"])
def test_an_address_of_no_buffer_is_a_decode_error(rig: Rig, way: str, where: str) -> None:
    rig.run()
    region = rig.out if way == "mm2s" else rig.back
    address, length = {"nowhere": (0x1000, 64), "behind": (region.end, 16), "too long": (region.address, 256)}[where]
    rig.start(way, address, length)
    assert rig.status(way) == HALTED | DECODE | ERROR
    rig.engine.write("mm2s_dmacr", RESET)
    rig.run()
    rig.both()
    rig.wait("s2mm")
    assert rig.status("s2mm") & IDLE


def test_misuse_is_told(rig: Rig) -> None:
    rig.run()
    with pytest.raises(Misuse, match=r"addresses are multiples of 16 bytes"):
        rig.start("mm2s", rig.out.address + 8, 8)
    with pytest.raises(Misuse, match=r"the unit takes whole beats of 8"):
        rig.start("mm2s", rig.out.address, 12)
    rig.start("s2mm", rig.back.address, 64)
    with pytest.raises(Misuse, match=r"is given 64 bytes while its last transfer is under way"):
        rig.start("s2mm", rig.back.address, 64)
    rig.memory.free(rig.out)
    with pytest.raises(Misuse, match=r"of a buffer that was freed"):
        rig.start("mm2s", rig.out.address, 64)
    for act in (rig.memory.flush, rig.memory.invalidate):
        with pytest.raises(Misuse, match=r"after it was freed"):
            act(rig.out, 0, 8)
    with pytest.raises(Misuse, match=r"is freed twice"):
        rig.memory.free(rig.out)


@pytest.mark.parametrize("way", ["mm2s", "s2mm"])
@pytest.mark.parametrize("error", ["internal_error", "slave_error", "decode_error"])
def test_a_failing_channel(rig: Rig, way: str, error: str) -> None:
    rig.run()
    rig.engine.faults.failing[way] = error
    rig.both()
    assert rig.status(way) == HALTED | ERROR | {"internal_error": INTERNAL, "slave_error": SLAVE, "decode_error": DECODE}[error]
    rig.engine.faults.clear()
    rig.engine.write("s2mm_dmacr", RESET)
    rig.run()
    rig.both()
    rig.wait("s2mm")
    assert rig.status("s2mm") & IDLE


def test_a_transfer_that_does_not_end_ends_with_a_reset(rig: Rig) -> None:
    rig.unit.slow = None
    rig.run()
    if not rig.engine._threaded:
        # The write would wait for it.
        rig.engine.faults.endless.add("s2mm")
    rig.both()
    for _ in range(20):
        assert [rig.status(way) for way in ADDRESS] == [0, 0]
    # Stopping takes effect at the end of the transfer only.
    rig.engine.write("s2mm_dmacr", 0)
    assert not rig.status("s2mm") & HALTED
    rig.engine.write("s2mm_dmacr", RESET)
    assert [rig.status(way) for way in ADDRESS] == [HALTED, HALTED]
    rig.unit.slow = 3
    rig.engine.faults.clear()
    rig.run()
    rig.both()
    rig.wait("s2mm")
    assert np.array_equal(rig.back.device.view(np.uint64), np.arange(16, dtype=np.uint64) + 1)


def test_a_reset_that_does_not_end(rig: Rig) -> None:
    rig.engine.faults.stuck_in_reset = True
    rig.engine.write("mm2s_dmacr", RESET)
    assert all(rig.engine.read(f"{way}_dmacr") & RESET for way in ("mm2s", "s2mm", "mm2s"))
    rig.engine.faults.clear()
    assert not rig.engine.read("mm2s_dmacr") & RESET


@pytest.mark.parametrize(("out", "back", "came"), [(24, 128, 24), (128, 16, 16), (1, 128, 8)])
def test_transfers_cut_short(rig: Rig, out: int, back: int, came: int) -> None:
    rig.run()
    rig.engine.faults.cut = {"mm2s": out, "s2mm": back}
    rig.both()
    rig.wait("s2mm")
    assert rig.engine.read("s2mm_length") == came


def test_wide_beats() -> None:
    rig = Rig(unit=UNITS[1])
    rig.run()
    with pytest.raises(Misuse, match="whole beats of 16"):
        rig.start("mm2s", rig.out.address, 24)
    rig.start("s2mm", rig.back.address, 24)


def test_interrupts_of_a_channel(rig: Rig) -> None:
    rig.run(bits=RUN | IOC)
    rig.both()
    for way in ADDRESS:
        rig.wait(way)
        assert rig.engine.channels[way].interrupts
        rig.engine.write(f"{way}_dmasr", IOC)
        assert not rig.engine.channels[way].interrupts and rig.status(way) == IDLE
    rig.run(bits=RUN)
    rig.both()
    rig.wait("s2mm")
    assert rig.status("s2mm") & IOC and not rig.engine.channels["s2mm"].interrupts
    # Each change was told to the interrupt controller.
    assert rig.looks > 4


# --- memory


def test_memory_that_is_not_cached_is_one() -> None:
    memory = Memory(BASE, Counters())
    region = memory.allocate(64, cached=False)
    region.host[:] = 5
    assert (region.device == 5).all()
    memory.fails = True
    with pytest.raises(RuntimeError, match="no memory for 64 bytes"):
        memory.allocate(64)


def test_part_of_a_buffer_is_flushed() -> None:
    counters = Counters()
    memory = Memory(BASE, counters)
    region = memory.allocate(64)
    region.host[:] = np.arange(64)
    memory.flush(region, 16, 8)
    assert region.device.tolist() == [0x3C] * 16 + list(range(16, 24)) + [0x3C] * 40
    region.device[:] = 9
    memory.invalidate(region, 0, 4)
    assert region.host.tolist() == [9] * 4 + list(range(4, 64))
    assert (counters.flushes, counters.flushed, counters.invalidates, counters.invalidated) == (1, 8, 1, 4)
    counters.clear()
    assert not any(counters.summary().values())


def test_buffers_never_meet() -> None:
    rng = np.random.default_rng(5)
    memory = Memory(HIGH_BASE, Counters())
    regions = [memory.allocate(int(size)) for size in rng.integers(1, 20_000, size=50)]
    assert all(one.address % 4096 == 0 for one in regions)
    for one, other in pairwise(regions):
        assert one.end < other.address
        assert memory.at(one.end, 1) is None and memory.at(one.end - 1, 2) is None
        part = memory.at(one.address, 1)
        assert part is not None and np.shares_memory(part, one.device)


# --- interrupts


class Lines:
    """The controller with pins that a test drives, and a process that waits."""

    def __init__(self) -> None:
        self.high: set[str] = set()
        self.counters = Counters()
        self.line = UioLine(self.counters)
        self.controller = InterruptController(INTERRUPTS, self.high.__contains__, self.line)
        self.uio = self.line.open()

    def drive(self, pin: str, high: bool = True) -> None:
        (self.high.add if high else self.high.discard)(pin)
        self.controller.look()

    def came(self, seconds: float = 0.05) -> int | None:
        if not select.select([self.uio], [], [], seconds)[0]:
            return None
        return int(struct.unpack("=I", os.read(self.uio, 4))[0])

    def unmask(self, on: int = 1) -> None:
        os.write(self.uio, struct.pack("=i", on))
        time.sleep(0.02)


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    yield made
    made.line.close()
    os.close(made.uio)


ONE, OTHER = INTERRUPTS[1], INTERRUPTS[3]


def test_an_interrupt_reaches_a_process(lines: Lines) -> None:
    lines.controller.write("mer", 3)
    lines.controller.write("sie", 1 << 1)
    assert lines.came(0.01) is None
    lines.drive(ONE)
    assert lines.came(5) == 1
    assert (lines.controller.read("isr"), lines.controller.read("ipr"), lines.controller.read("ivr")) == (2, 2, 1)
    # The kernel has masked it; level sensitive, it comes again at once when it is unmasked.
    assert lines.came(0.01) is None
    lines.unmask()
    assert lines.came(5) == 2
    lines.drive(ONE, False)
    # What was seen stays until it is acknowledged.
    lines.unmask()
    assert lines.came(5) == 3
    lines.controller.write("iar", 2)
    lines.unmask()
    assert lines.came() is None and lines.controller.read("isr") == 0
    assert lines.counters.interrupts == 3


def test_a_level_that_stays_comes_back_after_its_acknowledgement(lines: Lines) -> None:
    lines.controller.write("mer", 3)
    lines.controller.write("ier", 1 << 3)
    lines.drive(OTHER)
    assert lines.came(5) == 1
    lines.controller.write("iar", 1 << 3)
    assert lines.controller.read("ipr") == 1 << 3
    lines.controller.write("cie", 1 << 3)
    assert (lines.controller.read("ipr"), lines.controller.read("isr"), lines.controller.read("ivr")) == (0, 1 << 3, 0xFFFF_FFFF)
    lines.unmask()
    assert lines.came() is None


def test_nothing_comes_before_the_controller_is_on(lines: Lines) -> None:
    lines.controller.write("ier", 0x3F)
    lines.drive(ONE)
    assert lines.controller.read("isr") == 0 and lines.came() is None
    lines.controller.write("mer", 2)
    assert lines.controller.read("isr") == 2 and lines.came() is None
    lines.controller.write("mer", 1)
    # The inputs cannot be switched off again.
    assert lines.controller.read("mer") == 3 and lines.came(5) == 1


def test_stuck_and_lost_lines(lines: Lines) -> None:
    lines.controller.write("mer", 3)
    lines.controller.write("ier", 0x3F)
    lines.line.lost = True
    lines.drive(ONE)
    assert lines.came() is None
    lines.drive(ONE, False)
    lines.controller.write("iar", 0x3F)
    lines.line.lost = False
    lines.controller.stuck.add(OTHER)
    lines.controller.look()
    assert lines.came(5) == 1
    lines.controller.write("iar", 0x3F)
    assert lines.controller.read("isr") == 1 << 3


def test_masking_by_hand(lines: Lines) -> None:
    lines.controller.write("mer", 3)
    lines.controller.write("ier", 0x3F)
    lines.unmask(0)
    lines.drive(ONE)
    assert lines.came() is None
    lines.unmask()
    assert lines.came(5) == 1


def test_registers_that_take_no_writes(lines: Lines) -> None:
    with pytest.raises(Misuse, match="register isr of the interrupt controller is written"):
        lines.controller.write("isr", 1)


def test_several_processes_may_wait(lines: Lines) -> None:
    other = lines.line.open()
    lines.controller.write("mer", 3)
    lines.controller.write("ier", 0x3F)
    lines.drive(ONE)
    assert lines.came(5) == 1 and os.read(other, 4) == struct.pack("=I", 1)
    os.close(other)
    lines.unmask()
    assert lines.came(5) == 2


def test_a_block_has_its_lines() -> None:
    pins: Any = [f"{block.dma}/{way}_introut" for block in BLOCKS for way in ("mm2s", "s2mm")]
    assert set(pins) <= set(INTERRUPTS)
