"""Values between processes: what is passed comes back as it was, and nothing hostile does harm."""

from __future__ import annotations

import datetime
import json
import math
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.verify.code import values
from ebmhw.verify.code.harness import STARTER, candidate_modules, judge_modules
from ebmhw.verify.code.readers import CONTAINERS, READERS
from ebmhw.verify.code.values import Decoder, Encoder, Refused, decode, encode, parsed, written

TEXT = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(["\ud800", "\ud83d\ude00", "\udc80x"])
HASHABLE: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.complex_numbers()
    | TEXT
    | st.binary(max_size=8)
    | st.fractions()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.just(datetime.timezone.utc))
    | st.timedeltas()
    | st.builds(range, st.integers(), st.integers(), st.integers(1, 9))
    | st.sampled_from([int, len, ..., NotImplemented, ValueError, type(None)]),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
ANY = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
        | st.lists(inner, max_size=3).map(lambda items: deque(items, maxlen=5))
        | st.dictionaries(TEXT, inner, max_size=3).map(OrderedDict)
        | st.dictionaries(TEXT, inner, max_size=3).map(lambda items: defaultdict(list, items))
        | st.dictionaries(TEXT, st.integers(), max_size=3).map(Counter)
        | st.binary(max_size=8).map(bytearray)
        | st.builds(slice, inner, inner, inner)
        | st.lists(inner, max_size=2).map(lambda items: ValueError(*items))
    ),
    max_leaves=12,
)


def alike(a: Any, b: Any) -> bool:
    """Compare by type and content, without the codec: 1, True and 1.0 differ, so do 0.0 and -0.0; nan is nan."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, complex):
        return alike(a.real, b.real) and alike(a.imag, b.imag)
    if isinstance(a, Decimal):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, (list, tuple, deque)):
        return len(a) == len(b) and getattr(a, "maxlen", 0) == getattr(b, "maxlen", 0) and all(map(alike, a, b))
    if isinstance(a, dict):
        factory = getattr(a, "default_factory", None) is getattr(b, "default_factory", None)
        return factory and len(a) == len(b) and all(alike(k, m) and alike(v, w) for (k, v), (m, w) in zip(a.items(), b.items(), strict=True))
    if isinstance(a, (set, frozenset)):
        rest = list(b)
        for one in a:
            found = next((i for i, other in enumerate(rest) if alike(one, other)), None)
            if found is None:
                return False
            del rest[found]
        return not rest
    if isinstance(a, slice):
        return alike((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, BaseException):
        return alike(a.args, b.args)
    if isinstance(a, (datetime.datetime, datetime.time)):
        return a == b and a.fold == b.fold and a.utcoffset() == b.utcoffset() and (a.tzinfo is None) == (b.tzinfo is None)
    return bool(a == b)


@given(ANY)
@settings(max_examples=150, deadline=None)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    assert alike(decode(parsed(written(encode(value)))), value)


def test_the_comparison_tells_apart_what_equality_does_not() -> None:
    for a, b in [(1, True), (1, 1.0), (0.0, -0.0), ([1], (1,)), ({1: 1}, OrderedDict({1: 1})), ("a", b"a"), (Decimal("1.0"), Decimal("1.00"))]:
        assert not alike(a, b)
        assert not alike([a], [b])
        assert encode(a) is not encode(b) and json.dumps(encode(a)) != json.dumps(encode(b))


def test_two_names_of_one_list_stay_two_names_of_one_list() -> None:
    row = [0]
    back = decode(encode([row, row, {"row": row}]))
    assert back[0] is back[1] and back[2]["row"] is back[0]
    back[0].append(1)
    assert back[1] == [0, 1]


@given(st.lists(st.integers(0, 4), max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_what_a_call_changes_is_changed_in_place(items: list[int], data: st.DataObject) -> None:
    inner, outer_dict, a_set = [7], {"k": 1}, {1}
    mine = [items, inner, outer_dict, a_set]
    known: list[Any] = []
    tree = encode_with(known, mine)
    theirs_known: list[Any] = []
    theirs = Decoder(theirs_known).decode(tree)
    theirs[0].append([len(items)])
    theirs[1][:] = theirs[0]
    theirs[2].clear()
    theirs[2]["new"] = theirs[0]
    theirs[3].add(2)
    encoder = Encoder(theirs_known)
    states = [encoder.state(one) for one in theirs_known[: len(known)]]
    Decoder(known).restate(states)
    assert mine == theirs
    assert mine[0] is items and mine[1] is inner and outer_dict["new"] is items and a_set == {1, 2}


def encode_with(known: list[Any], value: Any) -> Any:
    return Encoder(known).encode(value)


class Sub(int):
    pass


class SubList(list[int]):
    pass


@pytest.mark.parametrize(
    "value", [Sub(1), SubList(), object(), lambda: 1, open, exec, eval, getattr, __import__, math, iter([]), {1: Sub(2)}, type("T", (), {})]
)
def test_what_is_no_exact_value_is_refused(value: Any) -> None:
    with pytest.raises(Refused):
        encode(value)


def test_what_contains_itself_or_is_too_deep_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(Refused, match="contains itself"):
        encode(loop)
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(Refused, match="nested more than 100 deep"):
        encode(deep)


HOSTILE: list[tuple[str, Any]] = [
    ("an object of two members", {"tuple": [], "list": []}),
    ("an object of none", {}),
    ("a type that is none", {"os.system": "ls"}),
    ("a name that is none", {"named": "eval"}),
    ("a name of a module", {"named": "__builtins__"}),
    ("no text for a name", {"named": ["eval"]}),
    ("a ref to nothing", {"ref": 5}),
    ("a negative ref", {"ref": -1}),
    ("a bool as a ref", {"ref": True}),
    ("a list in a set", {"set": [[1]]}),
    ("a pair of three", {"dict": [[1, 2, 3]]}),
    ("a large int in decimal", 2**60),
    ("an int with blanks", {"int": " 0x1fffffffffffffff"}),
    ("an int with underscores", {"int": "0x1f_ffffffffffffff"}),
    ("a small int in hex", {"int": "0x1"}),
    ("a huge int", {"int": "0x" + "f" * (values.MAX_BITS // 2)}),
    ("a fraction over 0", {"Fraction": ["0x1", "0x0"]}),
    ("a fraction not in lowest terms", {"Fraction": ["0x2", "0x4"]}),
    ("a Decimal with a comma", {"Decimal": "1,5"}),
    ("a range of step 0", {"range": ["0x0", "0x1", "0x0"]}),
    ("a date that is none", {"date": [2023, 2, 30]}),
    ("an exception that is none", {"exception": ["Sandbox", []]}),
    ("a type as an exception", {"exception": ["int", []]}),
    ("a factory that runs", {"defaultdict": ["exec", []]}),
    ("a deque of negative length", {"deque": [-1, []]}),
    ("an infinite number", float("inf")),
    ("odd hexadecimal", {"bytes": "abc"}),
    ("too many surrogates", {"str": "00110000"}),
    ("a list that holds itself", [{"ref": 0}]),
    ("tuples of 10^6 members", {"tuple": [0] * (values.MAX_NODES + 1)}),
    ("sharing that doubles", [[["x"], {"ref": 2}], *({"tuple": [{"ref": 1}] * 50} for _ in range(30000))]),
    ("members that share a hash", {"set": [{"int": hex(k * (2**61 - 1))} for k in range(2**53 // 2**52 + 1, 200)]}),
]


@pytest.mark.parametrize("tree", [tree for _, tree in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_hostile_trees_are_refused(tree: Any) -> None:
    with pytest.raises(Refused):
        decode(tree)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff", b"NaN", b"Infinity", b"1" * 5000, b"0." + b"1" * 5000, b"[" * 100_000, b'"' + b"a" * (values.MAX_BYTES + 1) + b'"'],
    ids=["nothing", "half", "no UTF-8", "NaN", "Infinity", "digits", "places", "nesting", "length"],
)
def test_hostile_messages_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        parsed(raw)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**60) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*READERS, *CONTAINERS, "ref", "x"]), inner, max_size=2),
    max_leaves=15,
)


@given(TREES)
@settings(max_examples=200, deadline=None)
def test_any_tree_gives_a_value_or_is_refused(tree: Any) -> None:
    try:
        value = decode(tree)
    except Refused:
        return
    assert alike(decode(encode(value)), value)


def test_a_state_changes_nothing_where_it_is_refused() -> None:
    mine: list[Any] = [1]
    other: list[Any] = [2]
    known = [mine, other]
    for states in ([[9], {"set": []}], [[9], [{"ref": 7}]], [[{"ref": 1}], [{"ref": 0}]], [[9]] * 3, "x"):
        with pytest.raises(Refused):
            Decoder(list(known)).restate(states)
        assert mine == [1] and other == [2]


def test_what_runs_inside_needs_the_standard_library_only() -> None:
    script = (
        "import sys, types\n"
        f"sys.path[:0] = [{str(STARTER.parent)!r}]\n"
        "import starter, marshal\n"
        "modules = marshal.loads(sys.stdin.buffer.read())\n"
        "starter.start(lambda: marshal.dumps([*modules, ('ebmhw.last', compile('def main(receive, send): pass', 'last', 'exec'))]), print)\n"
        "print(any(getattr(module, '__file__', None) for name, module in sys.modules.items() if 'ebmhw' in name), 'numpy' in sys.modules)\n"
    )
    for modules in (candidate_modules(), judge_modules()):
        ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], input=modules, capture_output=True, timeout=60, check=True)
        assert ran.stdout == b"False False\n"


NUMBERS = ["?", "i1", "<i8", "<u2", "<f4", "<f8", "<c16", "<f2", ">i4", ">f8"]


@given(st.sampled_from(NUMBERS), st.lists(st.integers(0, 3), max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_arrays_come_back_as_they_were(kind: str, shape: list[int], rng: Any) -> None:
    data = np.array([rng.randint(0, 100) for _ in range(math.prod(shape))], dtype=float).astype(kind).reshape(shape)
    back = decode(parsed(written(encode(data))))
    assert back.shape == data.shape and back.dtype == data.dtype.newbyteorder("<") and (back == data).all()
    for number in data.ravel()[:1].astype(data.dtype.newbyteorder("=")):
        one = decode(encode(number))
        assert type(one) is type(number) and one == number


def test_an_array_is_changed_in_place_or_not_at_all() -> None:
    mine, known = np.array([1, 2]), []  # type: ignore[var-annotated]
    theirs_known: list[Any] = []
    theirs = Decoder(theirs_known).decode(Encoder(known).encode([mine, mine]))
    assert theirs[0] is theirs[1]
    theirs[0][0] = 7
    states = [Encoder(theirs_known).state(one) for one in theirs_known]
    Decoder(known).restate([None, states[1]])
    assert mine.tolist() == [7, 2]
    for other in (np.array([1.0, 2.0]), np.array([1, 2, 3])):
        with pytest.raises(Refused, match="cannot change its type or shape"):
            Decoder(known).restate([None, Encoder().state(other)])
    mine.flags.writeable = False
    with pytest.raises(Refused, match="only read"):
        Decoder(known).restate([None, states[1]])


ARRAYS = [
    ["<i8", [1], ""],
    ["<i8", [-1], ""],
    ["<i8", [True], "00" * 8],
    ["O", [1], "00" * 8],
    ["<i8,<i8", [1], "00" * 16],
    ["(2,)<i8", [1], "00" * 16],
    ["<M8", [1], "00" * 8],
    ["<i8", [2**52, 2**52], ""],
    ["<i8", [1] * 40, "00" * 8],
    ["<i8", "x", ""],
    ["<i8", [1]],
    [1, [1], ""],
]


@pytest.mark.parametrize("body", ARRAYS, ids=range(len(ARRAYS)))
def test_hostile_arrays_are_refused(body: Any) -> None:
    with pytest.raises(Refused):
        decode({"ndarray": body})
    with pytest.raises(Refused):
        decode({"numpy": body})


@pytest.mark.parametrize("value", [np.array([object()]), np.array(["a"]), np.array(["2020-01-01"], dtype="M8[D]"), np.ma.array([1])], ids=range(4))
def test_other_arrays_are_no_values(value: Any) -> None:
    with pytest.raises(Refused):
        encode(value)
