"""Standard properties: a library of names, each with what it says and its source.

In a source, ``{all}`` are the names of the function's parameters with commas between them, ``{copies}`` copies of them, ``{one}`` is the first
parameter and ``{two}`` the second. ``WITH`` in JSON gives a further function: an inverse, or a reference.
"""

from __future__ import annotations

from typing import NamedTuple


class Standard(NamedTuple):
    """A property by name.

    Attributes
    ----------
    name, definition : what it is called, and says
    body : the body of ``prop(f, ...)``, indented by four
    arity : how many parameters the function must have; 0 for any
    needs : name of the function that "with" has to define; "" where there is none
    """

    name: str
    definition: str
    body: str
    arity: int = 0
    needs: str = ""


_LIST = (
    Standard(
        "deterministic", "called twice with the same arguments, it returns the same", "    expected = f({copies})\n    agree(f({all}), expected)\n"
    ),
    Standard("commutative", "f(x, y) is f(y, x)", "    expected = f(deepcopy({two}), deepcopy({one}))\n    agree(f({one}, {two}), expected)\n", 2),
    Standard(
        "associative",
        "f(f(x, y), z) is f(x, f(y, z)), where z is drawn as x is",
        "    expected = f(deepcopy({one}), f(deepcopy({two}), deepcopy(z_)))\n    agree(f(f({one}, {two}), z_), expected)\n",
        2,
    ),
    Standard("idempotent", "f(f(x)) is f(x)", "    expected = f({copies})\n    agree(f(deepcopy(expected)), expected)\n", 1),
    Standard("involution", "f(f(x)) is x", "    expected = deepcopy({one})\n    agree(f(f({one})), expected)\n", 1),
    Standard("round trip", "inverse(f(x)) is x", "    expected = deepcopy({one})\n    agree(inverse(f({one})), expected)\n", 1, "inverse"),
    Standard("agrees with", "f(x) is reference(x)", "    expected = reference({copies})\n    agree(f({all}), expected)\n", 0, "reference"),
    Standard("sorted", "its result is in ascending order", "    got = f({all})\n    agree(list(got), sorted(got))\n"),
    Standard(
        "permutation of its argument",
        "its result holds the elements of its argument, each as often",
        "    before = deepcopy({one})\n    got = f({all})\n"
        "    if counted(got) != counted(before): raise Broken(got, 'is not', 'a permutation of ' + repr(before), '')\n",
    ),
    Standard(
        "part of its argument",
        "its result holds elements of its argument, in their order",
        "    before = deepcopy({one})\n    got = f({all})\n"
        "    if not subsequence(got, before): raise Broken(got, 'is not', 'made of elements of ' + repr(before) + ' in their order', '')\n",
    ),
    Standard(
        "same length",
        "its result is as long as its argument",
        "    length = len({one})\n    got = f({all})\n    if len(got) != length: raise Broken(got, 'is not', 'of length ' + str(length), '')\n",
    ),
    Standard(
        "same type",
        "its result is of its argument's class",
        "    kind = type({one})\n    got = f({all})\n    if type(got) is not kind: raise Broken(got, 'is not', 'a ' + kind.__name__, '')\n",
    ),
    Standard("monotone", "from x <= y follows f(x) <= f(y)", "    assume({one} <= z_)\n    low = f(deepcopy({one}))\n    assert low <= f(z_)\n", 1),
    Standard(
        "injective", "from x != y follows f(x) != f(y)", "    assume({one} != z_)\n    first = f(deepcopy({one}))\n    assert first != f(z_)\n", 1
    ),
    Standard("even", "f(-x) is f(x)", "    expected = f(-{one})\n    agree(f({one}), expected)\n", 1),
    Standard("odd", "f(-x) is -f(x)", "    expected = -f(-{one})\n    agree(f({one}), expected)\n", 1),
    Standard("non-negative", "its result is at least 0", "    assert f({all}) >= 0\n"),
    Standard(
        "truth value",
        "its result is True or False",
        "    got = plain(f({all}))\n    if got is not True and got is not False: raise Broken(got, 'is not', 'True or False', '')\n",
    ),
    Standard(
        "does not change its arguments",
        "its arguments are after the call as they were before",
        "    before = deepcopy(({all},))\n    f({all})\n    agree(({all},), before)\n",
    ),
    Standard(
        "order of elements does not matter",
        "f of a list and of the same list sorted or reversed are the same",
        "    expected = f({copies})\n    turned = list(reversed(deepcopy({one})))\n    agree(f(turned{rest}), expected)\n",
    ),
    Standard("does not raise", "it returns for all arguments", "    f({all})\n"),
)

STANDARD = {one.name: one for one in _LIST}
"""The library by name."""
