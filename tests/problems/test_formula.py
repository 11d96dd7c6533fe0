"""Formula: energies against counting, ancillas against their least energy, DIMACS files right and wrong."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile, InvalidModel
from ebmhw.problems import Formula, dimacs
from ebmhw.problems.text import load

CNF = "c x\np cnf 4 3\n1 -2 0\n-1 2\nc in between\n -3 0 4 0\n"
WCNF = "p wcnf 3 3 10\n10 1 -2 0\n3 2 0\n4 -1 3 0\n"
WCNF_2022 = "c x\nh 1 -2 0\n3 2 0\n4 -1 3 0\n"


def put(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8).reshape(2**n, n)


def broken(clauses: list[tuple[int, ...]], state: np.ndarray) -> list[bool]:
    return [not any(state[abs(x) - 1] == (1 if x > 0 else -1) for x in clause) for clause in clauses]


@st.composite
def formulas(draw: st.DrawFn, longest: int = 5) -> tuple[int, list[tuple[int, ...]], list[float] | None]:
    n = draw(st.integers(1, 6))
    literals = st.integers(1, n).flatmap(lambda v: st.sampled_from([v, -v]))
    clauses = [tuple(c) for c in draw(st.lists(st.lists(literals, max_size=longest), max_size=8))]
    weight = st.one_of(st.integers(1, 9).map(float), st.just(float("inf")))
    weights = draw(st.none() | st.lists(weight, min_size=len(clauses), max_size=len(clauses)))
    return n, clauses, weights


@given(formulas())
def test_energy_is_the_weight_of_unsatisfied_clauses(case: tuple[int, list[tuple[int, ...]], list[float] | None]) -> None:
    n, clauses, weights = case
    formula = Formula(n, clauses, weights)
    soft = sum(w for w in weights if np.isfinite(w)) if weights else 0.0
    full = [soft + 1 if w == float("inf") else w for w in (weights or [float("inf")] * len(clauses))]
    assert formula.weights.tolist() == full and formula.clauses == clauses
    states = cube(n)
    table = [broken(clauses, s) for s in states]
    assert formula.unsatisfied(states).tolist() == [sum(row) for row in table]
    costs = [sum(w for w, b in zip(full, row, strict=True) if b) for row in table]
    assert formula.cost(states).tolist() == costs
    assert formula.model.n == n
    energies = formula.model.energy(states)
    assert np.allclose(energies, formula.unit * np.array(costs), rtol=1e-12, atol=0)
    coefficients = [formula.model.offset, *formula.model.bias, *(w for _, w in formula.model.terms())]
    assert all(float(c).is_integer() for c in coefficients)
    assert np.gcd.reduce(np.array(coefficients, dtype=np.int64)) in (0, 1)


@given(formulas(longest=9), st.integers(3, 8))
def test_least_energy_over_ancillas_is_exact(case: tuple[int, list[tuple[int, ...]], list[float] | None], split_above: int) -> None:
    n, clauses, weights = case
    clauses, weights = clauses[:3], None if weights is None else weights[:3]
    formula = Formula(n, clauses, weights, split_above)
    model = formula.model
    ancillas = model.n - n
    assert model.max_order <= max(split_above, 1)
    rest = cube(ancillas)
    for state in cube(n)[::3]:
        states = np.concatenate([np.broadcast_to(state, (len(rest), n)), rest], axis=1)
        assert model.energy(states).min() == pytest.approx(formula.unit * float(formula.cost(state)), rel=1e-12)
        assert (formula.unsatisfied(states) == formula.unsatisfied(state)).all()
        assert (formula.assignment(states) == (state > 0)).all()


@pytest.mark.parametrize("length", range(4, 14))
@pytest.mark.parametrize("split_above", [3, 4, 8])
def test_one_long_clause(length: int, split_above: int) -> None:
    clause = tuple(v if v % 2 else -v for v in range(1, length + 1))
    formula = Formula(length, [clause], None, split_above)
    none = np.array([-1 if x > 0 else 1 for x in clause])
    states = [none, *(np.where(np.arange(length) == i, -none, none) for i in range(length))]
    rest = cube(formula.model.n - length)
    least = [formula.model.energy(np.concatenate([np.tile(s, (len(rest), 1)), rest], axis=1)).min() for s in states]
    assert least == [formula.unit] + [0.0] * length
    assert formula.model.n == length + (0 if length <= split_above else -(-(length - 2) // (split_above - 2)) - 1)


def test_long_clauses_ask_to_be_split(tmp_path: Path) -> None:
    clause = tuple(range(1, 10))
    with pytest.raises(InvalidModel, match=r"clause 1 has 9 literals; more than 8 do not expand well, pass split_above=k"):
        Formula(9, [(1,), clause])
    path = put(tmp_path / "f", "p cnf 9 2\n1 0\n" + " ".join(map(str, clause)) + "\n0\n")
    with pytest.raises(InvalidFile, match=r"f:3: a clause of 9 literals; .*split_above=k"):
        Formula.read(path)
    assert Formula.read(path, split_above=5).model.n == 11
    # Nine literals of eight variables, and a tautology, need no ancilla.
    assert Formula(9, [(*clause[:8], 1), (*clause, -1)]).model.n == 9
    for k in (2, 9):
        with pytest.raises(InvalidModel, match=f"split_above is {k}; give 3 to 8"):
            Formula(3, [(1,)], split_above=k)


def test_eight_literals_and_thirds_of_weights() -> None:
    formula = Formula.random(9, 5, 3, literals=8)
    states = cube(9)
    assert np.array_equal(formula.model.energy(states), 256 * formula.unsatisfied(states))
    real = Formula(9, formula.clauses, np.array([1, 2, 3, 4, 5]) / 3)
    assert np.allclose(real.model.energy(states), real.unit * real.cost(states), atol=1e-12)
    assert real.unit == 256


def test_hard_weights_stay_above_the_soft_ones() -> None:
    formula = Formula(2, [(1,), (2,), (-1, -2)], [2.0**60, 2.0**60, float("inf")])
    assert formula.hard.tolist() == [False, False, True] and formula.weights[2] > 2.0**61
    assert formula.kind == "maxsat" and Formula(1, [(1,)]).kind == "sat"
    assert Formula(1, [(1,)]).hard.tolist() == [True]


def test_a_formula_without_variables_is_possible_but_has_no_model() -> None:
    empty = Formula(0, [])
    assert repr(empty) == "Formula(0 variables, 0 clauses, sat)"
    with pytest.raises(InvalidModel, match="a model of 0 spins"):
        _ = empty.model


def test_describe_and_repr() -> None:
    formula = Formula(2, [(1, 2), (-1,)])
    assert formula.describe([-1, -1]) == {"unsatisfied": 1, "satisfied_share": 0.5}
    assert repr(formula) == "Formula(2 variables, 2 clauses, sat)"
    weighted = Formula(2, [(1, 2), (-1,)], [3, float("inf")])
    assert weighted.describe([1, 1]) == {"unsatisfied": 1, "satisfied_share": 0.5, "hard_unsatisfied": 1, "cost": 4.0}
    assert Formula(2, []).describe([1, 1]) == {"unsatisfied": 0, "satisfied_share": 1.0}
    assert Formula(2, [()]).model.offset == Formula(2, [()]).unit == 1.0
    assert formula.unsatisfied(np.ones((2, 3, 2), dtype=np.int8)).tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, [(1, 3)]), "clause 0 holds literal 3; literals are 1 .. 2"),
        ((2, [(1,), (2, 0)]), "clause 1 holds literal 0"),
        ((2, [(1.5,)]), "not all sequences of integers"),
        ((2, [1]), "not all sequences of integers"),
        ((2, [(2**70,)]), "not all sequences of integers"),
        ((-1, []), "a formula of -1 variables"),
        ((2, [(1,)], [0]), "weight of clause 0 is 0.0"),
        ((2, [(1,)], [float("nan")]), "weight of clause 0 is nan"),
        ((2, [(1,)], [1, 2]), r"weights have shape \(2,\) for 1 clauses"),
        ((2, [(1,)], ["x"]), "not all real numbers"),
        ((2, [(1,)], ["1"]), "not all real numbers"),
        ((2, [(1,)], [1j]), "not all real numbers"),
        ((2, [(1,)], [None]), "not all real numbers"),
        ((2, [(1,), (2,)], [1, [1, 2]]), "not all real numbers"),
        ((3, 5), "not all sequences of integers"),
        ((3, None), "not all sequences of integers"),
        ((3, ["12"]), "not all sequences of integers"),
        ((2, np.array([[2**64 - 1]], dtype=np.uint64)), "not all sequences of integers"),
        ((2, [(-(2**63),)]), "clause 0 holds literal -9223372036854775808"),
        ((3, [(1,)], None, 3.0), "split_above is 3.0; give 3 to 8"),
        ((3, [(1,)], None, "3"), "split_above is '3'; give 3 to 8"),
        ((3, [(1,)], None, True), "split_above is True; give 3 to 8"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Formula(*arguments)  # type: ignore[arg-type]


def test_wrong_spins_are_refused() -> None:
    formula = Formula(5, [(1, 2, 3, 4, 5)], split_above=3)
    with pytest.raises(InvalidModel, match="last axis must be 5 or 7"):
        formula.unsatisfied(np.ones(6))
    with pytest.raises(InvalidModel, match="every spin is -1 or"):
        formula.cost([1, 1, 1, 1, 2])


def test_random_formulas() -> None:
    formula = Formula.random(20, 4.2, 7)
    assert formula.num_clauses == 84 and formula.clauses == Formula.random(20, 4.2, 7).clauses
    assert all(len({abs(x) for x in clause}) == 3 for clause in formula.clauses)
    assert Formula.random(20, 30, 7).num_clauses == 30
    literals, counts = np.unique(np.abs(Formula.random(5, 20000, 1, literals=4)._literals), return_counts=True)
    assert literals.tolist() == [1, 2, 3, 4, 5] and np.abs(counts - 16000).max() < 400
    assert Formula.random(12, 3, 0, literals=12, split_above=4).model.n == 24
    assert Formula.random(np.int64(5), np.float32(2.0), np.uint32(0)).num_clauses == 10  # type: ignore[arg-type]
    assert Formula.random(5, 0.0, 0).num_clauses == Formula.random(5, 0, 0).num_clauses == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 1, 0, 4), "4 distinct variables of 3"),
        ((3, 1, 0, 0), "the number of literals a clause is 0; give an integer, 1 or more"),
        ((3, 1, 0, 2.0), "the number of literals a clause is 2.0"),
        ((0, 1, 0), "the number of variables is 0; give an integer, 1 to 67108863"),
        ((5.0, 1, 0), "the number of variables is 5.0"),
        ((5, -3, 0), "the number of clauses is -3; give an integer, 0 to "),
        ((5, 2**41, 0), "the number of clauses is 2199023255552"),
        ((5, True, 0), "the number of clauses is True"),
        ((5, -0.5, 0), "the ratio of clauses to variables is -0.5; 5 variables take 0 to "),
        ((5, 1e308, 0), r"the ratio of clauses to variables is 1e\+308; 5 variables"),
        ((5, float("nan"), 0), "the ratio of clauses to variables is nan; it must be one finite number"),
        ((5, float("inf"), 0), "the ratio of clauses to variables is inf"),
        ((5, "4.2", 0), "the ratio of clauses to variables is '4.2'"),
        ((5, 1, -1), "the seed is -1; give an integer, 0 or more"),
        ((5, 1, "x"), "the seed is 'x'"),
    ],
)
def test_random_refuses_wrong_numbers(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Formula.random(*arguments)  # type: ignore[arg-type]


def test_cnf_files(tmp_path: Path) -> None:
    formula = Formula.read(put(tmp_path / "f", CNF))
    assert formula.num_variables == 4 and formula.clauses == [(1, -2), (-1, 2, -3), (4,)] and formula.kind == "sat"
    satlib = "c cnf\np  cnf  3   2 \n 1 -2 3 0 \n-1 2 0\n%\n0\n\n"
    assert Formula.read(put(tmp_path / "f", satlib)).clauses == [(1, -2, 3), (-1, 2)]
    assert Formula.read(put(tmp_path / "f", "p cnf 2 2\n0\n1 0")).clauses == [(), (1,)]
    assert Formula.read(put(tmp_path / "f", "p cnf 2 0\n")).clauses == []


def test_wcnf_files(tmp_path: Path) -> None:
    for content in (WCNF, WCNF_2022):
        formula = Formula.read(put(tmp_path / "f", content))
        assert formula.clauses == [(1, -2), (2,), (-1, 3)] and formula.num_variables == 3
        assert formula.hard.tolist() == [True, False, False] and formula.weights.tolist() == [8.0, 3.0, 4.0]
        assert formula.kind == "maxsat"
    plain = Formula.read(put(tmp_path / "f", "p wcnf 2 2\n7 1 0 99 -1\n2 0"))
    assert plain.weights.tolist() == [7.0, 99.0] and not plain.hard.any()
    large = Formula.read(put(tmp_path / "f", f"p wcnf 2 2 {2**64 - 1}\n{2**64 - 1} 1 0\n{2**62} -1 2 0"))
    assert large.hard.tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("p cnf 2\n", ":1: 'p cnf 2' has 1 numbers"),
        ("p sat 2 3\n", ":1: 'p sat 2 3' begins no formula"),
        ("p cnf x 3\n", ":1: 'x' is no number of variables"),
        ("p cnf 0 0\n", ":1: number of variables 0 is out of range; give an integer in 1 .. 67108863"),
        ("c x\np wcnf 0 1 9\n3 0\n", ":2: number of variables 0 is out of range"),
        ("p cnf 3 -1\n", ":1: number of clauses -1 is out of range"),
        ("p wcnf 3 1 0\n", ":1: top weight 0 is out of range"),
        ("p cnf 3 2\n1 2 0\n\n1 4 0\n", ":4: literal 4 is out of range; give an integer in -3 .. 3"),
        ("p cnf 3 2\n1 2 0\n1 x 0\n", ":3: 'x' is no literal"),
        ("p cnf 3 2\n1 2 0\n1 2.0 0\n", ":3: '2.0' is no literal"),
        ("p cnf 3 2\n1 2 0\n1-2 0\n", ":3: '1-2' is no literal"),
        ("p cnf 3 2\n1 2 0\nh 1 0\n", ":3: 'h' is no literal"),
        ("p cnf 3 3\n1 2 0\n1 0\n\n", ":3: the file ends after 2 of the 3 clauses"),
        ("p cnf 3 1\n1 2 0\n1\n2 0\n", ":3: a clause beyond the 1 that the p line says"),
        ("p cnf 3 2\n1 2 0\n1\n2\n", ":4: the clause begun on line 3 has no 0 at its end"),
        ("p cnf 3 1\n1 2 0\n%\n1 0\n", ":4: '1 0' after the line of %"),
        ("p cnf 3 1\n1 2 0\n%\n0\n0\n", ":5: '0' after the line of %"),
        ("p cnf 3 1\n1 2 % 0\n", ":2: '%' is no literal"),
        ("p cnf 3 1\n% x\n", ":2: '% x' is no clause"),
        ("p wcnf 3 1 9\n0 1 0\n", ":2: weight 0 is out of range"),
        ("p wcnf 3 1 9\n-4294967296 1 0\n", ":2: weight -4294967296 is out of range"),
        ("p wcnf 3 1\n-4294967296 1 0\n", ":2: weight -4294967296 is out of range"),
        ("p wcnf 3 1 9\nh 1 0\n", ":2: 'h' is no weight"),
        ("h 1 0\n-4294967296 1 0\n", ":2: weight (or h) -4294967296 is out of range"),
        ("h 1 0\n1.5 1 0\n", ":2: '1.5' is no weight"),
        ("h 1 0\n3 h 0\n", ":2: 'h' is no literal"),
        ("h 1 0\nh5 1 0\n", ":2: 'h5' is no weight"),
        ("h 1 0\nh 2\n", ":2: the clause begun on line 2 has no 0"),
        (f"h {2**28} 0\n", f":1: literal {2**28} is out of range"),
        ("%\n0\n", ":2: no clause"),
        ("c x\n", "only comments"),
    ],
)
def test_wrong_files_are_refused_by_line(tmp_path: Path, content: str, message: str) -> None:
    path = put(tmp_path / "f", content)
    with pytest.raises(InvalidFile) as caught:
        Formula.read(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [CNF, WCNF, "p cnf 12 2\n10 -12 0\n11 0\n%\n0\n"])
def test_every_truncation_is_noticed(tmp_path: Path, content: str) -> None:
    whole = Formula.read(put(tmp_path / "f", content)).clauses
    end_of_clauses = content.index("%") - 1 if "%" in content else len(content) - 1
    for end in range(len(content)):
        path = put(tmp_path / "f", content[:end])
        if end >= end_of_clauses:
            assert Formula.read(path).clauses == whole
        else:
            with pytest.raises(InvalidFile):
                Formula.read(path)


@given(st.text(alphabet="0123-hc%p \n.", max_size=40), st.sampled_from(["p cnf 3 2\n", "p wcnf 3 2 3\n", "p wcnf 3 1\n", "h 1 0\n", "1 1 0\n"]))
def test_fast_and_slow_readers_agree(tmp_path_factory: pytest.TempPathFactory, body: str, start: str) -> None:
    text = load(put(tmp_path_factory.getbasetemp() / "f", start + body))
    header = dimacs.read_header(text)
    fast = dimacs._fast(text, header)
    try:
        slow = dimacs._slow(text, header)
    except InvalidFile:
        assert fast is None
    else:
        assert fast is not None
        for a, b in zip(fast, slow, strict=True):
            assert np.array_equal(a, b)  # type: ignore[arg-type]


def test_pieces_of_a_file_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formula = Formula.random(30, 100, 0)
    content = "p cnf 30 100\n" + "".join(" ".join(map(str, c)) + " 0\n" for c in formula.clauses)
    monkeypatch.setattr("ebmhw.problems.table.CHUNK", 50)
    assert Formula.read(put(tmp_path / "f", content)).clauses == formula.clauses
