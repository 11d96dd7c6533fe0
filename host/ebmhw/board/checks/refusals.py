"""Packets that must be refused, each with its own error, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.board.checks import programs, wire
from ebmhw.board.checks.context import EXCHANGE_SECONDS, Context, Mismatch, NotApplicable
from ebmhw.contract.packets import HEADER
from ebmhw.errors import CoreStalled, HardwareFault

_ROOM = 4096
"""Words that the answer to a wrong packet and a right one may take: far more than they do."""


class Bad(NamedTuple):
    """A packet, why it is refused, and whether nothing after it in its batch is looked at."""

    error: str
    what: str
    packet: Beats
    ends: bool = False


def bad_frames(good: Beats, codec: PacketCodec) -> Iterator[Bad]:
    """Yield a packet with each fault that any packet may have in its header or its length."""
    words, beat = good.size * 2, codec.words_a_beat
    yield Bad("magic", "no magic number", _header(good, magic=0), True)
    yield Bad("magic", "another magic number", _header(good, magic=0x4244), True)
    yield Bad("kind", "a code that is not there", _header(good, code=0xFF))
    yield Bad("kind", "a version that is not there", _header(good, version=9))
    yield Bad("length", "a beat less than its counts make", _header(good, length=words - beat)[: good.size - beat // 2])
    longer = np.concatenate([good, np.zeros(beat // 2, dtype=np.uint64)])
    yield Bad("length", "a beat more than its counts make", _header(longer, length=words + beat))
    yield Bad("truncated", "the batch ends within it", good[: good.size - beat // 2], True)


def bad_jobs(driver: IsingDriver) -> Iterator[Bad]:
    """Yield problems and runs with each fault that an Ising core looks for."""
    problem, run = wire.load_of(driver).packets
    shape, rows = driver.shape, wire.PROBLEM.layout.fixed_words
    slots = rows + 3 * wire.PROBLEM.layout.section("row").entry_words

    def field(codec: PacketCodec, packet: Beats, error: str, what: str, **values: int) -> Bad:
        changed = packet.copy()
        codec.put(changed, values)
        return Bad(error, what, changed)

    def word(packet: Beats, error: str, what: str, at: int, value: int, bits: int = 32, bit: int = 0) -> Bad:
        return Bad(error, what, wire.poked(packet, at, value, bits, bit))

    yield from bad_frames(problem, wire.PROBLEM)
    yield field(wire.PROBLEM, problem, "size", "another number of slots a beat", slots_per_beat=shape.slots + 1)
    yield field(wire.PROBLEM, problem, "size", "more rows executed than rows", rows_executed=4)
    yield word(problem, "row", "a row of a spin that is not there", rows, 3)
    yield word(problem, "row", "two rows of a spin", rows + 2, int(problem.view(np.uint32)[rows]))
    yield word(problem, "slot", "a slot of a spin that is not there", slots, 3, 20)
    yield word(problem, "slot", "a coupling of -128", slots, 0x80, 8, 20)
    yield word(problem, "reserved", "a bit beyond a slot", slots, 1, 1, 31)
    bias = rows + wire.PROBLEM.layout.section("row").entry_words - 1
    yield word(problem, "field", "a bias that is too large", bias, 1 << 17, 18)

    yield from bad_frames(run, wire.RUN)
    program = int(wire.RUN.decode(run)[0]["program_id"])
    yield field(wire.RUN, run, "problem", "a run of a problem that is not loaded", program_id=program ^ 1)
    yield field(wire.RUN, run, "reads", "reads beyond the last", first_read=(1 << 30) - shape.lanes + 1)
    yield field(wire.RUN, run, "schedule", "a sample every 0 sweeps", keep_first=1, keep_every=0)
    yield word(run, "schedule", "more sweeps than a job may have", wire.RUN.layout.fixed_words + 1, shape.sweeps_max + 1)
    yield word(run, "reserved", "a bit beyond the rule", wire.RUN.layout.bit_offset("rule") // 32, 1, 1, 31)


def bad_tokens(driver: UnitDriver) -> Iterator[Bad]:
    """Yield rows with each fault that a phi unit looks for."""
    (good,) = wire.load_of(driver).packets

    def field(error: str, what: str, **values: int) -> Bad:
        changed = good.copy()
        wire.TOKEN.put(changed, values)
        return Bad(error, what, changed)

    yield from bad_frames(good, wire.TOKEN)
    yield field("size", "no entries", entries=0)
    yield field("size", "entries beyond the largest vocabulary", first_entry=(1 << 19) - 36)
    yield field("format", "a format that is not there", format=3)
    yield field("inverse", "INV above its limit", inverse=(1 << 24) + 1)
    offset = wire.TOKEN.layout.bit_offset("partial") + 1
    yield Bad("reserved", "a bit that no field owns", wire.poked(good, offset // 32, 1, 1, 31))


def ising(context: Context) -> str:
    """Send every Ising core what it must refuse."""
    return _refused(context, [(core, list(bad_jobs(core))) for core in context.cores[:1]])


def phi(context: Context) -> str:
    """Send every phi unit what it must refuse."""
    return _refused(context, [(unit, list(bad_tokens(unit))) for unit in context.phi_units[:1]])


def _refused(context: Context, todo: list[tuple[UnitDriver, list[Bad]]]) -> str:
    count = 0
    for driver, bad in todo:
        load = wire.load_of(driver)
        right = driver.exchange(load.batch, load.room, EXCHANGE_SECONDS)
        for one in bad:
            context.check_time()
            _one(driver, one, load.batch, right)
            count += 1
    return f"{count} wrong packets refused, each with its own error and the next job right"


def _one(driver: UnitDriver, bad: Bad, good: Beats, right: Beats) -> None:
    noun = driver.kind.unit.name
    failed = driver.counters()["jobs_failed"]
    # A run is only refused for its own fault while its problem is loaded.
    sent = bad.packet if bad.ends else np.concatenate([bad.packet, good])
    answer = driver.exchange(sent, _ROOM, EXCHANGE_SECONDS)
    found = wire.error_in(driver, answer)
    if found is None:
        raise Mismatch(f"{noun} was sent {bad.what} and did not refuse it")
    error, _, words = found
    if error != bad.error:
        raise Mismatch(f"{noun} was sent {bad.what} and refused it with the error '{error}', not '{bad.error}'")
    told = driver.kind.error_names.get(driver.read("last_error"))
    if told != bad.error:
        raise Mismatch(f"register last_error of {noun} says '{told}' after {bad.what}, not '{bad.error}'")
    if driver.counters()["jobs_failed"] != failed + 1:
        raise Mismatch(f"register jobs_failed of {noun} went from {failed} to {driver.counters()['jobs_failed']} with one packet refused")
    rest = driver.exchange(good, _ROOM, EXCHANGE_SECONDS) if bad.ends else answer[words:]
    if not np.array_equal(rest, right):
        raise Mismatch(f"{noun} was sent {bad.what}, refused it, and answered the next job otherwise than before: {_where(rest, right)}")


def _where(found: Beats, right: Beats) -> str:
    if found.size != right.size:
        return f"{found.size} words, not {right.size}"
    at = int(np.flatnonzero(found != right)[0])
    return f"word {at} is {int(found[at]):#018x}, not {int(right[at]):#018x}"


# --- recovery


def cut_answer(context: Context) -> str:
    """Give an answer less room than it takes: the transfer fails, and after a reset all is as before."""
    for driver in context.units:
        noun, load = driver.kind.unit.name, wire.load_of(driver)
        right = driver.exchange(load.batch, load.room, EXCHANGE_SECONDS)
        try:
            driver.exchange(load.batch, 2, 2.0)
        except HardwareFault:
            pass
        else:
            raise Mismatch(f"an answer of {noun} with {right.size} words went into room for 2, and nothing was said")
        _recovered(driver, load, right)
    return "the unit is reset, and the next job is right"


def given_up(context: Context) -> str:
    """Give up a core in the middle of a job: it is reset, and after that all is as before."""
    core = context.cores[0]
    program = programs.dense(context.random("given up"), core.shape)
    cycles = program.n * -(-(program.n - 1) // core.shape.slots) + core.shape.latency
    long = wire.core_load(core, program, min(core.shape.sweeps_max, max(1, int(context.rate() / cycles))))
    load = wire.load_of(core)
    right = core.exchange(load.batch, load.room, EXCHANGE_SECONDS)
    try:
        core.exchange(long.batch, long.room, 0.02)
    except CoreStalled:
        _recovered(core, load, right)
        return "reset in the middle of a job, and the next job is right"
    raise NotApplicable("a job of a second was done in 20 ms: time does not pass here")


def _recovered(driver: UnitDriver, load: wire.Load, right: Beats) -> None:
    noun = driver.kind.unit.name
    driver.reset()
    error = driver.status()["last_error"]
    if error != "no_error":
        raise Mismatch(f"{noun} was reset and still tells the error '{error}'")
    found = driver.exchange(load.batch, load.room, EXCHANGE_SECONDS)
    if not np.array_equal(found, right):
        raise Mismatch(f"{noun} answers otherwise after a reset than before: {_where(found, right)}")


def _header(packet: Beats, **values: int) -> Beats:
    """Return a packet with fields of its header overwritten."""
    changed: Beats = packet.copy()
    at = 0
    word = int(changed[0])
    for field in HEADER:
        if field.name in values:
            mask = ((1 << field.bits) - 1) << at
            word = word & ~mask | values[field.name] << at & mask
        at += field.bits
    changed[0] = word
    return changed
