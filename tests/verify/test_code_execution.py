"""Domain "execution" and verify_code: each kind of verdict, success that cannot be faked, certificates that replay."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from ebmhw.errors import InvalidCertificate, VerificationError
from ebmhw.verify.certificate import check_certificate
from ebmhw.verify.claim import Claim
from ebmhw.verify.code import Execution, Specification, Test, verify_code
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.examine import examine
from ebmhw.verify.prover import ReplayProver
from ebmhw.verify.texts import Texts

pytestmark = pytest.mark.confined


ADD = "def add(a, b):\n    return a + b\n"


def executed(response: str, question: str = "", **specification: Any) -> tuple[Claim, ...]:
    """Return what the domain alone says; examples and properties only where asked for."""
    text = Specification(**{"code": True, "infer": False, "timeout": 5.0, **specification}).to_json()
    texts = Texts(question, response, None, None, text)
    claims, _, failures = examine(texts, [Execution(text)], ReplayProver({}, Deadline(120)), Deadline(120), degrade=False)
    assert not failures
    return claims


def verdicts(claims: tuple[Claim, ...]) -> list[tuple[str, str]]:
    return [(claim.kind, claim.verdict) for claim in claims]


def test_tests_that_pass_and_fail_name_arguments_expected_and_got() -> None:
    right, wrong = executed(ADD, entry_point="add", tests=[((1, 2), 3), ((2, 2), 5)])
    assert (right.verdict, right.reason) == ("VERIFIED", "add(1, 2) == 3")
    assert (wrong.verdict, wrong.reason) == ("VIOLATED", "add(2, 2) gave 4; expected 5")
    assert wrong.text == "def add(a, b):" and wrong.statement.content["got"] == "4"


def test_an_exception_is_at_its_line() -> None:
    (claim,) = executed("def f(x):\n    y = 1\n    return y / x\n", entry_point="f", tests=[((0,), 1)])
    assert (claim.kind, claim.verdict, claim.text) == ("test", "VIOLATED", "return y / x")
    assert claim.reason == "f(0) raised ZeroDivisionError: division by zero (line 3); expected 1"


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        (((0,), ZeroDivisionError), "VERIFIED"),
        (((0,), ArithmeticError("division by zero")), "VERIFIED"),
        (((0,), ZeroDivisionError("other")), "VIOLATED"),
        (((0,), KeyError), "VIOLATED"),
        (((1,), ZeroDivisionError), "VIOLATED"),
        (((3,), 0.3333), "VIOLATED"),
        (Test((3,), 0.3333, abs=1e-3), "VERIFIED"),
        (Test((3,), 0.3333, rel=1e-6), "VIOLATED"),
        (((1,), 1), "VERIFIED"),
        (((float("nan"),), float("nan")), "VERIFIED"),
    ],
)
def test_expected_values(test: Any, verdict: str) -> None:
    (claim,) = executed("def f(x):\n    return 1 / x\n", entry_point="f", tests=[test])
    assert claim.verdict == verdict, claim.reason


RUNS: list[tuple[str, str, str, str]] = [
    ("a syntax error", "def f(x)\n    return x\n", "VIOLATED", "the code is no Python: expected ':' (line 1)"),
    ("a missing name", "def g(x):\n    return x\n", "VIOLATED", "the code does not define f; it defines g"),
    (
        "an exception at import",
        "def f(x):\n    return x\nf(1)[0]\n",
        "VIOLATED",
        "loading the code raised TypeError: 'int' object is not subscriptable (line 3)",
    ),
    ("a package", "import ebmhw_none\ndef f(x):\n    return x\n", "UNKNOWN", "name it in packages, if the code may use it"),
    ("a wrong module of Python", "import os.nothing\ndef f(x):\n    return x\n", "VIOLATED", "loading the code raised ModuleNotFoundError"),
    (
        "a loop at import",
        "while True:\n    pass\ndef f(x):\n    return x\n",
        "VIOLATED",
        "while the code was loaded, it did not end within its time (1 s in all)",
    ),
    ("an exit at import", "import os\nos._exit(0)\ndef f(x):\n    return x\n", "VIOLATED", "the code ended the process"),
    ("a secret", "def f(x):\n    return x\nopen('/etc/shadow')\n", "UNKNOWN", "the sandbox does not allow it"),
]


@pytest.mark.parametrize(("code", "verdict", "reason"), [one[1:] for one in RUNS], ids=[one[0] for one in RUNS])
def test_code_that_does_not_run(code: str, verdict: str, reason: str) -> None:
    (claim,) = executed(code, entry_point="f", tests=[((1,), 1)], timeout=1.0)
    assert (claim.kind, claim.verdict) == ("run", verdict) and reason in claim.reason, claim.reason


def test_limits_are_the_codes_doing_and_the_rest_is_not_run() -> None:
    code = "def f(x):\n    while x:\n        pass\n    return 0\n"
    claims = executed(code, entry_point="f", tests=[((0,), 0), ((1,), 0), ((0,), 0)], timeout=1.0)
    assert [claim.verdict for claim in claims] == ["VERIFIED", "VIOLATED", "UNKNOWN"]
    assert claims[1].reason == "f(1): it did not end within its time (1 s in all); expected 0"
    (claim,) = executed("def f(x):\n    return [x] * 10**11\n", entry_point="f", tests=[((1,), 1)])
    assert claim.verdict == "VIOLATED" and "MemoryError" in claim.reason
    (first, second) = executed("import os\ndef f(x):\n    if x: os._exit(0)\n    return 0\n", entry_point="f", tests=[((1,), 0), ((0,), 0)])
    assert (first.verdict, second.verdict) == ("VIOLATED", "VERIFIED")  # the second runs in a fresh process


def test_nothing_said_is_unknown() -> None:
    (claim,) = executed(ADD)
    assert verdicts((claim,)) == [("run", "UNKNOWN")] and "nothing says what it must do" in claim.reason
    report = verify_code("no code here, only words", "f", [((1,), 1)], infer=False)
    assert report.verdict != "VERIFIED"


CHECKS: list[tuple[str, str, str, str]] = [
    ("passing", "assert candidate(1, 2) == 3\nassert add(2, 2) == 4", "VERIFIED", "the checks passed, with 2 calls of the code"),
    ("HumanEval's", "def check(candidate):\n    assert candidate(1, 2) == 3\n", "VERIFIED", "1 call"),
    ("pytest's", "def test_one():\n    assert add(1, 2) == 3\n", "VERIFIED", "1 call"),
    (
        "failing",
        "x = 1\nassert candidate(1, 2) == 4, 'sum'",
        "VIOLATED",
        "line 2 of the checks (assert candidate(1, 2) == 4, 'sum'): sum; add(1, 2) gave 3",
    ),
    ("never calling", "assert True", "UNKNOWN", "the checks never called the code: nothing was checked"),
    ("returning True", "def check(c):\n    return c(1, 2) == 3", "VERIFIED", "1 call"),
    (
        "returning False",
        "def check(c):\n    return c(1, 2) == 4",
        "VIOLATED",
        "an assertion failed at the checks: check returned False; add(1, 2) gave 3",
    ),
    ("returning a number", "def check(c):\n    return c(1, 2)", "UNKNOWN", "check returned a int; let it assert, or return True or False"),
    ("yielding", "def check(c):\n    yield c(1, 2) == 4", "UNKNOWN", "check returned a generator"),
    ("a coroutine", "async def test_one():\n    assert add(1, 2) == 4", "UNKNOWN", "test_one returned a coroutine"),
    ("comparing alone", "add(1, 2) == 4", "UNKNOWN", "the checks passed, but show nothing: nothing is asserted"),
    ("asserting a constant", "add(1, 2)\nassert True", "UNKNOWN", "nothing is asserted"),
    ("guarding", "if add(1, 2) > 9:\n    assert add(2, 2) == 5", "UNKNOWN", "no assertion was reached"),
    ("a helper", "def same(a, b):\n    assert a == b\nsame(add(1, 2), 3)", "VERIFIED", "1 call"),
    ("unittest's", "import unittest\nunittest.TestCase().assertEqual(add(1, 2), 3)", "VERIFIED", "1 call"),
    ("failing uncalled", "assert False", "UNKNOWN", "an assertion failed"),
    ("broken", "candidate(1, 2)\nundefined_name", "UNKNOWN", "the checks themselves failed at line 2 of the checks: NameError"),
    ("leaving early", "import sys\ncandidate(1, 2)\nsys.exit(0)", "UNKNOWN", "SystemExit"),
    ("raising", "candidate(1, [])", "VIOLATED", "the code raised TypeError"),
    ("expecting", "try:\n    candidate(1, [])\nexcept TypeError:\n    pass\nelse:\n    assert False", "VERIFIED", "1 call"),
    ("passing an object", "class T: pass\ncandidate(T(), 1)", "UNKNOWN", "a T cannot be passed to the code under test"),
    ("looping", "candidate(1, 2)\nwhile True: pass", "UNKNOWN", "their own process was stopped (time)"),
]


@pytest.mark.parametrize(("checks", "verdict", "reason"), [one[1:] for one in CHECKS], ids=[one[0] for one in CHECKS])
def test_checks(checks: str, verdict: str, reason: str) -> None:
    (claim,) = executed(ADD, entry_point="add", checks=checks, timeout=1.0)
    assert (claim.kind, claim.verdict) == ("test", verdict) and reason in claim.reason, claim.reason


def test_setup_gives_helpers_and_not_the_code_under_test() -> None:
    setup = "def double(x):\n    return 2 * x\ndef f(x):\n    pass\n"
    (claim,) = executed(
        "def double(x):\n    return 0\ndef f(x):\n    return double(x)\n", entry_point="f", setup=setup, checks="assert f(2) == double(2)"
    )
    assert claim.verdict == "VIOLATED"
    (claim,) = executed("def f(x):\n    return x + x\n", entry_point="f", setup=setup, checks="assert f(2) == double(2)")
    assert claim.verdict == "VERIFIED"


CHEATS: dict[str, str] = {
    "an object equal to all": "class Y:\n    def __eq__(self, other): return True\ndef f(x): return Y()",
    "a number equal to all": "class Y(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef f(x): return Y(0)",
    "a list equal to all": "class Y(list):\n    def __eq__(self, other): return True\ndef f(x): return Y()",
    "never unequal": "class Y:\n    def __ne__(self, other): return False\n    def __eq__(self, other): return True\ndef f(x): return Y()",
    "sys.exit": "import sys\ndef f(x): sys.exit(0)",
    "sys.exit at import": "import sys\ndef f(x): return 0\nsys.exit(0)",
    "os._exit": "import os\ndef f(x): os._exit(0)",
    "AssertionError": "def f(x): raise AssertionError('passed')",
    "a class of AssertionError": "class Passed(AssertionError): pass\ndef f(x): raise Passed()",
    "SystemExit of a class of its own": "class Done(SystemExit): pass\ndef f(x): raise Done(0)",
    "KeyboardInterrupt": "def f(x): raise KeyboardInterrupt",
    "GeneratorExit": "def f(x): raise GeneratorExit",
    "StopIteration": "def f(x): raise StopIteration",
    "patched builtins": (
        "import builtins\nbuiltins.AssertionError = Exception\nbuiltins.len = lambda x: 10\nbuiltins.isinstance = lambda *a: True\ndef f(x): return 0"
    ),
    "printing success": "def f(x):\n    print('OK\\n1 passed')\n    return 0",
    "writing to all descriptors": (
        "import os\n"
        "def f(x):\n"
        "    for fd in range(1, 20):\n"
        "        try: os.write(fd, b'[\"returned\",1,[10],[],[]]')\n"
        "        except OSError: pass\n"
        "    return 0"
    ),
    "an answer of its own": (
        "import gc\ndef f(x):\n    w = [o for o in gc.get_objects() if type(o).__name__ == 'Wire'][0]\n    w._send(b'[\"returned\",1,null,[],[]]')"
    ),
    "a trace": "import sys\nsys.settrace(lambda *a: None)\ndef f(x): return 0",
    "an exit handler": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): return 0",
    "the caller's frames": (
        "import sys\n"
        "def f(x):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for name in list(frame.f_locals):\n"
        "            if 'expected' in name or 'checks' in name: return frame.f_locals[name]\n"
        "        frame = frame.f_back\n"
        "    return 0"
    ),
    "all objects there are": (
        "import gc\n"
        "def f(x):\n"
        "    for one in gc.get_objects():\n"
        "        if isinstance(one, dict) and 'expected' in one: return one['expected']\n"
        "    return 0"
    ),
    "the test's file": "def f(x):\n    try: return open(__file__).read()\n    except Exception: return 0",
    "modules of the harness": "import sys\ndef f(x):\n    return [m for m in sys.modules if 'ebmhw' in m] or 0",
    "NotImplemented": "def f(x): return NotImplemented",
    "an object of many faces": (
        "class Y:\n"
        "    def __getattr__(self, name): return lambda *a: True\n"
        "    def __bool__(self): return True\n"
        "    def __eq__(self, o): return True\n"
        "    def __hash__(self): return hash(x)\n"
        "def f(x): return Y()"
    ),
    "a changed argument": "def f(x):\n    x.clear()\n    return x",
    "a generator": "def f(x): yield from [1, 10]",
    "a recursion": "def f(x): return f(x)",
}


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
def test_success_cannot_be_faked(code: str) -> None:
    claims = executed(
        code + "\n", entry_point="f", tests=[(([3, 1],), [1, 10])], checks="expected = [1, 10]\nassert candidate([3, 1]) == expected", timeout=3.0
    )
    assert claims and all(claim.verdict != "VERIFIED" for claim in claims), [claim.reason for claim in claims]
    assert any(claim.verdict == "VIOLATED" for claim in claims)


def test_the_same_judge_lets_the_right_code_pass() -> None:
    claims = executed("def f(x):\n    return [1, 10]\n", entry_point="f", tests=[(([3, 1],), [1, 10])], checks="assert candidate([3, 1]) == [1, 10]")
    assert [claim.verdict for claim in claims] == ["VERIFIED", "VERIFIED"]


def test_examples_count_and_one_that_contradicts_the_tests_is_no_proof() -> None:
    code = 'def f(x):\n    """\n    >>> f(1)\n    3\n    """\n    return x + 1\n'
    violated = [claim for claim in executed(code, entry_point="f", infer=True) if claim.kind == "example"]
    assert [(claim.verdict, claim.reason) for claim in violated] == [("VIOLATED", "f(1) gave 2; expected 3")]
    unknown = [claim for claim in executed(code, entry_point="f", infer=True, tests=[((1,), 2)]) if claim.kind == "example"]
    assert [claim.verdict for claim in unknown] == ["UNKNOWN"] and "contradicts the tests" in unknown[0].reason


def test_broken_annotations_are_claims_at_their_lines() -> None:
    code = "def f(x: int) -> str:\n    return x\n"
    claims = executed(code, entry_point="f", tests=[((1,), 1)])
    assert verdicts(claims) == [("test", "VERIFIED"), ("type", "VIOLATED")]
    assert (claims[1].text, claims[1].reason) == ("return x", "f returns 1, which is no str")
    assert verdicts(executed(code, entry_point="f", tests=[((1,), 1)], instrument=False)) == [("test", "VERIFIED")]


def test_code_in_fences_keeps_its_places_in_the_text() -> None:
    text = "Here:\n\n```python\ndef f(x):\n    return 1 / x\n```\n\nUse it:\n\n```python\nprint(f(1))\n```\n"
    (claim,) = executed(text, entry_point="f", tests=[((0,), 1)], code=False)
    assert text[slice(*claim.span)] == claim.text == "return 1 / x"


def test_a_certificate_replays_and_a_changed_one_is_refused() -> None:
    report = verify_code(ADD, "add", [((1, 2), 3), ((1, 1), 3)], checks="assert candidate(0, 0) == 0", infer=False)
    assert report.verdict == "VIOLATED" and report.domains == ("code", "execution")
    assert check_certificate(report.certificate, "", ADD) == "VIOLATED"
    lie = copy.deepcopy(report.certificate)
    for claim in lie["claims"]:
        claim["verdict"] = "VERIFIED"
    lie["verdict"] = "VERIFIED"
    with pytest.raises(InvalidCertificate):
        check_certificate(lie, "", ADD)
    with pytest.raises(InvalidCertificate):
        check_certificate(report.certificate, "", ADD.replace("+", "-"))


def test_functions_are_taken_by_their_source() -> None:
    def check(candidate: Any) -> None:
        assert candidate(1, 2) == 3

    report = verify_code(ADD, "add", checks=check, infer=False)
    assert report.verified and "def check(candidate" in report.certificate["specification"]
    wanted = 3

    def closed(candidate: Any) -> None:
        assert candidate(1, 2) == wanted

    with pytest.raises(VerificationError, match="checks is the function 'closed', which uses wanted from around it"):
        verify_code(ADD, "add", checks=closed)
    with pytest.raises(VerificationError, match="checks is <built-in function len>; give a function that is written with def"):
        verify_code(ADD, "add", checks=len)


MUTATIONS = [("+", "-"), ("<", "<="), ("0", "1"), ("return", "return -"), ("max", "min"), ("and", "or"), ("* 2", "* 3"), ("range(n)", "range(n + 1)")]
SOUND = [
    "def f(n):\n    total = 0\n    for i in range(n):\n        total = total + i * 2\n    return total\n",
    "def f(n):\n    return max(n, 0) + n * 2\n",
    "def f(n):\n    return 1 if n < 0 and n + 4 < 2 else 0\n",
]


def test_mutants_are_judged_as_they_are_in_this_process() -> None:
    rng = random.Random(3)
    seen = set()
    for code in SOUND:
        sound: dict[str, Any] = {}
        exec(code, sound)
        arguments = [rng.randint(-6, 6) for _ in range(4)]
        tests = [((n,), sound["f"](n)) for n in arguments]
        for old, new in rng.sample([pair for pair in MUTATIONS if pair[0] in code], 3):
            mutant = code.replace(old, new, 1)
            space: dict[str, Any] = {}
            exec(mutant, space)
            expected = ["VERIFIED" if space["f"](n) == value else "VIOLATED" for (n,), value in tests]
            assert [claim.verdict for claim in executed(mutant, entry_point="f", tests=tests)] == expected
            seen.update(expected)
    assert seen == {"VERIFIED", "VIOLATED"}
