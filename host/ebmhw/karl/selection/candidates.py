"""Candidates: the sessions that may be chosen, what each is worth, and what choosing two alike costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.selection.inputs import Limits, checked_ids, checked_size, finite_values, joint_limits, sessions, totals
from ebmhw.karl.selection.narrowing import Greedy, greedy_choice
from ebmhw.karl.selection.similarity import Similarity
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import whole
from ebmhw.problems.subset_bounds import SubsetCosts

POOL_LIMIT = 2048
"""Sessions that a quadratic problem is made of: all pairs of them are coupled, two million."""

SAMPLE_LIMIT = 2048
"""Sessions that lambda is measured on; of more, as many evenly spaced ones."""

Places = npt.NDArray[np.int64]


@final
class Candidates:
    """Sessions that may be chosen, in the order in which they were given, without those excluded and without repeated ids.

    The objective of a choice is the sum of its advantages less lambda times the sum of the similarities of its pairs, with

        lambda = diversity sd(advantages) / sd(redundancy),

    where the redundancy of a session is the sum of its similarities to size - 1 others, drawn at random without replacement: at diversity 1 what
    a session is worth and what it repeats differ as much between sessions. With m_i and v_i the mean and the variance of the similarities of session
    i to the n - 1 others, sd(redundancy)^2 = (size - 1)^2 var(m) + (size - 1)(n - size) / (n - 2) mean(v). Advantages that are all the same
    count as differing by 1; lambda is 0 where all redundancies are the same. All are measured on `SAMPLE_LIMIT` sessions at most.

    Parameters
    ----------
    items : trajectories, or `Scored` ones
    size : sessions to choose
    advantages : one a session, finite; None takes those of the records, else `ebmhw.karl.baselines.advantages`
    rewards : one a session (`Reward` or numbers); None takes those of the records, else `ebmhw.karl.reward.score`
    quotas : {domain: (least, most)}
    diversity : see above; 0 ignores redundancy
    similarity : as of `Similarity`
    exclude : ids that must not be chosen
    pool : sessions that the quadratic problem is made of, at most
    """

    def __init__(
        self,
        items: Iterable[Trajectory | Scored],
        size: int,
        advantages: Any = None,
        rewards: Sequence[Any] | None = None,
        quotas: Limits | None = None,
        diversity: float = 1.0,
        similarity: npt.ArrayLike | Callable[[Trajectory, Trajectory], float] | None = None,
        exclude: Iterable[str] = (),
        pool: int = POOL_LIMIT,
    ) -> None:
        if not 1 <= (whole(pool) or 0) <= POOL_LIMIT:
            raise ValidationError(f"pool is {shown(pool)}; give of how many sessions the quadratic problem is made, 1 to {POOL_LIMIT}")
        self.pool_limit = int(pool)
        given = sessions(items)
        n = len(given.trajectories)
        if isinstance(diversity, bool) or not isinstance(diversity, (int, float)) or not 0 <= diversity < 1e30:
            raise ValidationError(
                f"diversity is {shown(diversity)}; give how much redundancy weighs next to advantage, 0 or more (1 weighs both alike)"
            )
        self.diversity = float(diversity)
        excluded = checked_ids(exclude)
        self.trajectories = given.trajectories
        self.allowed, self.excluded, self.repeated = _allowed(given.trajectories, excluded)
        if not self.allowed.size:
            raise ValidationError(f"there is no session to choose: {n} are given, {self.excluded} of them are excluded")
        self.size = checked_size(size, self.allowed.size, "sessions that are not excluded" if excluded else "sessions")
        self.domains = [trajectory.domain_or_global for trajectory in given.trajectories]
        self.limits = joint_limits([self.domains[i] for i in self.allowed.tolist()], self.size, quotas)
        self._rewards = given.rewards if rewards is None else rewards
        if self._rewards is not None:
            totals(self._rewards, n)
        if advantages is not None:
            self.advantages = finite_values(advantages, n, "advantages")
        elif given.advantages is not None:
            self.advantages = finite_values(given.advantages, n, "advantages")
        else:
            from ebmhw.karl.baselines import advantages as by_baselines

            self.advantages = finite_values(by_baselines(given.trajectories, self._rewards, exclude=excluded), n, "advantages")
        self.similarity = Similarity(given.trajectories, similarity)

    @cached_property
    def rewards(self) -> npt.NDArray[np.float64]:
        """The total reward of each session given, (n,)."""
        if self._rewards is not None:
            return totals(self._rewards, len(self.trajectories))
        from ebmhw.karl.reward import score

        return totals([score(trajectory) for trajectory in self.trajectories], len(self.trajectories))

    @cached_property
    def greedy(self) -> Greedy:
        """The greedy choice among all allowed sessions."""
        return greedy_choice(self.similarity, self.allowed, self.advantages, self.domains, self.limits, self.size, self.redundancy_weight)

    @cached_property
    def pool(self) -> Places:
        """What the quadratic problem is made of, ascending: the allowed sessions; of more than ``pool_limit`` the greedy choice, and what would
        add most next to it.

        Of three sets of 2,000 sessions, 100 chosen, pools of 250 had the objective of all; the best 500 by advantage were 5 to 12 below.
        """
        if self.allowed.size <= self.pool_limit:
            return self.allowed
        if self.size > self.pool_limit:
            raise ValidationError(
                f"size is {self.size}, but the quadratic problem is made of at most {self.pool_limit} sessions; "
                f"choose fewer, raise pool (at most {POOL_LIMIT}), or use the method 'greedy'"
            )
        return np.sort(self.greedy.order[: self.pool_limit])

    @cached_property
    def narrowed(self) -> dict[str, Any]:
        """What narrowing to the pool left out: {} where it left out nothing."""
        if self.pool.size == self.allowed.size:
            return {}
        outside = np.setdiff1d(self.allowed, self.pool)
        return {
            "narrowed_from": int(self.allowed.size),
            "narrowed_to": int(self.pool.size),
            "best_advantage_left_out": float(self.advantages[outside].max()),
        }

    @cached_property
    def _allowed_pairs(self) -> npt.NDArray[np.float32]:
        return self.similarity.among(self.allowed)

    @cached_property
    def pairs(self) -> npt.NDArray[np.float32]:
        """Similarities within the pool, (p, p), 0 on the diagonal."""
        return self._allowed_pairs if self.allowed.size <= SAMPLE_LIMIT and self.pool is self.allowed else self.similarity.among(self.pool)

    @cached_property
    def redundancy_weight(self) -> float:
        """lambda of the derivation above."""
        n, k = self.allowed.size, self.size
        if n < 2 or k < 2 or self.diversity == 0.0:
            return 0.0
        if n > SAMPLE_LIMIT:
            sample = self.allowed[np.linspace(0, n - 1, SAMPLE_LIMIT).astype(np.int64)]
            pairs = self.similarity.among(sample)
        else:
            sample, pairs = self.allowed, self._allowed_pairs
        sums = pairs.sum(axis=1, dtype=np.float64)
        squares = np.einsum("ij,ij->i", pairs, pairs, dtype=np.float64)
        others = sample.size - 1
        means = sums / others
        variances = np.maximum(squares / others - means**2, 0.0)
        within = float(variances.mean())
        # The means of a sample vary by what was drawn, too.
        between = max(0.0, float(means.var()) - within / others * (1 - sample.size / n))
        spread = math.sqrt((k - 1) ** 2 * between + (k - 1) * (n - k) / max(n - 2, 1) * within)
        # What rounding of similarities to six digits leaves of equal ones.
        if spread <= 1e-6 * (k - 1):
            return 0.0
        worth = float(self.advantages[sample].std())
        return self.diversity * (worth if worth > 1e-12 else 1.0) / spread

    @cached_property
    def costs(self) -> SubsetCosts:
        """The objective within the pool, negated, with the quotas that exclude some choice."""
        named = np.array([self.domains[place] for place in self.pool.tolist()], dtype=object)
        bound = [(domain, limit) for domain, limit in self.limits.items() if limit[0] > 0 or limit[1] < min(int((named == domain).sum()), self.size)]
        members = np.array([named == domain for domain, _ in bound], dtype=bool).reshape(len(bound), self.pool.size)
        quotas = np.array([limit for _, limit in bound], dtype=np.int64).reshape(len(bound), 2)
        pairs = self.pairs.astype(np.float64) * self.redundancy_weight
        return SubsetCosts(-self.advantages[self.pool], pairs, self.size, members, quotas)

    def objective(self, chosen: Places) -> float:
        """Return advantages less weighed similarities of a choice, places among all sessions given."""
        return float(self.advantages[chosen].sum()) - self.redundancy_weight * self.similarity.together(chosen)

    def coverage(self, chosen: Places, neighbour: float) -> float:
        """Return the share of the allowed sessions that are chosen or have a chosen one at least ``neighbour`` alike."""
        return float((self.similarity.nearest(self.allowed, chosen) >= neighbour - 1e-6).mean())

    def domain_share(self, chosen: Places) -> float:
        """Return the share of the domains of allowed sessions that a choice has a session of."""
        return len({self.domains[i] for i in chosen.tolist()}) / len(self.limits)

    def redundancy(self, chosen: Places) -> float | None:
        """Return the mean similarity of the pairs of a choice; None for a single session, which has none."""
        pairs = chosen.size * (chosen.size - 1) // 2
        return self.similarity.together(chosen) / pairs if pairs else None


def _allowed(trajectories: Sequence[Trajectory], excluded: frozenset[str]) -> tuple[Places, int, int]:
    """Return the places that may be chosen, how many are excluded, and how many repeat an id."""
    seen: set[str] = set()
    allowed, left_out, repeated = [], 0, 0
    for place, trajectory in enumerate(trajectories):
        if trajectory.id in excluded:
            left_out += 1
        elif trajectory.id in seen:
            repeated += 1
        else:
            seen.add(trajectory.id)
            allowed.append(place)
    return np.array(allowed, dtype=np.int64), left_out, repeated
