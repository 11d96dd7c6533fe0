"""What is asked of the judge about a function's properties, and what its answers mean."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.errors import MissingExtra
from ebmhw.verify.code.properties import strategies
from ebmhw.verify.code.properties.given import arguments_of, read_properties
from ebmhw.verify.code.properties.infer import inferred
from ebmhw.verify.code.properties.outcomes import Finding, findings
from ebmhw.verify.code.properties.property import Property
from ebmhw.verify.code.properties.ranking import Memory, note, ranked

_NEEDED = ("hypothesis", "_hypothesis_globals", "sortedcontainers", "attr", "attrs", "exceptiongroup", "typing_extensions")

PACKAGES = tuple(name for name in _NEEDED if importlib.util.find_spec(name) is not None)
"""What the judge's process has to be able to import: Hypothesis and what its versions need of these, as far as it is installed."""

MAX_EXAMPLES = 100
"""Arguments that are drawn for a property."""


class Asked(NamedTuple):
    """What is asked of the judge.

    Attributes
    ----------
    properties : in the order in which they are reported: given ones first, then inferred ones
    examples : (arguments, value) of the description and the tests
    """

    properties: tuple[Property, ...]
    examples: tuple[tuple[tuple[Any, ...], Any], ...]

    def message(self, seed: int, seconds: float, history: Memory | None = None, max_examples: int = MAX_EXAMPLES) -> dict[str, Any]:
        """Return what `runner.run` takes: the properties in the order in which they are to be tried."""
        return {
            "properties": [one.to_json() for one in ranked(self.properties, history)],
            "examples": [[list(arguments), value] for arguments, value in self.examples],
            "seed": seed,
            "max_examples": max_examples,
            "seconds": seconds,
        }

    def findings(self, outcomes: Sequence[Mapping[str, Any]], history: Memory | None = None) -> list[Finding]:
        """Return what the runner's outcomes mean, in the order of ``properties``; with a history, what caught something is noted in it.

        ``history`` has to be as it was when the message was made.
        """
        tried = ranked(self.properties, history)
        by_place = {id(one): outcome for one, outcome in zip(tried, outcomes, strict=True)}
        if history is not None:
            note(history, tried, outcomes)
        return findings(self.properties, [by_place[id(one)] for one in self.properties])


def prepare(
    code: str,
    question: str,
    entry_point: str,
    given: Sequence[str] = (),
    tests: Sequence[tuple[tuple[Any, ...], Any]] = (),
    infer: bool = True,
) -> Asked:
    """Return what is to be asked about a function.

    Parameters
    ----------
    code : that defines it
    question : what was asked for; where it defines the function, its signature and docstring count rather than the code's
    entry_point : its name
    given : texts of properties (see `ebmhw.verify.code.properties.given`)
    tests : (arguments, value) of tests, which tell of the function's domain as examples do
    infer : whether properties are inferred

    Raises
    ------
    VerificationError
        for a text that is no property, or one whose arguments are not known.
    MissingExtra
        without Hypothesis.
    """
    found, prompt = inferred(code, question, entry_point, tests) if infer or given else ([], None)
    read = prompt.examples if prompt is not None else ()
    parameters = prompt.parameters if prompt is not None else {}
    examples = [*read, *((tuple(arguments), value) for arguments, value in tests if len(arguments) == len(parameters))]
    chosen: list[Property] = []
    if given:
        columns = list(zip(*(arguments for arguments, _ in examples), strict=True))
        hull = {name: text for name, column in zip(parameters, columns, strict=False) if (text := strategies.of_values(list(column))) is not None}
        arguments = arguments_of(parameters, hull)
        for number, text in enumerate(given):
            chosen += read_properties(text, arguments, f"properties[{number}]")
    if infer:
        chosen += found
    if chosen and importlib.util.find_spec("hypothesis") is None:
        raise MissingExtra("properties are tried by hypothesis, which is missing: pip install 'ebmhw[code]'")
    return Asked(tuple(chosen), tuple(examples))


@lru_cache(maxsize=1)
def runner_source() -> str:
    """Return the program of the judge's process: its ``run(call, asked)`` returns the outcomes."""
    runner, relations = ((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8") for name in ("runner", "relations"))
    name = f"{__package__}.relations"
    # The judge's process has no files of ours to import from.
    before = (
        f"import sys, types\n_relations = types.ModuleType({name!r})\nsys.modules[{name!r}] = _relations\nexec({relations!r}, _relations.__dict__)\n"
    )
    future = "from __future__ import annotations\n"
    return future + before + runner.replace(future, "", 1)


def property_claims(
    run: Callable[[str, dict[str, Any]], Any], asked: Asked, seed: int, seconds: float, history: Memory | None = None
) -> list[Finding]:
    """Return what properties find of a function.

    Parameters
    ----------
    run : runs a program in the judge's process: its ``run(call, asked)`` with this message; returns what that returns, or anything but a list where
        that process was stopped, so that all is UNKNOWN
    asked : of `prepare`
    seed : of the drawn arguments; the findings are the same for the same code, specification and seed
    seconds : that the function's process has left. No property is begun in the second half, so that a call that is stopped has taken at least that
        half on its own; what is not tried by then is UNKNOWN
    history : what was caught before, which orders them; what they catch is noted in it
    """
    if not asked.properties:
        return []
    outcomes = run(runner_source(), asked.message(seed, seconds / 2, history))
    if not isinstance(outcomes, list):
        outcomes = [{"name": one.name, "outcome": "judge", "tried": 0} for one in asked.properties]
    return asked.findings(outcomes, history)
