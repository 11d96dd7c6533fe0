"""Instrumented code finds what annotations promise and is broken, and otherwise does what the plain code does."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import random
import re
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ebmhw.verify.code.instrument import instrumented
from ebmhw.verify.code.rewriting import HIDDEN


def noted(code: str, *calls: str) -> list[tuple[str, int]]:
    """Return kind and line of what is found when code is loaded and expressions are evaluated from outside."""
    notes: list[Any] = []
    space: dict[str, Any] = {"__name__": "candidate", "Ge": lambda ge: SimpleNamespace(ge=ge), "Len": lambda n: SimpleNamespace(max_length=n)}
    exec(instrumented(code, "<candidate>", notes, space), space)
    for call in calls:
        with contextlib.suppress(Exception):
            eval(compile(call, "<outside>", "eval"), space)
    return [(kind, line) for kind, line, _ in notes]


FOUND = [
    ("def f(x) -> int:\n    return x", "f('a')", ("type", 2)),
    ("def f(x) -> int:\n    if x:\n        return 1", "f(0)", ("return", 3)),
    ("def f(x) -> 'list[int]':\n    return x", "f(['a'])", ("type", 2)),
    ("import typing as t\ndef f(x) -> t.Dict[str, t.List[int]]:\n    return x", "f({'a': [1, 'b']})", ("type", 3)),
    ("from typing import List as L\ndef f(x) -> L[str]:\n    return x", "f([1])", ("type", 3)),
    ("from __future__ import annotations\ndef f(x) -> int | None:\n    return x", "f('a')", ("type", 3)),
    ("from typing import Optional\ndef f(x) -> Optional[int]:\n    return x", "f(1.5)", ("type", 3)),
    ("from typing import Literal\ndef f(x) -> Literal['a', 'b']:\n    return x", "f('c')", ("type", 3)),
    ("from typing import Callable\ndef f(x) -> Callable[[int], int]:\n    return x", "f(1)", ("type", 3)),
    ("def f(x) -> tuple[int, str]:\n    return x", "f((1, 2))", ("type", 2)),
    ("def f(x) -> tuple[int, ...]:\n    return x", "f((1, 'a'))", ("type", 2)),
    ("def f(x: int):\n    return x\ndef g():\n    return f('a')", "g()", ("type", 4)),
    ("def g():\n    y: int = 'a'\n    return y", "g()", ("type", 2)),
    ("from typing import Annotated\ndef f(x) -> Annotated[int, Ge(0)]:\n    return x", "f(-1)", ("bounds", 3)),
    ("from typing import Annotated\ndef f(x) -> Annotated[list, Len(2)]:\n    return x", "f([1, 2, 3])", ("bounds", 3)),
    ("class A:\n    def f(self, x) -> str:\n        return x", "A().f(1)", ("type", 3)),
]


@pytest.mark.parametrize(("code", "call", "expected"), FOUND)
def test_what_is_broken_is_found_at_its_line(code: str, call: str, expected: tuple[str, int]) -> None:
    assert noted(code, call) == [expected]


QUIET = [
    ("def f(x) -> float:\n    return x", "f(1)"),
    ("def f(x) -> int:\n    return x", "f(True)"),
    ("def f(x: int) -> int:\n    return x", "f('from outside')"),
    ("def f(x: int) -> int:\n    return g(x)\ndef g(x: int) -> int:\n    return x", "f('from outside')"),
    ("from typing import TypeVar\nT = TypeVar('T')\ndef f(x: T) -> list[T]:\n    return [x]", "f(1)"),
    ("def f(x) -> 'Unknown':\n    return x", "f(1)"),
    ("class A: pass\ndef f(x) -> A:\n    return x", "f(1)"),
    ("def f(x: int = None):\n    return x\ndef g():\n    return f(None)", "g()"),
    ("def f() -> int:\n    yield 'a'", "list(f())"),
    ("def f(x) -> int:\n    raise ValueError", "f(1)"),
    ("def f(x) -> int:\n    while True:\n        return 1", "f(1)"),
    ("def f(x) -> int:\n    ...", "f(1)"),
    ("def f(x) -> None:\n    pass", "f(1)"),
    ("from typing import Iterable, Sequence\ndef f(x) -> Sequence[int]:\n    return x", "f((1, 2))"),
    ("def f(n) -> int:\n    def g() -> str:\n        return 'a'\n    g()\n    return n", "f(1)"),
    ("async def f(x) -> int:\n    return x", "f(1).close()"),
]


@pytest.mark.parametrize(("code", "call"), QUIET)
def test_what_may_be_is_let_be(code: str, call: str) -> None:
    assert noted(code, call) == []


def generated(rng: random.Random) -> str:
    """Return a random module of annotated functions that call one another, raise, recur, yield and print."""
    kinds = ["int", "str", "list[int]", "float", "'int'", "Optional[int]", "Any", "Unknown0", "int | None"]
    lines = ["from __future__ import annotations" if rng.random() < 0.5 else "import typing", "from typing import Optional, Any", "Unknown0 = 0"]
    for i in range(4):
        first, second, returns = (rng.choice(kinds) for _ in range(3))
        kind = rng.choice(["def", "def", "def", "generator"])
        lines += [
            f"def f{i}(x: {first}, y: {second} = 1, *rest: int, k: int = 2) -> {returns}:",
            f'    """Words of f{i}."""' if rng.random() < 0.5 else "    z: int = x",
        ]
        for _ in range(rng.randint(1, 4)):
            called = f"f{rng.randint(0, 3)}"
            lines.append(
                "    "
                + rng.choice(
                    [
                        "y = y + 1",
                        "if x == 3: return y",
                        f"if isinstance(x, int) and 0 < x < 5: y = {called}(x - 1, y)",
                        "print(x, y)",
                        "y = [x, y][k]",
                        "try: y = y / x\n    except ZeroDivisionError: return x",
                        "for i in range(3):\n        if i == x: return i",
                        "assert y != 7, 'seven'",
                        "g = lambda a: (a, x)\n    y = g(y)",
                    ]
                )
            )
        lines.append("    yield y" if kind == "generator" else rng.choice(["    return y", "    pass", "    return", "    return (x, y)"]))
    return "\n".join(lines) + "\n"


def run(code: str, plain: bool, calls: list[str]) -> list[Any]:
    """Return what calls print, give and raise, with the lines of the code that exceptions pass."""
    space: dict[str, Any] = {"__name__": "candidate"}
    made = compile(code, "<candidate>", "exec", dont_inherit=True) if plain else instrumented(code, "<candidate>", [], space)
    found: list[Any] = []
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(made, space)
        for call in calls:
            try:
                value = eval(call, space)
                found.append(re.sub(" at 0x[0-9a-f]+", "", repr(list(value) if type(value).__name__ == "generator" else value)))
            except Exception as error:
                lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<candidate>"]
                found.append((type(error).__name__, re.sub(" at 0x[0-9a-f]+", "", str(error)), lines))
    docs = [space[name].__doc__ for name in sorted(space) if name.startswith("f") and len(name) == 2]
    return [re.sub(" at 0x[0-9a-f]+", "", printed.getvalue()), found, docs]


def test_random_programs_do_what_they_did() -> None:
    raised = 0
    for seed in range(120):
        code = generated(random.Random(seed))
        calls = [f"f{i}({x})" for i in range(4) for x in ("3", "0", "'a'", "4, 2", "2, k=0", "None")]
        plain = run(code, True, calls)
        assert run(code, False, calls) == plain, code
        raised += sum(isinstance(one, tuple) for one in plain[1])
    assert raised > 100  # and many of them raise


@pytest.mark.parametrize("name", ["textwrap", "heapq", "bisect", "statistics", "fractions", "dataclasses", "contextlib", "functools", "string"])
def test_modules_of_python_load_instrumented(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    code = Path(spec.origin).read_text(encoding="utf-8")
    space: dict[str, Any] = {"__name__": "candidate", "__file__": spec.origin}
    notes: list[Any] = []
    made = instrumented(code, spec.origin, notes, space)
    module = __import__(name)
    if name not in ("dataclasses", "contextlib"):
        exec(made, space)
        assert set(vars(module)) - set(space) <= {"__cached__", "__loader__", "__spec__", "__package__"}
    assert HIDDEN in space and notes == []


def test_an_annotation_is_not_evaluated_where_that_does_something() -> None:
    code = "seen = []\ndef mark():\n    seen.append(1)\n    return int\ndef f(x) -> mark():\n    return x\n"
    space: dict[str, Any] = {}
    exec(instrumented(code, "<candidate>", [], space), space)
    space["f"]("a")
    assert space["seen"] == [1]


def test_positions_of_statements_stay() -> None:
    code = "def f(x: int) -> int:\n    '''Words.'''\n    y: int = x\n    return (\n        y\n    )\n"
    made = instrumented(code, "<candidate>", [], {})
    assert ast.get_docstring(ast.parse(code).body[0]) == "Words."  # type: ignore[arg-type]
    function = next(one for one in made.co_consts if hasattr(one, "co_code"))
    assert {line for _, _, line in function.co_lines() if line is not None} <= set(range(1, 7))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are Python 3.12's")
def test_type_parameters_are_let_be() -> None:
    code = "type L[X] = list[X]\ndef f[T](x: T) -> L[T]:\n    return x\nclass B[T]:\n    def m(self, x: T) -> T:\n        return f(x)\n"
    assert noted(code, "f(1)", "B().m(1)") == []
