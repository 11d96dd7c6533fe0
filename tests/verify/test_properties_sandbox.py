"""Properties in the sandbox: what Hypothesis needs is there, verdicts are as in this process, hostile and endless code is contained."""

from __future__ import annotations

import json

import pytest

from ebmhw.errors import VerificationError
from ebmhw.verify.code import verify_code

pytestmark = pytest.mark.confined


GCD = '''def gcd(a: int, b: int) -> int:
    """Return a greatest common divisor of two integers a and b
    >>> gcd(3, 5)
    1
    """
    while b:
        a, b = b, a % b
    return a
'''


def _found(code: str, name: str, **more: object) -> list[tuple[str, str]]:
    report = verify_code(code, name, **more)  # type: ignore[arg-type]
    assert report.failures == ()
    return [(claim.verdict, claim.reason) for claim in report.claims if claim.kind == "property"]


def test_a_wrong_gcd_that_its_example_passes_is_caught_by_its_words() -> None:
    assert _found(GCD, "gcd", properties=["commutative"])[-1][0] == "VERIFIED"
    wrong = GCD.replace("while b:", "while b > 1:").replace("return a\n", "return a if b == 0 else b\n")
    assert {verdict for verdict, _ in _found(wrong, "gcd")} <= {"VERIFIED"}  # the same function, written otherwise
    off = GCD.replace("return a\n", "return a if a < 7 else 1\n")
    first = _found(off, "gcd", seed=3)
    assert first == [("VIOLATED", "agrees with: greatest common divisor: for a = 7, b = 7: 1 came instead of 7")]
    assert _found(off, "gcd", seed=3) == first


@pytest.mark.parametrize(
    ("body", "verdict", "said"),
    [
        ("while True: pass", "VIOLATED", "did not end within its time"),
        ("import os; os._exit(0)", "VIOLATED", "was stopped (exit)"),
        ("class Yes(int):\n        __eq__ = lambda self, other: True\n    return Yes(5)", "VIOLATED", "for x = 0"),
        ("raise AssertionError('all is well')", "VIOLATED", "it raises AssertionError: all is well"),
        ("import sys; sys.modules.pop('json', None); return x", "VERIFIED", "held for 10 "),
    ],
)
def test_hostile_code_does_not_get_its_property_verified(body: str, verdict: str, said: str) -> None:
    text = json.dumps({"source": "def prop(f, x: st.integers(0, 9)): assert f(x) == x"})
    ((found, reason),) = _found(f"def f(x):\n    {body}\n", "f", properties=[text], infer=False, timeout=2.0 if "while" in body else 20.0)
    assert (found, said in reason) == (verdict, True), reason


def test_a_property_that_fails_itself_is_contained_too() -> None:
    ((verdict, reason),) = _found(
        "def f(x): return x\n", "f", properties=["import socket\ndef prop(f, x: int): socket.socket().connect(('127.0.0.1', 1))"]
    )
    assert verdict in ("VIOLATED", "UNKNOWN") and "held" not in reason


@pytest.mark.parametrize(("body", "verdict"), [("return x ** .5", "UNKNOWN"), ("return 1.414", "VERIFIED"), ("return x ** .501", "VIOLATED")])
def test_an_example_that_may_be_rounded_blames_nothing(body: str, verdict: str) -> None:
    code = f'def root(x: float) -> float:\n    """Square root: root(2.0) is irrational.\n\n    root(2.0) -> 1.414\n    """\n    {body}\n'
    assert [claim.verdict for claim in verify_code(code, "root").claims if claim.kind == "example"] == [verdict]


def test_generators_are_compared_by_what_they_yield() -> None:
    code = 'def running(xs: list[int]):\n    """Running maximum of the list."""\n    yield from {0}\n'
    assert [verdict for verdict, _ in _found(code.format("(max(xs[: n + 1]) for n in range(len(xs)))"), "running")] == ["VERIFIED"]
    assert [verdict for verdict, _ in _found(code.format("xs"), "running")] == ["VIOLATED"]


def test_a_short_time_is_enough_for_code_that_takes_none() -> None:
    """The calls of four properties: under a second is computed; that a hundred of them take as long to be passed on is not the code's doing."""
    found = _found(GCD, "gcd", properties=["deterministic", "does not change its arguments", "does not raise"], timeout=2.0)
    assert [verdict for verdict, _ in found] == ["VERIFIED"] * 4


def _no_order(f: object, xs: list[int]) -> None:
    assert f(xs) == json.dumps(xs)  # type: ignore[operator]


def test_a_function_is_taken_by_its_source_and_one_that_needs_its_module_is_refused() -> None:
    def prop_own(f, xs: list[int]):  # type: ignore[no-untyped-def]
        import json

        return f(xs) == [json.loads(json.dumps(x)) for x in sorted(xs)]

    assert _found("def f(xs): return sorted(xs)\n", "f", properties=prop_own, infer=False)[0][0] == "VERIFIED"
    assert _found("def f(xs): return xs\n", "f", properties=prop_own, infer=False)[0] == (
        "VIOLATED",
        "prop_own: for xs = [1, 0]: the property is False; it returned [1, 0]",
    )
    with pytest.raises(VerificationError, match="'_no_order', which uses json from around it; import or define this within"):
        verify_code("def f(xs): return xs\n", "f", properties=_no_order)


def test_generators_that_raise_are_the_codes_own_doing() -> None:
    text = "def prop(f, x: st.integers(0, 9)):\n    assert len(list(f(x))) == 1"
    assert [verdict for verdict, _ in _found("def f(x): yield 1 // x\n", "f", properties=[text], infer=False)] == ["VIOLATED"]


def test_right_code_that_returns_arrays_is_not_violated_and_wrong_code_is() -> None:
    code = "import numpy as np\ndef f(x: list[int]):\n    return np.asarray(x) * FACTOR\n"
    text = "import numpy as np\ndef prop(f, x: list[int]):\n    assert (f(x) == 2 * np.array(x)).all()"
    more = {"packages": ["numpy"], "tests": [(([1, 2],), [2, 4]), (([5],), [10])], "timeout": 60.0}
    for factor, verdict in (("2", "VERIFIED"), ("len(x)", "VIOLATED")):
        found = _found(code.replace("FACTOR", factor), "f", properties=["deterministic", text], **more)
        assert [one for one, _ in found] == ["VERIFIED", verdict], found
    changing = "def f(x):\n    x += 1\n    return 0\n"
    kept = "import numpy as np\ndef prop(f, x: st.just([1, 2]).map(np.array)):\n    before = x.copy()\n    f(x)\n    assert (x == before).all()"
    assert [one for one, _ in _found(changing, "f", properties=[kept], infer=False, **{**more, "tests": ()})] == ["VIOLATED"]
