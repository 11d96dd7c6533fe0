"""Mutants: each differs in one place, none is written twice or as the original, all are Python, and a seed draws them."""

from __future__ import annotations

import ast

from ebmhw.bench.mutants import mutants

SOURCE = '''def untouched(x):
    return x + 1

def f(xs, k=2):
    """Words stay."""
    best = None
    for i in range(1, len(xs)):
        if xs[i] < k and not xs[:i + 1] == []:
            best = max(xs[i], k)
            continue
        elif best is None or i in xs:
            break
    return sorted([x for x in xs if x > 0], reverse=True), best
'''


def test_each_mutant_differs_in_one_place_of_what_may_change() -> None:
    found = mutants(SOURCE, 4, 1)
    texts = [one.source for one in found]
    plain = ast.unparse(ast.parse(SOURCE))
    assert len(set(texts)) == len(texts) > 40 and plain not in texts
    for one in found:
        tree = ast.parse(one.source)
        assert ast.unparse(tree.body[0]) == "def untouched(x):\n    return x + 1" and '"""Words stay."""' in one.source
        assert one.line >= 4


def test_every_operator_finds_its_place_in_this_function() -> None:
    wanted = {
        "constant",
        "arithmetic",
        "comparison",
        "and, or",
        "negation",
        "negation left out",
        "arguments swapped",
        "bound",
        "order",
        "filter left out",
    }
    wanted |= {"result", "statement left out", "loop ends early", "loop left out", "break", "continue", "function"}
    assert wanted <= {one.operator for one in mutants(SOURCE, 4, 1)}


def test_the_seed_draws_the_order_and_nothing_else() -> None:
    one, same, other = mutants(SOURCE, 4, 1), mutants(SOURCE, 4, 1), mutants(SOURCE, 4, 2)
    assert one == same != other and sorted(one) == sorted(other)
