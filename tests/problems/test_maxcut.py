"""MaxCut: cuts against counting, files in every form, every wrong file by its line."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile, InvalidModel
from ebmhw.problems import MaxCut, read
from ebmhw.problems import table as table_module
from ebmhw.problems.text import Text

TRIANGLE = "3 3\n1 2 5\n2 3 -2\n1 3 4\n"


def put(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def same(a: MaxCut, b: MaxCut) -> bool:
    return a.n == b.n and np.array_equal(a.edges, b.edges) and np.array_equal(a.weights, b.weights)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], list[int]]:
    n = draw(st.integers(2, 7))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    edges = draw(st.lists(pairs, max_size=12))
    return n, edges, draw(st.lists(st.integers(-9, 9), min_size=len(edges), max_size=len(edges)))


@given(graphs())
def test_cut_and_model_agree_with_counting(graph: tuple[int, list[tuple[int, int]], list[int]]) -> None:
    n, edges, weights = graph
    problem = MaxCut(n, edges, weights)
    states = np.array(list(product((-1, 1), repeat=n)), dtype=np.int8)
    counted = [sum(w for (i, j), w in zip(edges, weights, strict=True) if s[i] != s[j]) for s in states]
    assert problem.cut(states).tolist() == counted
    assert ((sum(weights) - problem.model.energy(states)) / 2).tolist() == counted
    assert problem.model.offset == 0 and not problem.model.bias.any()
    assert problem.describe(states[1]) == {"cut": counted[1]}


@given(graphs(), st.booleans())
def test_written_graph_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, graph: tuple[int, list[tuple[int, int]], list[int]], plain: bool
) -> None:
    n, edges, weights = graph
    weights = [1] * len(edges) if plain else weights
    lines = [f"{i + 1} {j + 1}" + ("" if plain else f" {w}") for (i, j), w in zip(edges, weights, strict=True)]
    path = put(tmp_path_factory.getbasetemp() / "g", f"{n} {len(edges)}\n" + "\n".join(lines))
    assert same(MaxCut.read(path), MaxCut(n, edges, weights))


def test_shapes_and_repr() -> None:
    problem = MaxCut(3, [(0, 1), (0, 1)], [1, 2.5])
    assert repr(problem) == "MaxCut(3 vertices, 2 edges)"
    assert problem.kind == "maxcut" and problem.model is problem.model
    assert problem.cut([1, -1, 1]) == 3.5
    assert problem.cut(np.ones((2, 0, 3), dtype=np.int64)).shape == (2, 0)
    assert MaxCut(3, [], []).cut([1, 1, -1]) == 0
    assert MaxCut(3, [(0, 1)]).weights.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        problem.weights[0] = 3


def test_many_reads_are_cut_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = MaxCut(3, [(0, 1), (1, 2)], [1, 2])
    states = np.random.default_rng(0).choice(np.array([-1, 1]), (50, 3))
    whole = problem.cut(states)
    monkeypatch.setattr("ebmhw.spins.CHUNK", 9)
    assert np.array_equal(problem.cut(states), whole)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, [(0, 3)], [1]), r"edge \(0, 3\) names a vertex out of range; vertices of this graph are 0..2"),
        ((3, [(1, 1)], [1]), r"edge \(1, 1\) is a self-loop"),
        ((3, [(0, 1)], [float("inf")]), r"weight of edge \(0, 1\) is inf"),
        ((3, [(0, 1)], [1, 2]), r"weights have shape \(2,\) for 1 edges"),
        ((3, [(0, 1)], ["x"]), "not all real numbers"),
        ((3, [(0, 1)], ["1"]), "not all real numbers"),
        ((3, [(0, 1)], np.array([b"1"])), "not all real numbers"),
        ((3, [(0, 1)], [1j]), "not all real numbers"),
        ((3, [(0, 1), (1, 2)], [1, (1, 2)]), "not all real numbers"),
        ((3, [(0, 1)], [None]), "not all real numbers"),
        ((3, [(0, 1)], [10**400]), "not all real numbers"),
        ((3, [(0.0, 1.0)], [1]), "edges are float64"),
        ((3, [("0", "1")], [1]), "edges are <U1"),
        ((3, [(0, 2**70)], [1]), "edges are object"),
        ((3, [(0, 1), (1,)], [1, 1]), r"edges are not all pairs; give integers \(edges, 2\)"),
        ((3, [(0, 1, 2)], [1]), r"shape \(1, 3\)"),
        ((0, [], []), "a graph of 0 vertices"),
        ((2.5, [], []), "a graph of 2.5 vertices"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        MaxCut(*arguments)  # type: ignore[arg-type]


def test_wrong_spins_are_refused() -> None:
    problem = MaxCut(3, [(0, 1)], [1])
    with pytest.raises(InvalidModel, match="last axis must be 3"):
        problem.cut([1, 1])
    with pytest.raises(InvalidModel, match=r"spins hold .*0.*; every spin is -1 or"):
        problem.cut([1, 0, 1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("3 3 3\n", ":1: the header has 3 values"),
        ("x 3\n", ":1: 'x' is no number of vertices"),
        ("0 0\n", ":1: number of vertices 0 is out of range; give an integer in 1 .."),
        ("999999999999 0\n", ":1: number of vertices 999999999999 is out of range"),
        ("3 -1\n", ":1: number of edges -1 is out of range"),
        ("3 2\n1 2\n\n2 2\n", ":4: a self-loop at vertex 2"),
        ("3 2\n1 2\n1 4\n", ":3: vertex 4 is out of range; give an integer in 1 .. 3"),
        ("3 2\n1 2\n0 2\n", ":3: vertex 0 is out of range"),
        ("3 2\n1 2\n" + "9" * 5000 + " 2\n", ":3: vertex 999"),
        ("3 2\n1 2 1\n1 2.0 1.5\n", ":3: '2.0' is no vertex"),
        ("3 2\n1 2 1\n1 1e0 1\n", ":3: '1e0' is no vertex"),
        ("3 2\n1 2 1\n1-2 1 1\n", ":3: '1-2' is no vertex"),
        ("3 2\n1 2 1\n1 3 1e999\n", ":3: weight '1e999' is no finite number"),
        ("3 2\n1 2 1\n1 3 nan\n", ":3: weight 'nan' is no finite number"),
        ("3 2\n1 2 1\n1 3 1.5.5\n", ":3: weight '1.5.5' is no finite number"),
        ("3 2\n1 2 1\n1 3 -\n", ":3: weight '-' is no finite number"),
        ("3 2\n1 2 1\n1 3\n", ":3: 2 value(s), '1 3', where a line has 3"),
        ("3 2\n1 2 1 1\n1 3\n", ":2: 4 value(s)"),
        ("3 3\n1 2 1\n1 3 1\n", ":3: the file ends after 2 of the 3 edges"),
        ("3 1\n1 2 1\n\n1 3 1\n", ":4: an edge beyond the 1 that the header on line 1 says"),
        ("c only\n# only\n", "only comments"),
        ("c x\n3 2\nc x\n1 2\nc x\n1 4\n", ":6: vertex 4 is out of range"),
    ],
)
def test_wrong_files_are_refused_by_line(tmp_path: Path, content: str, message: str) -> None:
    path = put(tmp_path / "g", content)
    with pytest.raises(InvalidFile) as caught:
        MaxCut.read(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_blank_lines_comments_and_large_weights(tmp_path: Path) -> None:
    path = put(tmp_path / "g", f"# a graph\n 3  3 \n\n1 2 .5\n# x\n\t2 3 -1e2\n1\t3 {2**63}\n\n\n")
    problem = MaxCut.read(path)
    assert problem.edges.tolist() == [[0, 1], [1, 2], [0, 2]]
    assert problem.weights.tolist() == [0.5, -100.0, float(2**63)]
    path.write_text(path.read_text().replace("#", "c"))
    for reader in (MaxCut.read, read):
        found = reader(path)
        assert isinstance(found, MaxCut) and same(found, problem)


def test_pieces_of_a_file_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    edges = [(a, (a + rng.randrange(1, 30)) % 30) for a in (rng.randrange(30) for _ in range(400))]
    weights = [rng.choice([1, -1, 12, 0.25]) for _ in edges]
    lines = [f"{a + 1} {b + 1} {w}" for (a, b), w in zip(edges, weights, strict=True)]
    lines[200] += "\n# a comment\n"
    path = put(tmp_path / "g", f"30 {len(edges)}\n" + "\n".join(lines) + "\n")
    expected = MaxCut(30, edges, weights)
    assert same(MaxCut.read(path), expected)
    monkeypatch.setattr(table_module, "CHUNK", 100)
    assert same(MaxCut.read(path), expected)
    monkeypatch.setattr(table_module, "_fast", lambda *_: None)
    assert same(MaxCut.read(path), expected)
    path.write_text(path.read_text().replace("\n# a comment\n\n", "\n# a comment\n\nx 1 1\n"))
    assert f"{path}:205: 'x' is no vertex" in str(_error(path))


@given(st.text(alphabet="0123-+.eE#cx \n", max_size=40), st.sampled_from(["", "1 2\n", "1 2 1\n", "1 2 .5\n"]))
def test_fast_and_slow_rows_agree(body: str, start: str) -> None:
    content = (start + body).encode().rstrip() + b"\n"
    layout = table_module.Layout("vertex", 1, 3, (2, 3), (b"#", b"c"))
    text = Text("x", content)
    width = table_module._width(text, 0, 1, layout)
    fast = table_module._fast(content, width, layout)
    if fast is not None:
        slow = table_module._slow(text, 0, len(content), 1, width, layout)
        assert np.array_equal(fast[0], slow[0]) and (fast[1] == slow[1]).all()


def _error(path: Path) -> InvalidFile:
    with pytest.raises(InvalidFile) as caught:
        MaxCut.read(path)
    return caught.value


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    # Weights of one digit: a number cut in its middle, on the last line, is a number all the same.
    whole = MaxCut.read(put(tmp_path / "g", TRIANGLE))
    for end in range(len(TRIANGLE)):
        path = put(tmp_path / "g", TRIANGLE[:end])
        if end == len(TRIANGLE) - 1:
            assert same(MaxCut.read(path), whole)
        else:
            _error(path)


def test_networkx_graphs() -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.MultiGraph()
    graph.add_edge("b", "a", weight=2.5)
    graph.add_edge("b", "a")
    graph.add_node("c")
    problem = MaxCut.from_networkx(graph)
    assert problem.n == 3 and problem.edges.tolist() == [[0, 1], [0, 1]] and problem.cut([1, -1, 1]) == 3.5
    assert MaxCut.from_networkx(networkx.empty_graph(2)).weights.size == 0
    graph.add_edge("c", "c")
    with pytest.raises(InvalidModel, match="self-loop"):
        MaxCut.from_networkx(graph)
