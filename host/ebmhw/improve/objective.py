"""Objective: what a candidate's code has to do, and the energy of what it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple


class Instance(NamedTuple):
    """One task for a candidate.

    Attributes
    ----------
    arguments : what the entry point is called with, values that `ebmhw.verify.code.values` carries
    about : what the objective needs to judge the answer, such as a compiled program; the candidate never sees it
    """

    arguments: tuple[Any, ...]
    about: Any = None


class Objective(ABC):
    """A function to be improved, judged by the energy of what it returns: lower is better.

    Instances are drawn by number, so that there are always some that nothing was tried on. Energies are computed here, in the trusted process, from
    values; a candidate is never asked how good it is.

    Attributes, each a property or a plain attribute of the class
    ----------
    name : what skills and records call it; another name is another loop
    description : the task in words, which proposers read
    entry_point : name of the function that a candidate defines
    baseline : source of the candidate to start from; it answers every instance

    Methods
    -------
    instances(first, count) : the instances from number ``first`` on, the same for the same numbers
    energy(instance, answer) : a number, lower is better; VerificationError for an answer that is none
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What skills and records call it."""

    @property
    @abstractmethod
    def description(self) -> str:
        """The task in words, with the entry point's arguments and what it returns; proposers read this."""

    @property
    @abstractmethod
    def entry_point(self) -> str:
        """The function that a candidate defines."""

    @property
    @abstractmethod
    def baseline(self) -> str:
        """Source of the candidate to start from."""

    @abstractmethod
    def instances(self, first: int, count: int) -> Sequence[Instance]:
        """Return ``count`` instances from number ``first`` on; the same numbers give the same instances."""

    @abstractmethod
    def energy(self, instance: Instance, answer: Any) -> float:
        """Return the energy of an answer.

        Raises
        ------
        VerificationError
            for an answer that is none, naming what is wrong with it.
        """
