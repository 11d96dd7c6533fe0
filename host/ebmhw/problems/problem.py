"""ConstraintProblem: what every problem made of constraints offers, from the rules to a model and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidModel, shown
from ebmhw.model import Model
from ebmhw.numbers import whole
from ebmhw.problems.formula import Formula
from ebmhw.problems.penalties import Energy, Penalties
from ebmhw.spins import checked

Solution = TypeVar("Solution")


class ConstraintProblem(ABC, Generic[Solution]):
    """A problem with rules, the bits that stand for its solutions, and the energy of both.

    A subclass names its `kind`, gives its rules to a `Penalties` in `_penalties` (the problem's own bits first, ancillas behind them), and
    reads and writes states. `violated` judges by the rules alone: it never sees the energy, so that an error in one shows in the other.

    Without soft costs energies are at least 0, and 0 exactly for the states (ancillas included) that decode to a solution without violation;
    each such solution has a state of energy 0. With soft costs a solution without violation has the energy `unit` x `cost`, least over
    ancillas, and every other state has more than the best such solution has.
    """

    kind: ClassVar[str]

    @abstractmethod
    def _penalties(self) -> Penalties:
        """Return the rules as constraints over bits."""

    @abstractmethod
    def decode(self, spins: npt.ArrayLike) -> Solution | None:
        """Return the solution that spins (n,) stand for, whether it keeps the rules or not; None where they stand for none."""

    @abstractmethod
    def encode(self, solution: Solution) -> npt.NDArray[np.int8]:
        """Return spins int8 (n,) that decode to a solution, ancillas at their least energy."""

    @abstractmethod
    def violated(self, solution: Solution) -> tuple[str, ...]:
        """Return the names of the hard constraints that a solution breaks, in their order; () where it keeps all."""

    @abstractmethod
    def values(self, spins: npt.ArrayLike) -> dict[Hashable, Any]:
        """Return the value of each variable of one state (n,); {} where it stands for nothing."""

    def cost(self, solution: Solution) -> float:
        """Return the soft cost of a solution, by the rules; 0 where a problem has none."""
        return 0

    @cached_property
    def penalties(self) -> Penalties:
        """The constraints over bits; not to be added to."""
        return self._penalties()

    @cached_property
    def energy(self) -> Energy:
        """The model, its unit, and the weight of hard constraints in it."""
        return self.penalties.energy()

    @property
    def model(self) -> Model:
        """Model of energy `unit` x (soft cost + hard weight x hard cost); integers if all weights are."""
        return self.energy.model

    @property
    def unit(self) -> float:
        """Energy of a cost of 1."""
        return self.energy.unit

    @property
    def weighted(self) -> bool:
        """True where solutions have costs, so that one may be better than another."""
        return self.penalties.weighted

    @cached_property
    def formula(self) -> Formula:
        """The constraints as clauses: variable i is bit i, the first model.n variables are the spins of a model's state (in their order)."""
        return self.penalties.formula()

    def describe(self, spins: npt.ArrayLike) -> dict[str, float | int | str]:
        """Return what one state (n,) is worth: whether it stands for a solution, how many constraints that breaks, and which."""
        solution = self.decode(spins)
        if solution is None:
            return {"solved": 0, "violated": "the state stands for no solution"}
        broken = self.violated(solution)
        facts: dict[str, float | int | str] = {"solved": int(not broken), "violated": "; ".join(broken)}
        return facts | ({"cost": self.cost(solution)} if self.weighted else {})

    def _truths(self, spins: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return the truth of bit i at index i - 1, of one state (n,)."""
        state = np.asarray(spins)
        truths: npt.NDArray[np.bool_] = checked(state[None] if state.ndim != 1 else state, (self.penalties.num_bits,)) > 0
        if truths.ndim != 1:
            raise InvalidModel(f"spins have shape {state.shape}; give one state, ({self.penalties.num_bits},)")
        return truths


def integer(value: object, what: str, least: int, most: int | None = None) -> int:
    """Return an integer within least .. most, InvalidModel naming `what` for anything else."""
    number = whole(value)
    if number is None or number < least or (most is not None and number > most):
        limits = f"{least} or more" if most is None else f"{least} to {most}"
        raise InvalidModel(f"{what} is {shown(value)}; give an integer, {limits}")
    return number


def listed(items: Iterable[object]) -> str:
    """Return the first of some names as they may stand in a message."""
    names = [item if isinstance(item, str) and len(item) <= 80 else shown(item) for item in islice(items, 7)]
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "") if names else "none"
