"""Calls of functions in this process, as the judge's process makes them of the candidate's: for tests of the runner alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.properties import Finding, property_claims, runner
from ebmhw.verify.code.properties.asking import prepare


def calls_of(code: str, name: str) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]:
    """Return what the runner takes as ``call``: copies in, copies out; Stopped where the code raises TimeoutError("stop")."""
    scope: dict[str, Any] = {"__name__": "candidate"}
    exec(compile(code, "<candidate>", "exec"), scope)

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        given = copy.deepcopy(args)
        try:
            value = scope[name](*given, **copy.deepcopy(kwargs))
        except TimeoutError as error:
            return ("stopped", str(error))
        except Exception as error:
            return ("raised", type(error).__name__, str(error))
        return ("returned", copy.deepcopy(value), given)

    return call


def found_in(
    code: str, name: str, given: list[str] | None = None, *, question: str = "", infer: bool = True, seed: int = 1, seconds: float = 20.0, **more: Any
) -> list[Finding]:
    """Return what properties find of a function that runs in this process; only for code of our own."""
    asked = prepare(code, question, name, given or [], infer=infer, tests=more.get("tests", ()))
    return property_claims(lambda _, message: runner.run(calls_of(code, name), message), asked, seed, seconds, more.get("memory"))
