"""Specification: what code is asked to do, as tests, test code, properties and limits, with a text of its own."""

from __future__ import annotations

import dataclasses
import json
import keyword
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from ebmhw.contract.formats import SEED_BITS
from ebmhw.errors import VerificationError, shown
from ebmhw.verify.code.values import Decoder, Encoder, Refused, decode, encode
from ebmhw.verify.members import NamedTwice, once

FORMAT = "ebmhw-specification-1"
"""Name and version of the form of the text."""
TIMEOUT = 10.0
"""Seconds in which the candidate does all that is asked of it, unless said otherwise."""
MAX_TIMEOUT = 3600.0
MIN_MEMORY = 2**26
MAX_MEMORY = 2**40
MAX_TESTS = 100_000
MEMBERS = ("args", "kwargs", "expected", "abs", "rel")
"""Of a test as a mapping."""
MAX_TEXT = 2**24
"""Characters of test code, setup and the whole text."""


@final
@dataclass(frozen=True, eq=False)
class Test:
    """A call and what it must give.

    Attributes
    ----------
    args, kwargs : of the call; each run gets copies
    expected : the value, compared by ==, where nan is equal to nan; an exception, or the class of one, stands for a call that must raise it
    abs, rel : how far floats may lie apart, as in math.isclose; 0 for ==
    """

    __test__ = False  # for pytest

    args: tuple[Any, ...]
    expected: Any
    kwargs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    abs: float = 0.0
    rel: float = 0.0


class _Form(NamedTuple):
    kind: type | tuple[type, ...]
    needs: str


@final
@dataclass(frozen=True, eq=False)
class Specification:
    """What code is asked to do.

    Parameters
    ----------
    entry_point : name of the function or class that tests call; None where only test code is given, or none
    tests : of (args, expected), (args, kwargs, expected), {"args": ..., "expected": ...} with "kwargs", "abs", "rel" if need be, or `Test`; args a
        tuple, and a list counts as one too
    checks : Python run in a process of its own, where ``candidate`` and the entry point's name call the code under test: plain assertions, or a
        function ``check(candidate)`` as HumanEval has them
    setup : Python run there before, such as the helpers of a question that the checks use
    properties : sources of properties (see `ebmhw.verify.code.properties`)
    infer : whether examples of question and docstrings, and properties that follow from them, are checked too
    instrument : whether annotations, stated bounds and returns are checked at run time
    timeout : seconds in which the code under test does all this, loading included; above 0, up to 3600
    memory : bytes, 2^26 to 2^40; None for the sandbox's default
    packages : names of installed packages that the code may import besides Python's own library
    seed : of ``random`` in the code's process, and of the search for arguments; 0 to 2^64 - 1
    code : True where the whole response is code, rather than text with fenced blocks

    Raises
    ------
    VerificationError
        for a value that is not allowed.
    """

    entry_point: str | None = None
    tests: Sequence[Any] = ()
    checks: str | None = None
    setup: str | None = None
    properties: Sequence[str] = ()
    infer: bool = True
    instrument: bool = True
    timeout: float = TIMEOUT
    memory: int | None = None
    packages: Sequence[str] = ()
    seed: int = 0
    code: bool = False

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        if self.entry_point is not None and not _is_name(self.entry_point):
            raise VerificationError(f"entry_point is {shown(self.entry_point)}; give the name of a function or class as a str, or None")
        if isinstance(self.tests, (str, bytes)) or not isinstance(self.tests, Sequence):
            raise VerificationError(f"tests is {shown(self.tests)}; give a list of (args, expected), args a tuple")
        if len(self.tests) > MAX_TESTS:
            raise VerificationError(f"tests holds {len(self.tests)} tests; up to {MAX_TESTS} can be run: split them")
        put("tests", tuple(_test(one, f"tests[{i}]") for i, one in enumerate(self.tests)))
        if self.tests and self.entry_point is None:
            raise VerificationError("tests are given, but no entry_point for them to call; name it")
        for name in ("checks", "setup"):
            _source(getattr(self, name), name)
        if isinstance(self.properties, (str, bytes)) or not isinstance(self.properties, Sequence):
            raise VerificationError(f"properties is {shown(self.properties)}; give a list of texts")
        put("properties", tuple(self.properties))
        for i, text in enumerate(self.properties):
            if not isinstance(text, str):
                raise VerificationError(f"properties[{i}] is {shown(text)}; give the source of a property as a str")
            _source(text, f"properties[{i}]", parse=False)
        if self.properties and self.entry_point is None:
            raise VerificationError("properties are given, but no entry_point that they are of; name it")
        for name in ("infer", "instrument", "code"):
            if not isinstance(getattr(self, name), bool):
                raise VerificationError(f"{name} is {shown(getattr(self, name))}; give True or False")
        put("timeout", _seconds(self.timeout))
        if self.memory is not None and not (_is_int(self.memory) and MIN_MEMORY <= self.memory <= MAX_MEMORY):
            raise VerificationError(f"memory is {shown(self.memory)}; give whole bytes from 2^26 (64 MiB) to 2^40, or None")
        if isinstance(self.packages, (str, bytes)) or not isinstance(self.packages, Sequence):
            raise VerificationError(f"packages is {shown(self.packages)}; give a list of names, such as ['numpy']")
        for name in self.packages:
            if not _is_name(name):
                raise VerificationError(f"packages holds {shown(name)}; give the names by which packages are imported, such as 'numpy'")
        put("packages", tuple(sorted(set(self.packages))))
        if not (_is_int(self.seed) and 0 <= self.seed < 2**SEED_BITS):
            raise VerificationError(f"seed is {shown(self.seed)}; give a whole number from 0 to 2^64 - 1")

    def to_json(self) -> str:
        """Return it as text: JSON, the same for equal specifications; members that are as they are by default are left out."""
        told: dict[str, Any] = {"format": FORMAT}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "tests":
                value = [_told(test) for test in value]
            if isinstance(value, tuple):
                value = list(value)
            default = [] if field.name in ("tests", "properties", "packages") else field.default
            if value != default:
                told[field.name] = value
        return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Specification:
        """Return the specification of a text; VerificationError, naming the member, where it is none."""
        if not isinstance(text, str):
            raise VerificationError(f"the specification is {shown(text)}; give the text of Specification.to_json()")
        if len(text) > MAX_TEXT:
            raise VerificationError(f"the specification has {len(text)} characters; up to {MAX_TEXT} are read: split it")
        try:
            told = json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)
        except NamedTwice as error:
            raise VerificationError(f"the specification: {error}") from None
        except json.JSONDecodeError as error:
            raise VerificationError(f"the specification is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
        except ValueError as error:
            raise VerificationError(f"the specification holds a number that is not allowed: {shown(str(error))}") from None
        except RecursionError:
            raise VerificationError("the specification is nested too deeply to be one of ebmhw") from None
        if not isinstance(told, dict):
            raise VerificationError(f"the specification is {shown(told)}; give a JSON object")
        if told.get("format") != FORMAT:
            raise VerificationError(f"member 'format' of the specification is {shown(told.get('format'))}; it must be {FORMAT!r}")
        names = [field.name for field in dataclasses.fields(cls)]
        for name in told:
            if name != "format" and name not in names:
                raise VerificationError(f"member {shown(name)} of the specification does not exist; there are {', '.join(names)}")
        given = {name: value for name, value in told.items() if name != "format"}
        for name in ("tests", "properties", "packages"):
            if not isinstance(given.get(name, []), list):
                raise VerificationError(f"member {name!r} of the specification is {shown(given[name])}; give an array")
        given["tests"] = [_read(one, f"tests[{i}]") for i, one in enumerate(given.get("tests", []))]
        return cls(**given)

    def __eq__(self, other: object) -> bool:
        return self.to_json() == other.to_json() if isinstance(other, Specification) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_json())


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300 else None


def _seconds(value: object) -> float:
    seconds = _number(value)
    if seconds is None or not 0 < seconds <= MAX_TIMEOUT:
        raise VerificationError(f"timeout is {shown(value)}; give seconds above 0, up to {MAX_TIMEOUT:g}")
    return seconds


def _source(value: object, name: str, parse: bool = True) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise VerificationError(f"{name} is {shown(value)}; give Python as a str, or None")
    if len(value) > MAX_TEXT:
        raise VerificationError(f"{name} has {len(value)} characters; up to {MAX_TEXT} are run: shorten it")
    if not parse:
        return
    try:
        compile(value, f"<{name}>", "exec", dont_inherit=True, flags=0x400)  # ast.PyCF_ONLY_AST
    except SyntaxError as error:
        raise VerificationError(f"{name} is no Python: {error.msg} at line {error.lineno}; correct it") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise VerificationError(f"{name} cannot be read as Python: {error}; correct it") from None


def _tolerance(value: object, place: str) -> float:
    number = _number(value)
    if number is None or not (number >= 0 and math.isfinite(number)):
        raise VerificationError(f"{place} is {shown(value)}; give a number of at least 0")
    return number


def _test(given: Any, place: str) -> Test:
    """Return a test as it is kept: of values of its own, that nothing outside can change."""
    if isinstance(given, Mapping):
        strange = [name for name in given if name not in MEMBERS]
        if strange or "expected" not in given:
            fault = f"has the member {shown(strange[0])}" if strange else "lacks expected"
            raise VerificationError(f"{place} {fault}; a test has args and expected and, if need be, kwargs, abs, rel")
        given = Test(**{"args": (), **given})
    elif not isinstance(given, Test):
        if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 3:
            raise VerificationError(f"{place} is {shown(given)}; give (args, expected) or (args, kwargs, expected), args a tuple")
        given = Test(given[0], given[1]) if len(given) == 2 else Test(given[0], given[2], given[1])
    args, kwargs = given.args, given.kwargs
    if not isinstance(args, (tuple, list)):
        raise VerificationError(f"the arguments of {place} are {shown(args)}; give them as a tuple, such as ({shown(args)},)")
    if not isinstance(kwargs, Mapping) or not all(isinstance(name, str) for name in kwargs):
        raise VerificationError(f"the named arguments of {place} are {shown(kwargs)}; give them as {{name: value}}")
    args, kwargs = _copied((tuple(args), dict(kwargs)), f"the arguments of {place}")
    expected = _copied(given.expected, f"the expected value of {place}")
    return Test(args, expected, kwargs, _tolerance(given.abs, f"abs of {place}"), _tolerance(given.rel, f"rel of {place}"))


def _copied(value: Any, what: str) -> Any:
    try:
        return decode(encode(value))
    except Refused as error:
        raise VerificationError(f"{what} cannot be passed to another process: {error}; give built-in values, or use checks") from None


def _told(test: Test) -> dict[str, Any]:
    """Return a test as JSON holds it; arguments share one numbering of containers, the expected value has its own."""
    encoder = Encoder()
    told: dict[str, Any] = {"args": [encoder.encode(value) for value in test.args]}
    if test.kwargs:
        told["kwargs"] = {name: encoder.encode(value) for name, value in test.kwargs.items()}
    told["expected"] = encode(test.expected)
    for name in ("abs", "rel"):
        if getattr(test, name):
            told[name] = getattr(test, name)
    return told


def _read(told: Any, place: str) -> Test:
    if not isinstance(told, dict) or not {"args", "expected"} <= set(told) or not set(told) <= set(MEMBERS):
        raise VerificationError(
            f"member {place} of the specification is {shown(told)}; give an object of args, expected and, if need be, kwargs, abs, rel"
        )
    if not isinstance(told["args"], list):
        raise VerificationError(f"member {place}.args of the specification is {shown(told['args'])}; give an array")
    if not isinstance(told.get("kwargs", {}), dict):
        raise VerificationError(f"member {place}.kwargs of the specification is {shown(told['kwargs'])}; give an object")
    decoder = Decoder()
    try:
        args = tuple(decoder.decode(tree) for tree in told["args"])
        kwargs = {name: decoder.decode(tree) for name, tree in told.get("kwargs", {}).items()}
    except Refused as error:
        raise VerificationError(f"members {place}.args and kwargs of the specification are no values: {error}") from None
    try:
        expected = decode(told["expected"])
    except Refused as error:
        raise VerificationError(f"member {place}.expected of the specification is no value: {error}") from None
    return Test(args, expected, kwargs, told.get("abs", 0.0), told.get("rel", 0.0))


def _no_constant(text: str) -> Any:
    raise ValueError(text)
