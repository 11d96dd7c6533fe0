"""repair: descent on the constraints that do not hold, which never ends worse than the best point it met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, above, count, jnp, key_of, point, precision
from ebmhw.energy.bounds import Box, box
from ebmhw.energy.composed import ComposedEnergy, EnergyReport
from ebmhw.energy.descent_steps import Settings, advance, draw, first
from ebmhw.errors import InvalidModel, InvalidRun, shown
from ebmhw.numbers import real_number
from ebmhw.stopping import Stop


@final
@dataclass(frozen=True, eq=False)
class Repaired:
    """The best point that a repair met, and how it went.

    Attributes
    ----------
    x : (input_dim,) float64
    satisfied : whether all constraints hold at x, within their tolerances: these are of energies, so 1e-6 allows a residual of 0.001
    report : what each constraint says of x
    stopped_by : "satisfied", "steps", "stalled" (no step lowers the merit any more; noise or another start may help), "time limit" or "interrupted"
    steps : steps that were taken
    best_step : the step after which x was met, 0 for the start
    energies : float64 (steps + 1, constraints), the energy of each constraint at the start and after each step, without weights
    names : the constraints, in the order of `energies`
    seed : what noise and random steps were drawn from
    """

    x: FloatArray
    satisfied: bool
    report: EnergyReport
    stopped_by: str
    steps: int
    best_step: int
    energies: FloatArray
    names: tuple[str, ...]
    seed: int

    def __repr__(self) -> str:
        said = "all constraints hold" if self.satisfied else f"{len(self.report.failing)} of {len(self.names)} constraints fail"
        return f"Repaired({said}, stopped by {self.stopped_by} after {self.steps} steps)"


def repair(
    energy: ComposedEnergy,
    x: Any,
    steps: int = 500,
    step_size: float = 0.1,
    noise: float = 0.0,
    random_step: bool = False,
    seed: int = 0,
    tolerance: float | None = None,
    bounds: Box | None = None,
    time_limit: float | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Repaired:
    """Return the best point on a descent from x along the gradient of the constraints that do not hold.

    What is descended, and what "best" means, is the merit: the weighted sum of (E - m)^2 / E over the constraints whose energy E is above m, a
    quarter of their tolerance. Its gradient is that of the constraints that do not hold, each fading out as it comes to hold. A step that would
    raise it is not taken and the next is half as long; after one that lowers it the next is longer by a fifth, up to 16 x step_size. With noise,
    steps are those of Langevin dynamics, one that raises the merit by d is taken with probability exp(-d / temperature), and the temperature falls
    linearly to 0 at three quarters of the steps; the rest is a descent from the best point so far. Where the gradient is 0 though something does
    not hold (two equal values that must differ), a random step is taken. Weights and points are arguments of compiled code: a repair compiles once
    for an energy's structure.

    Parameters
    ----------
    energy : constraints and weights
    x : start (input_dim,)
    steps : at most so many, at least 1
    step_size : factor of the gradient, above 0
    noise : temperature at the start, at least 0: a step adds sqrt(2 x step size x temperature) times normal numbers
    random_step : multiply each step by a number drawn from 0.5 to 1.5
    seed : 0 or more; equal seeds give equal results
    tolerance : energy up to which a constraint holds, in place of the constraints' own: the square of the largest residual allowed, 1e-8 for 0.0001
    bounds : (low, high), numbers or (input_dim,) each; points are held within
    time_limit : seconds, looked at every 32 steps
    progress : called with (steps taken, steps) every 32 steps

    Raises
    ------
    InvalidModel
        for a start of another shape, or not finite.
    InvalidRun
        for a number that is not allowed, and a start without finite energy and gradient.
    """
    if not isinstance(energy, ComposedEnergy):
        raise InvalidModel(f"energy is {shown(energy)}; give a ComposedEnergy of the constraints that are to hold")
    total, length = count(steps, "steps"), above(step_size, "step_size")
    heat = real_number(noise, "noise")
    if heat < 0:
        raise InvalidRun(f"noise is {heat:g}; give 0 or more")
    if heat:
        above(noise, "noise")
    number = count(seed, "the seed", 0, 2**63 - 1)
    limits = np.full(energy.num_constraints, above(tolerance, "tolerance")) if tolerance is not None else energy.tolerances
    low, high = box(bounds, energy.input_dim)
    kind = precision()
    parameters = {**energy.parameters, "tolerances": jnp.asarray(limits, dtype=kind)}
    settings = Settings(jnp.asarray(length, dtype=kind), jnp.asarray(heat, dtype=kind), jnp.asarray(bool(random_step)), low, high, jnp.int32(total))
    start = jnp.clip(point(x, "the start", energy.input_dim), low, high)
    state = first(start, energy.num_constraints, settings.step_size)
    rows, done, ended = [], -1, ""
    key = key_of(number)
    watch = Stop(time_limit)
    with watch.listening():
        while not ended:
            drawn = draw(energy.input_dim, kind, key, jnp.int32(done + 1))
            state, kept = advance(energy.structure, parameters, settings, drawn, state)
            taken = int(state.step)
            rows.append(np.asarray(kept, dtype=np.float64)[: taken - done])
            done = taken
            if not np.isfinite(rows[0][0]).all():
                raise InvalidRun("the start has no finite energy; start elsewhere")
            if progress is not None:
                progress(done, total)
            ended = "satisfied" if bool(state.settled) else "stalled" if bool(state.stalled) else "steps" if done >= total else watch.reason() or ""
    report = _report(energy, state.best.x, limits)
    return Repaired(
        np.asarray(state.best.x, dtype=np.float64),
        report.is_verified(),
        report,
        ended,
        done,
        int(state.best_step),
        np.concatenate(rows),
        energy.names,
        number,
    )


def _report(energy: ComposedEnergy, x: Any, limits: FloatArray) -> EnergyReport:
    reports = energy.decompose(x)
    kind = precision()
    judged = tuple(replace(r, satisfied=bool(kind.type(r.energy) <= kind.type(limit))) for r, limit in zip(reports, limits, strict=True))
    return EnergyReport(float(sum(r.weighted_energy for r in judged)), judged)
