"""verify_code: check code by static analysis, tests and properties, in one call."""

from __future__ import annotations

import ast
import inspect
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.code.specification import TIMEOUT, Specification
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domains import chosen_names, make_domains
from ebmhw.verify.examine import examine
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.report import Report
from ebmhw.verify.texts import Texts

if TYPE_CHECKING:
    from ebmhw.verify.code.properties.ranking import Memory


def verify_code(
    code: str,
    entry_point: str | None = None,
    tests: Sequence[Any] = (),
    properties: Any = None,
    timeout: float = TIMEOUT,
    *,
    question: str = "",
    checks: str | Callable[..., Any] | None = None,
    setup: str | None = None,
    infer: bool = True,
    instrument: bool = True,
    packages: Sequence[str] = (),
    seed: int = 0,
    memory: int | None = None,
    history: Memory | None = None,
) -> Report:
    """Return the report of Python code: what static analysis finds, and what running it in the sandbox shows.

    Parameters
    ----------
    code : Python, or text with fenced blocks of it
    entry_point : name of the function or class under test
    tests : of (args, expected), args a tuple, (args, kwargs, expected), or `Test`
    properties : texts (see `ebmhw.verify.code.properties`), functions prop_...(f, ...) taken by their source, or one of these
    timeout : seconds that the code may compute in all
    question : what was asked, whose examples and words are checked too
    checks : test code, or a function check(candidate) taken by its source
    setup : Python that runs before the checks, in their process
    infer, instrument, packages, seed, memory : as for `Specification`
    history : what properties caught before, such as a `SessionMemory`: the most promising ones are tried first, and what they catch is
        noted in it

    Raises
    ------
    VerificationError
        for arguments that are not allowed.

    Examples
    --------
    >>> from ebmhw.verify.code import verify_code
    >>> report = verify_code("def add(a, b):\\n    return a - b\\n", "add", tests=[((1, 2), 3)])  # doctest: +SKIP
    >>> report.verdict, report.violations[0].reason  # doctest: +SKIP
    ('VIOLATED', 'add(1, 2) gave -1; expected 3')
    """
    for name, text in (("code", code), ("question", question)):
        if not isinstance(text, str):
            raise VerificationError(f"the {name} is {shown(text)}; give a str")
    if properties is None:
        properties = ()
    elif isinstance(properties, str) or callable(properties):
        properties = (properties,)
    elif not isinstance(properties, Sequence) or isinstance(properties, (bytes, bytearray)):
        raise VerificationError(f"properties is {shown(properties)}; give texts or functions")
    specified = Specification(
        entry_point=entry_point,
        tests=tests,
        checks=source_of(checks, "checks") if callable(checks) else checks,
        setup=setup,
        properties=[source_of(one, f"properties[{i}]") if callable(one) else one for i, one in enumerate(properties)],
        infer=infer,
        instrument=instrument,
        timeout=timeout,
        memory=memory,
        packages=packages,
        seed=seed,
        code=True,
    )
    specification = specified.to_json()
    started = time.perf_counter()
    # The code's own time, that of the judge for checks and for properties, and the starts of their processes.
    deadline = Deadline(8 * specified.timeout + 120)
    texts = Texts(question, code, None, None, specification)
    domains = make_domains(chosen_names(["code", "execution"], texts), texts)
    if history is not None:
        from ebmhw.verify.code.execution import Execution

        domains = [Execution(specification, history) if domain.name == "execution" else domain for domain in domains]
    claims, open_goals, failures = examine(texts, domains, ReplayProver({}, deadline), deadline)
    report = Report(
        texts=texts,
        domains=tuple(domain.name for domain in domains),
        claims=claims,
        open_goals=open_goals,
        failures=failures,
        backend=None,
        seed=seed,
        records={},
        seconds=time.perf_counter() - started,
    )
    refuse_unusable(report)
    return report


def refuse_unusable(report: Report) -> None:
    """Raise VerificationError for properties that cannot be read: whoever asks wrote them, and a domain that failed would tell it too softly."""
    unusable = next((failure.text for failure in report.failures if (failure.domain, failure.code) == ("execution", VerificationError.code)), None)
    if unusable is not None:
        raise VerificationError(unusable)


def source_of(function: Callable[..., Any], what: str) -> str:
    """Return the source of a function as a text of its own; VerificationError where there is none, or where it needs values from around it."""
    if not inspect.isfunction(function):
        raise VerificationError(f"{what} is {shown(function)}; give a function that is written with def, or its source as a str")
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        raise VerificationError(f"{what} is the function {function.__name__!r}, whose source cannot be read; give its source as a str") from None
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise VerificationError(
            f"{what} is the function {function.__name__!r}, which no def makes alone; give a function written with def, or its source"
        )
    if function.__closure__:
        names = ", ".join(function.__code__.co_freevars)
        raise VerificationError(f"{what} is the function {function.__name__!r}, which uses {names} from around it; give a function that stands alone")
    return source
