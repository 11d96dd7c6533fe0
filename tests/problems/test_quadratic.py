"""Quadratic: the model, the BQM and dimod's own reader agree; wrong files by their line."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import dimod
import numpy as np
import pytest
from dimod.serialization import coo
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile, InvalidModel
from ebmhw.problems import Quadratic

QUBO = "c made up\np qubo 0 4 2 2\n0 0 -3\nc couplers\n2 2 1\n0 1 4\n0 3 -2\n"


def put(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def cube(n: int) -> np.ndarray:
    return np.array(list(product((-1, 1), repeat=n)), dtype=np.int8)


def bqm_energies(bqm: dimod.BinaryQuadraticModel, problem: Quadratic, states: np.ndarray) -> np.ndarray:
    values = states if bqm.vartype is dimod.SPIN else (1 + states) // 2
    return bqm.energies((values, problem.variables.tolist()))


@st.composite
def bqms(draw: st.DrawFn) -> dimod.BinaryQuadraticModel:
    labels = draw(st.lists(st.integers(0, 50), min_size=1, max_size=6, unique=True))
    weights = st.integers(-40, 40).filter(bool).map(lambda w: w / 8)
    bqm = dimod.BinaryQuadraticModel(draw(st.sampled_from(["SPIN", "BINARY"])))
    for i, label in enumerate(labels):
        bqm.add_linear(label, draw(weights))
        for other in draw(st.lists(st.sampled_from(labels[:i]), unique=True)) if i else []:
            bqm.add_quadratic(label, other, draw(weights))
    return bqm


@given(bqms(), st.booleans())
def test_what_dimod_writes_is_read(tmp_path_factory: pytest.TempPathFactory, bqm: dimod.BinaryQuadraticModel, header: bool) -> None:
    path = put(tmp_path_factory.getbasetemp() / "q", coo.dumps(bqm, vartype_header=header))
    problem = Quadratic.read(path) if header else Quadratic.read(path, vartype=bqm.vartype)
    assert problem.bqm == bqm
    assert problem.variables.tolist() == sorted(bqm.variables)
    states = cube(problem.n)
    expected = bqm_energies(bqm, problem, states)
    assert np.array_equal(problem.energy(states), expected)
    assert np.array_equal(problem.model.energy(states), expected)
    assert problem.kind == ("ising" if bqm.vartype is dimod.SPIN else "qubo")


def test_repeated_lines_add_up_and_exponents_count(tmp_path: Path) -> None:
    path = put(tmp_path / "q", "# vartype: SPIN\n# more\n0 0 1\n0 0 2\n7 0 1e-1\n\n0 7 .4\n")
    problem = Quadratic.read(path)
    assert problem.variables.tolist() == [0, 7] and problem.linear.tolist() == [3.0, 0.0]
    assert problem.bqm.quadratic[0, 7] == 0.5
    assert problem.energy([-1, -1]) == pytest.approx(-2.5)
    assert problem.describe([1, 1]) == {"energy": pytest.approx(3.5)}
    assert repr(problem) == "Quadratic(2 variables, 2 couplings, SPIN)"


def test_qubo_files(tmp_path: Path) -> None:
    problem = Quadratic.read(put(tmp_path / "q", QUBO))
    assert problem.kind == "qubo" and problem.n == 4
    states = cube(4)
    x = (1 + states.astype(int)) // 2
    expected = -3 * x[:, 0] + x[:, 2] + 4 * x[:, 0] * x[:, 1] - 2 * x[:, 0] * x[:, 3]
    assert np.array_equal(problem.energy(states), expected)
    assert np.array_equal(bqm_energies(problem.bqm, problem, states), expected)
    assert Quadratic.read(put(tmp_path / "q", "p qubo unconstrained 2 0 0\n")).energy([1, -1]) == 0


def test_one_line_of_weights_gives_exact_offsets() -> None:
    problem = Quadratic("BINARY", [1, 2], [(0, 1)], [3], offset=0.5, variables=[4, 5])
    assert problem.energy(cube(2)).tolist() == [0.5, 2.5, 1.5, 6.5]
    assert Quadratic({0, 1}, [1], [], []).kind == "qubo" and Quadratic({-1, 1}, [1], [], []).kind == "ising"
    assert Quadratic(dimod.BINARY, [1], [], []).energy([1]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spin", [1], [], []), "vartype is 'spin'; give 'SPIN' or 'BINARY'"),
        (("SPIN", [], [], []), r"linear has shape \(0,\)"),
        (("SPIN", [1, 2], [(0, 1)], []), r"edges have shape \(1, 2\), weights \(0,\)"),
        (("SPIN", [1, 2], [(0, 1, 1)], [1]), r"edges are int64 of shape \(1, 3\); give integers \(edges, 2\)"),
        (("SPIN", [1, 2], [(0, 1), (1,)], [1, 1]), r"edges are not all pairs; give integers \(edges, 2\)"),
        (("SPIN", [1, 2], [("0", "1")], [1]), "edges are <U1"),
        (("SPIN", ["a"], [], []), "linear weights are not all real numbers; give integers or floats"),
        (("SPIN", ["1"], [], []), "linear weights are not all real numbers"),
        (("SPIN", [1j], [], []), "linear weights are not all real numbers"),
        (("SPIN", [1, [2, 3]], [], []), "linear weights are not all real numbers"),
        (("SPIN", [1, None], [], []), "linear weights are not all real numbers"),
        (("SPIN", 1, [], []), r"linear has shape \(\)"),
        (("SPIN", [1, 2], [(0, 1)], ["1"]), "weights are not all real numbers"),
        (("SPIN", [1, 2], [(0, 1)], [1j]), "weights are not all real numbers"),
        (("SPIN", [1], [], [], "x"), "offset is 'x'; it must be one finite number"),
        (("SPIN", [1], [], [], "1"), "offset is '1'; it must be one finite number"),
        (("SPIN", [1], [], [], [1.0]), r"offset is \[1.0\]; it must be one finite number"),
        (("SPIN", [1], [], [], None), "offset is None; it must be one finite number"),
        (("SPIN", [1, 2], [], [], 0.0, [1, [2, 3]]), "variables are not all single labels"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Quadratic(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0 1 1\n", "no vartype; begin the file with '# vartype=SPIN'"),
        ("# vartype=BOTH\n0 1 1\n", ":1: vartype is 'BOTH'"),
        ("# vartype=SPIN\n# vartype=BINARY\n0 1 1\n", ":2: vartype BINARY where SPIN was given"),
        ("# vartype=SPIN\n", "no variable; give lines 'i j weight'"),
        ("# vartype=SPIN\n0 1\n", ":2: 2 value(s), '0 1', where a line has 3"),
        ("# vartype=SPIN\n0 1 1\na 1 1\n", ":3: 'a' is no variable"),
        ("# vartype=SPIN\n0 1 1\n-1 1 1\n", ":3: variable -1 is out of range"),
        ("# vartype=SPIN\n0 1 1\n0 1 x\n", ":3: weight 'x' is no finite number"),
        ("# vartype=SPIN\n0 0 1e308\n0 0 1e308\n", "add up beyond 1.8e308"),
        ("p qubo 0 4 1\n", ":1: 'p qubo 0 4 1' begins no model"),
        ("c x\np cnf 4 1\n1 2 0\n", ":2: 'p cnf 4 1' begins no model"),
        ("p qubo chimera128 4 1 1\n", ":1: topology 'chimera128' is not supported"),
        ("p qubo 0 0 0 0\n", ":1: number of maxNodes 0 is out of range"),
        ("p qubo 0 4 1 1\n0 0 1\n0 4 1\n", ":3: node 4 is out of range; give an integer in 0 .. 3"),
        ("p qubo 0 4 2 1\n0 0 1\n0 3 1\n", ":3: the file ends after 1 of the 2 diagonal lines that line 1 says"),
        ("p qubo 0 4 1 2\n0 0 1\n0 3 1\n", ":3: the file ends after 1 of the 2 coupler lines"),
        ("p qubo 0 4 1 1\n0 0 1\nc\n1 1 1\n0 3 1\n", ":4: a diagonal line beyond the 1 that line 1 says"),
        ("c x\n", "only comments"),
    ],
)
def test_wrong_files_are_refused_by_line(tmp_path: Path, content: str, message: str) -> None:
    path = put(tmp_path / "q", content)
    with pytest.raises(InvalidFile) as caught:
        Quadratic.read(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_a_vartype_that_contradicts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=":1: vartype SPIN where BINARY was given before"):
        Quadratic.read(put(tmp_path / "q", "# vartype=SPIN\n0 1 1\n"), vartype="BINARY")
    with pytest.raises(InvalidFile, match=":2: a qubo's variables are BINARY"):
        Quadratic.read(put(tmp_path / "q", QUBO), vartype="SPIN")


def test_every_truncation_of_a_qubo_is_noticed(tmp_path: Path) -> None:
    whole = Quadratic.read(put(tmp_path / "q", QUBO)).bqm
    for end in range(len(QUBO)):
        path = put(tmp_path / "q", QUBO[:end])
        if end == len(QUBO) - 1:
            assert Quadratic.read(path).bqm == whole
        else:
            with pytest.raises(InvalidFile):
                Quadratic.read(path)
