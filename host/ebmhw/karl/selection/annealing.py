"""The quadratic choice on a sampler: annealed on any backend, mended, then improved by swaps."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.errors import InvalidRun, ValidationError, shown
from ebmhw.karl.selection.energy import ChoiceEnergy
from ebmhw.karl.selection.mending import is_right, mended
from ebmhw.numbers import whole
from ebmhw.problems.subset_bounds import SubsetCosts
from ebmhw.schedule import Schedule

READS, SWEEPS = 16, 400

READS_LIMIT, SWEEPS_LIMIT = 4096, 100_000
"""Each read is mended and improved by itself, and at 2,048 sessions a sweep of one takes a millisecond or more."""

HOT, COLD = 8.0, 40.0
"""Betas of the ramp, in units of 1 / standard deviation of what an item costs next to the reference.

Of five sets of 1,000 sessions, 100 chosen, two seeds each, four of ten ended up to .02 below greedy and swaps on a ramp from 1 to 100, none on
this one."""


class Annealed(NamedTuple):
    """The best choice of a run.

    Attributes
    ----------
    chosen : bool (n,)
    info : what the sampler alone found, and what was done to it
    """

    chosen: npt.NDArray[np.bool_]
    info: dict[str, Any]


def check_runs(reads: object, sweeps: object) -> None:
    """Raise ValidationError for reads or sweeps that are not allowed."""
    for name, value, most in (("reads", reads, READS_LIMIT), ("sweeps", sweeps, SWEEPS_LIMIT)):
        if not 1 <= (whole(value) or 0) <= most:
            raise ValidationError(f"{name} is {shown(value)}; give a whole number, 1 to {most}")


def anneal(
    costs: SubsetCosts,
    reference: npt.NDArray[np.bool_],
    backend: SamplerBackend | str | None,
    reads: int,
    sweeps: int,
    seed: int | None,
) -> Annealed:
    """Return the best of the choices that a backend's reads stand for, each mended and improved by the best swaps until none pays.

    Parameters
    ----------
    costs : of the choice
    reference : a right choice, by which `ChoiceEnergy` sets its prices; no read starts at it
    backend, reads, sweeps, seed : as of `ebmhw.get_backend` and `SamplerBackend.run`
    """
    check_runs(reads, sweeps)
    sampler = get_backend(backend) if backend is None or isinstance(backend, str) else backend
    if not isinstance(sampler, SamplerBackend):
        raise InvalidRun(f"backend is {shown(backend)}; give a name such as 'cpu', or what get_backend returns")
    started = time.perf_counter()
    program = (energy := ChoiceEnergy(costs, reference)).model.compile()
    spread = float((costs.items + costs.pairs[:, reference].sum(axis=1)).std())
    unit = 1.0 / spread if spread > 0 else 1.0
    schedule = Schedule.geometric(HOT * unit, COLD * unit, sweeps).divided(program.scale)
    compiled = time.perf_counter()
    draws = sampler.run(program, schedule, reads=reads, seed=seed, rule="metropolis")
    sampled_at = time.perf_counter()
    best: npt.NDArray[np.bool_] | None = None
    best_cost, sampled, swaps, repaired, away = math.inf, math.inf, 0, 0, 0
    # Equal reads lead to the same choice.
    for state in np.unique(draws.best_spins, axis=0):
        drawn = state > 0
        right = is_right(costs, drawn)
        repaired += not right
        away = max(away, abs(int(drawn.sum()) - costs.size))
        made = drawn if right else mended(costs, drawn)
        sampled = min(sampled, costs.cost(made))
        better = costs.improved(made)
        cost = costs.cost(better)
        if cost < best_cost:
            best, best_cost, swaps = better, cost, int((better != made).sum()) // 2
    assert best is not None
    return Annealed(
        best,
        {
            "backend": draws.info["backend"],
            "seed": draws.info["seed"],
            "reads": draws.reads,
            "sweeps": draws.sweeps,
            "sampled_objective": -sampled,
            "swaps": swaps,
            "mended_reads": repaired,
            "largest_size_error": away,
            "reference_objective": -costs.cost(reference),
            "quantisation_error": program.quantisation_error,
            "curvature": energy.curvature,
            "program": program.digest,
            "compiling_s": compiled - started,
            "sampling_s": sampled_at - compiled,
            "polishing_s": time.perf_counter() - sampled_at,
        },
    )
