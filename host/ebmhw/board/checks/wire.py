"""Packets as they are sent, past the drivers that would never send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.packing import pack_problem
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.backends.units import ISING, PHI
from ebmhw.contract.phi_formats import NO_POSITION, inverse_log2
from ebmhw.program import Program
from ebmhw.schedule import Schedule, beta_word

RUN: Final = PacketCodec(ISING.unit.jobs.layout("run"))
PROBLEM: Final = PacketCodec(ISING.unit.jobs.layout("problem"))
TOKEN: Final = PacketCodec(PHI.unit.jobs.layout("token"))


@final
@dataclass(frozen=True)
class Load:
    """A problem and a run of it for an Ising core, or a row for a phi unit: what is sent to see whether a unit works.

    Attributes
    ----------
    packets : one after the other
    room : words that the answer may take
    sections : where within the first packet the fields end, in 32-bit words
    """

    packets: tuple[Beats, ...]
    room: int

    @property
    def batch(self) -> Beats:
        """All packets, end to end."""
        return np.concatenate(self.packets)


def core_load(driver: IsingDriver, program: Program, sweeps: int, job_id: int = 7) -> Load:
    """Return a load of a core: a program and a run of so many sweeps."""
    problem = pack_problem(program, np.zeros(0, dtype=np.int32), driver.shape.slots, driver.shape.beats_max, "self-test")
    schedule = Schedule.constant(0.02, sweeps)
    fields = {"job_id": job_id + 1, "program_id": problem.program_id, "seed": 99, "first_read": 0, "rule": 0, "keep_first": 0, "keep_every": 1}
    words = {"beta": np.array([beta_word(float(schedule.betas[0]))]), "sweeps": np.array([sweeps])}
    loaded = ISING.results[ISING.unit.results.layout("loaded").code].beats()
    shape = driver.shape
    draws = ISING.results[ISING.unit.results.layout("draws").code].beats(planes=sum(shape.number_bits), rows=problem.n, lanes=shape.lanes, checks=1)
    return Load((problem.packet(job_id), RUN.encode(fields, {"schedule": words})), loaded + draws)


def phi_load(driver: PhiDriver, entries: int = 37, job_id: int = 7) -> Load:
    """Return a load of a phi unit: a row of float16 with a last beat that is not full."""
    row = (np.arange(entries) % 11 - 4).astype(np.float16).view(np.uint16).reshape(1, -1)
    ids, none = np.array([job_id], dtype=np.uint32), np.array([NO_POSITION], dtype=np.uint32)
    packet = TokenRows(row, "float16", none, ids).packets(inverse_log2(entries), False, 0)
    return Load((packet,), PHI.results[PHI.unit.results.layout("record").code].beats() * PHI.unit.results.beat_bytes // 8)


def load_of(driver: UnitDriver) -> Load:
    """Return a short load of a unit."""
    if isinstance(driver, IsingDriver):
        rows = [(0, 3, ((5, (1,)), (-7, (2,)))), (1, -2, ((5, (0,)), (9, (2,)))), (2, 1, ((-7, (0,)), (9, (1,))))]
        return core_load(driver, Program.from_rows(3, rows), 3)
    assert isinstance(driver, PhiDriver)
    return phi_load(driver)


def error_in(driver: UnitDriver, answer: Beats) -> tuple[str, int, int] | None:
    """Return (name, job, words) of the error packet that an answer begins with, None where it begins with another or with none."""
    kind = driver.kind
    codec = PacketCodec(kind.unit.results.layout("error"))
    words = codec.beats() * codec.words_a_beat // 2
    if answer.size < words or int(answer[0]) >> 16 & 0xFF != codec.layout.code:
        return None
    fields, _ = codec.decode(answer[:words])
    return kind.error_names.get(fields["error"], f"code {fields['error']}"), fields["job_id"], words


def poked(packet: Beats, word: int, value: int, bits: int = 32, bit: int = 0) -> Beats:
    """Return a packet with bits of a 32-bit word overwritten."""
    changed: Beats = packet.copy()
    words = changed.view(np.uint32)
    mask = ((1 << bits) - 1) << bit
    words[word] = int(words[word]) & ~mask | value << bit & mask
    return changed
