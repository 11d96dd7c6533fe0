"""verify_code: check code by static analysis, tests and properties, in one call."""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.code.program import callable_names
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
    entry_point : name of the function or class under test; None for the only public function at the top of the code, or its only class
    tests : of (args, expected), args a tuple, (args, kwargs, expected), {"args": ..., "expected": ...}, or `Test`
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
    if entry_point is None:
        entry_point = _only_name(code, bool(tests or properties))
    specified = Specification(
        entry_point=entry_point,
        tests=tests,
        checks=source_of(checks, "checks") if callable(checks) else checks,
        setup=setup,
        properties=[_property_source(one, f"properties[{i}]") if callable(one) else one for i, one in enumerate(properties)],
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


def _only_name(code: str, needed: bool) -> str | None:
    names = callable_names(code)
    if len(names) == 1:
        return names[0]
    if needed:
        told = f"the code defines {', '.join(names)}" if names else "no function was read in the code"
        raise VerificationError(f"tests and properties call a function by name, and {told}; name it as entry_point")
    return None


def refuse_unusable(report: Report) -> None:
    """Raise VerificationError for properties that cannot be read: whoever asks wrote them, and a domain that failed would tell it too softly."""
    unusable = next((failure.text for failure in report.failures if (failure.domain, failure.code) == ("execution", VerificationError.code)), None)
    if unusable is not None:
        raise VerificationError(unusable)


_KNOWN = frozenset({"st", "assume", "given", "same", "agree", "alike", "meant", "subsequence", "counted", "plain", "deepcopy", "Broken"})
"""Names that the source of a property may use without defining them."""


def _property_source(function: Callable[..., Any], what: str) -> str:
    """Return the source of a property as `source_of` does; VerificationError too where it uses names of its module, which are not there."""
    source = source_of(function, what)
    tables = symtable.symtable(source, what, "exec").get_children()
    free: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        free |= {one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced()}
    free -= _KNOWN | {function.__name__} | set(dir(builtins))
    if free:
        raise VerificationError(
            f"{what} is the function {function.__name__!r}, which uses {', '.join(sorted(free))} from around it; "
            "import or define this within the function, or give its source with what it needs as a str"
        )
    return source


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
