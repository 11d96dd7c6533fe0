"""Sessions: calls of code in the sandbox give what calls in this process give, and what is hostile ends as a stop."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ebmhw.errors import VerificationError
from ebmhw.sandbox import Limits
from ebmhw.verify.code import Handle, Raised, Returned, Session, StoppedCall
from ebmhw.verify.code.values import Refused

pytestmark = pytest.mark.confined

CODE = """
from collections import namedtuple
Point = namedtuple("Point", "x y")

class Stack:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)
        return self
    def __len__(self):
        return len(self.items)
    def __eq__(self, other):
        return True
    def __repr__(self):
        return f"Stack of {len(self.items)}"

def add(a, b=1, *, c=0):
    return a + b + c

def sort(items):
    items.sort()
    return items

def swap(a, b):
    a[:], b[:] = b[:], a[:]

def apply(f, x):
    return [f(one) for one in x]

def nested(f, x):
    return f(lambda y: y + x)

def count(n):
    for i in range(n):
        yield i

def forever():
    n = 0
    while True:
        yield n
        n += 1

def divide(x):
    return 1 / x

def point():
    return Point(1, [2])

def loop():
    while True:
        pass

class Own(KeyError):
    pass

def own():
    raise Own("gone")

def unusual():
    x = []
    x.append(x)
    return x

def global_state(n=[0]):
    n[0] += 1
    return n[0]

def talk():
    print("x" * 1000)
    return 1

def numbers():
    import random
    return [random.random() for _ in range(3)]
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(CODE) as opened:
        yield opened


def test_values_go_in_and_come_out(session: Session) -> None:
    assert isinstance(session.loaded, Returned) and ["add", "function", []] in session.loaded.value
    assert session.call("add", (1, 2), {"c": 3}) == Returned(6, (1, 2), {"c": 3})
    assert session.call("add", ("a", "b"), {"c": ""}).value == "ab"  # type: ignore[union-attr]


def test_arguments_change_in_place_and_keep_who_they_are(session: Session) -> None:
    items, other = [3, 1, 2], [[9]]
    outcome = session.call("sort", (items,))
    assert isinstance(outcome, Returned) and outcome.value is items and items == [1, 2, 3]
    inner = other[0]
    session.call("swap", (items, other))
    assert items == [[9]] and items[0] is inner and other == [1, 2, 3]


def test_functions_are_called_back_even_within_calls_back(session: Session) -> None:
    assert session.call("apply", (lambda one: one * 2, [1, 2])).value == [2, 4]  # type: ignore[union-attr]
    assert session.call("nested", (lambda f: f(10) + session.call("add", (1,)).value, 5)).value == 17  # type: ignore[union-attr]

    def fails(one: int) -> int:
        raise LookupError(f"no {one}")

    outcome = session.call("apply", (fails, [4]))
    assert isinstance(outcome, Raised) and (outcome.kind, outcome.message, outcome.line) == (
        "LookupError",
        "no 4",
        CODE[: CODE.index("[f(one)")].count("\n") + 1,
    )


def test_exceptions_name_their_classes_and_the_line_of_the_code(session: Session) -> None:
    outcome = session.call("divide", (0,))
    assert isinstance(outcome, Raised)
    assert (outcome.kind, outcome.message) == ("ZeroDivisionError", "division by zero")
    assert CODE.splitlines()[(outcome.line or 0) - 1] == "    return 1 / x"
    own = session.call("own")
    assert isinstance(own, Raised) and own.kinds[:3] == ("Own", "KeyError", "LookupError")
    missing = session.call("nothing")
    assert isinstance(missing, Raised) and missing.kind == "NameError"


def test_objects_of_its_own_are_handles(session: Session) -> None:
    outcome = session.call("Stack")
    assert isinstance(outcome, Returned)
    stack = outcome.value
    assert isinstance(stack, Handle) and len(stack.push(1).push(2)) == 2 and stack.items == [1, 2] and repr(stack) == "Stack of 2"
    assert stack != 3 and stack != [1, 2]  # what its class says of == is not asked
    with pytest.raises(AttributeError, match="has no attribute 'pop'"):
        stack.pop()
    point = session.call("point").value  # type: ignore[union-attr]
    assert isinstance(point, Handle) and point == (1, [2]) and point != (1, [3]) and point.x == 1


def test_generators_are_pulled_lazily(session: Session) -> None:
    assert list(session.call("count", (4,)).value) == [0, 1, 2, 3]  # type: ignore[union-attr]
    endless = session.call("forever").value  # type: ignore[union-attr]
    assert [next(endless) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_what_cannot_be_passed_is_refused(session: Session) -> None:
    with pytest.raises(Refused, match="a object cannot be passed to the code"):
        session.call("add", (object(),))
    outcome = session.call("unusual")
    assert isinstance(outcome, Raised) and "contains itself" in outcome.message
    assert session.call("add", (1,)) == Returned(2, (1,), {})


def test_a_stop_is_told_by_each_call_after_it_and_a_new_session_begins_anew() -> None:
    with Session(CODE, Limits(seconds=60.0)) as session:
        assert session.call("global_state").value == 1  # type: ignore[union-attr]
        stopped = session.call("loop", seconds=0.5)
        assert isinstance(stopped, StoppedCall) and stopped.cause == "time"
        assert session.call("add", (1,)) == stopped
        assert session.busy < 50.0
    assert session.call("add", (1,)) == stopped
    with Session(CODE) as session:
        assert session.call("global_state").value == 1  # type: ignore[union-attr]


def test_one_seed_gives_one_sequence() -> None:
    drawn = []
    for seed in (1, 1, 2):
        with Session(CODE, seed=seed) as session:
            drawn.append(session.call("numbers").value)  # type: ignore[union-attr]
    assert drawn[0] == drawn[1] != drawn[2]


def test_code_that_does_not_load_says_where() -> None:
    with Session("x = 1\ny = x / 0\n") as session:
        assert session.loaded == Raised(
            "ZeroDivisionError", "division by zero", 2, ("ZeroDivisionError", "ArithmeticError", "Exception", "BaseException")
        )
    with Session("def f(:\n") as session:
        assert isinstance(session.loaded, Raised) and (session.loaded.kind, session.loaded.line) == ("SyntaxError", 1)
    with pytest.raises(VerificationError, match="the code is 3; give a str"):
        Session(3)  # type: ignore[arg-type]


FINDS_CHANNEL = """
import gc, sys
def wires():
    return [one for one in gc.get_objects() if type(one).__name__ == "Wire"]
"""
HOSTILE = {
    "a forged answer": FINDS_CHANNEL + "def f(x):\n    wires()[0]._send(b'[\"returned\",99,3,[],[]]')\n",
    "no JSON": FINDS_CHANNEL + "def f(x):\n    wires()[0]._send(b'\\xff{')\n",
    "a bomb": FINDS_CHANNEL + "def f(x):\n    wires()[0]._send(b'[' * 1000000)\n",
    "a tree that is none": FINDS_CHANNEL + 'def f(x):\n    wires()[0]._send(b\'["returned",2,{"os":1},[],[]]\')\n',
    "a state that is none": FINDS_CHANNEL + 'def f(x):\n    wires()[0]._send(b\'["returned",2,3,[{"set":[]}],[]]\')\n',
    "a question that is none": FINDS_CHANNEL + 'def f(x):\n    wires()[0]._send(b\'["ask",1,"system",{"tuple":["ls"]}]\')\n',
    "a function that is none": FINDS_CHANNEL + 'def f(x):\n    wires()[0]._send(b\'["ask",1,"callback",{"tuple":[77,[],{"dict":[]}]}]\')\n',
    "an end": "import os\ndef f(x):\n    os._exit(0)\n",
    "a signal": "import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_answers_end_the_session(code: str) -> None:
    with Session(code, Limits(seconds=5.0)) as session:
        given = [1]
        outcome = session.call("f", (given,))
        assert isinstance(outcome, StoppedCall) and outcome.cause in ("tampering", "exit", "signal"), outcome
        assert given == [1]


def random_function(rng: random.Random) -> str:
    """Return a small function of a list and a number that may mutate, raise, or return nothing."""
    names = ["x", "y"]
    lines = ["def f(x, y):"]
    for number in range(rng.randint(1, 5)):
        a, b = rng.choice(names), rng.choice(names)
        form = rng.choice(
            [
                "v{n} = {a} + {b}",
                "v{n} = [{a}, {b}]",
                "v{n} = ({a}, {b}, {{1: {a}}})",
                "x.append({a} if {a} is not x else 0)",
                "v{n} = {a} * 2",
                "v{n} = x[y]",
            ]
        )
        lines.append("    " + form.format(n=number, a=a, b=b))
        if form.startswith("v"):
            names.append(f"v{number}")
    lines.append(f"    return {rng.choice(names)}" if rng.random() < 0.9 else "    x.reverse()")
    return "\n".join(lines) + "\n"


def outcome_here(code: str, args: list[Any]) -> tuple[Any, ...]:
    space: dict[str, Any] = {}
    exec(code, space)
    try:
        return "returned", space["f"](*args), args
    except Exception as error:
        return "raised", type(error).__name__, str(error), args


def test_a_session_and_this_process_agree_on_random_functions() -> None:
    rng = random.Random(7)
    functions = [random_function(rng).replace("def f(", f"def f{i}(") for i in range(150)]
    differ = 0
    with Session("\n".join(functions), Limits(seconds=30.0)) as session:
        for i, code in enumerate(functions):
            args = [[rng.randint(-3, 3) for _ in range(rng.randint(0, 3))], rng.choice([0, 1, 2, -1, 1.5, "a", None])]
            expected = outcome_here(code.replace(f"def f{i}(", "def f("), copy.deepcopy(args))
            got = session.call(f"f{i}", args)
            if isinstance(got, Returned):
                assert ("returned", got.value, args) == expected, code
            elif isinstance(got, Raised) and got.kind == "Refused":
                assert "[...]" in repr(expected), code  # a list within itself
            else:
                looped = "[...]" in repr(expected)  # then what became of the arguments cannot be told
                assert isinstance(got, Raised) and ("raised", got.kind, got.message, expected[3] if looped else args) == expected, code
            differ += expected[0] == "raised"
    assert 10 < differ < 140  # both ways are taken


def test_code_that_takes_no_message_is_stopped() -> None:
    code = "import time\n" + FINDS_CHANNEL + "def f(x):\n    wires()[0]._send(b'[\"returned\",3,1,[],[]]')\n    time.sleep(3600)\n"
    started = time.monotonic()
    with Session(code, Limits(seconds=2.0)) as session:
        assert session.call("f", (1,)) == Returned(1, (1,), {})
        stopped = session.call("f", ("a" * 5_000_000,))
    assert isinstance(stopped, StoppedCall) and stopped.cause == "time"
    assert time.monotonic() - started < 90  # the process itself may live for 130 s
