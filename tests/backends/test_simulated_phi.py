"""The phi unit's Verilog on the simulated bus: whatever is sent, with whatever pauses, is answered as by its model."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from cores import library

import ebmhw.rtl
from ebmhw.backends.simulated import SimulatedBus
from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from ebmhw.contract.phi_unit import ERRORS, IDENTITY, REGISTERS, RESULTS
from ebmhw.errors import CoreStalled, HardwareFault
from sim.phi_jobs import Token, random_token  # noqa: TID251  # tests are no part of the host
from sim.phi_model import PhiModel  # noqa: TID251


def words_of(packets: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(packets), dtype="<u8")


def batch(random: Random) -> list[bytes]:
    """Return a few packets of short rows."""
    return [random_token(random, ENTRIES_LIMIT, most=random.choice([8, 40, 300])).packet(random.getrandbits(32)) for _ in range(random.randint(1, 6))]


def spoilt(words: np.ndarray, random: Random) -> np.ndarray:
    """Return a batch with a bit changed, or cut off, or as it is."""
    words = words.copy()
    match random.randrange(4):
        case 0:
            words[random.randrange(words.size)] ^= np.uint64(1 << random.randrange(64))
        case 1:
            words = words[: 2 * random.randint(1, words.size // 2)]
    return words


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))])
def test_whatever_is_sent_is_answered_as_by_the_model(seed: int) -> None:
    random = Random(seed)
    for _ in range(4):
        pauses = (random.randrange(200), random.randrange(200)) if random.random() < 0.5 else (0, 0)
        bus, model = SimulatedBus(library("phi_unit"), pauses=pauses, seed=seed), PhiModel(ENTRIES_LIMIT)
        for _ in range(8):
            words = spoilt(words_of(batch(random)), random)
            due = model.answer(words)
            got = bus.exchange(words, due.size + 64, 60.0)
            assert np.array_equal(got, due), f"{RESULTS.decode(got.tobytes())}\nnot\n{RESULTS.decode(due.tobytes())}"


@pytest.mark.slow
@pytest.mark.parametrize("undefined", ["zeros", "ones", "random"])
def test_undefined_bits_change_nothing(undefined: str) -> None:
    for seed in range(3):
        random = Random(seed)
        bus, model = SimulatedBus(library("phi_unit", "unique"), undefined=undefined, seed=seed), PhiModel(ENTRIES_LIMIT)
        for _ in range(20):
            words = words_of(batch(random))
            due = model.answer(words)
            assert np.array_equal(bus.exchange(words, due.size, 60.0), due)


def test_both_halves_of_a_beat_arrive() -> None:
    """Each word is a half of its own: a row whose entries all differ, its words one by one at every place of a beat."""
    bus, model = SimulatedBus(library("phi_unit")), PhiModel(ENTRIES_LIMIT)
    for shift in range(8):
        entries = np.roll(np.arange(1.0, 9.0), shift).astype(np.float16).view(np.uint16)
        words = words_of([Token(entries, 0, 1 << 22, chosen=shift).packet(shift)])
        due = model.answer(words)
        assert np.array_equal(bus.exchange(words, due.size, 60.0), due)


def test_half_a_beat_is_refused() -> None:
    bus = SimulatedBus(library("phi_unit"))
    with pytest.raises(ValueError, match="the jobs have 3 words of 64 bits; give whole beats, 2 words each"):
        bus.exchange(np.zeros(3, dtype=np.uint64), 8, 1.0)
    ((name, values),) = RESULTS.decode(bus.exchange(np.zeros(4, dtype=np.uint64), 8, 1.0).tobytes())
    assert (name, values["error"]) == ("error", ERRORS["magic"])


def test_registers_are_those_of_the_unit() -> None:
    bus = SimulatedBus(library("phi_unit"), pauses=(100, 100))
    assert bus.read(REGISTERS.register("identity").offset) == IDENTITY
    assert bus.read(REGISTERS.register("build").offset) == ebmhw.rtl.find("small").sidecar.build
    with pytest.raises(HardwareFault, match="a read of register 0xfc with response 2; there is no such register"):
        bus.read(0xFC)


def test_beats_are_what_is_told() -> None:
    """A message counts beats of the job stream, which are two words each here."""
    bus = SimulatedBus(library("phi_unit"), cycle_limit=300)
    words = words_of([Token(np.zeros(4000, dtype=np.uint16), 0, 1 << 20).packet(1)])
    with pytest.raises(CoreStalled, match=r"did not answer within 30[0-9] cycles: it took ([0-9]+) of 502 beats and gave 0 of at most 9$") as stalled:
        bus.exchange(words, 9, 60.0)
    taken = int(str(stalled.value).partition("it took ")[2].partition(" ")[0])
    assert 100 < taken <= 300
