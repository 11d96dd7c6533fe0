"""A chain of random streams against the golden model's: loading, drawing and reading out, at any pace."""

from __future__ import annotations

from typing import Any, Final

import cocotb

from ebmhw.contract.stream import STATE_WORDS
from hdl.common.xoshiro import Xoshiro128pp
from sim.bench import Bench

LIMIT: Final[dict[str, Any]] = {"timeout_time": 100, "timeout_unit": "us"}


def advanced(state: list[int]) -> tuple[int, list[int]]:
    """Return the output and the next state of xoshiro128++, as its authors' C has it."""
    mask = 0xFFFFFFFF

    def rotl(word: int, by: int) -> int:
        return (word << by | word >> 32 - by) & mask

    s0, s1, s2, s3 = state
    result = (rotl((s0 + s3) & mask, 7) + s0) & mask
    t = s1 << 9 & mask
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    return result, [s0, s1, s2, rotl(s3, 11)]


async def shift(bench: Bench, words: list[int], idle: float) -> list[int]:
    """Shift words in, with idle cycles in between, and return those that come out."""
    came = []
    for word in words:
        while bench.random.random() < idle:
            bench.dut.shift.value = 0
            await bench.wait()
        bench.dut.shift.value = 1
        bench.dut.shift_in.value = word
        await bench.wait()
        came.append(int(bench.dut.shift_out.value))
    bench.dut.shift.value = 0
    return came


@cocotb.test(**LIMIT)
@cocotb.parametrize(idle=[0.0, 0.5])
async def loads_draws_and_reads_out(dut: Any, idle: float) -> None:
    """States go in and come out from word 3 to word 0, and in between every draw is that of the C code, ``latency`` cycles after its advance."""
    bench = Bench(dut)
    await bench.start()
    for _ in range(bench.parameters["states"]):
        state = [bench.random.getrandbits(32) for _ in range(STATE_WORDS)]
        await shift(bench, state[::-1], idle)
        due: list[int | None] = [None] * Xoshiro128pp.latency
        last = None
        for _ in range(bench.parameters["cycles"]):
            advance = bench.random.random() >= idle
            dut.advance.value = int(advance)
            draw = None
            if advance:
                draw, state = advanced(state)
            due.append(draw)
            await bench.wait()
            last = due[-1 - Xoshiro128pp.latency] if due[-1 - Xoshiro128pp.latency] is not None else last
            if last is not None:
                assert int(dut.draw.value) == last, f"the draw is {int(dut.draw.value):#010x}, not {last:#010x}"
        dut.advance.value = 0
        bench.count(programs=1, updates=len([draw for draw in due if draw is not None]))
        assert await shift(bench, [0] * STATE_WORDS, idle) == state[::-1]
