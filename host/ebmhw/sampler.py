"""EbmSampler: the dimod face of any backend, with the parameter names and meanings of dwave-samplers."""

from __future__ import annotations

import secrets
import time
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, final

import dimod
import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.request import Clamp, whole_number
from ebmhw.contract.formats import SEED_BITS
from ebmhw.errors import InvalidRun, PrecisionWarning, shown
from ebmhw.model import Model, poly_variables
from ebmhw.plan import SCHEDULE_TYPES, make_plan


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
            "beta_schedule_options": SCHEDULE_TYPES,
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

        Ctrl-C ends the run with what is done; ``info["stopped_by"]`` is then "interrupt". To sample at one temperature, give
        ``beta_range=(beta, beta)``. PrecisionWarning says that weights round to 0.

        Returns
        -------
        dimod.SampleSet
            with energies of the given model; ``info`` has timing (nanoseconds), backend, seed, rule, beta_range, effective betas, scale,
            quantisation_error and what stopped the run early (``stopped_by``).
        """
        started = time.perf_counter_ns()
        parameters = self.remove_unknown_kwargs(**parameters)
        labels = list(bqm.variables)
        initial, reads = self._initial_states(bqm, num_reads, parameters)
        if not labels:
            return self._nothing_to_sample(bqm.vartype, reads, float(bqm.offset), parameters)
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
            return self._nothing_to_sample(polynomial.vartype, reads, float(polynomial.get((), 0.0)), parameters)
        model, vartype = Model.from_poly(polynomial), polynomial.vartype
        return self._sample(model, labels, vartype, polynomial.energies, initial, reads, parameters, started)

    def _initial_states(
        self, frame: dimod.BinaryQuadraticModel, num_reads: int | None, parameters: dict[str, Any]
    ) -> tuple[npt.NDArray[np.int8] | None, int]:
        """Return initial spins (reads, n) in the order of ``frame.variables``, or None where they are to be drawn, and the reads."""
        states = parameters.pop("initial_states", None)
        generator = parameters.pop("initial_states_generator", "random")
        if num_reads is not None and (isinstance(num_reads, bool) or not isinstance(num_reads, (int, np.integer)) or num_reads < 1):
            raise InvalidRun(f"num_reads is {shown(num_reads)}; give a whole number of at least 1")
        # Drawn here, so that the seed that is reported makes missing initial states again too.
        parameters["seed"] = whole_number(parameters.get("seed"), "seed", 0, 2**SEED_BITS - 1, secrets.randbits(SEED_BITS))
        if states is None and generator == "random":
            return None, int(num_reads or 1)
        try:
            # dimod fills up missing states from NumPy's generator, which takes 32 bits of seed.
            parsed = self.parse_initial_states(
                frame,
                initial_states=states,
                initial_states_generator=generator,
                num_reads=num_reads,
                seed=parameters["seed"] & 0xFFFFFFFF,
                copy_always=True,
            )
        except (ValueError, TypeError) as error:
            raise InvalidRun(f"initial_states, initial_states_generator={shown(generator)}: {error}") from None
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
        if plan.program.lost:
            warnings.warn(
                f"{plan.program.lost} of the model's weights round to 0 beside its largest at {plan.program.coupling_bits} bits, and are not "
                "seen; pass coupling_bits (up to 18)",
                PrecisionWarning,
                stacklevel=3,
            )
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

    def _nothing_to_sample(self, vartype: dimod.Vartype, reads: int, offset: float, parameters: dict[str, Any]) -> dimod.SampleSet:
        """Return ``reads`` samples of a model without variables, as dimod's own samplers do."""
        empty = np.empty((reads, 0), dtype=np.int8)
        info = {"backend": self.backend.name, "seed": parameters["seed"], "stopped_by": None, "timing": {}}
        return dimod.SampleSet.from_samples((empty, []), vartype=vartype, energy=[offset] * reads, info=info)


def _spin_clamps(clamps: dict[Hashable, Clamp], labels: Sequence[Hashable], vartype: dimod.Vartype) -> dict[int, Clamp] | None:
    if not isinstance(clamps, Mapping):
        raise InvalidRun(f"clamps are {shown(clamps)}; give a mapping of variables to values")
    position = {label: i for i, label in enumerate(labels)}
    spins: dict[int, Clamp] = {}
    for label, value in clamps.items():
        if label not in position:
            raise InvalidRun(f"clamps name {label!r}, which is not a variable of the model")
        spins[position[label]] = value
        if vartype is dimod.BINARY:
            try:
                values = np.asarray(value)
                wrong = values.dtype.kind not in "iuf" or not np.isin(values, (0, 1)).all()
            except ValueError:
                wrong = True
            if wrong:
                raise InvalidRun(f"clamp of {label!r} is {shown(value)}; variables of a BINARY model are 0 or 1")
            spins[position[label]] = 2 * values.astype(np.int8) - 1
    return spins or None
