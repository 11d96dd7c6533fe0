"""select: sessions to train on by one method; compare: by several."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend
from ebmhw.errors import ValidationError, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.selection.annealing import READS, SWEEPS, anneal, check_runs
from ebmhw.karl.selection.candidates import POOL_LIMIT, Candidates, Places
from ebmhw.karl.selection.drawing import balanced_counts, gumbel_keys, largest, preference, replaced
from ebmhw.karl.selection.inputs import Limits
from ebmhw.karl.selection.mending import mended
from ebmhw.karl.selection.proving import proved_best
from ebmhw.karl.selection.result import Comparison, Selection
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import whole
from ebmhw.problems.subset_bounds import SubsetCosts

METHODS = ("uniform", "balanced", "advantage", "top-k", "greedy", "qubo")

DRAWN = ("uniform", "balanced", "advantage")
"""Methods that can draw with replacement."""

NEIGHBOUR = 0.8
"""Similarity from which a session counts as covered by another."""


class _Choice(NamedTuple):
    places: Places
    drawn: npt.NDArray[np.float64] | None = None
    exact: bool = False
    info: dict[str, Any] = {}  # noqa: RUF012  # never changed


class _Run(NamedTuple):
    seed: int
    replace: bool
    backend: SamplerBackend | str | None
    reads: int
    sweeps: int


def select(
    trajectories: Iterable[Trajectory | Scored],
    size: int,
    method: str = "qubo",
    *,
    advantages: npt.ArrayLike | None = None,
    rewards: Sequence[Any] | None = None,
    quotas: Limits | None = None,
    diversity: float = 1.0,
    similarity: npt.ArrayLike | Callable[[Trajectory, Trajectory], float] | None = None,
    neighbour: float = NEIGHBOUR,
    exclude: Iterable[str] = (),
    replace: bool = False,
    backend: SamplerBackend | str | None = None,
    pool: int = POOL_LIMIT,
    reads: int = READS,
    sweeps: int = SWEEPS,
    seed: int | None = None,
) -> Selection:
    """Return the sessions to train on.

    Methods
        uniform : drawn, each choice as likely as any other
        balanced : as many of each domain as there are (`balanced_counts`), drawn within each
        advantage : drawn by the softmax of the advantages at temperature 2, each session's weight at least .01 of the best one's, one after
            another without replacement
        top-k : the highest rewards
        greedy : one after another the session that adds most to the objective, first of those domains that a quota lacks
        qubo : the highest objective that a sampler finds: annealing, every read then mended to the right size and quotas and improved by the best
            swaps until none pays; info says what the sampler found before the swaps ("sampled_objective"), and who found the choice returned
            ("found_by": the sampler, the greedy choice improved by swaps where that is better, or branch and bound, which looks whether a small
            choice can be proved the best), and where its seconds went: greedy_s, compiling_s, sampling_s, polishing_s (reads mended and improved by
            swaps) and proving_s. More sessions than ``pool`` are narrowed first (`Candidates.pool`), which info says

    The objective, the same for all: sum of advantages less lambda times the sum of similarities of pairs (`Candidates` says what lambda is).

    Weights: the softmax that "advantage" draws by, scaled to mean 1, so that a choice drawn uniformly and one drawn by advantage train towards the
    same; 1 each for "advantage", which has drawn by it, times how often each was drawn with ``replace``.

    Parameters
    ----------
    trajectories : sessions, or `Scored` ones, whose rewards and advantages are taken where all have one
    size : sessions to choose, 1 to all that are not excluded
    advantages, rewards : one a session; None takes those of the records, else `ebmhw.karl.baselines.advantages` and `ebmhw.karl.reward.score`
    quotas : {domain: (least, most)} chosen sessions, None for no limit
    diversity : how much redundancy weighs next to advantage, 1 for alike, 0 for not at all
    similarity : a matrix (n, n) or a function of two sessions instead of the cosines of `session_vectors`
    neighbour : similarity from which a session counts as covered
    exclude : ids that must not be chosen, such as those held out
    replace : draw with replacement ("uniform", "balanced", "advantage", without quotas): fewer sessions are chosen then, which weigh more
    backend : of "qubo", a name or what `ebmhw.get_backend` returns; every backend gives the same choice for the same seed
    pool : sessions that the problem of "qubo" is made of, at most 2,048; fewer for a backend of fewer spins
    reads, sweeps : of "qubo", at most `READS_LIMIT` and `SWEEPS_LIMIT` of `ebmhw.karl.selection.annealing`
    seed : a whole number from 0; None draws one, which info holds

    Raises
    ------
    ValidationError : an argument is not allowed
    InvalidModel : quotas that no choice can keep
    """
    _method(method)
    check_runs(reads, sweeps)
    candidates = Candidates(trajectories, size, advantages, rewards, quotas, diversity, similarity, exclude, pool)
    return _selected(candidates, method, _Run(_seed(seed), _replacing(replace, method, quotas), backend, reads, sweeps), _neighbour(neighbour))


def compare(
    trajectories: Iterable[Trajectory | Scored],
    size: int,
    methods: Sequence[str] = METHODS,
    *,
    advantages: npt.ArrayLike | None = None,
    rewards: Sequence[Any] | None = None,
    quotas: Limits | None = None,
    diversity: float = 1.0,
    similarity: npt.ArrayLike | Callable[[Trajectory, Trajectory], float] | None = None,
    neighbour: float = NEIGHBOUR,
    exclude: Iterable[str] = (),
    backend: SamplerBackend | str | None = None,
    pool: int = POOL_LIMIT,
    reads: int = READS,
    sweeps: int = SWEEPS,
    seed: int | None = None,
) -> Comparison:
    """Return the selections by several methods on one input, all with the same similarities, lambda and seed; printed, a table."""
    for method in methods:
        _method(method)
    check_runs(reads, sweeps)
    candidates = Candidates(trajectories, size, advantages, rewards, quotas, diversity, similarity, exclude, pool)
    run, least = _Run(_seed(seed), False, backend, reads, sweeps), _neighbour(neighbour)
    return Comparison(_selected(candidates, method, run, least) for method in methods)


def _selected(candidates: Candidates, method: str, run: _Run, neighbour: float) -> Selection:
    # Similarities, lambda and rewards are part of the question, whatever the method makes of them: they are there before the clock starts.
    weight = candidates.redundancy_weight
    if method == "top-k":
        candidates.rewards  # noqa: B018
    if method == "qubo" or (method == "greedy" and candidates.allowed.size <= candidates.pool_limit):
        candidates.costs  # noqa: B018
    started = time.perf_counter()
    choice = _annealed(candidates, run) if method == "qubo" else _greedy(candidates) if method == "greedy" else _ranked(candidates, method, run)
    seconds = time.perf_counter() - started
    wanted = preference(candidates.advantages[candidates.allowed])[np.searchsorted(candidates.allowed, choice.places)]
    weights = np.ones(choice.places.size) if method == "advantage" else wanted
    if choice.drawn is not None:
        weights = weights * choice.drawn
    weights = weights / weights.mean()
    return Selection(
        choice.places,
        weights,
        method,
        candidates.objective(choice.places),
        candidates.coverage(choice.places, neighbour),
        candidates.domain_share(choice.places),
        float(weights.sum() ** 2 / (weights**2).sum()),
        seconds,
        choice.exact,
        {
            "redundancy_weight": weight,
            "redundancy": candidates.redundancy(choice.places),
            "advantage": float(candidates.advantages[choice.places].sum()),
            "neighbour": neighbour,
            "excluded": candidates.excluded,
            "repeated_ids": candidates.repeated,
            "seed": run.seed,
            **choice.info,
        },
    )


def _ranked(candidates: Candidates, method: str, run: _Run) -> _Choice:
    random = np.random.default_rng(run.seed)
    allowed = candidates.allowed
    domains = [candidates.domains[i] for i in allowed.tolist()]
    limits, size = candidates.limits, candidates.size
    weights = preference(candidates.advantages[allowed]) if method == "advantage" else np.ones(allowed.size)
    if run.replace:
        counts = None
        if method == "balanced":
            counts = balanced_counts(size, dict.fromkeys(limits, (0, size)), Counter(domains))
        drawn = replaced(weights, domains, counts, size, random)
        at = np.flatnonzero(drawn)
        return _Choice(allowed[at], drawn[at])
    if method == "top-k":
        return _Choice(allowed[largest(candidates.rewards[allowed], domains, size, limits)])
    if method == "balanced":
        counts = balanced_counts(size, limits, Counter(domains))
        limits = {domain: (count, count) for domain, count in counts.items()}
    return _Choice(allowed[largest(gumbel_keys(weights, random), domains, size, limits)])


def _reference(costs: SubsetCosts) -> npt.NDArray[np.bool_]:
    chosen = costs.greedy()
    # Quotas of disjoint groups are never in its way; equal items past all quotas might be.
    return chosen if chosen is not None else mended(costs, np.zeros(costs.n, dtype=bool))


def _greedy(candidates: Candidates) -> _Choice:
    if candidates.allowed.size > candidates.pool_limit:
        return _Choice(candidates.greedy.chosen)
    return _Choice(candidates.pool[_reference(candidates.costs)])


def _annealed(candidates: Candidates, run: _Run) -> _Choice:
    costs = candidates.costs
    started = time.perf_counter()
    reference = costs.improved(_reference(costs))
    greedy_s = time.perf_counter() - started
    found = anneal(costs, reference, run.backend, run.reads, run.sweeps, run.seed)
    info = {**found.info, **candidates.narrowed, "greedy_s": greedy_s, "found_by": "sampler"}
    chosen = found.chosen
    if costs.cost(reference) < costs.cost(chosen) - 1e-9:
        chosen, info["found_by"] = reference, "greedy and swaps"
    started = time.perf_counter()
    best, exact = proved_best(costs, chosen) if not candidates.narrowed else (chosen, False)
    info["proving_s"] = time.perf_counter() - started
    if best is not chosen:
        info["found_by"] = "branch and bound"
    return _Choice(candidates.pool[best], exact=exact, info=info)


def _method(method: object) -> None:
    if method not in METHODS:
        raise ValidationError(f"method is {shown(method)}; give one of {', '.join(METHODS)}")


def _seed(seed: object) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    number = whole(seed)
    if number is None or not 0 <= number < 2**64:
        raise ValidationError(f"seed is {shown(seed)}; give a whole number, 0 to 2^64 - 1, or None to have one drawn")
    return number


def _replacing(replace: object, method: str, quotas: Limits | None) -> bool:
    if not isinstance(replace, bool):
        raise ValidationError(f"replace is {shown(replace)}; give True or False")
    if replace and (method not in DRAWN or quotas):
        raise ValidationError(
            f"replace=True is for {', '.join(DRAWN)} without quotas, not for {method}{' with quotas' if quotas else ''}; leave it out"
        )
    return replace


def _neighbour(neighbour: object) -> float:
    if isinstance(neighbour, bool) or not isinstance(neighbour, (int, float)) or not math.isfinite(neighbour):
        raise ValidationError(f"neighbour is {shown(neighbour)}; give the similarity from which a session counts as covered, such as {NEIGHBOUR}")
    return float(neighbour)
