"""Code made to break its reader: no crash, no hang, nothing run, and a verdict in the end."""

from __future__ import annotations

import ast
import random
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from static_judging import WHOLE, faults, judged

from ebmhw.errors import PipelineTimeoutError
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.code.static.nesting import DEEPEST, deepest
from ebmhw.verify.code.static.parsing import LONGEST, parsed

HOSTILE = {
    "brackets": "(" * 100_000,
    "closed brackets": "(" * 5_000 + ")" * 5_000,
    "braces": "{" * 30 + "1" + "}" * 30 + ":",
    "unary": "x = " + "-" * 100_000 + "1",
    "not": "x = " + "not " * 100_000 + "1",
    "sum": "x = " + "1+" * 100_000 + "1",
    "lambda": "x = " + "lambda:" * 20_000 + "1",
    "attributes": "x" + ".a" * 100_000,
    "calls": "x" + "()" * 100_000,
    "indices": "x" + "[0]" * 50_000,
    "ternaries": "x = " + "1 if 1 else " * 20_000 + "1",
    "powers": "x = " + "2**" * 50_000 + "2",
    "await": "async def f():\n  " + "await " * 50_000 + "x",
    "elif": "if 1:\n pass\n" + "elif 1:\n pass\n" * 20_000,
    "indent": "".join(" " * i + "if 1:\n" for i in range(2_000)),
    "finally": "".join(" " * i + "try: pass\n" + " " * i + "finally:\n" for i in range(60)) + " " * 60 + "pass",
    "comprehension": "x = [" + "[" * 50 + "]" * 50 + " for a in b" * 5_000 + "]",
    "f-string": "x = f'" + '{f"' * 50_000,
    "f-string brackets": "x = f'{" + "(" * 100_000 + "}'",
    "f-string unary": "x = f'{" + "-" * 50_000 + "1}'",
    "fold power": "x = 9**9**9**9",
    "fold shift": "x = 1 << 10**10\ny = (1 << 10**9,) * 10**9\nz = 'a' * 10**12\nw = '%1000000000d' % 1",
    "fold divide": "x = 1 / (10**5000 - 10**5000)",
    "huge number": "x = " + "9" * 1_000_000,
    "hex number": "x = 0x" + "f" * 1_000_000,
    "null": "x = 1\0\ny = 2",
    "surrogate": "x = '\ud800'",
    "mark": "\ufeff\ufeffx = 1",
    "decorators": "@a\n" * 20_000 + "def f(): pass",
    "strings": "x = " + "'a' " * 100_000,
    "unclosed": "x = '''" + "a" * 500_000,
    "backslashes": "x = 1" + "\\\n" * 200_000,
    "quotes": "'" * 300_000,
    "semicolons": "a;" * 20_000,
    "arguments": "def f(" + ",".join(f"a{i}" for i in range(20_000)) + "): pass",
    "names": "def f():\n" + "".join(f"    a{i} = a{i + 1}\n" for i in range(5_000)),
    "statements": "x = 1\n" * 15_000,
    "handlers": "try:\n pass\n" + "except E: pass\n" * 5_000,
    "form feeds": "\f" * 100_000 + "x = 1",
    "long": "x = 1; " * 1_500_000,
    "cases": "match x:\n" + " case 1: pass\n" * 5_000,
    "pattern": "match x:\n case " + "[" * 5_000 + "]" * 5_000 + ": pass",
    "types": "x: " + "A[" * 5_000 + "]" * 5_000,
    "type comment": "x = 1 # type: " + "(" * 100_000,
    "docstring": '"""' + ":param x: " * 50_000 + "\n" * 50_000 + 'Args:\n"""',
    "coding": "# -*- coding: rot13 -*-\nx = 1",
    "assignments": "a = " * 30_000 + "1",
    "star": "print(" + "*" * 50_000 + "x)",
    "walrus": "x = (" + "y := (" * 5_000 + ")" * 5_000 + ")",
    "formats": "x = '%" + "(" * 100_000 + "' % {}\ny = '" + "{" * 100_000 + "'.format(1)",
    "fence": "```" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_a_verdict_in_time(name: str) -> None:
    started = time.monotonic()
    try:
        claims, goals = judged(HOSTILE[name], specification=WHOLE, seconds=10.0)
        assert (claims or goals) and all(claim.verdict in ("VERIFIED", "VIOLATED", "UNKNOWN") for claim in claims)
    except PipelineTimeoutError:
        pass
    assert time.monotonic() - started < 60


def test_what_was_not_read_is_unknown_and_says_why() -> None:
    for name, words in (("brackets", "levels of nesting"), ("huge number", "thousands of digits"), ("long", f"up to {LONGEST} are read")):
        (syntax, *_) = judged(HOSTILE[name], specification=WHOLE).claims
        assert syntax.verdict == "UNKNOWN" and words in syntax.reason
    for name, words in (("null", "null character"), ("surrogate", "surrogate pair")):
        (claim,) = faults(HOSTILE[name])
        assert words in claim.reason


def test_time_over_is_reported_by_the_pipeline() -> None:
    code = "def f(x):\n    return x + y\n" * 4_000
    report = VerifyRepairPipeline(domains=["code"]).verify("", f"```python\n{code}```", time_limit=0.1)
    assert [failure.code for failure in report.failures] == ["pipeline-timeout"] and report.verdict == "UNKNOWN"


def test_nothing_is_run(tmp_path: Path) -> None:
    target = tmp_path / "made"
    code = f"open({str(target)!r}, 'w').close()\nimport antigravity\nraise SystemExit(3)\n"
    judged(code, specification=WHOLE)
    assert not target.exists() and "antigravity" not in sys.modules


def test_a_tree_is_no_deeper_than_what_is_read_of_its_text_allows() -> None:
    """A sample of the library's files: the tree that Python makes has at most three levels for each that is read, and six."""

    def levels(tree: ast.AST) -> int:
        deepest_seen, stack = 0, [(tree, 0)]
        while stack:
            node, depth = stack.pop()
            deepest_seen = max(deepest_seen, depth)
            stack += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
        return deepest_seen

    paths = random.Random(3).sample(sorted(Path(ast.__file__).parent.glob("*.py")), 40)
    for path in paths:
        code = path.read_text(encoding="utf-8")
        assert deepest(code) <= DEEPEST
        # Each level of brackets, operators and blocks makes up to three nodes: statement, value, part.
        assert levels(ast.parse(code)) <= 3 * deepest(code) + 6


pieces = st.sampled_from(
    ["(", ")", "[", "]", "{", "}", "x", "1", "+", "-", "not ", "lambda: ", ".a", ",", ":", "\n", " ", "if ", "else ", "=", "'", '"', "f'", "#"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=40).map("".join))
def test_random_text_is_judged(code: str) -> None:
    read = parsed(code)
    assert (read.tree is None) == (read.error is not None or read.unread is not None)
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        assert read.tree is None
    assert isinstance(judged(code, specification=WHOLE).claims, tuple)


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    judged(text, specification=WHOLE)
    judged(f"```python\n{text}\n```", text)
