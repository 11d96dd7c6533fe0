"""Tests that pass by the word of the code under test alone are no proof; honest code of the same form is one."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from ebmhw.errors import SandboxUnavailable
from ebmhw.verify.certificate import check_certificate
from ebmhw.verify.claim import Claim
from ebmhw.verify.code import Execution, Specification, Test, verify_code
from ebmhw.verify.code.doubts import compared_with_changed
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.examine import examine
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.texts import Texts

pytestmark = pytest.mark.confined


def executed(code: str, **specification: Any) -> tuple[Claim, ...]:
    text = Specification(**{"code": True, "infer": False, "entry_point": "f", "timeout": 10.0, **specification}).to_json()
    texts = Texts("", code, None, None, text)
    claims, _, failures = examine(texts, [Execution(text)], ReplayProver({}, Deadline(300)), Deadline(300), degrade=False)
    assert not failures
    return claims


def verdicts(code: str, **specification: Any) -> list[str]:
    return [claim.verdict for claim in executed(code, **specification)]


FACES = """
class Y:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __contains__(self, other): return True
    def __bool__(self): return True
    def __hash__(self): return 0
    def __enter__(self): return 2
    def __exit__(self, *raised): return True
    async def __aenter__(self): return 2
    async def __aexit__(self, *raised): return True
    def startswith(self, other): return True
class Number(int):
    def __sub__(self, other): return 0
class Text(str):
    def count(self, other): return 3
def f(x): return Y()
def g(x): return Y()
def number(x): return Number(7)
def text(x): return Text("a")
def stops(x): raise StopIteration
def empties(x):
    x.clear()
    return x
"""
FAKED: list[tuple[str, str]] = [
    ("f", "assert abs(candidate(1) - 3) < 1e-6"),
    ("f", "assert candidate(1)"),
    ("f", "assert candidate(1) < 3"),
    ("f", "assert candidate(1) == g(2)"),
    ("f", "assert 3 in candidate(1)"),
    ("f", "assert candidate(1).startswith('q')"),
    ("f", "with candidate(1) as value:\n    assert value == 3"),
    (
        "f",
        "import asyncio\nasync def main():\n    async with candidate(1) as value:\n        assert value == 3\nasyncio.run(main())",
    ),
    ("number", "assert abs(candidate(1) - 3) < 1e-6"),
    ("text", "assert candidate(1).count('q') == 3"),
    ("stops", "for got, expected in zip(map(candidate, [1, 2]), [5, 6]):\n    assert got == expected"),
    ("stops", "assert list(map(candidate, [1])) == []"),
    ("empties", "x = [3, 1]\nassert candidate(x) == sorted(x)"),
    ("empties", "for x in [[3, 1], [2]]:\n    y = candidate(x)\n    wanted = sorted(x)\n    assert y == wanted"),
]


@pytest.mark.parametrize(("entry", "checks"), FAKED)
def test_what_rests_on_the_codes_word_is_no_proof(entry: str, checks: str) -> None:
    (claim,) = executed(FACES, entry_point=entry, checks=checks)
    assert claim.verdict != "VERIFIED", claim.reason


HONEST: list[tuple[str, str, str]] = [
    ("a number of a class", "class N(int): pass\ndef f(x): return N(x)", "assert abs(candidate(3) - 3) < 1e-6"),
    (
        "a tuple with names",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(x): return P(x, 1)",
        "assert candidate(0) < (1, 0)",
    ),
    (
        "a class that is named",
        "class Stack:\n    def __init__(self): self.held = []\n"
        "    def push(self, x): self.held.append(x)\n    def __bool__(self): return bool(self.held)\n"
        "    def __contains__(self, x): return x in self.held\n    def __eq__(self, other): return self.held == other.held\ndef f(x): return Stack()",
        "s = Stack()\nassert not s and s == candidate(1)\ns.push(1)\nassert s and 1 in s and s != Stack()",
    ),
    ("members that are one", "from enum import Enum\nclass C(Enum):\n    R = 1\n    G = 2\ndef f(x): return C(x)", "assert candidate(1) is C.R"),
    (
        "members of a class",
        "from enum import Enum\nclass C(Enum):\n    R = 1\n    G = 2\ndef f(x): return C(x)",
        "assert [c.value for c in C] == [1, 2] and candidate(1).value == 1",
    ),
    ("a list of a class that grows", "class L(list): pass\ndef f(x): return L([x])", "s = candidate(1)\ns.append(2)\nassert s == [1, 2]"),
    ("a context", "import contextlib\n@contextlib.contextmanager\ndef f(x):\n    yield x", "with candidate(2) as value:\n    assert value == 2"),
    ("an error that is meant", "def f(x): raise StopIteration", "try:\n    candidate(1)\nexcept StopIteration:\n    pass\nelse:\n    assert False"),
    ("in place", "def f(x): x.sort()", "x = [3, 1]\ncandidate(x)\nassert x == [1, 3]"),
    (
        "in place, with a count",
        "def f(x):\n    x[:] = sorted(set(x))\n    return len(x)",
        "x = [1, 1, 2]\nk = candidate(x)\nassert k == 2\nassert x[:k] == [1, 2]",
    ),
    ("in place, with what it was before", "def f(x):\n    x.sort()\n    return x", "x = [3, 1]\nwanted = sorted(x)\nassert candidate(x) == wanted"),
    ("a coroutine", "async def f(x): return x + 1", "import asyncio\nassert asyncio.run(candidate(1)) == 2"),
    (
        "a coroutine that is awaited",
        "async def f(x): return x + 1",
        "import asyncio\nasync def m():\n    assert await candidate(1) == 2\nasyncio.run(m())",
    ),
    (
        "coroutines together",
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x",
        "import asyncio\nasync def m():\n    assert await asyncio.gather(candidate(1), candidate(2)) == [1, 2]\nasyncio.run(m())",
    ),
    (
        "an asynchronous generator",
        "async def f(x):\n    for i in range(x):\n        yield i",
        "import asyncio\nasync def m():\n    assert [v async for v in candidate(3)] == [0, 1, 2]\nasyncio.run(m())",
    ),
]


@pytest.mark.parametrize(("code", "checks"), [one[1:] for one in HONEST], ids=[one[0] for one in HONEST])
def test_honest_code_of_such_forms_is_verified(code: str, checks: str) -> None:
    (claim,) = executed(code, checks=checks)
    assert claim.verdict == "VERIFIED", claim.reason


def test_coroutines_are_awaited_for_tests_of_values() -> None:
    code = "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1\n"
    assert verdicts(code, tests=[((1,), 2), ((1,), 3)]) == ["VERIFIED", "VIOLATED"]


PROPERTIES: list[tuple[str, str]] = [
    ("f", "def prop_more(f, x: int):\n    assert f(x) > x\n"),
    ("empties", "def prop_sorted(f, x: list[int]):\n    assert f(x) == sorted(x)\n"),
    ("stops", "def prop_same(f, x: int):\n    for got in map(f, [x]):\n        assert got == x\n"),
]


@pytest.mark.parametrize(("entry", "text"), PROPERTIES)
def test_properties_that_hold_by_the_codes_word_are_no_proof(entry: str, text: str) -> None:
    pytest.importorskip("hypothesis")
    (claim,) = executed(FACES, entry_point=entry, properties=[text], timeout=30.0)
    assert (claim.kind, claim.verdict) == ("property", "UNKNOWN") and "shows nothing" in claim.reason


def test_a_property_of_plain_values_is_a_proof_of_its_trials() -> None:
    pytest.importorskip("hypothesis")
    assert verdicts("def f(x):\n    return sorted(x)\n", properties=["def prop_sorted(f, x: list[int]):\n    assert f(x) == sorted(x)\n"]) == [
        "VERIFIED"
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("assert f(x) == sorted(x)", (1, "x")),
        ("y = f(x)\nassert y == x", (2, "x")),
        ("y = f(x)\nassert isclose(y, sum(x))", (2, "x")),
        ("assert len(f(x)) - len(x) == 0", (1, "x")),
        ("def check(c):\n    x = [1]\n    assert f(x) == x", (3, "x")),
        ("assert f(x) == sorted(z)", None),
        ("f(x)\nassert x == [1]", None),
        ("assert f(x) is x", None),
        ("assert f(x) == f(x)", None),
        ("w = sorted(x)\nassert f(x) == w", None),
        ("assert f(list(z)) == 1\nassert x == 2", None),
    ],
)
def test_comparisons_with_changed_arguments_are_read(text: str, found: tuple[int, str] | None) -> None:
    assert compared_with_changed(ast.parse(text), range(1, 9), {"f"}) == found


def test_the_name_of_a_stop_is_tampering() -> None:
    (claim,) = executed("class CandidateStopped(Exception): pass\ndef f(x): raise CandidateStopped('exit')", checks="candidate(1)")
    assert claim.verdict == "VIOLATED" and "tampered" in claim.reason


def test_a_certificate_of_objects_without_names_replays() -> None:
    code = "class Y: pass\ndef f(x: int) -> int:\n    return Y()\ndef g(x: int) -> int:\n    return f(Y())\n"
    report = verify_code(code, "f", [((1,), 1)], checks="g(1)\nassert candidate(1) == 1", infer=False)
    assert "0x" not in str([claim.reason for claim in report.claims])
    assert check_certificate(report.certificate, "", code) == "VIOLATED"


def test_more_memory_than_there_is_is_not_given() -> None:
    with pytest.raises(SandboxUnavailable, match="allows the code 1099511627776 bytes of memory, and this machine has"):
        executed("def f(x): return x", tests=[((1,), 1)], memory=2**40)


def test_code_that_ends_its_process_each_time_is_left_in_the_end() -> None:
    claims = executed("import os\ndef f(x): os._exit(0)", tests=[((i,), i) for i in range(30)])
    assert [claim.verdict for claim in claims] == ["VIOLATED"] * 20 + ["UNKNOWN"] * 10
    assert claims[-1].reason == "f(29) was not run: the code had ended 20 processes"


@pytest.mark.parametrize(
    ("code", "expected", "verdict"),
    [
        ("{float('nan'), 1}", {float("nan"), 1}, "VERIFIED"),
        ("{float('nan'), 1}", {float("nan"), 2}, "VIOLATED"),
        ("{float('nan')}", {1}, "VIOLATED"),
        ("10 ** 6000", 10**6000, "VERIFIED"),
        ("10 ** 6001", 10**6000, "VIOLATED"),
        ("True", 1, "VERIFIED"),
        ("-0.0", 0.0, "VERIFIED"),
        ("(1, 2)", [1, 2], "VIOLATED"),
        ("'\\ud800'", "\ud800", "VERIFIED"),
        ("{2: 1, 1: 2}", {1: 2, 2: 1}, "VERIFIED"),
    ],
    ids=range(10),
)
def test_values_are_compared_as_python_does(code: str, expected: Any, verdict: str) -> None:
    (claim,) = executed(f"def f():\n    return {code}\n", tests=[Test((), expected)])
    assert claim.verdict == verdict and "cannot be shown" not in claim.reason, claim.reason


NUMPY = """
import numpy as np
def f(x): return np.array(x) * 2
def mean(x): return np.mean(x)
def double(x): x *= 2
"""


def test_arrays_go_in_and_come_out_by_value() -> None:
    checks = (
        "import numpy as np\nx = np.array([1, 2])\nassert (candidate(x) == np.array([2, 4])).all() and candidate(x).shape == (2,)\n"
        "assert abs(mean([1, 2]) - 1.5) < 1e-9 and np.allclose(candidate([1, 2]), [2, 4])\ndouble(x)\nassert x.tolist() == [2, 4]\n"
    )
    tests = [(([1, 2],), [2, 4]), (([1, 2],), [2, 5]), (([[1]],), [2])]
    claims = executed(NUMPY, tests=tests, checks=checks, packages=("numpy",), timeout=60.0)
    assert [claim.verdict for claim in claims] == ["VERIFIED", "VIOLATED", "VIOLATED", "VERIFIED"], claims[-1].reason
