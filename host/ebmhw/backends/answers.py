"""What a core answers, packet by packet, refused unless it is what the jobs must give."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.identity import CoreShape
from ebmhw.backends.jobs import Job, JobResult
from ebmhw.backends.packing import PackedProblem, numbers_of_planes, states_of_words
from ebmhw.contract.ising_core import ERROR_MEANINGS, ERRORS, RESULTS
from ebmhw.contract.packets import MAGIC
from ebmhw.contract.registers import WORD_BITS
from ebmhw.contract.stream import STATE_WORDS
from ebmhw.errors import ContractError, HardwareFault

Sections = dict[str, dict[str, npt.NDArray[Any]]]

_CODECS = {layout.code: PacketCodec(layout) for layout in RESULTS.layouts}
_LOADED, _SAMPLE, _DRAWS = (_CODECS[RESULTS.layout(name).code] for name in ("loaded", "sample", "draws"))
_ERROR_NAMES = {code: name for name, code in ERRORS.items()}

LOADED_BEATS = _LOADED.beats()
"""Stream beats of the answer to a problem packet."""


def draws_beats(shape: CoreShape, n: int) -> int:
    """Return the stream beats of a `draws` packet of n spins."""
    return _DRAWS.beats(planes=sum(shape.number_bits), rows=n, lanes=shape.lanes, checks=1)


def sample_beats(problem: PackedProblem) -> int:
    """Return the stream beats of one sample."""
    return _SAMPLE.beats(rows=problem.rows_executed)


@final
class Answer:
    """The answer to a batch of jobs, read from its beginning.

    Parameters
    ----------
    beats : the answer
    shape : of the core
    backend : name for messages

    Raises
    ------
    HardwareFault
        By each method: the next packet is an error (the text says what its code means), or not what was due.
    """

    def __init__(self, beats: Beats, shape: CoreShape, backend: str) -> None:
        self._beats, self._shape, self._backend = beats, shape, backend
        self._at = 0

    def loaded(self, problem: PackedProblem, job_id: int) -> None:
        """Take the answer to a problem packet."""
        self._take("loaded", job_id, program_id=problem.program_id, rows=problem.n, beats=problem.beats)

    def result(self, problem: PackedProblem, job: Job, job_id: int) -> JobResult:
        """Take the answer to a run packet."""
        lanes, n, executed = self._shape.lanes, problem.n, problem.rows_executed
        samples = np.empty((lanes, job.samples if executed else 0, n), dtype=np.int8)
        samples[:, :, job.clamped] = job.clamp_values[:, None, :]
        for k in range(samples.shape[1]):
            state = self._take("sample", job_id, sweep=job.keep_first + k * job.keep_every, rows=executed, lanes=lanes)["state"]["lanes"]
            samples[:, k, problem.order[:executed]] = states_of_words(state, lanes)
        widths = self._shape.number_bits
        expected = {"program_id": problem.program_id, "first_read": job.first_read, "sweeps": job.total}
        sections = self._take("draws", job_id, **expected, planes=sum(widths), rows=n, lanes=lanes, checks=1)
        failed = int(sections["check"]["lanes"][0])
        if failed:
            raise HardwareFault(
                f"backend {self._backend!r}: the self-test of job {job_id} failed in lanes {failed:#x}: {ERROR_MEANINGS['energy']}", "energy"
            )
        planes = [sections["plane"]["lanes"][start:stop] for start, stop in pairwise(np.cumsum((0, *widths)).tolist())]
        half, best_half, best_sweep, flips = (numbers_of_planes(part, lanes, signed=k < 2) for k, part in enumerate(planes))
        spins = np.empty((lanes, n), dtype=np.int8)
        spins[:, problem.order] = states_of_words(sections["last"]["lanes"], lanes)
        return JobResult(
            spins=spins,
            energy=problem.energy_of_plus + 2 * half,
            best_spins=states_of_words(sections["best"]["lanes"], lanes),
            best_energy=problem.energy_of_plus + 2 * best_half,
            best_sweep=best_sweep,
            flips=flips,
            random=np.stack([sections["random"][f"word{k}"] for k in range(STATE_WORDS)], axis=1).astype(np.uint32),
            samples=samples,
        )

    def end(self) -> None:
        """Refuse what follows the last job's answer."""
        if self._at < self._beats.size:
            self._nonsense(f"{self._beats.size - self._at} beats follow the answer to the last job")

    def _take(self, name: str, job_id: int, **expected: int) -> Sections:
        """Return the sections of the next packet."""
        codec, packet = self._packet()
        kind = codec.layout.name
        try:
            fields, sections = codec.decode(packet)
        except ContractError as error:
            self._nonsense(str(error))
        if kind == "error":
            error_name = _ERROR_NAMES.get(fields["error"], f"code {fields['error']}")
            raise HardwareFault(
                f"backend {self._backend!r}: the core refused job {fields['job_id']} with the error '{error_name}' at beat {fields['beat']}: "
                f"{ERROR_MEANINGS.get(error_name, 'a code that this version does not know')}",
                error_name,
            )
        if kind != name:
            self._nonsense(f"the core answered job {job_id} with a packet '{kind}' where '{name}' was due")
        for field, value in {"job_id": job_id, **expected}.items():
            if fields[field] != value:
                self._nonsense(f"'{field}' of a packet '{name}' for job {job_id} is {fields[field]}, not {value}")
        return sections

    def _packet(self) -> tuple[PacketCodec, Beats]:
        """Return the next packet and what decodes it."""
        left = self._beats.size - self._at
        if not left:
            self._nonsense("the answer of the core ends before the last job is answered")
        head = int(self._beats[self._at])
        codec = _CODECS.get(head >> 16 & 0xFF)
        if codec is None or head & 0xFFFF != MAGIC or head >> 24 & 0xFF != codec.layout.version:
            self._nonsense(f"the answer of the core has {head:#018x} at beat {self._at}, where a packet should begin")
        beats, rest = divmod(head >> WORD_BITS, codec.words_a_beat)
        if rest or not 0 < beats <= left:
            self._nonsense(f"a packet '{codec.layout.name}' announces {head >> WORD_BITS} words, {left} beats are left of the answer")
        packet = self._beats[self._at : self._at + beats]
        self._at += beats
        return codec, packet

    def _nonsense(self, what: str) -> NoReturn:
        raise HardwareFault(
            f"backend {self._backend!r}: {what}; nothing of the answer is used. Run again (the core is reset first); if it happens again, "
            "load the core anew"
        )
