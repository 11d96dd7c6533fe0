"""The whole phi unit against the golden model: every word of every answer, counters, errors, resets, watchdogs, cycles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import cocotb
import numpy as np

from ebmhw.contract.phi_formats import BINS, FORMATS, NO_POSITION, NO_Z, Z_FRACTION_BITS, inverse_log2
from ebmhw.contract.phi_unit import ERRORS, JOB_BYTES, STATES
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.golden.phi import Entries as Facts
from ebmhw.golden.phi import entries_of
from hdl.phi_unit.config import LANES
from sim.axi import Beat, sometimes
from sim.bad_packets import Bad
from sim.bad_tokens import bad_tokens, damaged
from sim.one_shape_phi import OneShapeRows
from sim.phi_bench import PhiBench, answers_of
from sim.phi_jobs import LOGIT_OF_A_BIN, Token, random_entries, rounded
from sim.phi_model import FIELD_BEATS, Entries, beats_of_bytes, entry_bits, float32_bits

LIMIT: Final[dict[str, Any]] = {"timeout_time": 200, "timeout_unit": "ms"}

MASKED: Final = {"float16": 0xFC00, "bfloat16": 0xFF80, "float32": 0xFF800000}
"""Bits of -inf."""


async def correct_tokens(bench: PhiBench, count: int = 2) -> None:
    """Check that tokens are answered as if nothing had been before; two of them use both banks of bins."""
    await bench.check_tokens([bench.token(most=20) for _ in range(count)])


@cocotb.test(**LIMIT)
async def identity(dut: Any) -> None:
    """Registers say which unit this is, and are as documented after a reset."""
    bench = PhiBench(dut)
    await bench.start()
    await bench.check_identity(entries_max=bench.config.entries_max)
    shape = await bench.fields("shape")
    assert shape == {"lanes": LANES, "window": BINS}, f"shape is {shape}"
    await bench.check_registers()
    assert await bench.counter("cycles") == 0, "a unit that nobody asked was not idle"


@cocotb.test(**LIMIT)
async def random_tokens(dut: Any) -> None:
    """Random tokens in batches that follow one another, while every channel holds back as it likes and registers are read."""
    bench = PhiBench(dut)
    random, left = bench.random, bench.bench.parameters["tokens"]
    await bench.start()
    end_watch = bench.watch()
    while left:
        bench.pause(random)
        # Batches queue up behind each other: the unit takes the next one while it answers.
        due = []
        for _ in range(random.randint(1, 3)):
            count = min(left, random.randint(1, 6))
            left -= count
            if count:
                most = random.choice([2, 9, 20, 64, 64, 200])
                due.append(bench.send([bench.token(most=most).packet(bench.next_id()) for _ in range(count)]))
        for answer in due:
            await bench.compare(answer)
    await end_watch()
    bench.bench.count(programs=bench.bench.parameters["tokens"])
    bench.hurry()
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def golden(dut: Any) -> None:
    """Answers are those of the golden model under JAX, bit for bit, whole and partial, in every format."""
    bench = PhiBench(dut)
    random, count, rows = bench.random, bench.bench.parameters["golden"], OneShapeRows(300)
    await bench.start()
    for number in range(count):
        if number % 8 == 0:
            bench.pause(random)
        tokens = [bench.token(most=random.choice([4, 40, rows.longest])) for _ in range(random.randint(1, 4))]
        numbers = [bench.next_id() for _ in tokens]
        bench.jobs.send(bench.beats_of([token.packet(number) for token, number in zip(tokens, numbers, strict=True)]))
        await bench.compare(beats_of_bytes(b"".join(rows.answer(token, number) for token, number in zip(tokens, numbers, strict=True))).tolist())
        bench.bench.count(programs=len(tokens))


@cocotb.test(**LIMIT)
async def sizes(dut: Any) -> None:
    """Every vocabulary of a range of sizes once, most of which do not fill their last beat."""
    bench = PhiBench(dut)
    random, (least, most) = bench.random, bench.bench.parameters["sizes"]
    await bench.start()
    for first in range(least, most + 1, 20):
        bench.pause(random)
        tokens = []
        for size in range(first, min(first + 20, most + 1)):
            code = random.randrange(len(FORMATS))
            tail = [random.getrandbits(entry_bits(code)) for _ in range(LANES)]
            tokens.append(Token(random_entries(random, size, code), code, inverse_log2(size), chosen=random.randrange(size), tail=tail))
        await bench.check_tokens(tokens)
    bench.hurry()
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def large(dut: Any) -> None:
    """Vocabularies of real size, whole and as shards, one after the other; between them small ones, which are done before."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    tokens = []
    for entries, name, partial in bench.bench.parameters["large"]:
        first = random.randint(0, bench.config.entries_max - entries) if partial else 0
        kind = random.choice(["normal", "moving", "wide", "bits"])
        row = random_entries(random, entries, FORMATS.index(name), kind)
        chosen = first + random.randrange(entries)
        tokens.append(Token(row, FORMATS.index(name), inverse_log2(max(2, entries)), partial, chosen, first))
        tokens.append(bench.token(most=9))
    bench.results.channel.pauses = sometimes(bench.bench.random_for("large"), 0.1)
    await bench.check_tokens(tokens)
    bench.hurry()
    await bench.check_registers()


def patterns_of(code: int) -> tuple[Entries, Facts]:
    """Return all patterns of 16 bits, and what they are."""
    patterns = np.arange(1 << 16, dtype=np.uint16)
    return patterns, entries_of(NumpyArrays(), float32_bits(patterns, code))


def dealt(random: Random, code: int, most: int) -> Iterator[Token]:
    """Yield tokens, answered by their bins, of about ``most`` entries which together are every pattern once.

    The valid entries of a token lie within the window, and are all clipped to one side or none is. An entry of another z changes a sum of its
    token: S grows with the fraction f, and T with f S, both convex, so that two wrong ones would have to balance in both, and after each new dealing.
    """
    patterns, facts = patterns_of(code)
    some = np.random.default_rng(random.getrandbits(64))
    rows: list[Any] = []
    for kind in (facts.clip_hi, facts.clip_lo, facts.valid & ~facts.clip_hi & ~facts.clip_lo):
        order = np.argsort(facts.z[kind], kind="stable")
        entries, bins = patterns[kind][order], facts.z[kind][order] >> Z_FRACTION_BITS
        begin = 0
        while begin < entries.size:
            end = int(np.searchsorted(bins, bins[begin] + BINS))
            window, count = some.permutation(entries[begin:end]), -(-(end - begin) // most)
            rows += [window[at::count] for at in range(count)]
            begin = end
    # Infinities and NaN weigh nothing anywhere.
    others = some.permutation(patterns[~facts.valid])
    for at, row in enumerate(rows):
        entries = some.permutation(np.concatenate([row, others[at :: len(rows)]]))
        yield Token(entries, code, 0, 1, random.randrange(entries.size))


def shown(random: Random, code: int) -> Iterator[Token]:
    """Yield tokens of two or three entries which together are every pattern, each with its z and all that it is in fields of its own."""
    patterns, facts = patterns_of(code)
    some = np.random.default_rng(random.getrandbits(64))
    zero, inverse = patterns[:1], inverse_log2(2)
    # Of three z1, z2 and the chosen one's z.
    plain = some.permutation(patterns[facts.valid & ~facts.clip_hi & ~facts.clip_lo])
    for at in range(0, plain.size, 3):
        three = np.concatenate([plain[at : at + 3], zero])[:3]
        values = float32_bits(three, code).view(np.float32)
        yield Token(three, code, inverse, chosen=int(np.argmin(values)))
    # Of a clipped one of either side z1 and z2, and a flag each.
    high, low = (some.permutation(patterns[side]) for side in (facts.clip_hi, facts.clip_lo))
    assert abs(high.size - low.size) <= 1, "as many are clipped on either side, but for one at the limit"
    for pair in zip(high, np.resize(low, high.size), strict=True):
        yield Token(np.array(pair), code, inverse)
    for other in patterns[~facts.valid]:
        yield Token(np.concatenate([[other], zero]), code, inverse)


@cocotb.test(**LIMIT)
async def exhaustive(dut: Any) -> None:
    """Every pattern of 16 bits, dealt into rows so long, or shown one by one where that is 0."""
    bench = PhiBench(dut)
    await bench.start()
    for name, most in bench.bench.parameters["exhaustive"]:
        code = FORMATS.index(name)
        left = dealt(bench.random, code, most) if most else shown(bench.random, code)
        seen: set[int] = set()
        while tokens := list(islice(left, 100)):
            await bench.check_tokens(tokens)
            seen.update(*(token.entries.tolist() for token in tokens))
        assert len(seen) == 1 << 16, f"{len(seen)} patterns of {name} were checked"
    await bench.check_registers()


async def refuse(bench: PhiBench, bad: Bad) -> None:
    """Check that a packet is answered by its error between good ones, unless the batch ends with it."""
    before, after = ([bench.token(most=9).packet(bench.next_id())] if bench.random.random() < 0.8 else [] for _ in range(2))
    if bad.ends:
        after = []
    due = bench.send([*before, bad.packet, *after])
    told = [values["error"] for values in answers_of(due) if "error" in values]
    assert told == [ERRORS[bad.error]], f"{bad.what} is {told} to the model, not {bad.error}"
    try:
        await bench.compare(due)
    except AssertionError as wrong:
        raise AssertionError(f"{bad.error}, {bad.what}: {wrong}") from None
    bench.bench.count(programs=1)


@cocotb.test(**LIMIT)
async def errors(dut: Any) -> None:
    """Every error that a packet can cause, each answered as such between good packets."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    bads = list(bad_tokens(random, bench.config.entries_max))
    assert {bad.error for bad in bads} == ERRORS.keys() - {"no_error", "input_stalled", "output_stalled"}
    if not bench.bench.parameters["every_error"]:
        # One of each kind is enough for a slow simulator.
        bads = list({bad.error: bad for bad in random.sample(bads, len(bads))}.values())
    for bad in bads:
        bench.pause(random)
        await refuse(bench, bad)
        await bench.bench.wait(4)
        error = await bench.last_error()
        assert error == bench.model.last_error, f"after {bad.what} the last error is {error}, not {bench.model.last_error}"
    bench.hurry()
    await correct_tokens(bench)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def garbage(dut: Any) -> None:
    """Damaged packets: answered as the model answers them, whatever they came to mean; the next batch is right."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["garbage"]):
        bench.pause(random)
        packets = [
            damaged(random, bench.config.entries_max, bench.next_id()) if random.random() < 0.5 else bench.token(most=20).packet(bench.next_id())
            for _ in range(random.randint(1, 4))
        ]
        try:
            await bench.check(packets)
        except AssertionError as wrong:
            raise AssertionError(f"{[packet[:32].hex() for packet in packets]}: {wrong}") from None
        bench.bench.count(programs=len(packets))
    bench.hurry()
    await bench.check_registers()


def level(bins: Sequence[float], random: Random, **options: Any) -> Token:
    """Return a token of entries in given bins, as far as its format tells them apart."""
    code = random.randrange(len(FORMATS))
    return Token(rounded(np.array(bins) * LOGIT_OF_A_BIN, code), code, inverse_log2(max(2, len(bins))), **options)


@cocotb.test(**LIMIT)
async def turns(dut: Any) -> None:
    """Entries that share a place in the ring of bins but for its turns, later and earlier ones in any order: the largest alone count."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["turns"]):
        places, last = random.sample(range(BINS), random.choice([1, 2, 4])), random.choice([1, 1, 3, 20])
        bins = [BINS * random.randint(0, last) + random.choice(places) + random.uniform(0.1, 0.9) for _ in range(random.randint(2, 60))]
        least = BINS * random.randint(-25, 25 - last)
        await bench.check_tokens([level([least + k for k in bins], random, partial=partial) for partial in (0, 1)])
    await bench.check_registers()


# --- resets


def spread(bench: PhiBench, size: int) -> Token:
    """Return a token whose entries fall into all bins of a turn."""
    random = bench.random
    return level([random.uniform(0.5, BINS - 2.5) for _ in range(size)], random, partial=random.randint(0, 1))


def busy_batch(bench: PhiBench) -> list[bytes]:
    """Return a batch long enough to be interrupted anywhere, with packets that are refused at their fields, in the middle, and at the end."""
    packets = []
    for _ in range(4):
        good = [spread(bench, bench.random.choice([2, 9, 64, 500])).packet(bench.next_id()) for _ in range(3)]
        refused = bytearray(spread(bench, 600).packet(bench.next_id()))
        # A reserved bit.
        refused[19] |= 0x80
        packets += [*good, bytes(refused)]
    return [*packets, spread(bench, 50).packet(bench.next_id())[:-32]]


async def leaves_nothing(bench: PhiBench) -> None:
    """Check that both banks of bins are empty: a row of one entry, above all that came before a reset, is answered by its bin and 63 empty ones."""
    highest = level([BINS - 1.5], bench.random, partial=1)
    for values in await bench.check_tokens([highest, highest]):
        assert values["sums"][1:] == [(0, 0)] * (BINS - 1), f"bins survive a reset: {values['sums'][1:]}"
    await correct_tokens(bench, 3)


@cocotb.test(**LIMIT)
async def resets(dut: Any) -> None:
    """A reset, of the unit by its register or of the whole design, in every state and at random moments, leaves nothing of what was under way."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    moments = [None] * bench.bench.parameters["moments"]
    for state in [*bench.bench.parameters["resets"], *moments]:
        for whole in (False, True):
            # Registers are read without a pause, so that no state passes unseen.
            bench.pause(random, registers=False)
            for _ in range(2):
                bench.send(busy_batch(bench))
            if state is None:
                await bench.bench.wait(random.randint(1, 3000))
            elif state != "idle":
                await bench.until(state)
            await bench.bench.wait(random.randint(0, 12))
            if whole:
                await bench.restart()
            else:
                await bench.reset()
                await bench.clear_counters()
            await leaves_nothing(bench)
            bench.hurry()
            await bench.check_registers()


# --- watchdogs


@cocotb.test(**LIMIT)
async def input_watchdog(dut: Any) -> None:
    """A packet that stops coming is given up and answered; what comes of it later is refused; then correct tokens are answered."""
    bench = PhiBench(dut)
    await bench.start()
    await bench.write("input_limit", cycles=40)
    for partial in (0, 1):
        packet = replace(spread(bench, 40), partial=partial).packet(bench.next_id())
        beats = bench.beats_of([packet])
        for sent in (1, FIELD_BEATS, FIELD_BEATS + 1, len(beats) // 2, len(beats) - 1):
            before = bench.token(most=9).packet(bench.next_id())
            skipped = len(bench.beats_of([before]))
            answers = bench.model.answers(beats_of_bytes(before + packet), {skipped + sent})
            good, refusal, *late = (beats_of_bytes(answer).tolist() for answer in answers)
            bench.jobs.send([*bench.beats_of([before]), *beats[:sent]], last=False)
            await bench.expect([*good, *refusal], last=False)
            error = await bench.last_error()
            assert error == bench.model.last_error if not late else error[0] == ERRORS["input_stalled"], f"{error}"
            assert error[2] == sent, f"the packet stopped after {sent} beats, the last error is {error}"
            # A pause between packets is no fault, however long.
            await bench.bench.wait(100)
            status = await bench.fields("status")
            assert status == {"state": STATES["idle"], "tokens": 0, "input_stalled": 0, "output_stalled": 0}, f"status is {status}"
            bench.jobs.send(beats[sent:])
            await bench.expect([beat for answer in late for beat in answer], last=True)
            await correct_tokens(bench)
    # As many idle cycles as are allowed are no fault either, one more is.
    packet = spread(bench, 100).packet(bench.next_id())
    beats, late = bench.beats_of([packet]), FIELD_BEATS + 4
    for limit in (39, 38):
        await bench.write("input_limit", cycles=limit)
        for at, beat in enumerate(beats):
            bench.jobs.send_beat(Beat(beat, (1 << JOB_BYTES) - 1, at == len(beats) - 1), idle=39 if at == late else 0)
        due = bench.model.answers(beats_of_bytes(packet), {late} if limit == 38 else ())
        await bench.expect([beat for answer in due for beat in beats_of_bytes(answer).tolist()], last=True)
        await bench.bench.wait(4)
    await correct_tokens(bench)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def refused_watchdog(dut: Any) -> None:
    """A packet that stops coming after it was refused is answered by what was wrong with it first."""
    bench = PhiBench(dut)
    await bench.start()
    await bench.write("input_limit", cycles=40)
    sent = FIELD_BEATS + 1
    refused = [bad.packet for bad in bad_tokens(bench.random, bench.config.entries_max) if bad.error in ("reserved", "size", "format", "kind")]
    for packet in [one for one in refused if len(one) > JOB_BYTES * (sent + 1)][:6]:
        refusal, *late = (beats_of_bytes(answer).tolist() for answer in bench.model.answers(beats_of_bytes(packet), {sent}))
        beats = bench.beats_of([packet])
        bench.jobs.send(beats[:sent], last=False)
        await bench.expect(refusal, last=False)
        bench.jobs.send(beats[sent:])
        await bench.expect([beat for answer in late for beat in answer], last=True)
        await correct_tokens(bench)
    await bench.check_registers()


def job_of(packet: bytes) -> int:
    """Return the number of a token."""
    return int.from_bytes(packet[8:12], "little")


@cocotb.test(**LIMIT)
async def output_watchdog(dut: Any) -> None:
    """An answer that is not taken is given up with all tokens under way: the beat on offer stays, one that ends the batch follows."""
    bench = PhiBench(dut)
    random, sink, source = bench.random, bench.results.channel, bench.jobs.channel
    await bench.start()
    await bench.write("output_limit", cycles=30)
    refused = next(bad.packet for bad in bad_tokens(random, bench.config.entries_max) if bad.error == "size")
    for answered in ("record", "partial", "error"):
        first = refused if answered == "error" else replace(spread(bench, 30), partial=int(answered == "partial")).packet(bench.next_id())
        beats_due = len(bench.due([first]))
        for taken in sorted({0, 1, beats_due // 2, beats_due - 1}):
            for more in (0, 1, 2):
                rest = [spread(bench, random.choice([2, 40])).packet(bench.next_id()) for _ in range(more)]
                held_due = bench.due([first])
                sink.pauses = lambda end=sink.taken + taken: sink.taken >= end
                begun = len(bench.beats_of([first, *rest[:1]]))
                # What is under way is lost; the last token comes after the reset.
                source.pauses = lambda end=source.sent + begun: source.sent >= end
                bench.jobs.send(bench.beats_of([first, *rest]))
                await bench.expect(held_due[:taken], last=False)
                for _ in range(200):
                    if (await bench.fields("last_error"))["code"] == ERRORS["output_stalled"]:
                        break
                else:
                    raise AssertionError(f"an answer that stalls in beat {taken} of '{answered}' is never given up")
                job, over = await bench.read("last_error_job"), taken == beats_due - 1
                # With its last beat on offer a token is over; another one may be next.
                jobs = {0, *map(job_of, rest[:1])} if over else {job_of(first)}
                assert job in jobs, f"'{answered}' stalled in beat {taken} with {more} tokens behind it: that is told of job {job:#x}, not of {jobs}"
                bench.model.reset()
                await bench.bench.wait(random.randint(0, 100))
                sink.pauses = None
                ends = taken == beats_due - 1 and not rest
                await bench.expect(held_due[taken : taken + 1], last=ends)
                if not ends:
                    await bench.expect([0], last=True)
                source.pauses = None
                if more == 2:
                    await bench.compare(bench.due(rest[1:]))
                await bench.until("idle")
                await leaves_nothing(bench)
                await bench.reset()
    # As many cycles as are allowed are no fault.
    held_for = 0

    def almost() -> bool:
        nonlocal held_for
        held_for = (held_for + 1) % 31
        return held_for != 0

    sink.pauses = almost
    await correct_tokens(bench)
    assert (await bench.last_error())[0] == 0


# --- registers


@cocotb.test(**LIMIT)
async def interrupts(dut: Any) -> None:
    """Events are pending until they are cleared; the line is high while one that is enabled is pending."""
    bench = PhiBench(dut)
    await bench.start()
    spoilt = next(bad.packet for bad in bad_tokens(bench.random, bench.config.entries_max) if bad.error == "format")
    await bench.check_interrupts(lambda: correct_tokens(bench), spoilt)
    await bench.check_registers()


@cocotb.test(**LIMIT)
async def counters(dut: Any) -> None:
    """Counters of stalls are the cycles in which the ports show one; all of them stand still while nothing happens, and are cleared."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for number in range(6):
        await bench.clear_counters()
        if number:
            bench.pause(random, registers=False)
        tokens = [bench.token(most=200) for _ in range(6)]
        packets = [token.packet(bench.next_id()) for token in tokens]
        inside: set[int] = set()
        at = 0
        for packet in packets:
            inside |= set(range(at + 1, at + len(packet) // 16))
            at += len(packet) // 16
        seen = {"stall_input": 0, "stall_output": 0}

        async def watch(inside: set[int] = inside, seen: dict[str, int] = seen) -> None:
            taken = 0
            while True:
                await dut.clk.rising_edge
                ready, valid = int(dut.s_axis_tready.value), int(dut.s_axis_tvalid.value)
                # Within a packet, as the next beat to come tells.
                seen["stall_input"] += ready and not valid and taken in inside
                taken += ready and valid
                seen["stall_output"] += int(dut.m_axis_tvalid.value) and not int(dut.m_axis_tready.value)

        task = cocotb.start_soon(watch())
        await bench.check(packets)
        await bench.check_registers()
        task.cancel()
        found = {name: await bench.counter(name) for name in seen}
        assert found == seen, f"stalls are {found}, the ports showed {seen}"
        before = await bench.counter("cycles")
        await bench.bench.wait(50)
        assert await bench.counter("cycles") == before, "an idle unit counts cycles"
    bench.hurry()
    await bench.clear_counters()
    # One alone waits for no other; of six small ones at a time most do.
    await bench.check_tokens([bench.token(most=9)])
    assert await bench.counter("stall_finish") == 0
    await bench.check_tokens([bench.token(most=9) for _ in range(6)])
    assert await bench.counter("stall_finish") > 100
    await bench.clear_counters()
    await bench.check_registers()
    assert await bench.counter("cycles") == 0


@cocotb.test(**LIMIT)
async def throughput(dut: Any) -> None:
    """How fast tokens of a size are taken and answered, the output held back in a tenth of the cycles; the test judges what the file says."""
    bench = PhiBench(dut)
    await bench.start()
    made = []
    for name, entries, tokens in bench.bench.parameters["rates"]:
        code = FORMATS.index(name)
        row = random_entries(bench.random, entries, code, "normal")
        token = Token(row, code, inverse_log2(entries), chosen=entries // 2)
        packets = [token.packet(bench.next_id()) for _ in range(tokens)]
        bench.results.channel.pauses = sometimes(bench.bench.random_for(f"{name} {entries}"), 0.1)
        await bench.clear_counters()
        due = bench.send(packets)
        began = bench.bench.cycle
        await bench.jobs.drain()
        taken = bench.bench.cycle - began
        await bench.compare(due)
        answered = bench.bench.cycle - began
        await bench.check_registers()
        made.append({"format": name, "entries": entries, "tokens": tokens, "taken": taken, "answered": answered})
        bench.bench.count(programs=tokens)
    Path(bench.bench.parameters["output"]).write_text(json.dumps(made), encoding="utf-8")


# --- what must not change a bit

NUMBERS: Final = ("valid", "masked", "excluded", "z1", "z2", "log2_z", "chosen_log2p", "entropy", "phi", "z_chosen")
"""Fields of a record that do not depend on where entries stand."""


def of(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return some fields of an answer."""
    return {name: values[name] for name in names}


@cocotb.test(**LIMIT)
async def order(dut: Any) -> None:
    """Entries in another order, and masked ones among them, change no number of a record; only positions move."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["metamorphic"]):
        plain = replace(bench.token(most=100), partial=0, first_entry=0, inverse=random.getrandbits(24))
        size = plain.entries.size
        if size < 2:
            continue
        plain = replace(plain, chosen=random.randrange(size))
        places = list(range(size + random.randint(0, 20)))
        random.shuffle(places)
        # The entry at place[k] moves to k; there are masked ones where there was none.
        mask = MASKED[FORMATS[plain.format]]
        moved = np.array([plain.entries[place] if place < size else mask for place in places], dtype=plain.entries.dtype)
        other = replace(plain, entries=moved, chosen=places.index(plain.chosen))
        bench.pause(random)
        one, two = await bench.check_tokens([plain, other])
        due = of(one, "flags", *NUMBERS) | {"masked": one["masked"] + len(places) - size}
        assert of(two, "flags", *NUMBERS) == due, f"{two} of other order than {one}"
        if one["argmax"] != NO_POSITION:
            assert np.array_equal(*(_values(token)[[values["argmax"]]] for token, values in ((plain, one), (other, two)))), "another maximum"
        if one["chosen"] != NO_POSITION:
            assert places[two["chosen"]] == one["chosen"]


def _values(token: Token) -> Any:
    """Return the numbers that the entries of a token stand for."""
    return float32_bits(token.entries, token.format).view(np.float32)


@cocotb.test(**LIMIT)
async def formats(dut: Any) -> None:
    """Entries of 16 bits are answered as the same numbers in 32 bits are."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["metamorphic"]):
        narrow = bench.token(most=100)
        wide = replace(narrow, entries=float32_bits(narrow.entries, narrow.format), format=FORMATS.index("float32"), tail=())
        bench.pause(random)
        one, two = await bench.check_tokens([narrow, wide])
        one.pop("job_id")
        two.pop("job_id")
        assert one == two, f"{one} in {FORMATS[narrow.format]}, {two} in float32"


@cocotb.test(**LIMIT)
async def shift(dut: Any) -> None:
    """Adding 16 to every logit adds 2^18 94548 2^-20 = 23637 to every z, without rounding, and moves nothing."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["metamorphic"]):
        some = np.random.default_rng(random.getrandbits(64))
        size, steps = random.randint(2, 100), random.randint(-20, 20)
        # Multiples of 2^-12 below 2^11 are exact in float32.
        logits = some.integers(-(2**11), 2**11, size) * 2.0 ** -random.randint(0, 12) * random.choice([0.25, 1])
        plain = Token(rounded(logits / 2, 2), 2, inverse_log2(size), chosen=random.randrange(size))
        other = replace(plain, entries=rounded(logits / 2 + 16 * steps, 2))
        one, two = await bench.check_tokens([plain, other])
        names = ("flags", "valid", "argmax", "chosen")
        assert of(one, *names) == of(two, *names)
        moved = {name: two[name] - one[name] for name in ("z1", "z2", "z_chosen")}
        assert set(moved.values()) == {23637 * steps}, f"{moved} with {16 * steps} added"


def merged(shards: Sequence[tuple[Token, dict[str, Any]]]) -> dict[str, Any]:
    """Return what shards of a row come to together, by the contract: bins add where they are the same."""
    total = {name: sum(values[name] for _, values in shards) for name in ("valid", "masked", "excluded")}
    full = [(token, values) for token, values in shards if values["valid"]]
    chosen = next((values for _, values in shards if values["chosen"] != NO_POSITION), {"chosen": NO_POSITION, "z_chosen": 0})
    total |= {name: chosen[name] for name in ("chosen", "z_chosen")}
    if not full:
        return total | {"argmax": NO_POSITION, "z1": 0, "z2": 0, "kmax": 0, "sums": [(0, 0)] * BINS}
    largest = max(float(_values(token)[values["argmax"] - token.first_entry]) for token, values in full)
    at = next(at for at, (token, values) in enumerate(full) if float(_values(token)[values["argmax"] - token.first_entry]) == largest)
    best = full[at][1]
    seconds = [best["z2"], *(values["z1"] for other, (_, values) in enumerate(full) if other != at)]
    kmax = max(values["kmax"] for _, values in full)
    sums = [[0, 0] for _ in range(BINS)]
    for _, values in full:
        for depth, pair in enumerate(values["sums"]):
            if (low := depth + kmax - values["kmax"]) < BINS:
                sums[low] = [one + other for one, other in zip(sums[low], pair, strict=True)]
    pairs = [tuple(pair) for pair in sums]
    return total | {"argmax": best["argmax"], "z1": best["z1"], "z2": max(seconds, default=NO_Z), "kmax": kmax, "sums": pairs}


@cocotb.test(**LIMIT)
async def shards(dut: Any) -> None:
    """The bins of the shards of a row, however it is cut, add up to those of the row as a whole."""
    bench = PhiBench(dut)
    random = bench.random
    await bench.start()
    for _ in range(bench.bench.parameters["metamorphic"]):
        whole = replace(bench.token(most=150), partial=1, first_entry=random.choice([0, 1000]))
        size = whole.entries.size
        whole = replace(whole, chosen=whole.first_entry + random.randrange(size))
        cuts = sorted({0, size, *(random.randint(0, size) for _ in range(random.randint(0, 4)))})
        parts = [replace(whole, entries=whole.entries[begin:end], first_entry=whole.first_entry + begin) for begin, end in pairwise(cuts)]
        bench.pause(random)
        one, *others = await bench.check_tokens([whole, *parts])
        due = merged(list(zip(parts, others, strict=True)))
        found = of(one, *due)
        assert found == due, f"{found} as a whole, {due} from {len(parts)} shards"
