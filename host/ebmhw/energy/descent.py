"""repair: descent on the constraints that do not hold, which never ends worse than the best point it met."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np

from ebmhw.energy.arrays import FloatArray, count, held, jax, jnp, key_of, point, precision
from ebmhw.energy.composed import ComposedEnergy, EnergyReport
from ebmhw.errors import InvalidRun
from ebmhw.numbers import real_number
from ebmhw.stopping import Stop

CHUNK = 32
"""Steps between two looks at the clock."""

MARGIN = 0.25
"""Part of a tolerance that the descent aims at: at the tolerance itself constraints that pull apart would end it a rounding error too early."""

Box = tuple[Any, Any]


@final
@dataclass(frozen=True, eq=False)
class Repaired:
    """The best point that a repair met, and how it went.

    Attributes
    ----------
    x : (input_dim,) float64
    satisfied : whether all constraints hold at x, within their tolerances
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


class _Place(NamedTuple):
    x: Any
    total: Any
    energies: Any
    slope: Any


class _State(NamedTuple):
    at: Any
    best: Any
    size: Any
    best_step: Any
    settled: Any
    stalled: Any
    cold: Any
    step: Any


class _Settings(NamedTuple):
    step_size: Any
    noise: Any
    random_step: Any
    low: Any
    high: Any
    last: Any


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
    quarter of their tolerance. Its gradient is that of the constraints that do not hold, each fading out as it comes to hold. A step that would raise
    it is not taken and the next
    is half as long; after one that lowers it the next is longer by a fifth, up to 16 x step_size. With noise, steps are those of Langevin dynamics,
    one that raises the merit by d is taken with probability exp(-d / temperature), and the temperature falls linearly to 0 at three quarters of
    the steps; the rest is a descent from the best point so far. Where the gradient is 0 though something
    does not hold (two equal values that must differ), a random step is taken. Weights and points are arguments of compiled code: a repair
    compiles once for an energy's structure.

    Parameters
    ----------
    energy : constraints and weights
    x : start (input_dim,)
    steps : at most so many, at least 1
    step_size : factor of the gradient, above 0
    noise : temperature at the start, at least 0: a step adds sqrt(2 x step size x temperature) times normal numbers
    random_step : multiply each step by a number drawn from 0.5 to 1.5
    seed : 0 or more; equal seeds give equal results
    tolerance : energy up to which a constraint holds, in place of the constraints' own
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
    total = count(steps, "steps")
    length = _above("step_size", step_size)
    heat = real_number(noise, "noise")
    if heat < 0:
        raise InvalidRun(f"noise is {heat:g}; give 0 or more")
    number = count(seed, "the seed", 0, 2**63 - 1)
    limits = np.full(energy.num_constraints, _above("tolerance", tolerance)) if tolerance is not None else energy.tolerances
    low, high = box(bounds, energy.input_dim)
    kind = precision()
    parameters = {**energy.parameters, "tolerances": jnp.asarray(limits, dtype=kind)}
    settings = _Settings(jnp.asarray(length, dtype=kind), jnp.asarray(heat, dtype=kind), jnp.asarray(bool(random_step)), low, high, jnp.int32(total))
    start = jnp.clip(point(x, "the start", energy.input_dim), low, high)
    state = _first(start, energy.num_constraints, settings.step_size)
    rows, done, ended = [], -1, ""
    key = key_of(number)
    watch = Stop(time_limit)
    with watch.listening():
        while not ended:
            drawn = _draw(energy.input_dim, kind, key, jnp.int32(done + 1))
            state, kept = _advance(energy.structure, parameters, settings, drawn, state)
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


def box(bounds: Box | None, size: int) -> tuple[Any, Any]:
    """Return the lower and upper ends (size,) of bounds in the present precision, infinite where there are none; InvalidRun for wrong ones."""
    if bounds is None:
        return jnp.full(size, -jnp.inf, precision()), jnp.full(size, jnp.inf, precision())
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise InvalidRun(f"bounds are {bounds!r}; give (low, high)")
    ends = []
    for what, values, missing in zip(("the lower bound", "the upper bound"), bounds, (-math.inf, math.inf), strict=True):
        array = np.array(missing) if values is None else np.asarray(values)
        # Infinite bounds are no bounds, which is allowed; what is not a number is not.
        finite = np.where(np.isinf(array), 0.0, array) if array.dtype.kind == "f" else array
        checked = held(finite, what, *(() if array.ndim == 0 else (size,)))
        ends.append(np.broadcast_to(np.where(np.isinf(array), array, checked) if array.dtype.kind == "f" else checked, (size,)))
    if not (ends[0] < ends[1]).all():
        worst = int(np.argmin(ends[0] < ends[1]))
        raise InvalidRun(f"bounds of input {worst} are {ends[0][worst]:g} to {ends[1][worst]:g}; give low < high")
    return jnp.asarray(ends[0], dtype=precision()), jnp.asarray(ends[1], dtype=precision())


def _above(what: str, value: Any) -> float:
    number = real_number(value, what)
    if number <= 0:
        raise InvalidRun(f"{what} is {number:g}; give a number above 0")
    return number


def _report(energy: ComposedEnergy, x: Any, limits: FloatArray) -> EnergyReport:
    reports = energy.decompose(x)
    kind = precision()
    judged = tuple(replace(r, satisfied=bool(kind.type(r.energy) <= kind.type(limit))) for r, limit in zip(reports, limits, strict=True))
    return EnergyReport(float(sum(r.weighted_energy for r in judged)), judged)


def _merit(parameters: Any, energies: Any) -> Any:
    least = MARGIN * parameters["tolerances"]
    return parameters["weights"] @ (jnp.square(jnp.maximum(energies - least, 0.0)) / jnp.maximum(energies, least))


def _judged(structure: Any, parameters: Any, x: Any) -> tuple[Any, Any]:
    energies = ComposedEnergy.parts(structure, parameters, x)
    return _merit(parameters, energies), energies


def _first(start: Any, constraints: int, step_size: Any) -> _State:
    """Return the state before the first evaluation, which is that of the start, as step -1."""
    none, nothing = jnp.zeros(constraints, start.dtype), jnp.asarray(jnp.inf, start.dtype)
    at = _Place(start, nothing, none, jnp.zeros_like(start))
    return _State(at, at, step_size, jnp.int32(0), jnp.array(False), jnp.array(False), jnp.array(False), jnp.int32(-1))


def _step(structure: Any, parameters: Any, settings: _Settings, drawn: Any, state: _State) -> _State:
    beginning = state.step < 0
    heat = settings.noise * jnp.maximum(1.0 - (4.0 / 3.0) * state.step / settings.last, 0.0)
    cold = heat == 0.0
    # What noise has reached is the best point; the descent that ends the run starts there.
    cooled = cold & (settings.noise > 0.0) & ~state.cold
    at = jax.tree.map(lambda best, here: jnp.where(cooled, best, here), state.best, state.at)
    basis = jnp.where(cooled, settings.step_size, state.size)
    normal, stretch, luck = drawn
    size = basis * jnp.where(settings.random_step, 1.0 + 0.5 * stretch, 1.0)
    flat = cold & jnp.all(at.slope == 0.0)
    push = jnp.where(flat, size * normal, jnp.sqrt(2.0 * size * heat) * normal)
    x = jnp.where(beginning, at.x, jnp.clip(at.x - size * at.slope + push, settings.low, settings.high))
    (total, energies), slope = jax.value_and_grad(_judged, argnums=2, has_aux=True)(structure, parameters, x)
    there = _Place(x, total, energies, slope)
    sound = jnp.isfinite(total) & jnp.isfinite(slope).all()
    taken = beginning | (sound & ((total < at.total) | (total - at.total < -heat * jnp.log((1.0 + luck) / 2.0)) | flat))
    grown = jnp.minimum(basis * 1.2, jnp.where(cold, 16.0, 1.0) * settings.step_size)
    following = jax.tree.map(lambda new, old: jnp.where(taken, new, old), there, at)
    settled = jnp.all(following.energies <= parameters["tolerances"])
    better = beginning | (taken & ((total < state.best.total) | settled))
    next_size = jnp.where(beginning, basis, jnp.where(taken, grown, basis * 0.5))
    return _State(
        following,
        jax.tree.map(lambda new, old: jnp.where(better, new, old), there, state.best),
        next_size,
        jnp.where(better, state.step + 1, state.best_step),
        settled,
        # Forty halvings are 1e-12 of a step, where float32 no longer moves.
        cold & ~taken & (next_size < settings.step_size * 1e-12),
        cold,
        state.step + 1,
    )


def _chunk(structure: Any, parameters: Any, settings: _Settings, drawn: Any, state: _State) -> tuple[_State, Any]:
    def body(before: _State, numbers: Any) -> tuple[_State, Any]:
        resting = before.settled | before.stalled | (before.step >= settings.last)
        after: _State = jax.lax.cond(resting, lambda s: s, lambda s: _step(structure, parameters, settings, numbers, s), before)
        return after, after.at.energies

    found: tuple[_State, Any] = jax.lax.scan(body, state, drawn)
    return found


def _random(size: int, kind: Any, key: Any, first: Any) -> tuple[Any, Any, Any]:
    """Return normal numbers (CHUNK, size), and twice (CHUNK,) from (-1, 1), that depend on key and step alone."""

    def one(step: Any) -> Any:
        least = jnp.nextafter(jnp.array(-1.0, kind), jnp.array(0.0, kind))
        return jax.random.uniform(jax.random.fold_in(key, step), (size + 2,), kind, least, 1.0)

    drawn = jax.vmap(one)(first + jnp.arange(CHUNK))
    return jnp.sqrt(jnp.array(2.0, kind)) * jax.lax.erf_inv(drawn[:, :size]), drawn[:, size], drawn[:, size + 1]


# Apart from the steps, which are compiled for each energy: what draws random numbers takes a second to compile on a CPU.
_draw = jax.jit(_random, static_argnums=(0, 1))
_advance = jax.jit(_chunk, static_argnums=0)
