"""SamplingPlan: what a model and the parameters of a sampler make of a run, default betas among it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from ebmhw.backends.request import Clamp, Progress
from ebmhw.contract.formats import RULES
from ebmhw.errors import InvalidRun, InvalidSchedule, shown
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule

DEFAULT_SWEEPS = 1000
"""Sweeps of a ramp where nothing else is asked for."""

SCHEDULE_TYPES = ("linear", "geometric", "custom")
"""Kinds of schedules, by dwave-samplers' names."""


def default_beta_range(model: Model) -> tuple[float, float]:
    """Return (hot, cold) in model units: ln 2 / (2 max field) and ln 100 / (2 min nonzero |coefficient|).

    At the hot end the most strongly held spin still flips against its field one time in two (metropolis); at the cold end the weakest
    coefficient is disobeyed one time in a hundred. A model without any weight gets (0.1, 1).
    """
    largest = float(model.local_field_bound().max())
    weights = np.concatenate([np.abs(model.bias), *(np.abs(block.weights) for block in model.blocks)])
    if largest == 0.0:
        return 0.1, 1.0
    smallest = float(weights[weights > 0].min())
    if not largest < 1e300 or smallest < 1e-300:
        raise InvalidSchedule(f"weights from {smallest:g} to {largest:g} have no default betas within float64; scale them, or give beta_range")
    return math.log(2) / (2 * largest), math.log(100) / (2 * smallest)


@final
@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """Everything about a run that follows from a model and the sampler's parameters; betas of ``schedule`` are in program units."""

    program: Program
    schedule: Schedule
    schedule_type: str
    beta_range: tuple[float, float]
    rule: str
    seed: int | None
    clamps: dict[Hashable, Clamp]
    return_best: bool
    time_limit: float | None
    progress: Callable[[Progress], None] | None
    interrupt: Callable[[], bool] | None


def make_plan(
    model: Model,
    num_sweeps: int | None = None,
    beta_range: Sequence[float] | None = None,
    beta_schedule_type: str = "geometric",
    beta_schedule: Sequence[float] | None = None,
    num_sweeps_per_beta: int = 1,
    seed: int | None = None,
    proposal_acceptance_criteria: str | None = None,
    randomize_order: bool = False,
    interrupt_function: Callable[[], bool] | None = None,
    coupling_bits: int | None = None,
    scale: float | None = None,
    clamps: dict[Hashable, Clamp] | None = None,
    return_best: bool = False,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> SamplingPlan:
    """Return the plan of a run, parameters as in `EbmSampler.sample`; InvalidRun or InvalidSchedule where one is not allowed."""
    if randomize_order:
        raise InvalidRun("randomize_order=True is not possible: rows are visited in the program's order on every backend; leave it False")
    if interrupt_function is not None and not callable(interrupt_function):
        raise InvalidRun(f"interrupt_function is {shown(interrupt_function)}; give a function without arguments")
    criteria = None if proposal_acceptance_criteria is None else str(proposal_acceptance_criteria).lower()
    if criteria not in (None, *RULES):
        raise InvalidRun(f"proposal_acceptance_criteria is {shown(proposal_acceptance_criteria)}; give 'Gibbs' or 'Metropolis'")
    schedule, ends = _schedule(model, num_sweeps, beta_range, beta_schedule_type, beta_schedule, num_sweeps_per_beta)
    program = model.compile(scale=scale) if coupling_bits is None else model.compile(coupling_bits=coupling_bits, scale=scale)
    changes = np.unique(schedule.betas[schedule.sweeps > 0]).size > 1
    return SamplingPlan(
        program=program,
        schedule=schedule.divided(program.scale),
        schedule_type=beta_schedule_type,
        beta_range=ends,
        rule=criteria or ("metropolis" if changes else "gibbs"),
        seed=seed,
        clamps=clamps or {},
        return_best=return_best,
        time_limit=time_limit,
        progress=progress,
        interrupt=interrupt_function,
    )


def _schedule(
    model: Model,
    num_sweeps: int | None,
    beta_range: Sequence[float] | None,
    kind: str,
    betas: Sequence[float] | None,
    per_beta: int,
) -> tuple[Schedule, tuple[float, float]]:
    """Return the schedule in model units and the (first, last) beta."""
    if kind not in SCHEDULE_TYPES:
        raise InvalidSchedule(f"beta_schedule_type is {shown(kind)}; give one of {', '.join(map(repr, SCHEDULE_TYPES))}")
    if isinstance(per_beta, bool) or not isinstance(per_beta, (int, np.integer)) or per_beta < 1:
        raise InvalidSchedule(f"num_sweeps_per_beta is {shown(per_beta)}; give a whole number of at least 1")
    if kind == "custom":
        custom = Schedule.custom(() if betas is None else betas, int(per_beta))
        if custom.betas.size == 0:
            raise InvalidSchedule("beta_schedule is missing; beta_schedule_type='custom' needs a sequence of betas")
        if num_sweeps is not None and num_sweeps != custom.total_sweeps:
            raise InvalidSchedule(f"num_sweeps is {shown(num_sweeps)}, but beta_schedule and num_sweeps_per_beta make {custom.total_sweeps}")
        ends = (float(custom.betas[0]), float(custom.betas[-1]))
        if beta_range is not None and _ends(beta_range) != ends:
            raise InvalidSchedule(f"beta_range is {shown(beta_range)}, but beta_schedule goes from {ends[0]} to {ends[1]}; leave it out")
        return custom, ends
    if betas is not None:
        raise InvalidSchedule(f"beta_schedule is given with beta_schedule_type={shown(kind)}; use beta_schedule_type='custom'")
    sweeps = DEFAULT_SWEEPS if num_sweeps is None else num_sweeps
    if isinstance(sweeps, bool) or not isinstance(sweeps, (int, np.integer)) or sweeps < 0 or sweeps % per_beta:
        raise InvalidSchedule(f"num_sweeps is {shown(sweeps)}; give a whole number of at least 0 that num_sweeps_per_beta={per_beta} divides")
    ends = default_beta_range(model) if beta_range is None else _ends(beta_range)
    make = Schedule.geometric if kind == "geometric" else Schedule.linear
    ramp = make(*ends, int(sweeps) // int(per_beta))
    return Schedule.custom(ramp.betas, int(per_beta)), ends


def _ends(beta_range: object) -> tuple[float, float]:
    if not isinstance(beta_range, (Sequence, np.ndarray)) or len(beta_range) != 2:
        raise InvalidSchedule(f"beta_range is {shown(beta_range)}; give (first, last)")
    try:
        first, last = Schedule.custom(beta_range, 0).betas.tolist()
    except InvalidSchedule:
        raise InvalidSchedule(f"beta_range is {shown(beta_range)}; both ends must be finite numbers of at least 0") from None
    return first, last
