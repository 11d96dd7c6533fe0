"""The driver of the phi unit and the division of measurements, over the software model of the unit: packets, refusals, faults, stalls, cuts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from cores import Beats, Meddler, ModelBackend, phi_backend
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import fleet, phi_rows
from ebmhw.backends.phi_answers import take_answers
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.backends.reader import PacketReader
from ebmhw.backends.units import PHI
from ebmhw.contract.packets import MAGIC
from ebmhw.contract.phi_formats import ENTRIES_LIMIT, FORMATS, NO_POSITION, inverse_log2
from ebmhw.contract.phi_unit import ERROR_MEANINGS, ERRORS, JOBS, PACKET_HASH, REGISTERS, RESULTS
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BackendUnavailable, CoreStalled, DoesNotFit, EbmhwError, HardwareFault, NotSupported
from ebmhw.phi.layout import PARTIAL, RECORD
from sim.phi_jobs import ROWS, Token, random_entries  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel, PhiModelBus, beats_of_bytes  # noqa: TID251  # tests are no part of the host

SECONDS = 60.0


def unit(entries_max: int = ENTRIES_LIMIT) -> PhiModelBus:
    return PhiModelBus(PhiModel(entries_max))


def meddler(inner: PhiModelBus | None = None) -> Meddler:
    return Meddler(inner or unit(), REGISTERS)


def rows_of(random: Random, count: int, entries: int, code: int, kinds: tuple[str, ...] = (*ROWS, "bits")) -> TokenRows:
    """Return random rows, positions in and out of them, and token ids with all bits in use."""
    bits = np.stack([random_entries(random, entries, code, random.choice(kinds)) for _ in range(count)])
    chosen = [random.choice([NO_POSITION, random.randrange(entries), entries, random.randrange(2 * entries)]) for _ in range(count)]
    ids = [random.getrandbits(32) for _ in range(count)]
    return TokenRows(bits, FORMATS[code], np.array(chosen, dtype=np.uint32), np.array(ids, dtype=np.uint32))


def tokens_of(rows: TokenRows, inverse: int, partial: bool, first_entry: int) -> list[bytes]:
    """Return the packets of rows as the contract's own encoder makes them."""
    common = {"format": FORMATS.index(rows.format), "inverse": inverse, "partial": int(partial), "first_entry": first_entry}
    return [
        Token(bits, chosen=int(chosen), **common).packet(int(token_id))
        for bits, chosen, token_id in zip(rows.bits, rows.chosen, rows.token_ids, strict=True)
    ]


# --- packets and records


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 70), st.integers(0, 2), st.booleans(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_packets_are_those_of_the_layout_and_answers_those_of_the_model(
    seed: int, count: int, entries: int, code: int, partial: bool, first_entry: int
) -> None:
    entries = entries if partial else max(2, entries)
    rows = rows_of(Random(seed), count, entries, code)
    inverse, first_entry = (0, first_entry) if partial else (inverse_log2(entries), 0)
    packets = tokens_of(rows, inverse, partial, first_entry)
    bus, sent = meddler(), []
    bus.jobs = lambda beats: sent.append(beats) or beats  # type: ignore[func-returns-value]
    driver = PhiDriver(bus, "x")
    got = driver.partials(rows, first_entry, SECONDS) if partial else driver.records(rows, inverse, SECONDS)
    assert np.array_equal(sent[0], beats_of_bytes(b"".join(packets)))
    assert got.dtype == (PARTIAL if partial else RECORD) and got.shape == (count,)
    answers = PhiModel(ENTRIES_LIMIT).answers(beats_of_bytes(b"".join(packets)))
    # What follows the header of a packet is the record, byte for byte.
    assert got.tobytes() == b"".join(answer[8:] for answer in answers)


def test_views_of_the_callers_memory_are_sent_as_they_are() -> None:
    wide = np.arange(200, dtype=np.float32).reshape(10, 20)
    rows = TokenRows(wide[::-2, 3:17].view(np.uint32), "float32", np.full(5, 2, dtype=np.uint32), np.arange(5, dtype=np.uint32))
    whole = TokenRows(np.ascontiguousarray(rows.bits), "float32", rows.chosen, rows.token_ids)
    assert np.array_equal(rows.packets(7, False, 0), whole.packets(7, False, 0))
    assert PhiDriver(unit(), "x").records(rows, 7, SECONDS)["argmax"].tolist() == [13] * 5


# --- what answers


@pytest.mark.parametrize(
    ("name", "what", "ours"),
    [
        ("map_hash", "register map", REGISTERS.hash32),
        ("packet_hash", "packets", PACKET_HASH),
        ("contract_hash", "constants and tables", int(contract_digest()[:8], 16)),
    ],
)
def test_a_unit_of_another_contract_is_refused(name: str, what: str, ours: int) -> None:
    bus = meddler()
    bus.registers[name] = 0x12345678
    with pytest.raises(BackendUnavailable) as caught:
        PhiDriver(bus, "x")
    assert str(caught.value) == (
        f"backend 'x': the phi unit was built for {what} of hash 0x12345678, this version of ebmhw has {ours:#010x}; load a phi unit that was built "
        "with this version, or install the version of ebmhw that the phi unit came with"
    )


def test_what_is_no_phi_unit_is_refused() -> None:
    bus = meddler()
    bus.registers["identity"] = 0x45424D49
    with pytest.raises(BackendUnavailable, match=r"'identity' reads 0x45424d49, a phi unit's reads 0x45424d50; load the phi unit's bitstream, or"):
        PhiDriver(bus, "x")


@pytest.mark.parametrize(
    ("register", "word", "message"),
    [
        ("shape", REGISTERS.register("shape").pack(lanes=0, window=64), "0 lanes, this version of ebmhw drives 1 to 255;"),
        ("shape", REGISTERS.register("shape").pack(lanes=8, window=32), "32 bins, this version of ebmhw drives 64;"),
        ("entries_max", 1, "1 entries at the most, this version of ebmhw drives 2 to 524288;"),
        ("entries_max", ENTRIES_LIMIT + 1, "524289 entries at the most, this version of ebmhw drives 2 to 524288;"),
    ],
)
def test_a_unit_of_other_sizes_is_refused(register: str, word: int, message: str) -> None:
    bus = meddler()
    bus.registers[register] = word
    with pytest.raises(BackendUnavailable, match=f"the phi unit says that it has {message}"):
        PhiDriver(bus, "x")


def test_a_word_that_no_unit_shows_is_refused() -> None:
    bus = meddler()
    bus.registers["shape"] = 0xFFFFFFFF
    with pytest.raises(
        BackendUnavailable, match=r"of register 'shape' has bits 0xffff0000 set that no field owns; .*; load a phi unit that was built"
    ):
        PhiDriver(bus, "x")


def test_a_unit_is_reset_and_told_its_limits_before_it_is_used() -> None:
    bus = meddler()
    driver = PhiDriver(bus, "x")
    assert bus.log == []
    rows = rows_of(Random(1), 2, 9, 0)
    driver.records(rows, 5, SECONDS)
    limit = PhiModelBus.stall_cycles
    assert bus.log[:4] == ["abandon", ("write", "control", 1), ("write", "input_limit", limit), ("write", "output_limit", limit)]
    bus.log.clear()
    driver.partials(rows, 5, SECONDS)
    assert [entry[0] for entry in bus.log] == ["exchange"]
    driver.close()
    assert bus.log[-1] == "close"


# --- faults

GOOD = rows_of(Random(11), 6, 21, 0, ("normal", "wide"))
GOOD.chosen[:] = [0, 20, NO_POSITION, 21, 7, 8]
GOOD.token_ids[:] = [4, 5, 6, 7, 2**32 - 1, 9]
INVERSE = inverse_log2(21)
LOGITS = np.random.default_rng(5).normal(0, 4, (40, 33)).astype(np.float32)


def driven(jobs: Callable[[Beats], Beats] | None = None, answer: Callable[[Beats], Beats] | None = None) -> tuple[Meddler, PhiDriver]:
    """Return a driver that is in use, and its bus, meddled with from now on."""
    bus = meddler()
    driver = PhiDriver(bus, "x")
    driver.records(GOOD, INVERSE, SECONDS)
    bus.jobs, bus.answer = jobs or bus.jobs, answer or bus.answer
    return bus, driver


def recovers(bus: Meddler, driver: PhiDriver) -> None:
    """What comes after a failure starts with a reset and is right."""
    due = PhiDriver(unit(), "x").records(GOOD, INVERSE, SECONDS)
    bus.jobs = bus.answer = lambda beats: beats
    bus.log.clear()
    assert np.array_equal(driver.records(GOOD, INVERSE, SECONDS), due)
    assert bus.log[0] == "abandon" and bus.log[1] == ("write", "control", 1)
    bus.log.clear()
    driver.records(GOOD, INVERSE, SECONDS)
    assert "abandon" not in bus.log


PACKET = 2 * (2 + 3)
"""Words of 64 bits of one of the packets of `GOOD`."""


def poke(field: str, value: int, packet: int = 2) -> Callable[[Beats], Beats]:
    """Return a function that overwrites a field of one of the packets of `GOOD`."""
    layout = JOBS.layout("token")
    word, bit = divmod(layout.bit_offset(field), 32)
    bits = {"magic": 16, "version": 8, "length": 32, **{inner.name: inner.bits for inner in layout.fields}}[field]

    def change(beats: Beats) -> Beats:
        words = beats.view("<u4")
        at = 2 * PACKET * packet + word
        words[at] = int(words[at]) & ~(((1 << bits) - 1) << bit) | (value << bit)
        return beats

    return change


@pytest.mark.parametrize(
    ("error", "job", "beat", "jobs"),
    [
        ("magic", 0, 0, poke("magic", 0x4244)),
        ("kind", 0, 0, poke("version", 9)),
        ("length", 6, 0, poke("length", 19)),
        ("length", 6, 1, poke("beats", 2)),
        ("truncated", 9, 3, lambda beats: beats[:-2]),
        ("size", 6, 1, poke("entries", 0)),
        ("size", 6, 1, poke("first_entry", ENTRIES_LIMIT)),
        ("format", 6, 1, poke("format", 3)),
        ("inverse", 6, 1, poke("inverse", (1 << 24) + 1)),
        ("reserved", 6, 1, lambda beats: beats | (np.arange(beats.size) == 2 * PACKET + 2).astype(np.uint64) << np.uint64(31)),
    ],
)
def test_errors_are_told(error: str, job: int, beat: int, jobs: Callable[[Beats], Beats]) -> None:
    bus, driver = driven(jobs)
    with pytest.raises(HardwareFault) as caught:
        driver.records(GOOD, INVERSE, SECONDS)
    assert str(caught.value) == f"backend 'x': the phi unit refused job {job} with the error '{error}' at beat {beat}: {ERROR_MEANINGS[error]}"
    assert caught.value.error == error and caught.value.code == "hardware-fault" and isinstance(caught.value, EbmhwError)
    status = driver.status()
    assert (status["last_error"], status["last_error_job"], status["last_error_beat"]) == (error, job, beat)
    assert driver.counters()["jobs_failed"] == 1
    recovers(bus, driver)


def edited(change: Callable[[list[tuple[str, dict[str, Any]]]], Any]) -> Callable[[Beats], Beats]:
    """Return a function that edits the packets of an answer."""

    def edit(beats: Beats) -> Beats:
        packets = RESULTS.decode(beats.tobytes())
        change(packets)
        return beats_of_bytes(b"".join(RESULTS.layout(name).encode(values) for name, values in packets))

    return edit


def put(packet: int, **fields: int) -> Callable[[Beats], Beats]:
    return edited(lambda packets: packets[packet][1].update(fields))


def added(packet: int, **fields: int) -> Callable[[Beats], Beats]:
    return edited(lambda packets: packets[packet][1].update({name: packets[packet][1][name] + step for name, step in fields.items()}))


ERROR = ("error", {"job_id": 6, "error": 14, "beat": 3, "zero": 0})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (put(3, job_id=8), "'job_id' of a packet 'record' for job 7 is 8, not 7"),
        (edited(lambda packets: packets.reverse()), "'job_id' of a packet 'record' for job 4 is 9, not 4"),
        (edited(lambda packets: packets.pop(0)), "'job_id' of a packet 'record' for job 4 is 5, not 4"),
        (edited(lambda packets: packets.pop()), "the answer of the phi unit ends before the last job is answered"),
        (edited(lambda packets: packets.append(ERROR)), "3 beats follow the answer to the last job"),
        (edited(lambda packets: packets.__setitem__(2, ERROR)), "refused job 6 with the error 'input_stalled' at beat 3: the job stream paused"),
        (
            edited(lambda packets: packets.__setitem__(2, ("error", {**ERROR[1], "error": 200}))),
            "with the error 'code 200' at beat 3: a code that this version does not know",
        ),
        (
            edited(lambda packets: packets.__setitem__(2, ("partial", {**packets[2][1], "kmax": 0, "zero": 0, "sums": 0}))),
            "the phi unit answered job 6 with a packet 'partial' where 'record' was due",
        ),
        (lambda beats: beats[:-1], "a packet 'record' announces 18 words, 8 beats are left of the answer"),
        (lambda beats: beats[:0], "the answer of the phi unit ends before the last job is answered"),
        (lambda beats: beats ^ (np.arange(beats.size) == 9).astype(np.uint64), f"has 0x000000120101{MAGIC ^ 1:04x} at beat 9, where a packet should"),
        (lambda beats: beats ^ (np.arange(beats.size) == 9).astype(np.uint64) << np.uint64(24), "where a packet should begin"),
        (lambda beats: beats ^ (np.arange(beats.size) == 9).astype(np.uint64) << np.uint64(32), "announces 19 words, 45 beats are left"),
        (
            lambda beats: beats ^ (np.arange(beats.size) == 9).astype(np.uint64) << np.uint64(33),
            "packet 'record' has 16 words, its fields alone take 18",
        ),
        (added(1, valid=1), "'valid' 22, 'masked' 0, 'excluded' 0; they make the 21 entries of a row"),
        (put(1, flags=1 << 6), "'flags' 64, .*; flags are set for what they are about"),
        (put(0, argmax=21), "'argmax' 21, 'valid' 21; the row's positions are 0 to 20"),
        (put(0, chosen=1), "'chosen' 1, 'valid' 21; it is the entry that was asked for, the row's positions are 0 to 20"),
        (put(1, z2=2**31 - 1), "'z1' -?[0-9]+, 'z2' 2147483647, 'valid' 21; z1 is the largest z"),
        (put(1, z2=-(2**31)), "'z2' -2147483648, 'valid' 21; z1 is the largest z"),
        (put(1, z_chosen=2**31 - 1), "'z_chosen' 2147483647, .*; no z is above the largest"),
        (put(2, z_chosen=-1), "'z_chosen' -1, .*; no z is above the largest"),
        (added(1, phi=1), f"'entropy' [0-9]+, 'phi' [0-9]+; phi follows from the entropy and INV {INVERSE}"),
        (added(2, log2_z=-(1 << 40)), "'log2_z' -?[0-9]+, 'z1' -?[0-9]+; a sum is not below its largest term"),
        (added(1, chosen_log2p=-1), "a log-probability follows from z and log2_z"),
    ],
)
def test_nonsense_is_not_used(answer: Callable[[Beats], Beats], message: str) -> None:
    bus, driver = driven(answer=answer)
    with pytest.raises(HardwareFault, match=message) as caught:
        driver.records(GOOD, INVERSE, SECONDS)
    assert not isinstance(caught.value, CoreStalled) and str(caught.value).startswith("backend 'x': ")
    recovers(bus, driver)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (put(1, phi=1), "'phi' 1, 'zero' 0; a shard has 0 there"),
        (put(1, zero=1), "'phi' 0, 'zero' 1; a shard has 0 there"),
        (added(1, kmax=1), "'kmax' -?[0-9]+, 'z1' -?[0-9]+; the largest bin is that of the largest z"),
        (put(1, sums=0), "64 pairs 0 <= T <= S are sums of weights"),
        (put(1, sums=(1 << 8192) - 1), "64 pairs 0 <= T <= S are sums of weights"),
        (put(0, flags=0), "'flags' 0, .*; flags are set for what they are about"),
    ],
)
def test_nonsense_of_a_shard_is_not_used(answer: Callable[[Beats], Beats], message: str) -> None:
    bus, driver = driven(answer=answer)
    with pytest.raises(HardwareFault, match=message):
        driver.partials(GOOD, 0, SECONDS)
    recovers(bus, driver)


def test_what_no_rule_sees_is_a_number_that_only_the_entries_tell() -> None:
    """Any flipped bit of an answer is refused, or is in a number that follows from nothing else in the record."""
    beats = PhiModel(ENTRIES_LIMIT).answer(GOOD.packets(INVERSE, False, 0))
    due = take_answers(PacketReader(beats, PHI, "x"), "record", GOOD, INVERSE, 0)
    unseen: dict[str, int] = {}
    for bit in range(64 * beats.size):
        flipped = beats.copy()
        flipped[bit // 64] ^= np.uint64(1 << bit % 64)
        try:
            got = take_answers(PacketReader(flipped, PHI, "x"), "record", GOOD, INVERSE, 0)
        except HardwareFault:
            continue
        names = [name for name in RECORD.names or () if not np.array_equal(got[name], due[name])]
        assert len(names) == 1, (bit, names)
        unseen[names[0]] = unseen.get(names[0], 0) + 1
    # Nothing else in a record tells whether an entry was clipped.
    assert unseen["flags"] == 2 * 6 and unseen.keys() <= {"flags", "argmax", "z1", "z2", "log2_z", "entropy"}
    assert sum(unseen.values()) < 0.2 * 64 * beats.size, unseen


# --- stalls and interrupts


def test_a_stall_is_told_with_the_state_of_the_unit() -> None:
    def stall(beats: Beats) -> Beats:
        raise CoreStalled("it took 3 of 9 beats", b"12345678")

    bus, driver = driven(answer=stall)
    bus.registers["status"] = REGISTERS.register("status").pack(state="waiting", tokens=2, output_stalled=1)
    with pytest.raises(CoreStalled) as caught:
        driver.records(GOOD, INVERSE, SECONDS)
    assert str(caught.value) == (
        "backend 'x': it took 3 of 9 beats; it is waiting, output_stalled, its last error is no_error; it is reset before the next run"
    )
    assert caught.value.arrived == b"12345678" and caught.value.code == "core-stalled"
    bus.registers["status"] = 0xFFFFFFFF
    with pytest.raises(CoreStalled, match=r"its registers do not answer either .*0xffffffff of register 'status'"):
        driver.records(GOOD, INVERSE, SECONDS)
    del bus.registers["status"]
    recovers(bus, driver)


def test_a_fault_of_the_bus_is_told() -> None:
    def fail(beats: Beats) -> Beats:
        raise HardwareFault("the DMA engine failed to transfer the jobs")

    bus, driver = driven(jobs=fail)
    with pytest.raises(HardwareFault, match=r"^backend 'x': the DMA engine failed to transfer the jobs$"):
        driver.records(GOOD, INVERSE, SECONDS)
    recovers(bus, driver)


def test_an_interrupted_exchange_leaves_a_unit_that_is_reset() -> None:
    def interrupted(beats: Beats) -> Beats:
        raise KeyboardInterrupt

    bus, driver = driven(jobs=interrupted)
    with pytest.raises(KeyboardInterrupt):
        driver.records(GOOD, INVERSE, SECONDS)
    recovers(bus, driver)


def test_ctrl_c_ends_a_measurement_between_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phi_rows, "EXCHANGE_WORDS", 1)
    bus = meddler()
    made = phi_backend(bus)
    due = made.phi(LOGITS)
    bus.log.clear()

    def interrupt(beats: Beats) -> Beats:
        if len(bus.exchanges) == 3:
            signal.raise_signal(signal.SIGINT)
        return beats

    bus.answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        made.phi(LOGITS)
    assert len(bus.exchanges) == 3
    bus.answer = lambda beats: beats
    assert made.phi(LOGITS) == due
    # The exchange was brought to its end, so that nothing had to be reset.
    assert "abandon" not in bus.log


# --- what users see


def test_counters_and_status() -> None:
    driver = PhiDriver(unit(), "x")
    driver.records(GOOD, INVERSE, SECONDS)
    counters = driver.counters()
    assert set(counters) == {*PHI.counters, "jobs_done", "jobs_failed"} and "stall_finish" in counters
    assert (counters["beats"], counters["jobs_done"], counters["jobs_failed"]) == (3 * 6, 6, 0)
    status = driver.status()
    assert status == {
        "build": "0x00005eed",
        "state": "idle",
        "tokens": 0,
        "input_stalled": False,
        "output_stalled": False,
        "last_error": "no_error",
        "last_error_job": 0,
        "last_error_beat": 0,
    }
    driver.clear_counters()
    assert set(driver.counters().values()) == {0}


def test_every_error_of_the_unit_has_a_meaning() -> None:
    assert set(ERROR_MEANINGS) == set(ERRORS) - {"no_error"}


# --- whole measurements


def words(made: ModelBackend, **options: Any) -> np.ndarray:
    return made.phi(LOGITS, **options).array


def test_units_share_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    due = words(phi_backend())
    buses = [meddler() for _ in range(3)]
    made = phi_backend(*buses)
    assert np.array_equal(words(made), due)
    assert all(len(bus.exchanges) == 1 for bus in buses)
    assert [driver.counters()["jobs_done"] for driver in made.phi_drivers] == [14, 14, 12]
    monkeypatch.setattr(phi_rows, "EXCHANGE_WORDS", 1)
    assert np.array_equal(words(made), due)
    assert sum(len(bus.exchanges) for bus in buses) == 3 + 40


def test_short_measurements_take_one_exchange_and_long_ones_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)
    bus = meddler()
    made = phi_backend(bus)
    result = made.phi(LOGITS)
    assert len(bus.exchanges) == 1 and result.info["exchanges"] == 1 and result.info["units"] == 1 and result.info["build"] == "0x00005eed"
    made._phi_units.rate = 1.0
    monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 0.0)
    made.phi(LOGITS)
    assert len(bus.exchanges) >= 3


def test_threads_share_a_unit() -> None:
    made, results = phi_backend(), []
    others = [np.roll(LOGITS, shift, axis=1) for shift in range(6)]
    together = [threading.Thread(target=lambda rows=rows: results.append((rows, made.phi(rows)))) for rows in others]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(results) == 6
    for rows, found in results:
        assert np.array_equal(found.array, phi_backend().phi(rows).array)


def test_an_exchange_has_time_enough() -> None:
    seconds: list[float] = []
    bus = meddler()
    made = phi_backend(bus)
    inner = bus.inner.exchange
    bus.inner.exchange = lambda jobs, room, limit: seconds.append(limit) or inner(jobs, room, limit)  # type: ignore[method-assign,func-returns-value]
    made.phi(LOGITS)
    assert seconds and min(seconds) >= 30


def test_rows_that_do_not_fit_are_refused_before_anything_is_sent() -> None:
    bus = meddler(unit(64))
    made = phi_backend(bus)
    with pytest.raises(
        DoesNotFit, match=r"logits have 65 entries a row, which end at position 65 .*; backend 'model' takes 64; use get_backend\('cpu'\)"
    ):
        made.phi(np.zeros((2, 65), dtype=np.float32))
    with pytest.raises(DoesNotFit, match="logits have 33 entries a row, which end at position 65 of the vocabulary"):
        made.phi_partial(LOGITS, first_entry=32)
    assert bus.log == []
    made.phi_partial(LOGITS, first_entry=31)
    assert made.phi(np.zeros((2, 64), dtype=np.float32)).array.shape == (2,)


def test_a_backend_without_a_unit_says_so() -> None:
    from cores import backend

    made = backend()
    assert made.capabilities.units == ("ising",) and phi_backend().capabilities.units == ("ising", "phi")
    for ask in (lambda: made.phi(LOGITS), lambda: made.phi_drivers):
        with pytest.raises(NotSupported, match="backend 'model' has no phi unit; its units are ising"):
            ask()
