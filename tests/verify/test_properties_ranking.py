"""Ranking: what caught more in a call comes first; the order changes no verdict."""

from __future__ import annotations

import pytest
from properties_calls import found_in

from ebmhw.verify.code import verify_code
from ebmhw.verify.code.properties import Property, ranked
from ebmhw.verify.code.properties.asking import prepare
from ebmhw.verify.code.properties.ranking import KIND, PRIORS, rate

SOURCE = "def prop(f, x): f(x)"


class Counter:
    """A memory of counts."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], tuple[int, int]] = {}

    def counts(self, kind: str, name: str) -> tuple[int, int]:
        return self.known.get((kind, name), (0, 0))

    def note(self, kind: str, name: str, tried: int = 1, caught: int = 0) -> None:
        before = self.counts(kind, name)
        self.known[kind, name] = (before[0] + tried, before[1] + caught)


def _property(name: str, origin: str = "given") -> Property:
    return Property(name, "", SOURCE, {"x": "st.integers(0, 9)"}, origin)  # type: ignore[arg-type]


def test_without_memory_the_prior_orders_and_equals_stay_as_they_came() -> None:
    some = [_property("a", "general"), _property("b", "given"), _property("c", "exact"), _property("d", "given"), _property("e", "implied")]
    assert [one.name for one in ranked(some, None)] == ["c", "b", "d", "e", "a"]
    assert [one.name for one in ranked(some, Counter())] == ["c", "b", "d", "e", "a"]


def test_the_rate_is_smoothed_and_counts_calls() -> None:
    memory = Counter()
    memory.note(KIND, "a", 92, 46)
    assert abs(rate(_property("a"), memory) - (46 + 8 * PRIORS["given"]) / 100) < 1e-12
    assert rate(_property("commutative"), None) == rate(_property("a"), None) / 2


def test_what_caught_comes_first_next_time_and_the_findings_are_the_same() -> None:
    memory = Counter()
    given = ["def prop_right(f, x: int):\n    assert f(x) == f(x)", "def prop_wrong(f, x: int):\n    assert f(x) < 30"]
    found = [found_in("def f(x): return x", "f", given, infer=False, memory=memory) for _ in range(3)]
    assert memory.known == {(KIND, "prop_right"): (3, 0), (KIND, "prop_wrong"): (3, 3)}
    asked = prepare("def f(x): return x", "", "f", given, infer=False)
    assert [one["name"] for one in asked.message(1, 1.0, memory)["properties"]] == ["prop_wrong", "prop_right"]
    assert [one["name"] for one in asked.message(1, 1.0)["properties"]] == ["prop_right", "prop_wrong"]
    assert found[0] == found[1] == found[2] == found_in("def f(x): return x", "f", given, infer=False)


@pytest.mark.confined
def test_verify_code_tries_first_what_caught_before() -> None:
    """The second property alone ends the code: the first one is tried where it comes before it, and not where the other one caught before."""
    code = "def f(x):\n    if x == 77: import os; os._exit(0)\n    return x\n"
    given = ["def prop_right(f, x: st.integers(0, 9)):\n    assert f(x) == x", "def prop_wrong(f, x: st.just(77)):\n    f(x)"]
    history = Counter()
    first = [claim.verdict for claim in verify_code(code, "f", properties=given, infer=False, history=history).claims if claim.kind == "property"]
    assert history.known == {(KIND, "prop_right"): (1, 0), (KIND, "prop_wrong"): (1, 1)}
    history.note(KIND, "prop_wrong", 90, 90)
    second = [claim.verdict for claim in verify_code(code, "f", properties=given, infer=False, history=history).claims if claim.kind == "property"]
    assert (first, second) == (["VERIFIED", "VIOLATED"], ["UNKNOWN", "VIOLATED"])
