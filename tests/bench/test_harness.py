"""The harness on cases that take no time, the compiled WalkSAT on small formulas, and every real case listed but not run."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ebmhw import bench as package
from ebmhw.bench import graphs, quality, sampling, sat, startup
from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing, Result, Series, run_cases, selected
from ebmhw.bench.report import Table, number, spread, to_json, write_json
from ebmhw.cli.bench import bench

GRAPHS = ("G1", "G11", "G14", "G22")


def log_case(log: list[str], **changes: Any) -> Case:
    """A case whose sides write what they do into a log."""

    def side(name: str, value: float) -> Callable[[Any], Measure]:
        def make(shared: Any) -> Measure:
            log.append(f"make {name} {shared}")

            def measure(number: int) -> float:
                log.append(f"{name} {number}")
                return value + number

            return measure

        return make

    def setup(stack: ExitStack) -> str:
        stack.callback(log.append, "closed")
        return "shared"

    peers = (Peer("first", side("a", 10.0)), Peer("second", side("b", 50.0)))
    return Case(**{"name": "fake/case", "measures": "m", "unit": "u", "ours": side("us", 100.0), "setup": setup, "peers": peers, **changes})


def test_sides_are_interleaved_and_what_setup_opened_is_closed() -> None:
    log: list[str] = []
    run_cases([log_case(log)], rounds=2)
    made = ["make us shared", "us -1", "make a shared", "a -1", "make b shared", "b -1"]
    assert log == [*made, "us 0", "a 0", "b 0", "us 1", "a 1", "b 1", "closed"]


def test_no_warm_up_and_fewer_rounds_where_a_case_says_so() -> None:
    log: list[str] = []
    (result,) = run_cases([log_case(log, warm_up=False, max_rounds=1)], rounds=7)
    assert log == ["make us shared", "make a shared", "make b shared", "us 0", "a 0", "b 0", "closed"]
    assert result.rounds == 1


def test_median_range_and_ratio_of_each_round() -> None:
    (result,) = run_cases([log_case([])], rounds=3)
    assert (result.ours.values.median, result.ours.values.low, result.ours.values.high) == (101, 100, 102)
    assert result.peers[0].ratio.values == [100 / 10, 101 / 11, 102 / 12]
    assert result.peers[0].ratio.median == 101 / 11
    assert result.peers[1].ratio.values == [100 / 50, 101 / 51, 102 / 52]


def test_a_ratio_above_one_favours_us_where_lower_is_better() -> None:
    (result,) = run_cases([log_case([], higher_is_better=False)], rounds=1)
    assert result.peers[0].ratio.values == [10 / 100]


def test_rates_are_work_over_cpu_seconds() -> None:
    ticks = itertools.count(0, 4)
    (result,) = run_cases([log_case([], per_cpu_second=True)], rounds=1, clock=lambda: float(next(ticks)))
    assert result.ours.values.values == [25.0] and result.ours.cpu.values == [4.0]
    assert result.peers[0].ratio.values == [10.0]


def test_series_of_an_even_number_of_values() -> None:
    assert Series([1.0, 10.0, 3.0, 2.0]).median == 2.5


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({}, None),
        ({"goal": 9.0, "goal_of": "ratio"}, True),
        ({"goal": 9.3, "goal_of": "ratio"}, False),
        ({"goal": 101.0}, True),
        ({"goal": 102.0}, False),
        ({"goal": 101.0, "higher_is_better": False}, True),
        ({"goal": 100.0, "higher_is_better": False}, False),
        ({"goal": 101.0, "cpu_limit": 1.0}, True),
        ({"goal": 101.0, "cpu_limit": 0.1}, False),
        ({"goal": 9.0, "goal_of": "ratio", "peers": ()}, None),
    ],
)
def test_goals(changes: dict[str, Any], met: bool | None) -> None:
    ticks = itertools.count()
    (result,) = run_cases([log_case([], **changes)], rounds=3, clock=lambda: float(next(ticks)))
    assert result.met is met


def test_hits_are_rounds_that_meet_goal_and_limit() -> None:
    (result,) = run_cases([log_case([], goal=101.0, cpu_limit=5.0)], rounds=4)
    assert result.hits == 3
    assert "3 of 4 rounds reach the goal" in next(Table([result.case]).rows(result))


def missing(error: Exception) -> Peer:
    def make(shared: Any) -> Measure:
        raise error

    return Peer("dwave-samplers", make)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModuleNotFoundError("No module 'dwave'"), "peer dwave-samplers not installed: pip install 'ebmhw[bench]' (No module 'dwave')"),
        (PeerMissing("there is no C compiler"), "there is no C compiler"),
        (RuntimeError("odd"), "peer dwave-samplers failed: RuntimeError: odd"),
    ],
)
def test_a_missing_peer_is_said_and_hides_nothing(error: Exception, text: str) -> None:
    case = log_case([], peers=(missing(error), log_case([]).peers[1]), goal=2.0, goal_of="ratio")
    (result,) = run_cases([case], rounds=2)
    assert result.peers[0].missing == text and result.error is None and result.met is None
    assert result.ours.values.values == [100, 101] and result.peers[1].values.values == [50, 51]
    rows = list(Table([case]).rows(result))
    assert [text in row for row in rows] == [False, False, True]
    assert "not measured" in rows[0] and "second" in rows[1]


def test_a_case_that_fails_does_not_cost_the_others() -> None:
    def broken(shared: Any) -> Measure:
        raise ValueError("no such graph")

    seen: list[str] = []
    results = run_cases([log_case([], ours=broken), log_case([])], rounds=1, on_result=lambda r: seen.append(str(r.error)))
    assert seen == ["ValueError: no such graph", "None"]
    assert next(Table([results[0].case]).rows(results[0])).endswith("failed: ValueError: no such graph")


def interrupting(rounds_before: int) -> Case:
    def ours(shared: Any) -> Measure:
        def measure(number: int) -> float:
            if number == rounds_before:
                raise KeyboardInterrupt
            return 1.0

        return measure

    return log_case([], ours=ours)


@pytest.mark.parametrize(("rounds_before", "reported"), [(-1, 0), (0, 0), (2, 1)])
def test_interruption_reports_whole_rounds_and_passes_on(rounds_before: int, reported: int) -> None:
    seen: list[Result] = []
    with pytest.raises(KeyboardInterrupt):
        run_cases([interrupting(rounds_before)], rounds=5, on_result=seen.append)
    assert len(seen) == reported
    for result in seen:
        assert result.interrupted and len(result.ours.values.values) == len(result.peers[0].values.values) == 2
        assert "stopped after 2 of 5 rounds" in next(Table([result.case]).rows(result))


def test_a_run_that_ctrl_c_has_cut_interrupts_the_measurement() -> None:
    from ebmhw import Model, Schedule, get_backend

    program = Model(2, None, [((0, 1), 1)]).compile()
    backend = get_backend("golden")
    assert sampling.checked(backend.run(program, Schedule.constant(1.0, 3))).sweeps == 3
    with pytest.raises(KeyboardInterrupt):
        sampling.checked(backend.run(program, Schedule.constant(1.0, 3), interrupt=lambda: True))


def test_json_schema(tmp_path: Path) -> None:
    results = run_cases([log_case([], goal=9.0, goal_of="ratio", peers=(*log_case([]).peers, missing(ImportError("x"))))], rounds=2)
    path = tmp_path / "bench.json"
    write_json(path, to_json(results, rounds=2, quick=False, interrupted=False))
    data = json.loads(path.read_text())
    assert list(data) == ["schema", "ebmhw", "machine", "packages", "rounds", "quick", "interrupted", "results"]
    assert data["schema"] == "ebmhw-bench-1"
    (row,) = data["results"]
    assert {k: row[k] for k in ("name", "group", "unit", "goal", "goal_of", "met", "rounds", "error")} == {
        "name": "fake/case", "group": "fake", "unit": "u", "goal": 9.0, "goal_of": "ratio", "met": True, "rounds": 2, "error": None,
    }  # fmt: skip
    assert row["ours"]["value"] == {"median": 100.5, "min": 100.0, "max": 101.0, "values": [100.0, 101.0]}
    assert [peer["name"] for peer in row["peers"]] == ["first", "second", "dwave-samplers"]
    assert set(row["peers"][0]) == {"name", "value", "cpu_seconds", "ratio", "missing"}
    assert row["peers"][2]["value"] is None and "not installed" in row["peers"][2]["missing"]


def test_json_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        write_json(path, {"a": 1, "b": object()})
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    write_json(path, {"a": float("inf"), "b": [float("nan"), 1.5]})
    assert json.loads(path.read_text()) == {"a": None, "b": [None, 1.5]}


@pytest.mark.parametrize(
    ("value", "text"),
    [(11624.0, "11624"), (99.96666, "99.967"), (0.04321, "0.0432"), (51.23e6, "51.2 M"), (783e6, "783 M"), (1.3e9, "1.30 G"), (0, "0")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_spread_has_one_unit() -> None:
    assert spread(Series([1.2e9, 9.9e8, 1.3e9])) == "1.20 G (0.990 .. 1.30)"
    assert spread(Series([564.0, 564.0])) == "564"


def test_rows_are_aligned() -> None:
    case = log_case([])
    (result,) = run_cases([case], rounds=1)
    table = Table([case])
    first, second = table.rows(result)
    assert table.header().index("peer") == first.index("first") == second.index("second")


def test_selection_by_any_part_of_the_name() -> None:
    cases = package.all_cases()
    assert selected(cases, []) == cases
    assert [case.group for case in selected(cases, ["SAT/"])] == ["sat", "sat"]
    assert {case.group for case in selected(cases, ["sat/", "startup"])} == {"sat", "startup"}


def gset(folder: Path) -> Path:
    for name in GRAPHS:
        (folder / f"{name}.txt").write_text("3 2\n1 2 1\n2 3 -1\n")
    return folder


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("files", [False, True])
def test_every_real_case_is_listed(tmp_path: Path, quick: bool, files: bool) -> None:
    cases = package.all_cases(gset(tmp_path) if files else None, quick)
    names = [case.name for case in cases]
    assert len(set(names)) == len(names) and all(case.measures and case.unit and "/" in case.name for case in cases)
    groups = {"sampling", "sat", "startup", "phi", "coherence", "karl", "verify", "hardware", "board", "code", "energy", "serve", "streaming"}
    assert {case.group for case in cases} == groups | ({"quality"} if files else set())
    assert [case.goal for case in cases if case.name.endswith("updates a cycle")] == [16, None, 60, 12, None]
    assert ("sampling/like G1 256 reads" in names) is not files and ("sampling/G1 256 reads" in names) is files
    assert sum(case.goal is not None for case in cases if case.group == "sampling") == 4
    for reads in (256, 64, 1):
        for name in ("G1", "G11", "G22", "dense 8-bit n=256"):
            assert sum(f"{name} {reads} read" in case for case in names) == 1
    assert [case.goal for case in cases if case.group == "quality"] == ([11624, 564, 13356, 3060] if files else [])


def test_a_folder_without_the_files_falls_back(tmp_path: Path) -> None:
    (tmp_path / "G1").write_text("3 2\n1 2 1\n2 3 -1\n")
    assert graphs.find("G1", tmp_path).label == "G1" and graphs.find("G11", tmp_path).label == "like G11"
    assert graphs.find("G1", tmp_path).problem().n == 3
    assert [case.name for case in quality.cases(tmp_path, False)] == ["quality/G1 best cut"]


@pytest.mark.parametrize(("name", "n", "m", "degree"), [("G1", 800, 19176, None), ("G11", 800, 1600, 4), ("G22", 2000, 19990, None)])
def test_generated_graphs(name: str, n: int, m: int, degree: int | None) -> None:
    graph = graphs.generated(name)
    assert (graph.n, len(graph.edges)) == (n, m)
    assert len({tuple(sorted(edge)) for edge in graph.edges.tolist()}) == m
    assert set(graph.weights.tolist()) == ({-1.0, 1.0} if name == "G11" else {1.0})
    assert np.array_equal(graph.edges, graphs.generated(name).edges)
    if degree is not None:
        assert set(np.bincount(graph.edges.ravel()).tolist()) == {degree}


def test_dense_graph_has_eight_bits() -> None:
    graph = graphs.dense(16)
    assert len(graph.edges) == 120 and np.abs(graph.weights).min() >= 1 and np.abs(graph.weights).max() <= 127
    assert graph.model.compile(scale=1).scale == 1


def test_lattice_file_is_a_gset_file(tmp_path: Path) -> None:
    from ebmhw.problems import MaxCut

    problem = MaxCut.read(startup.write_lattice(5, tmp_path / "lattice.txt"))
    assert (problem.n, len(problem.edges)) == (25, 50) and set(problem.weights.tolist()) == {-1.0, 1.0}
    assert set(np.bincount(problem.edges.ravel()).tolist()) == {4}


def test_peak_memory_of_a_child_is_its_own() -> None:
    from ebmhw.bench import child

    ballast = np.ones(1 << 27, dtype=np.int8)
    code = "from ebmhw.bench.child import peak_mb; print(peak_mb() or 0)"
    found = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert found < 100
    ours = child.peak_mb()
    assert ours is None or ours > ballast.nbytes / 1e6


has_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler named cc")


@pytest.fixture(scope="module")
def walksat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CC", raising=False)
        return sat.compile_walksat(tmp_path_factory.mktemp("walksat"))


@has_compiler
def test_walksat_is_warning_free_c11(tmp_path: Path) -> None:
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    source = Path(sat.__file__).with_name("walksat.c")
    subprocess.run(["cc", "-std=c11", *warnings, "-O2", "-o", str(tmp_path / "w"), str(source)], check=True)


@has_compiler
@pytest.mark.parametrize("literals", [2, 3, 5])
def test_walksat_satisfies_a_planted_formula(walksat: Path, tmp_path: Path, literals: int) -> None:
    from ebmhw.problems import Formula

    rng = np.random.default_rng(literals)
    hidden = rng.choice([-1, 1], 60)
    drawn = Formula.random(60, 300, seed=literals, literals=literals).clauses
    # Of each clause that the hidden assignment breaks one literal is turned.
    clauses = [c if any(hidden[abs(x) - 1] * x > 0 for x in c) else (-c[0], *c[1:]) for c in drawn]
    formula = Formula(60, clauses)
    sat.write_cnf(formula, tmp_path / "f.cnf")
    found = sat.run_walksat(walksat, tmp_path / "f.cnf", seed=1, seconds=20, noise=0.5)
    assert [abs(x) for x in found] == list(range(1, 61))
    assert formula.unsatisfied(np.sign(found)) == 0


@has_compiler
def test_walksat_reports_the_fewest_unsatisfied_clauses_and_ends_in_time(walksat: Path, tmp_path: Path) -> None:
    from ebmhw.problems import Formula

    # All eight clauses over three variables: one is broken whatever one does. The rest is free of conflict, some literals repeated.
    clauses = [(a, 2 * b, 3 * c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    formula = Formula(5, [*clauses, (4, 4, -5), (5, -5, 1), (5, 5)])
    sat.write_cnf(formula, tmp_path / "f.cnf")
    found = sat.run_walksat(walksat, tmp_path / "f.cnf", seed=3, seconds=0.05)
    assert formula.unsatisfied(np.sign(found)) == 1


@has_compiler
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no line 'p cnf VARIABLES CLAUSES'"),
        ("p cnf 2 2\n1 2 0\n", "the file ends within a clause"),
        ("p cnf 2 1\n1 3 0\n", "a literal names a variable beyond the header"),
        ("p cnf 2 1\n0\n", "an empty clause"),
    ],
)
def test_walksat_refuses_wrong_files(walksat: Path, tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "f.cnf").write_text(text)
    with pytest.raises(RuntimeError, match=error):
        sat.run_walksat(walksat, tmp_path / "f.cnf", seed=1, seconds=1)


def test_no_c_compiler_is_a_missing_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O9")
    with pytest.raises(PeerMissing, match="there is no C compiler 'no-such-compiler'; install one or name it in CC"):
        sat.compile_walksat(tmp_path)


@has_compiler
def test_a_compiler_that_fails_is_a_missing_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "cc -no-such-option")
    with pytest.raises(PeerMissing, match="peer WalkSAT not compiled: cc -no-such-option -std=c11 ended with"):
        sat.compile_walksat(tmp_path)


def use(monkeypatch: pytest.MonkeyPatch, cases: list[Case]) -> None:
    monkeypatch.setattr(package, "all_cases", lambda data, quick: cases)
    monkeypatch.delenv("EBMHW_BENCH_DATA", raising=False)


def test_command_prints_rows_and_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [log_case([]), log_case([], name="other/one", goal=1.0)])
    path = tmp_path / "b.json"
    done = CliRunner().invoke(bench, ["--only", "OTHER", "--rounds", "3", "--output", str(path)])
    assert done.exit_code == 0, done.output
    assert "other/one" in done.output and "1 met" in done.output and "fake/case" not in done.output
    data = json.loads(path.read_text())
    assert data["rounds"] == 3 and [row["name"] for row in data["results"]] == ["other/one"] and not data["interrupted"]


def test_command_after_ctrl_c_prints_and_writes_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [log_case([]), interrupting(1), log_case([], name="never/run")])
    path = tmp_path / "b.json"
    done = CliRunner().invoke(bench, ["--output", str(path)])
    assert done.exit_code == 130
    assert "stopped after 1 of 5 rounds" in done.output and "never/run" not in done.output
    data = json.loads(path.read_text())
    assert data["interrupted"] and [row["interrupted"] for row in data["results"]] == [False, True]


def test_command_with_a_failed_case_has_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(shared: Any) -> Measure:
        raise ValueError("no such graph")

    use(monkeypatch, [log_case([], ours=broken)])
    done = CliRunner().invoke(bench, [])
    assert done.exit_code == 1 and "failed: ValueError: no such graph" in done.output


def test_command_refuses_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [log_case([])])
    runner = CliRunner()
    for arguments, text in (
        (["--only", "nothing"], "no case holds 'nothing' in its name"),
        (["--data", str(tmp_path / "none")], "does not exist"),
        (["--output", str(tmp_path / "none" / "b.json")], "is not a folder"),
        (["--rounds", "0"], "0 is not in the range"),
    ):
        done = runner.invoke(bench, arguments)
        assert done.exit_code == 2 and text in done.output


def test_command_lists_without_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBMHW_BENCH_DATA", str(gset(tmp_path)))
    done = CliRunner().invoke(bench, ["--list"])
    assert done.exit_code == 0 and "quality/G14 best cut" in done.output and "startup/import" in done.output


def test_listing_needs_no_heavy_import() -> None:
    heavy = "{'numpy', 'dimod', 'jax', 'dwave'}"
    code = f"import sys; from ebmhw.bench import all_cases; all_cases(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
