"""The command line: figures that hold when computed again, the same as the library's, and one line for whatever is wrong."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw import Schedule, get_backend
from ebmhw.backends import BACKEND_NAMES
from ebmhw.cli.main import main
from ebmhw.cli.terminal import chart, plain, table
from ebmhw.files import write_whole
from ebmhw.plan import make_plan
from ebmhw.problems import MaxCut
from ebmhw.schedule import beta_word, effective_beta
from ebmhw.search import search

FILES = {
    "maxcut": "4 5\n1 2 5\n2 3 -2\n1 3 4\n3 4 1\n2 4 2\n",
    "sat": "c x\np cnf 4 4\n1 -2 0\n-1 2 3 0\n-3 0\n1 2 3 4 0\n",
    "maxsat": "p wcnf 3 4 10\n10 1 -2 0\n3 2 0\n4 -1 3 0\n2 -3 0\n",
    "ising": "# vartype=SPIN\n0 0 -1.5\n0 2 0.25\n2 7 -1.125\n",
    "qubo": "# vartype=BINARY\n0 0 -1.5\n0 2 0.25\n2 2 0.75\n",
    "qbsolv": "c x\np qubo 0 4 2 2\n0 0 -3\n2 2 1\n0 1 4\n1 2 -2\n",
}


@pytest.fixture(autouse=True)
def _no_default_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def good(*arguments: object) -> Any:
    result = call(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    """Return what is said of wrong use or input: status 2, nothing on standard output, one line of message, no traceback."""
    result = call(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.splitlines()
    # click says how the command is used before its own refusals.
    said = [line for line in lines if line.startswith(("ebmhw: ", "Error: "))]
    assert len(said) == 1
    assert lines[-1] == said[0]
    assert len(lines) == 1 or lines[0].startswith("Usage: ")
    return said[0]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.txt"
    path.write_text(FILES[kind])
    return path


def best_energy(problem: Any) -> float:
    return float(problem.model.energy(np.array(list(itertools.product((-1, 1), repeat=problem.model.n)))).min())


# --- solve ---


@pytest.mark.parametrize("kind", FILES)
def test_solve_reports_what_its_spins_are_worth(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    report = good("solve", path, "--json", "--seed", 5, "--sweeps", 60, "--reads", 8)
    problem = ebmhw.read(path)
    spins = np.array(report["spins"])
    assert set(spins.tolist()) <= {-1, 1}
    assert report["solution"] == problem.describe(spins)
    assert report["model_energy"] == float(problem.model.energy(spins)) == best_energy(problem)
    assert (report["file"], report["kind"], report["problem"]) == (str(path), problem.kind, repr(problem))
    program = problem.model.compile()
    assert (report["program"], report["scale"], report["quantisation_error"]) == (program.digest, program.scale, program.quantisation_error)
    assert (report["seed"], report["reads"], report["sweeps"], report["stopped_by"]) == (5, 8, 60, None)
    assert report["updates"] == 8 * 60 * problem.model.n
    assert report["trace"]["best"] == sorted(report["trace"]["best"], reverse=True)
    # The read it names gives these spins again, by the library.
    assert 0 <= report["read"] < 8
    first, last = report["beta_range"]
    draws = get_backend("golden").run(
        program,
        Schedule.geometric(first, last, 60).divided(program.scale),
        seed=5,
        rule=report["rule"],
        first_read=report["read"],
    )
    assert draws.best_spins[0].tolist() == report["spins"]
    assert draws.best_sweep[0] == report["sweep"]
    assert report["beta_effective"] == pytest.approx(report["beta_range"], rel=1e-4)


@pytest.mark.parametrize("kind", FILES)
def test_solve_prints_the_same_as_text(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    result = call("solve", path, "--seed", 5, "--sweeps", 60, "--reads", 8)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = dict(line.split("  ", 1) for line in result.stdout.splitlines() if "  " in line and "|" not in line)
    problem = ebmhw.read(path)
    assert lines["problem"].strip() == repr(problem)
    report = good("solve", path, "--json", "--seed", 5, "--sweeps", 60, "--reads", 8)
    for key, value in report["solution"].items():
        assert float(lines[key.replace("_", " ")]) == pytest.approx(value)
    assert lines["found"].strip() == f"read {report['read']}, sweep {report['sweep']}"
    assert "seed 5" in lines["run"]
    assert result.stdout.count("|") == 8


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**64 - 1), shape=st.integers(0, 10**6), reads=st.integers(1, 40), sweeps=st.integers(1, 40))
def test_random_graphs_and_seeds(tmp_path: Path, seed: int, shape: int, reads: int, sweeps: int) -> None:
    rng = random.Random(shape)
    n = rng.randint(2, 30)
    edges = rng.sample(list(itertools.combinations(range(1, n + 1), 2)), rng.randint(0, min(60, n * (n - 1) // 2)))
    weights = [rng.choice([1, -1, 3, 0.5, -2.25]) for _ in edges]
    path = tmp_path / "graph"
    path.write_text(f"{n} {len(edges)}\n" + "".join(f"{a} {b} {w}\n" for (a, b), w in zip(edges, weights, strict=True)))
    runs = [good("solve", path, "--json", "--seed", seed, "--reads", reads, "--sweeps", sweeps, "--threads", t) for t in (1, 2)]
    golden = good("solve", path, "--json", "--seed", seed, "--reads", reads, "--sweeps", sweeps, "--backend", "golden")
    for key in ("spins", "solution", "read", "sweep", "model_energy", "program", "updates"):
        assert runs[0][key] == runs[1][key] == golden[key]
    spins = runs[0]["spins"]
    cut = sum(w for (a, b), w in zip(edges, weights, strict=True) if spins[a - 1] != spins[b - 1])
    assert runs[0]["solution"] == {"cut": cut}
    assert runs[0]["model_energy"] == sum(weights) - 2 * cut


def test_a_drawn_seed_is_reported_and_gives_the_same_again(tmp_path: Path) -> None:
    path = write(tmp_path, "maxcut")
    first, other = (good("solve", path, "--json", "--sweeps", 5) for _ in range(2))
    assert first["seed"] != other["seed"]
    again = good("solve", path, "--json", "--sweeps", 5, "--seed", first["seed"])
    assert (again["spins"], again["read"], again["sweep"]) == (first["spins"], first["read"], first["sweep"])


def test_options_of_solve(tmp_path: Path) -> None:
    path = tmp_path / "long.cnf"
    path.write_text("p cnf 9 1\n1 2 3 4 5 6 7 8 9 0\n")
    assert "[invalid-" in refused("solve", path)
    report = good("solve", path, "--json", "--split-above", 3, "--sweeps", 50)
    assert report["solution"]["unsatisfied"] == 0
    assert len(report["spins"]) > 9
    report = good("solve", write(tmp_path, "qubo"), "--json", "--beta", 0.5, 4, "--sweeps", 50)
    assert report["beta_range"] == [0.5, 4]
    assert report["beta_effective"] == pytest.approx([0.5, 4], rel=1e-3)
    assert not report["beta_clipped"]
    report = good("solve", write(tmp_path, "maxcut"), "--json", "--beta", 0.5, 1e5, "--sweeps", 50)
    assert report["beta_clipped"]
    assert report["beta_effective"][1] == pytest.approx(11.09, abs=0.01)
    assert "(clipped)" in call("solve", write(tmp_path, "maxcut"), "--beta", 0.5, 1e5, "--sweeps", 50).stdout


def test_time_limit_repeats_rounds_and_holds(tmp_path: Path) -> None:
    path = write(tmp_path, "maxcut")
    started = time.monotonic()
    report = good("solve", path, "--json", "--time-limit", 0.4, "--sweeps", 10, "--reads", 4, "--seed", 1)
    assert 0.35 < report["seconds"] < 3
    assert time.monotonic() - started < 5
    assert report["reads"] > 4
    assert report["model_energy"] == best_energy(ebmhw.read(path))
    assert report["updates"] <= report["reads"] * 10 * 4
    # A run far longer than its limit.
    started = time.monotonic()
    report = good("solve", path, "--json", "--time-limit", 0.3, "--sweeps", 100_000, "--reads", 4096)
    assert time.monotonic() - started < 5
    assert report["stopped_by"] == "time_limit"
    assert len(report["spins"]) == 4
    assert good("solve", path, "--json", "--time-limit", 0)["spins"]


def test_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = write(tmp_path, "maxcut")
    for arguments in (("--sweeps", 20), ("--sweeps", 1), ("--time-limit", 0)):
        picture = tmp_path / "trace.png"
        result = call("solve", path, *arguments, "--plot", picture)
        assert result.exit_code == 0
        assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert picture.read_bytes().rstrip().endswith(b"IEND\xaeB`\x82")
        assert str(picture) in result.stderr
        assert sorted(p.name for p in tmp_path.iterdir()) == ["maxcut.txt", "trace.png"]
        picture.unlink()


# --- sample ---


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("rule", ["gibbs", "metropolis"])
def test_samples_are_the_librarys(tmp_path: Path, kind: str, rule: str) -> None:
    path = write(tmp_path, kind)
    options = ("--seed", 9, "--reads", 5, "--burn-in", 7, "--samples", 4, "--every", 3, "--beta", 0.7, "--rule", rule)
    shown = good("sample", path, *options)
    files = [tmp_path / "out.npz", tmp_path / "out.json"]
    for file in files:
        result = call("sample", path, *options, "--output", file)
        assert result.exit_code == 0
        assert result.stdout == ""
        assert result.stderr == f"wrote 5 x 4 samples to {file}\n"
    assert json.loads(files[1].read_text()) == shown
    problem = ebmhw.read(path)
    program = problem.model.compile()
    draws = get_backend("golden").run(program, Schedule.constant(0.7 / program.scale, 19), reads=5, seed=9, rule=rule, burn_in=7, keep_every=3)
    with np.load(files[0]) as archive:
        assert sorted(archive) == ["energy", "info", "spins"]
        assert archive["spins"].dtype == np.int8
        assert np.array_equal(archive["spins"], draws.kept)
        assert np.array_equal(archive["energy"], problem.model.energy(draws.kept))
        info = json.loads(str(archive["info"]))
    assert info == {key: value for key, value in shown.items() if key not in ("spins", "energy")}
    assert shown["spins"] == draws.kept.tolist()
    assert shown["energy"] == problem.model.energy(draws.kept).tolist()
    assert (shown["samples"], shown["rule"], shown["seed"], shown["sweeps"], shown["stopped_by"]) == (4, rule, 9, 19, None)
    assert shown["beta"] == effective_beta(beta_word(0.7 / program.scale)) * program.scale
    assert shown["beta"] == pytest.approx(0.7, rel=1e-3)
    assert (shown["program"], shown["scale"]) == (program.digest, program.scale)


def test_files_written_have_the_usual_permissions_and_replace_older_ones(tmp_path: Path) -> None:
    path, output = write(tmp_path, "maxcut"), tmp_path / "out.json"
    output.write_text("older")
    assert call("sample", path, "--output", output).exit_code == 0
    plainly = tmp_path / "plain"
    plainly.touch()
    assert output.stat().st_mode == plainly.stat().st_mode
    assert json.loads(output.read_text())["samples"] == 1


class BrokenError(Exception):
    pass


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "x"

    def write_and_fail(stream: Any) -> None:
        stream.write(b"half")
        raise BrokenError

    for before in (None, b"older"):
        if before is not None:
            target.write_bytes(before)
        with pytest.raises(BrokenError):
            write_whole(target, write_and_fail)
        assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if before is None else [before])
    write_whole(str(target), lambda stream: stream.write(b"new"))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"new"]


def test_a_refused_run_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "maxcut")
    for arguments in (("--beta", "nan"), ("--beta", "inf"), ("--beta", -1), ("--burn-in", 2**40), ("--backend", "nope")):
        refused("sample", path, *arguments, "--output", tmp_path / "out.npz")
    refused("sample", tmp_path / "missing", "--output", tmp_path / "out.npz")
    refused("sample", path, "--output", tmp_path / "out.txt")
    refused("solve", path, "--beta", 0, 1, "--plot", tmp_path / "out.png")
    assert [p.name for p in tmp_path.iterdir()] == ["maxcut.txt"]


# --- backends ---


def test_backends_says_what_works() -> None:
    found = good("backends", "--json")
    assert [entry["name"] for entry in found] == list(BACKEND_NAMES)
    text = call("backends").stdout.splitlines()
    assert text[0].split() == ["backend", "here", "what"]
    for entry, line in zip(found, text[2:], strict=True):
        assert line.split()[:2] == [entry["name"], "yes" if entry["available"] else "no"]
        if entry["available"]:
            assert get_backend(entry["name"]).name == entry["is"]
            assert entry["capabilities"]["max_spins"] > 0
        else:
            assert entry["why"] in line
    assert {"cpu", "golden", "auto"} <= {entry["name"] for entry in found if entry["available"]}


def test_the_backend_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "maxcut")
    monkeypatch.setenv("EBMHW_BACKEND", "golden")
    assert good("solve", path, "--json", "--sweeps", 5)["backend"] == "golden"
    assert good("solve", path, "--json", "--sweeps", 5, "--backend", "cpu")["backend"] == "cpu"
    monkeypatch.setenv("EBMHW_BACKEND", "tpu")
    assert "'tpu' (from EBMHW_BACKEND)" in refused("solve", path)


# --- wrong use and input ---


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("solve", "FILE", "--backend", "nope"), r"there is no backend 'nope'; give one of"),
        (("solve", "FILE", "--backend", "kv260"), "[backend-unavailable]"),
        (("solve", "FILE", "--backend", "golden", "--threads", "2"), "has no option 'threads'"),
        (("solve", "FILE", "--reads", "0"), "--reads"),
        (("solve", "FILE", "--reads", "x"), "--reads"),
        (("solve", "FILE", "--sweeps", "0"), "--sweeps"),
        (("solve", "FILE", "--sweeps", str(2**31)), "--sweeps"),
        (("solve", "FILE", "--seed", "-1"), "--seed"),
        (("solve", "FILE", "--seed", str(2**64)), "--seed"),
        (("solve", "FILE", "--threads", "0"), "--threads"),
        (("solve", "FILE", "--time-limit", "-1"), "--time-limit"),
        (("solve", "FILE", "--beta", "1"), "--beta"),
        (("solve", "FILE", "--beta", "0", "1"), "[invalid-schedule]"),
        (("solve", "FILE", "--beta", "nan", "1"), "[invalid-schedule]"),
        (("solve", "FILE", "--beta", "1", "inf"), "[invalid-schedule]"),
        (("solve", "FILE", "--split-above", "2"), "--split-above"),
        (("solve", "FILE", "--nonsense"), "--nonsense"),
        (("solve", "FILE", "FILE"), "unexpected extra argument"),
        (("solve",), "FILE"),
        (("sample", "FILE", "--rule", "wolff"), "--rule"),
        (("sample", "FILE", "--samples", "0"), "--samples"),
        (("sample", "FILE", "--every", "0"), "--every"),
        (("sample", "FILE", "--burn-in", "-1"), "--burn-in"),
        (("sample", "FILE", "--samples", str(2**31), "--every", "2"), "[invalid-schedule]"),
        (("sample", "FILE", "--output", "x.txt"), ".npz nor a .json"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_options(tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
    path = str(write(tmp_path, "maxcut"))
    assert text in refused(*[path if a == "FILE" else a for a in arguments])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty"),
        (b"\x00\xff\xfe\x80" * 50, "[invalid-file]"),
        (b"hello world\n", ":1: "),
        (b"3 1\n1 9 1\n", ":2: "),
        (b"3 1\n1 1 1\n", ":2: a self-loop"),
        (b"3 1\n1 2 nan\n", ":2: "),
        (b"3 1\n1 2 1e999\n", ":2: "),
        (b"3 2\n1 2 1\n", "it was cut short"),
        (b"p cnf 2 1\n1 3 0\n", ":2: "),
        (b"p cnf 2 2\n1 2 0\n", "[invalid-file]"),
        (b"# vartype=OTHER\n0 1 1\n", ":1: "),
        (b"p qubo 0 2 1 0\n0 1 1\n", "[invalid-file]"),
        (b"\x1f\x8bbroken", "[invalid-file]"),
        (b"p cnf 0 0\n", "[invalid-"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    for command in ("solve", "sample"):
        said = refused(command, path)
        assert text in said
        assert said.startswith("ebmhw: ")


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "a" / "b"):
        for command in ("solve", "sample"):
            said = refused(command, path)
            assert str(path) in said
            assert said.endswith("[invalid-file]")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FILES)), st.data())
def test_damaged_files_are_solved_or_refused(tmp_path: Path, kind: str, data) -> None:
    content = bytearray(FILES[kind].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"0", b"-", b"9", b" ", b"\n", b"x", b"1e9", b"\x00", b"\xff"])
        )
    path = tmp_path / "damaged"
    path.write_bytes(bytes(content[:400]))
    result = call("solve", path, "--json", "--sweeps", 2, "--reads", 2)
    assert result.exit_code in (0, 2), (bytes(content), result.exception)
    assert isinstance(result.exception, SystemExit | None), (bytes(content), result.exception)
    if result.exit_code == 0:
        report = json.loads(result.stdout)
        assert report["solution"] == ebmhw.read(path).describe(np.array(report["spins"]))
    else:
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1


def test_help_and_version() -> None:
    assert ebmhw.__version__ in call("--version").stdout
    for arguments in (("--help",), ("-h",), ("solve", "-h"), ("sample", "--help"), ("backends", "-h")):
        result = call(*arguments)
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ")
    assert all(name in call("-h").stdout for name in ("solve", "sample", "backends", "bench"))


# --- what is printed ---


def test_table_chart_and_plain() -> None:
    assert table([("a", "bcd"), ("long", "x")]) == "a     bcd\nlong  x"
    assert table([("1", "2")], ("name", "b")) == "name  b\n----  -\n1     2"
    lines = chart([5.0, 1.0], height=4).splitlines()
    assert [line.partition("|")[2] for line in lines] == ["█", "█", "█", "█▁"]
    assert lines[0].split("|")[0].strip() == "5"
    assert lines[-1].split("|")[0].strip() == "1"
    assert all(line.partition("|")[2].strip("▁") == "" for line in chart([2.0] * 500).splitlines())
    assert max(map(len, chart(range(1000), width=40).splitlines())) == 14 + 40
    values = {"a": np.arange(3), 1: (np.float64(0.5), np.int8(-1)), "b": None, "c": [np.bool_(True), {"d": np.ones((1, 2))}]}
    assert plain(values) == {"a": [0, 1, 2], "1": [0.5, -1], "b": None, "c": [True, {"d": [[1.0, 1.0]]}]}
    assert json.dumps(plain(values))


# --- real processes ---


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    code = "from ebmhw.cli.main import main; main(prog_name='ebmhw')"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options)


def test_a_process_prints_and_refuses_as_in_process(tmp_path: Path) -> None:
    path = write(tmp_path, "maxcut")
    runs = [start("solve", path, "--json", "--seed", 3, "--sweeps", 20), start("solve", tmp_path / "missing")]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 2]
    assert json.loads(outputs[0][0])["spins"] == good("solve", path, "--json", "--seed", 3, "--sweeps", 20)["spins"]
    assert outputs[0][1] == outputs[1][0] == ""
    assert len(outputs[1][1].splitlines()) == 1


def test_text_gets_out_where_only_ascii_does(tmp_path: Path) -> None:
    run = start("solve", write(tmp_path, "maxcut"), "--seed", 3, "--sweeps", 20, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    output, error = run.communicate(timeout=60)
    assert run.returncode == 0, error
    assert output.startswith("problem  MaxCut(4 vertices, 5 edges)\n")


def interrupted(run: subprocess.Popen[str], running: Callable[[], bool]) -> tuple[str, str]:
    """Press Ctrl-C once a run is under way, and return what it prints."""
    deadline = time.monotonic() + 30
    while not running() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.02)
    assert run.poll() is None, run.communicate()
    pressed = time.monotonic()
    run.send_signal(signal.SIGINT)
    try:
        output = run.communicate(timeout=20)
    finally:
        run.kill()
    assert time.monotonic() - pressed < 10
    return output


def busy(run: subprocess.Popen[str]) -> Callable[[], bool]:
    """Return a function that tells whether a process has taken more processor time than starting takes, so that its run is under way."""

    def tell() -> bool:
        fields = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") > 2.0

    return tell


@pytest.fixture
def large(tmp_path: Path) -> Path:
    rng = random.Random(1)
    edges = {tuple(sorted(rng.sample(range(1, 1001), 2))) for _ in range(3000)}
    path = tmp_path / "large.txt"
    path.write_text(f"1000 {len(edges)}\n" + "".join(f"{a} {b} 1\n" for a, b in edges))
    return path


def test_ctrl_c_prints_the_best_so_far(large: Path) -> None:
    run = start("solve", large, "--sweeps", 60_000, "--reads", 2048, "--json", "--seed", 1, "--threads", 1)
    output, error = interrupted(run, busy(run))
    assert run.returncode == 0, error
    report = json.loads(output)
    assert report["stopped_by"] == "interrupt"
    assert report["solution"] == ebmhw.read(large).describe(np.array(report["spins"]))
    assert 0 < report["updates"] < 60_000 * 2048 * 1000
    assert "Traceback" not in error


def test_ctrl_c_keeps_the_samples_that_are_done(large: Path, tmp_path: Path) -> None:
    output = tmp_path / "kept.npz"
    options = ("--burn-in", 100, "--every", 1000, "--reads", 16, "--seed", 1, "--threads", 1)
    run = start("sample", large, *options, "--samples", 20000, "--output", output)
    _, error = interrupted(run, busy(run))
    assert run.returncode == 0, error
    assert "interrupted: " in error
    with np.load(output) as archive:
        kept, info = archive["spins"], json.loads(str(archive["info"]))
    assert info["stopped_by"] == "interrupt"
    assert 0 < info["samples"] == kept.shape[1] < 20_000
    assert f"interrupted: {info['samples']} of 20000 samples a chain" in error
    # What is there is what a run of so many samples gives.
    program = ebmhw.read(large).model.compile()
    draws = get_backend("cpu").run(program, Schedule.constant(1.0, 2100), reads=1, seed=1, burn_in=100, keep_every=1000)
    assert np.array_equal(kept[:1, : draws.kept.shape[1]], draws.kept[:, : kept.shape[1]])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.npz", "large.txt"]


# --- ways to lose what was done ---


class Interrupting:
    """A backend whose user presses Ctrl-C just after its first round has returned."""

    def __init__(self) -> None:
        self.calls = 0

    def run(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls == 2:
            signal.raise_signal(signal.SIGINT)
        return get_backend("cpu").run(*arguments, **options)


def test_ctrl_c_between_two_rounds_keeps_the_best_so_far() -> None:
    problem = MaxCut(3, [[0, 1], [1, 2]])
    backend: Any = Interrupting()
    try:
        found = search(make_plan(problem.model, num_sweeps=5, seed=1), backend, 4, 2.0)
    except KeyboardInterrupt:
        pytest.fail("the best of the first round is lost")
    assert found.stopped_by == "interrupt"
    assert found.reads in (4, 8)
    assert backend.calls <= 2
    assert problem.cut(found.best_spins) == 2


@pytest.mark.parametrize(
    ("command", "option", "name"), [("sample", "--output", "x.npz"), ("sample", "--output", "x.json"), ("solve", "--plot", "x.png")]
)
def test_a_folder_that_is_not_there(tmp_path: Path, command: str, option: str, name: str) -> None:
    pytest.importorskip("matplotlib")
    path = write(tmp_path, "maxcut")
    said = refused(command, path, option, tmp_path / "missing" / name)
    assert str(tmp_path / "missing") in said


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("3 2\n1 2 1\n2 3 1\n", [{"1": 0, "2": 1, "3": 0}, {"1": 1, "2": 0, "3": 1}]),
        ("p cnf 3 3\n1 0\n-2 0\n-1 2 3 0\n", [{"1": 1, "2": 0, "3": 1}]),
        ("# vartype=BINARY\n5 5 1.0\n9 9 -2.0\n5 9 0.5\n", [{"5": 0, "9": 1}]),
        ("# vartype=SPIN\n5 5 1.0\n9 9 -2.0\n", [{"5": -1, "9": 1}]),
    ],
)
def test_the_solution_is_read_back_in_the_files_own_terms(tmp_path: Path, text: str, good: list[dict[str, int]]) -> None:
    path, out = tmp_path / "problem", tmp_path / "solution.txt"
    path.write_text(text)
    result = call("solve", path, "--sweeps", 50, "--seed", 1, "--json", "--output", out)
    assert result.exit_code == 0
    values = json.loads(result.stdout)["values"]
    assert values in good
    assert out.read_text() == "".join(f"{name} {value}\n" for name, value in values.items())


def test_weights_that_vanish_are_told(tmp_path: Path) -> None:
    path = tmp_path / "g"
    path.write_text("4 3\n1 2 1000\n2 3 1\n3 4 1\n")
    assert "2 weights round to 0" in call("solve", path, "--sweeps", 5).stdout
    assert "round to 0" not in call("solve", path, "--sweeps", 5, "--coupling-bits", 12).stdout
    assert "2 weights round to 0" in call("sample", path, "--burn-in", 1, "--reads", 1).stderr
