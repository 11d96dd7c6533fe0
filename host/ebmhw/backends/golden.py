"""The golden model as a backend: slow, and the judge of all others."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import Progress, RunRequest
from ebmhw.contract.formats import BIAS_BITS, RULES
from ebmhw.errors import InvalidRun, shown
from ebmhw.golden.drive import Driver, JaxDriver, NumpyDriver
from ebmhw.golden.measure import RowMeter, float32_bits
from ebmhw.golden.rows import padded_rows
from ebmhw.golden.step import Chain
from ebmhw.phi.layout import PARTIAL, RECORD
from ebmhw.phi.request import PhiRequest

_LONGEST_STEP = 64
"""Sweeps of one call of a driver; powers of two up to this keep JAX to seven compilations a program."""

_BLOCK_ENTRIES = 1 << 18
"""Entries of logits measured at a time; each takes about 200 bytes of temporary arrays."""


@final
class GoldenBackend(SamplerBackend):
    """Samples, and measures logits, with the golden model.

    Parameters
    ----------
    arrays : "numpy" (a Python loop, no set-up) or "jax" (compiled for each program's shape, much faster; needs ebmhw[jax])
    """

    def __init__(self, arrays: str = "numpy") -> None:
        drivers: dict[str, type[Driver]] = {"numpy": NumpyDriver, "jax": JaxDriver}
        if not isinstance(arrays, str) or arrays not in drivers:
            raise InvalidRun(f"arrays is {shown(arrays)}; give 'numpy' or 'jax'")
        self.arrays = arrays
        self._driver = drivers[arrays]()
        self._meter = RowMeter(arrays)

    @property
    def name(self) -> str:
        return "golden"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(("ising", "phi"), 1, 2**20, 2**20, BIAS_BITS, BIAS_BITS, RULES)

    def _execute(self, request: RunRequest) -> Draws:
        program, identity, before = request.program, request.identity, request.sweeps_before
        rows = padded_rows(program, request.clamped)
        chain = self._begin(request)
        kept: list[npt.NDArray[np.int8]] = []
        if request.resume is not None and request.resume.kept is not None:
            kept = list(request.resume.kept.transpose(1, 0, 2))
        done, total = 0, request.sweeps
        while done < total and not (done > 0 and request.stop.now):
            count = self._step_length(request, done)
            chain = self._driver.sweeps(rows, chain, request.words(done, count), before + done, identity.rule)
            done += count
            if request.kept_after(before + done) > len(kept):
                kept.append(chain.spins[:, :-1].copy())
            if request.progress is not None:
                best, mean = int(chain.best_energy.min()), float(chain.energy.mean())
                request.progress(Progress(request.reads if done == total else 0, request.reads, done, total, done / total, best, mean))
        reads, n = request.reads, program.n
        return Draws(
            spins=np.ascontiguousarray(chain.spins[:, :-1]),
            energy=chain.energy,
            best_spins=np.ascontiguousarray(chain.best_spins[:, :-1]),
            best_energy=chain.best_energy,
            best_sweep=chain.best_sweep,
            flips=chain.flips,
            kept=None if request.kept is None else np.array(kept, dtype=np.int8).reshape(len(kept), reads, n).transpose(1, 0, 2).copy(),
            clamped=request.clamped,
            clamp_values=request.clamp_values,
            sweeps=before + done,
            random=chain.random,
            identity=identity,
            info={"arrays": self.arrays},
        )

    def _phi(self, request: PhiRequest) -> npt.NDArray[np.void]:
        request.info.update(arrays=self.arrays)
        answers = np.zeros(request.count, dtype=PARTIAL if request.partial else RECORD)
        step = max(1, _BLOCK_ENTRIES // request.entries)
        for start in range(0, request.count, step):
            if request.stop.now:
                break
            stop = min(start + step, request.count)
            bits, chosen = float32_bits(request.bits(start, stop), request.format), request.chosen[start:stop]
            if request.partial:
                fields = self._meter.partials(bits, chosen, request.first_entry)
            else:
                fields = self._meter.records(bits, chosen, request.inverse)
            for name, values in fields.items():
                answers[name][start:stop] = values
        answers["job_id"] = request.token_ids
        return answers

    def _step_length(self, request: RunRequest, done: int) -> int:
        """Return the largest power of two that ends neither past the schedule nor past the next sample to keep."""
        left = request.sweeps - done
        every = request.identity.keep_every
        if every:
            number = request.sweeps_before + done
            samples = request.kept_after(number)
            left = min(left, request.identity.burn_in + (samples + 1) * every - number)
        return min(_LONGEST_STEP, 1 << (left.bit_length() - 1))

    def _begin(self, request: RunRequest) -> Chain:
        resume, program, reads = request.resume, request.program, request.reads
        if resume is not None:
            energy, flips, best_energy, best_sweep = (a.copy() for a in (resume.energy, resume.flips, resume.best_energy, resume.best_sweep))
            spins, best = _with_plus_one(resume.spins), _with_plus_one(resume.best_spins)
            return Chain(spins, resume.random.copy(), energy, flips, best, best_energy, best_sweep)
        numbers = np.arange(reads, dtype=np.uint32) + np.uint32(request.identity.first_read)
        random = self._driver.random(request.identity.seed, numbers)
        if request.initial is None:
            states, random = self._driver.draw_states(random, program.n)
        else:
            states = request.initial.copy()
        states[:, request.clamped] = request.clamp_values
        energy = program.energy(states)
        zeros = np.zeros(reads, dtype=np.int64)
        spins = _with_plus_one(states)
        return Chain(spins, random, energy, zeros, spins.copy(), energy.copy(), zeros.copy())


def _with_plus_one(states: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Append the spin that is always +1 and stands in unused places of rows."""
    return np.concatenate([states, np.ones((states.shape[0], 1), dtype=np.int8)], axis=1)
