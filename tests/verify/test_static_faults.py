"""Planted faults: each is found at its line, with its kind; and what only looks like one is not."""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import operator
import sys

import pytest
from static_judging import faults, judged

from ebmhw.verify.code.specification import Specification
from ebmhw.verify.code.static.signatures import BUILTINS, MANY, misfit
from ebmhw.verify.code.static.values import SAMPLES, combined, supports

FAULTS = [
    ("syntax", "def f(:\n    pass", 1),
    ("syntax", "def f(x)\n    return x", 1),
    ("syntax", "x = (1,\n", 1),
    ("syntax", "def f():\n    return 1\n   return 2", 3),
    ("syntax", "return 5", 1),
    ("syntax", "def f():\n    break", 2),
    ("syntax", "def f(a, a):\n    return a", 1),
    ("syntax", "def f():\n    x = 1\n    global x", 3),
    ("syntax", "def f():\n    nonlocal y\n    y = 1", 2),
    ("syntax", "class A:\n    yield 3", 2),
    ("names", "def f(x):\n    return y", 2),
    ("names", "def f(xs):\n    total = 0\n    for x in xs:\n        totl = total + x\n    return totals", 5),
    ("names", "def f(x: List[int]):\n    return x", 1),
    ("names", "def f(x):\n    return math.sqrt(x)", 2),
    ("names", "import math\ndef f(x):\n    return math.square_root(x)", 3),
    ("names", "from math import sqroot", 1),
    ("names", "def f(xs):\n    return [x for y in xs]", 2),
    ("names", "class A:\n    n = 3\n    def f(self):\n        return n", 4),
    ("division", "def f(x):\n    return x / 0", 2),
    ("division", "def f(x):\n    d = 0\n    return x / d", 3),
    ("division", "def f(x: int):\n    return x % 0", 2),
    ("division", "def f(x):\n    return 10 // (1 - 1)", 2),
    ("division", "def f(x):\n    x /= 0\n    return x", 2),
    ("division", "def f(x):\n    return divmod(x, 0)", 2),
    ("division", "y = 0 ** -1", 1),
    ("calls", "def g(a, b):\n    return a + b\ndef f(x):\n    return g(x)", 4),
    ("calls", "def g(a, b=1):\n    return a + b\ndef f(x):\n    return g(x, 2, 3)", 4),
    ("calls", "def g(a, *, key):\n    return a\ndef f(x):\n    return g(x)", 4),
    ("calls", "def g(a):\n    return a\ndef f(x):\n    return g(a=x, b=2)", 4),
    ("calls", "def g(a):\n    return a\ndef f(x):\n    return g(x, a=x)", 4),
    ("calls", "def f(x):\n    return len(x, 1)", 2),
    ("calls", "def f(x):\n    return sorted(x, reversed=True)", 2),
    ("calls", "def f(x):\n    return isinstance(x)", 2),
    ("calls", "class A:\n    def __init__(self, n):\n        self.n = n\ndef f():\n    return A()", 5),
    ("calls", "class A:\n    def g(self, n):\n        return n\n    def f(self):\n        return self.g()", 5),
    ("types", "def f():\n    return 'a' + 1", 2),
    ("types", "def f():\n    return [1] + (2,)", 2),
    ("types", "def f(x):\n    return 'n: ' + len(x)", 2),
    ("types", "def f():\n    return 'a' < 1", 2),
    ("types", "def f(xs):\n    out = []\n    for x in xs:\n        out.add(x)\n    return out", 4),
    ("types", "def f(s):\n    return 'abc'.reverse()", 2),
    ("types", "def f(d):\n    seen = {}\n    return seen.has_key(d)", 3),
    ("types", "def f(xs):\n    for i in len(xs):\n        print(i)", 2),
    ("types", "def f(xs):\n    for i in range(len(xs) / 2):\n        print(i)", 2),
    ("types", "def f():\n    for i in range(0, 5, 0):\n        print(i)", 2),
    ("types", "def f():\n    return len(5)", 2),
    ("types", "def f():\n    return 5()", 2),
    ("types", "def f(xs):\n    return sorted(xs).sort().append(1)", 2),
    ("format", "def f(x):\n    return '%d %d' % (x,)", 2),
    ("format", "def f(x):\n    return '{} {}'.format(x)", 2),
    ("format", "def f(x):\n    return '%q' % x", 2),
    ("assignment", "def f(x):\n    y = y + 1\n    return y", 2),
    ("assignment", "count = 0\ndef f():\n    count += 1\n    return count", 3),
    ("assignment", "def f(x):\n    print(z)\n    z = 3", 2),
    ("assignment", "def f(x):\n    if x:\n        y = 1\n    else:\n        return y\n    return y", 5),
    ("returns", "def f(x) -> int:\n    y = x + 1", 1),
    ("returns", "def f(x) -> list[int]:\n    for i in range(x):\n        i + 1\n    return", 1),
    ("returns", "def f(x):\n    '''Double.\n\n    >>> f(2)\n    4\n    '''\n    y = x * 2", 1),
    ("returns", "def f(x):\n    '''Double.\n\n    Returns:\n        the double\n    '''\n    y = x * 2", 1),
    ("loops", "def f(x):\n    while True:\n        x += 1", 2),
    ("loops", "def f(n: int):\n    i = 0\n    while i < n:\n        print(i)\n    return i", 3),
    ("loops", "while 1:\n    pass", 1),
]


@pytest.mark.parametrize(("kind", "code", "line"), FAULTS)
def test_a_planted_fault_is_found_where_it_is(kind: str, code: str, line: int) -> None:
    found = faults(code)
    assert [claim.kind for claim in found] == [kind], found
    assert found[0].statement.content["line"] == line
    assert found[0].text in code and found[0].text == code[slice(*found[0].span)] and found[0].text


SOUND = [
    "import math\ndef f(x):\n    return math.sqrt(x)",
    "from math import *\ndef f(x):\n    return sqrt(x)",
    "try:\n    import numpy as np\nexcept ImportError:\n    np = None\ndef f(x):\n    return x if np is None else np.sum(x)",
    "from __future__ import annotations\ndef f(x: Foo) -> Bar:\n    return x",
    "def f(xs):\n    return [x * y for x in xs for y in range(x) if x if y]",
    "def f(xs):\n    return {k: v for k, v in xs}, {a for a in xs}, list(b for b in xs)",
    "def f(xs):\n    return [y for x in xs if (y := x + 1)], y",
    "def f(x):\n    try:\n        y = int(x)\n    except ValueError as error:\n        print(error)\n        y = 0\n    else:\n        y += 1\n"
    "    finally:\n        print(x)\n    return y",
    "def f(p):\n    with open(p) as a, open(p) as (b):\n        return a.read() + b.read()",
    "def f(xs):\n    (a, b), *c = xs\n    a, b = b, a\n    return a, b, c",
    "def f(xs):\n    first, *rest = xs\n    for i, (j, *k) in enumerate(rest):\n        print(i, j, k)\n    return first",
    "n = 0\ndef f():\n    global n\n    n += 1\n    return n",
    "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n    return g",
    "def f():\n    global made\n    made = 3\ndef g():\n    return made",
    "class A:\n    n = 3\n    m = n + 1\n    xs = [i for i in range(n)]\n    def f(self):\n        return self.n, A.m",
    "import functools\n@functools.lru_cache(maxsize=None)\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)",
    "from typing import Optional, List\ndef f(x: Optional[int] = None, ys: List[int] = []) -> Optional[int]:\n    if x:\n        return x",
    "def f(x):\n    return round(x, 2) + round(x) + pow(x, 2) + pow(2, 3, 5) + pow(x, -1, 7) + round(number=x)",
    "def f(x):\n    match x:\n        case [a, *b]:\n            return a, b\n        case {'k': v, **rest}:\n            return v, rest\n"
    "        case int() as n if n > 0:\n            return n\n        case _:\n            return None",
    "def f(x, y=lambda a, *b, c=1, **d: (a, b, c, d)):\n    return y(x)",
    "def f(xs):\n    del xs[0]\n    x = 1\n    del x\n    x = 2\n    return x",
    "def f(x):\n    exec('y = 3')\n    return y",
    "def f(a):\n    return '{a}'.format(**locals()), eval('a + b')",
    "__all__ = ['f', 'g']\ndef f():\n    return 1\nif f():\n    def g():\n        return 2\nelse:\n    def g(x):\n        return 3\ng(1)",
    "def f(x):\n    '''\n    >>> f(1)\n    undefined(1 / 0)\n    '''\n    return x",
    "import asyncio\nasync def f(xs):\n    async with xs as ys:\n        async for y in ys:\n            await y\n    return [z async for z in xs]",
    "def f(x):\n    try:\n        return 1 / 0\n    except ZeroDivisionError:\n        return x",
    "def f(x, d=0):\n    if d == 0:\n        return 0\n    return x / d",
    "def f(x):\n    d = 0\n    if x:\n        d = 1\n    return x / d",
    "def f(s):\n    return '%d' % 0 + s % 0",
    "import numpy\ndef f(x):\n    return numpy.asarray(x) / 0",
    "def f(x):\n    while True:\n        x = next(x)",
    "def f(n):\n    while True:\n        n -= 1\n        if n < 0:\n            break\n    return n",
    "def f(xs):\n    while xs:\n        xs.pop()",
    "def f():\n    while True:\n        yield 1",
    "def f(x) -> int:\n    raise NotImplementedError",
    "from abc import abstractmethod\nclass A:\n    @abstractmethod\n    def f(self) -> int:\n        '''Returns: a number'''",
    "from typing import Iterator\ndef f(n) -> Iterator[int]:\n    for i in range(n):\n        yield i",
    "def f(x):\n    for i in range(x):\n        if i > 2:\n            found = i\n    return found",
    "def f(x):\n    for i in range(x):\n        if i:\n            print(prev)\n        prev = i",
    "def g(*args, **kwargs):\n    return args\ndef f(x):\n    return g(x, 1, 2, a=3) + g(*x, **x)",
    "def g(a, b, c=0):\n    return a\ndef f(x):\n    return g(*x), g(1, **x), g(1, *x, c=2)",
    "def deco(h):\n    return lambda: h(1, 2)\n@deco\ndef g(a, b):\n    return a\ndef f():\n    return g()",
    "def g(a):\n    return a\nif g(1):\n    g = lambda: 2\ndef f():\n    return g()",
    "class A(dict):\n    def g(self, n):\n        return n\ndef f():\n    return A(1, 2, 3)",
    "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 0\ndef f():\n    return P(1), P(1, 2)",
    "len = lambda a, b: a\ndef f():\n    return len(1, 2)",
    "def f(xs):\n    out = []\n    out = set(out)\n    out.add(1)\n    return out",
    "def f(x):\n    s = ''\n    s += x\n    return s.upper()",
    "def f(x):\n    return x if x == x else None",
    "def f(a, b):\n    return f'{a!r:>{b}} {a + b:0.2f} {{x}}'",
    "def f(x):\n    if hasattr(x, 'a'):\n        return x.a\n    return __name__, __file__, __doc__",
    "import os.path, xml.dom\ndef f(x):\n    return os.path.join(x), xml.dom, os.sep",
    "import sys\nif sys.version_info < (3,):\n    text = unicode\nelse:\n    text = str",
    "try:\n    text = unicode\nexcept NameError:\n    text = str",
    "def f():\n    import math as m\n    from random import random, randint as r\n    return m.pi, random(), r(1, 2)",
    "print([1, 2, 3][0], 'a' * 3, 3 * [0], 2 ** 0.5, {1} | {2}, {'a': 1} | {'b': 2}, 'x' in 'xyz', [1] < [2], True + 1)",
    "def f(x):\n    def g():\n        return later\n    later = x\n    return g()",
    "def f(x):\n    lazy = (y for _ in range(3))\n    y = x\n    return list(lazy)",
    "def f(n):\n    return n * f(n - 1) if n else 1\nx = f(3)",
    "@property\ndef f(x):\n    return x\nclass A:\n    __slots__ = ('a',)\n    def __init__(self):\n        self.__class__\n        __class__",
    "\ufeffdef f(x):\n    return x",
    "x = '\\d'  # an escape that Python warns of\ny = 1 is 1",
    "",
    "\n\n# nothing\n",
]
if sys.version_info >= (3, 11):
    SOUND.append("def f(x):\n    try:\n        return x()\n    except* ValueError as group:\n        print(group)\n    return None")
if sys.version_info >= (3, 12):
    SOUND.append(
        "type Pair[T] = tuple[T, T]\ndef f[S](x: Pair[S]) -> S:\n    return x[0]\nclass A[T: int]:\n    def g(self, x: T) -> T:\n        return x"
    )
    SOUND.append("def f(x):\n    return f'{x['a']} {f\"{x}\"}'")


@pytest.mark.parametrize("code", SOUND)
def test_what_is_sound_is_not_flagged(code: str) -> None:
    assert faults(code) == []


def test_a_misspelt_name_is_named_with_what_may_be_meant() -> None:
    (claim,) = faults("def f(numbers):\n    return sum(numbes)")
    assert "perhaps 'numbers' is meant" in claim.reason and claim.text == "numbes" and claim.fix is None
    (claim,) = faults("def f(item_a, item_b):\n    return item_c")
    assert "perhaps" not in claim.reason


def test_code_that_is_never_reached_has_no_faults() -> None:
    assert faults("def f(x):\n    return x\n    return 1 / 0") == []
    assert faults("def f(x):\n    if False:\n        return undefined\n    return x") == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(x):\n    return x\n    print(x)", "control never comes here"),
        ("def f(x):\n    return x == x", "a thing with itself"),
        ("def f(x):\n    y = x + 1\n    return x", "'y' is assigned to but never used"),
        ("def f(x, y):\n    return x", "the parameter 'y' is never used"),
        ("def f(x):\n    '''F.\n\n    :param z: what\n    '''\n    return x", "describes a parameter 'z'"),
        ("def f(x):\n    '''F.\n\n    Args:\n        x: one\n        z (int): other\n    '''\n    return x", "describes a parameter 'z'"),
        ("def f(x) -> int:\n    if x:\n        return 1", "may end without returning a value"),
        ("def f(x):\n    if 3:\n        return x", "always the same"),
        ("def f(x):\n    return x is 'a'", "use ==/!="),
    ],
)
def test_oddities_are_unknown_and_spoil_nothing_where_the_code_is_run(code: str, words: str) -> None:
    claims = judged(code, specification=Specification(code=True, entry_point="f")).claims
    assert [claim.verdict for claim in claims if words in claim.reason] == ["UNKNOWN"]
    run = judged(code, specification=Specification(code=True, entry_point="f"), executed=True).claims
    assert {claim.verdict for claim in run} == {"VERIFIED"} and words in " ".join(claim.reason for claim in run)


def test_the_table_of_builtins_is_pythons() -> None:
    """Each bound of the table is tried on the function itself: what the table refuses raises TypeError, what it takes does not raise for its form."""
    compared = 0
    for name, signature in BUILTINS.items():
        function = getattr(builtins, name)
        if name in ("input", "print"):
            continue
        for count in (signature.required - 1, signature.most + 1):
            if 0 <= count < MANY:
                assert misfit(signature, count, ()) is not None
                with pytest.raises(TypeError, match=r"argument|at least|at most|expected|must have|exactly"):
                    function(*[1] * count)
                compared += 1
        try:
            told = inspect.signature(function)
        except ValueError:
            continue
        for parameter in told.parameters.values():
            if parameter.kind == parameter.KEYWORD_ONLY or (
                parameter.kind == parameter.POSITIONAL_OR_KEYWORD and parameter.name in signature.keywords
            ):
                assert parameter.name in signature.keywords, name
                compared += 1
    assert compared > 40


def test_types_are_told_as_python_computes_them() -> None:
    signs = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv}
    others = {"int": 7, "float": -2.5, "complex": 2 - 1j, "bool": True, "str": "zz", "bytes": b"", "list": [], "tuple": (), "dict": {}, "set": set(),
              "frozenset": frozenset(), "range": range(5), "NoneType": None}  # fmt: skip
    assert set(others) == set(SAMPLES)
    for (one, a), (other, b) in itertools.product(others.items(), repeat=2):
        for op, function in signs.items():
            try:
                made = type(function(a, b)).__name__
            except TypeError:
                assert not supports(op(), one, other), (one, op, other)
                continue
            assert supports(op(), one, other) and combined(op(), one, other) in (made, None), (one, op, other)


def test_an_entry_point_must_be_there_and_take_what_tests_pass() -> None:
    def asked(code: str, **options: object) -> list[str]:
        return [claim.reason for claim in faults(code, Specification(code=True, entry_point="f", **options))]  # type: ignore[arg-type]

    assert asked("def g(a, b):\n    return a", tests=[((1, 2), 3)]) == ["there is no f in the code, which defines g"]
    assert asked("def f(a):\n    return a", tests=[((1, 2), 3)]) == ["a test passes f() 2 arguments by position, and it takes at most 1"]
    assert asked("def f(a, b, c):\n    return a", tests=[((1, 2), 3)]) == ["a test passes f() no argument for 'c'"]
    assert asked("def f(a, b):\n    '''Add.'''\n    pass", tests=[((1, 2), 3)]) == ["f does nothing: it has no body of its own"]
    for sound in ("def f(a, b, c=0):\n    return a", "def f(*a):\n    return a", "f = max", "from operator import add as f", "from x import *"):
        assert asked(sound, tests=[((1, 2), 3)]) == []


def test_the_function_of_a_question_must_keep_its_signature() -> None:
    question = 'from typing import List\n\ndef add(a: int, xs: List[int]) -> int:\n    """Add."""\n'
    assert faults("def add(a: int, xs: List[int]) -> int:\n    return a + sum(xs)", question=question) == []
    (claim,) = faults("def add(a):\n    return a", question=question)
    assert claim.kind == "entry" and "the question passes add() 2 arguments" in claim.reason
    (claim,) = faults(question, question=question)
    assert "does nothing" in claim.reason
    assert judged("```python\ndef sub(a, b):\n    return a\n```", question).open_goals == ("the function add in Python",)
    assert judged("I do not know.", question).open_goals == ("the function add in Python",)


def test_a_static_pass_alone_does_not_verify() -> None:
    done = judged("```python\ndef gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a\n```", "Write a Python function gcd.")
    told = {(claim.kind, claim.verdict) for claim in done.claims}
    assert told == {("syntax", "VERIFIED"), ("names", "VERIFIED"), ("behaviour", "UNKNOWN")}
    assert judged("It is easy.", "Write a Python function gcd.").open_goals == ("code in Python",)
    assert judged("It is easy.", "Write a programme for the concert.") == ((), ())


def test_a_snippet_may_leave_names_to_its_reader_outside_functions() -> None:
    snippet = "Use this:\n```python\nresult = frame.groupby('a').sum()\n```\n"
    assert "VIOLATED" not in {claim.verdict for claim in judged(snippet).claims}
    parts = "```python\ndef g():\n    return 1\n```\nthen\n```python\ndef f():\n    return g()\n```"
    assert "VIOLATED" not in {claim.verdict for claim in judged(parts).claims}
