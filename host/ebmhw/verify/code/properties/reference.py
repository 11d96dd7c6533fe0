"""Reference: a function that words define wholly, with the words, the kinds of its parameters and small arguments that surely lie in its domain.

A reference is asked of a function only where its words are all that is said, or where it also agrees with at least three examples; it is
dropped where it disagrees with one.
"""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """A function that words define.

    Attributes
    ----------
    name : what its property is called
    words : a regular expression, of lower case words with single spaces, without articles and marks
    kinds : of its parameters: "int", "number", "text", "numbers" (a list), "texts" (a list), "list", "any"
    body : Python of ``ref(a, b, ...)``
    given : a strategy for each parameter; "" for what the kind says
    also : further words that change nothing in its meaning
    examples : how many examples it needs, where its words leave something to convention, such as where Fibonacci's numbers begin
    unordered : whether a list's order is left open
    """

    name: str
    words: str
    kinds: tuple[str, ...]
    body: str
    given: tuple[str, ...] = ()
    also: str = ""
    examples: int = 0
    unordered: bool = False


KINDS = {
    "int": "st.integers(1, 60)",
    "number": "st.integers(1, 200).map(lambda n: n / 4)",
    "text": "st.lists(st.sampled_from('abcdeouxyz'), min_size=1, max_size=10).map(''.join)",
    "numbers": "st.lists(st.integers(-20, 20), min_size=1, max_size=8)",
    "texts": "st.lists(st.lists(st.sampled_from('abcd'), min_size=1, max_size=5).map(''.join), min_size=1, max_size=6)",
    "list": "st.lists(st.integers(-20, 20), min_size=1, max_size=8)",
}
"""Small arguments of each kind that no definition excludes."""

PRIME = "    def prime(n): return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))\n"
INT, INTS, TEXT, TEXTS, LIST = ("int",), ("numbers",), ("text",), ("texts",), ("list",)
NATURAL = ("st.integers(1, 300)",)
PALINDROMES = ("st.lists(st.sampled_from('ab'), max_size=7).map(''.join)",)


def of(expression: str, before: str = "") -> str:
    """Return a body that returns an expression, after other statements."""
    return f"{before}    return {expression}\n"
