"""EbmSampler: the dimod face of any backend, with the parameter names and meanings of dwave-samplers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, final

import dimod
import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.request import Clamp, Progress
from ebmhw.errors import InvalidRun, InvalidSchedule
from ebmhw.model import Model, poly_variables
from ebmhw.program import Program
from ebmhw.schedule import Schedule

DEFAULT_SWEEPS = 1000
_SCHEDULE_TYPES = ("linear", "geometric", "custom")
_CRITERIA = {"gibbs": "gibbs", "metropolis": "metropolis"}


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
class EbmSampler(dimod.Sampler, dimod.PolySampler, dimod.Initialized):  # type: ignore[misc]  # dimod's classes are not typed
    """A dimod sampler for BQMs and for polynomials of any order, over any backend.

    Parameters
    ----------
    backend : a backend, its name, or None for `get_backend()`

    Examples
    --------
    >>> import dimod, ebmhw
    >>> bqm = dimod.BinaryQuadraticModel.from_ising({}, {("a", "b"): -1.0, ("b", "c"): 1.0})
    >>> best = ebmhw.EbmSampler("golden").sample(bqm, num_reads=4, num_sweeps=50, seed=1).first
    >>> print(best.energy, best.sample["a"] == best.sample["b"] != best.sample["c"])
    -2.0 True
    """

    def __init__(self, backend: SamplerBackend | str | None = None) -> None:
        self.backend = backend if isinstance(backend, SamplerBackend) else get_backend(backend)

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keyword arguments of the sampling methods, each with the properties that bear on it."""
        names = (
            "num_reads num_sweeps beta_range beta_schedule num_sweeps_per_beta seed initial_states initial_states_generator "
            "randomize_order interrupt_function coupling_bits scale clamps return_best time_limit progress"
        )
        plain: dict[str, list[str]] = {name: [] for name in names.split()}
        return plain | {"beta_schedule_type": ["beta_schedule_options"], "proposal_acceptance_criteria": ["proposal_acceptance_options"]}

    @property
    def properties(self) -> dict[str, Any]:
        """Facts about the sampler: schedule types, criteria, the backend's name and capabilities."""
        return {
            "beta_schedule_options": _SCHEDULE_TYPES,
            "proposal_acceptance_options": ("Gibbs", "Metropolis"),
            "backend": self.backend.name,
            "capabilities": self.backend.capabilities,
        }

    def sample(self, bqm: dimod.BinaryQuadraticModel, num_reads: int | None = None, **parameters: Any) -> dimod.SampleSet:
        """Return ``num_reads`` samples of a binary quadratic model, in its vartype, with its energies.

        Parameters
        ----------
        num_reads : independent chains; as many as initial states are given, else 1
        num_sweeps : 1000 where no beta_schedule says otherwise
        beta_range : (first, last) in the model's units; `default_beta_range` where left out
        beta_schedule_type : "geometric", "linear" or "custom"
        beta_schedule : betas of a custom schedule
        num_sweeps_per_beta : sweeps at each beta
        seed : 0 .. 2^64 - 1; the same seed gives the same samples on every backend
        initial_states, initial_states_generator : as in dimod.Initialized
        proposal_acceptance_criteria : "Metropolis" or "Gibbs"; None takes Metropolis where beta changes, Gibbs where it is constant
        randomize_order : only False; rows are visited in the program's order
        interrupt_function : called now and then without arguments; once it returns True, what is done is returned
        coupling_bits, scale : of the compilation, see `ebmhw.program.compile_model`
        clamps : {variable: value (in the model's vartype) or an array of one value a read}
        return_best : return the best state of each read instead of its final one
        time_limit : seconds after which what is done is returned
        progress : called with `ebmhw.backends.Progress`

        Returns
        -------
        dimod.SampleSet
            with energies of the given model; ``info`` has timing, backend, seed, rule, beta_range, effective betas, scale,
            quantisation_error and what stopped the run early (``stopped_by``).
        """
        started = time.perf_counter_ns()
        parameters = self.remove_unknown_kwargs(**parameters)
        labels = list(bqm.variables)
        initial, reads = self._initial_states(bqm, num_reads, parameters)
        if not labels:
            return _nothing_to_sample(bqm.vartype, reads, float(bqm.offset))
        return self._sample(Model.from_bqm(bqm), labels, bqm.vartype, bqm.energies, initial, reads, parameters, started)

    def sample_poly(self, polynomial: dimod.BinaryPolynomial, num_reads: int | None = None, **parameters: Any) -> dimod.SampleSet:
        """Return samples of a polynomial, terms of any order without ancillas; parameters as in `sample`."""
        started = time.perf_counter_ns()
        parameters = self.remove_unknown_kwargs(**parameters)
        labels = poly_variables(polynomial)
        # dimod reads initial states against a BQM; only its variables and vartype matter there.
        frame = dimod.BinaryQuadraticModel({label: 0.0 for label in labels}, {}, 0.0, polynomial.vartype)
        initial, reads = self._initial_states(frame, num_reads, parameters)
        if not labels:
            return _nothing_to_sample(polynomial.vartype, reads, float(polynomial.get((), 0.0)))
        model, vartype = Model.from_poly(polynomial), polynomial.vartype
        return self._sample(model, labels, vartype, polynomial.energies, initial, reads, parameters, started)

    def _initial_states(
        self, frame: dimod.BinaryQuadraticModel, num_reads: int | None, parameters: dict[str, Any]
    ) -> tuple[npt.NDArray[np.int8] | None, int]:
        """Return initial spins (reads, n) in the order of ``frame.variables``, or None where they are to be drawn, and the reads."""
        states = parameters.pop("initial_states", None)
        generator = parameters.pop("initial_states_generator", "random")
        if num_reads is not None and (isinstance(num_reads, bool) or not isinstance(num_reads, (int, np.integer)) or num_reads < 1):
            raise InvalidRun(f"num_reads is {num_reads!r}; give a whole number of at least 1")
        if states is None and generator == "random":
            return None, int(num_reads or 1)
        seed = parameters.get("seed")
        # dimod fills up missing states from NumPy's generator, which takes 32 bits of seed.
        parsed = self.parse_initial_states(
            frame,
            initial_states=states,
            initial_states_generator=generator,
            num_reads=num_reads,
            seed=None if seed is None else int(seed) & 0xFFFFFFFF,
            copy_always=True,
        )
        order = [parsed.initial_states.variables.index(v) for v in frame.variables]
        samples = parsed.initial_states.record.sample[:, order]
        return (samples if frame.vartype is dimod.SPIN else 2 * samples - 1).astype(np.int8), parsed.num_reads

    def _sample(
        self,
        model: Model,
        labels: Sequence[Hashable],
        vartype: dimod.Vartype,
        energies: Callable[[Any], npt.NDArray[np.float64]],
        initial: npt.NDArray[np.int8] | None,
        reads: int,
        parameters: dict[str, Any],
        started: int,
    ) -> dimod.SampleSet:
        plan = make_plan(model, **parameters)
        sampling = time.perf_counter_ns()
        draws = self.backend.run(
            plan.program,
            plan.schedule,
            reads=reads,
            seed=plan.seed,
            rule=plan.rule,
            initial=initial,
            clamps=_spin_clamps(plan.clamps, labels, vartype),
            progress=plan.progress,
            time_limit=plan.time_limit,
            interrupt=plan.interrupt,
        )
        finishing = time.perf_counter_ns()
        spins = draws.best_spins if plan.return_best else draws.spins
        samples = spins if vartype is dimod.SPIN else (spins + 1) // 2
        info = {key: value for key, value in draws.info.items() if key != "timing"}
        info.update(
            beta_range=plan.beta_range,
            beta_schedule_type=plan.schedule_type,
            # Betas as they were run, in the model's units: words are 26 bits, and large ones are clipped.
            beta_effective=[beta * plan.program.scale for beta in info["beta_effective"]],
            scale=plan.program.scale,
            quantisation_error=plan.program.quantisation_error,
        )
        result = dimod.SampleSet.from_samples((samples, labels), vartype=vartype, energy=energies((samples, labels)), info=info)
        result.info["timing"] = {
            "preprocessing_ns": sampling - started,
            "sampling_ns": finishing - sampling,
            "postprocessing_ns": time.perf_counter_ns() - finishing,
        }
        return result


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
        raise InvalidRun(f"interrupt_function is {interrupt_function!r}; give a function without arguments")
    criteria = None if proposal_acceptance_criteria is None else _CRITERIA.get(str(proposal_acceptance_criteria).lower())
    if proposal_acceptance_criteria is not None and criteria is None:
        raise InvalidRun(f"proposal_acceptance_criteria is {proposal_acceptance_criteria!r}; give 'Gibbs' or 'Metropolis'")
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
    if kind not in _SCHEDULE_TYPES:
        raise InvalidSchedule(f"beta_schedule_type is {kind!r}; give one of {', '.join(map(repr, _SCHEDULE_TYPES))}")
    if isinstance(per_beta, bool) or not isinstance(per_beta, (int, np.integer)) or per_beta < 1:
        raise InvalidSchedule(f"num_sweeps_per_beta is {per_beta!r}; give a whole number of at least 1")
    if kind == "custom":
        if betas is None or len(betas) == 0:
            raise InvalidSchedule("beta_schedule is missing; beta_schedule_type='custom' needs a sequence of betas")
        if num_sweeps is not None and num_sweeps != len(betas) * per_beta:
            raise InvalidSchedule(f"num_sweeps is {num_sweeps}, but beta_schedule and num_sweeps_per_beta make {len(betas) * per_beta}")
        ends = (float(betas[0]), float(betas[-1]))
        if beta_range is not None and tuple(map(float, beta_range)) != ends:
            raise InvalidSchedule(f"beta_range is {tuple(beta_range)}, but beta_schedule goes from {ends[0]} to {ends[1]}; leave it out")
        return Schedule.custom(betas, int(per_beta)), ends
    if betas is not None:
        raise InvalidSchedule(f"beta_schedule is given with beta_schedule_type={kind!r}; use beta_schedule_type='custom'")
    sweeps = DEFAULT_SWEEPS if num_sweeps is None else num_sweeps
    if isinstance(sweeps, bool) or not isinstance(sweeps, (int, np.integer)) or sweeps < 0 or sweeps % per_beta:
        raise InvalidSchedule(f"num_sweeps is {sweeps!r}; give a whole number of at least 0 that num_sweeps_per_beta={per_beta} divides")
    if beta_range is None:
        ends = default_beta_range(model)
    else:
        if len(beta_range) != 2:
            raise InvalidSchedule(f"beta_range has {len(beta_range)} values; give (first, last)")
        ends = (float(beta_range[0]), float(beta_range[1]))
    make = Schedule.geometric if kind == "geometric" else Schedule.linear
    ramp = make(*ends, int(sweeps) // int(per_beta))
    return Schedule.custom(ramp.betas, int(per_beta)), ends


def _spin_clamps(clamps: dict[Hashable, Clamp], labels: Sequence[Hashable], vartype: dimod.Vartype) -> dict[int, Clamp] | None:
    position = {label: i for i, label in enumerate(labels)}
    spins: dict[int, Clamp] = {}
    for label, value in clamps.items():
        if label not in position:
            raise InvalidRun(f"clamps name {label!r}, which is not a variable of the model")
        values = np.asarray(value)
        if vartype is dimod.BINARY:
            if not np.isin(values, (0, 1)).all():
                raise InvalidRun(f"clamp of {label!r} is {value!r}; variables of a BINARY model are 0 or 1")
            values = 2 * values.astype(np.int8) - 1
        spins[position[label]] = values
    return spins or None


def _nothing_to_sample(vartype: dimod.Vartype, reads: int, offset: float) -> dimod.SampleSet:
    """Return ``reads`` samples of a model without variables, as dimod's own samplers do."""
    empty = np.empty((reads, 0), dtype=np.int8)
    return dimod.SampleSet.from_samples((empty, []), vartype=vartype, energy=[offset] * reads, info={"timing": {}})
