"""Calibrations: fits that find what times are made of, trials with a clock of the test's, files that are whole, stale ones told."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pytest
from auto_boards import model_board, record
from cores import simulated
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends import Draws, SamplerBackend, get_backend
from ebmhw.backends.auto.backend import auto_with
from ebmhw.backends.auto.calibration import (
    Calibrations,
    Record,
    board_key,
    calibration_path,
    cpu_key,
    design_key,
    kernel_digest,
    new_record,
    processor,
    read_calibrations,
)
from ebmhw.backends.auto.cost import PARTS, PhiWork, ProgramLoad, RunWork
from ebmhw.backends.auto.fit import Fit, fit
from ebmhw.backends.auto.prospect import Prospect
from ebmhw.backends.auto.trials import Trials, random_program
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.cpu import CpuBackend
from ebmhw.backends.request import RunRequest
from ebmhw.errors import ConfigError, InvalidRun, PermissionDenied
from ebmhw.phi.request import PhiRequest
from ebmhw.program import Program

# --- fits

NAMES = ("start", "rows", "entries")


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.1))
def test_a_fit_finds_what_times_are_made_of(seed: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    true = 10.0 ** random.uniform(-9, -3, 3)
    counts = [{"start": 1.0, "rows": float(10 ** random.uniform(0, 6)), "entries": float(10 ** random.uniform(0, 9))} for _ in range(120)]
    times = [sum(true[k] * one[name] for k, name in enumerate(NAMES)) * math.exp(noise * random.standard_normal()) for one in counts]
    # One in twenty was delayed by something else.
    delayed = [time * 5 if random.random() < 0.05 else time for time in times]
    found = fit(counts, delayed, NAMES)
    assert found.points == 120 and found.error <= 2 * noise + 0.02
    ratios = [sum(found.seconds[name] * one[name] for name in NAMES) / time for one, time in zip(counts, times, strict=True)]
    assert float(np.median(np.abs(np.array(ratios) - 1))) <= 1.5 * noise + 0.02
    assert min(found.seconds.values()) >= 0


def test_the_factor_is_of_measurements_that_the_fit_has_not_seen() -> None:
    # As many counts as measurements: a fit to all of them would seem perfect.
    random = np.random.default_rng(1)
    names = [f"c{k}" for k in range(20)]
    counts = [{name: float(random.random()) for name in names} for _ in range(20)]
    found = fit(counts, [float(10 ** random.uniform(-3, 0)) for _ in counts], names)
    assert found.factor > 2 and found.error > 0.3


def test_too_few_measurements_are_refused() -> None:
    with pytest.raises(InvalidRun, match="4 measurements are too few to tell times from; measure 5 at least"):
        fit([{"start": 1.0}] * 4, [1.0] * 4, ["start"])


def test_parts_add_up() -> None:
    kind = PARTS["board run"]
    found = Fit({name: 0.5 for name in kind}, 0.1, 1.2, 9).predict(dict.fromkeys(kind, 2.0), kind)
    assert found.seconds == sum(found.parts.values()) == len(kind)
    assert found.parts["exchanges"] == 2.0 and found.factor == 1.2


# --- trials

LAWS: Mapping[str, dict[str, float]] = {
    "run": {"start": 3e-4, "threads": 1e-4, "encoding": 5e-8, "linking": 4e-8, "states": 4e-9, "single states": 8e-9, "samples": 1e-9}
    | {"gibbs rows": 1.2e-8, "metropolis rows": 1.4e-8, "wide rows": 2e-8, "unit reads": 4e-10, "weighted reads": 3e-9, "wide reads": 1e-9}
    | {"chained reads": 1e-9, "single gibbs rows": 1e-8, "single metropolis rows": 2e-8, "single reads": 4e-10, "temperatures": 1e-7},
    "phi": {"start": 2e-4, "rows": 6e-7, "entries of 16 bits": 2e-9, "entries of 32 bits": 1e-9},
}


@final
class Timed(SamplerBackend):
    """The CPU on a clock that goes by a law."""

    name = "cpu"

    def __init__(self, threads: int) -> None:
        self._cpu, self._threads, self.now, self._seen = get_backend("cpu", threads=1), threads, 0.0, set[int]()
        self._held: list[Program] = []

    @property
    def capabilities(self) -> Capabilities:
        return replace(self._cpu.capabilities, max_spins=200)

    def clock(self) -> float:
        # Making a problem takes time, too: 0.1 ms between two looks.
        self.now += 1e-4
        return self.now

    def _execute(self, request: RunRequest) -> Draws:
        fresh = id(request.program) not in self._seen
        self._seen.add(id(request.program))
        self._held.append(request.program)
        counts = RunWork.of(request, ProgramLoad(request.program)).on_cpu(self._threads, fresh=fresh)
        self.now += sum(LAWS["run"].get(name, 0.0) * count for name, count in counts.items())
        return self._cpu._execute(request)

    def _phi(self, request: PhiRequest) -> npt.NDArray[np.void]:
        counts = PhiWork(request.count, request.entries, request.format).on_cpu(self._threads)
        self.now += sum(LAWS["phi"][name] * count for name, count in counts.items())
        return self._cpu._phi(request)


def test_trials_find_the_law_of_a_clock() -> None:
    timed, shares = Timed(threads=3), list[float]()
    trials = Trials(timed, 3, seed=5, clock=timed.clock)
    run, phi = trials.measure(1.0, shares.append)
    assert phi is not None and run.points == len(trials.runs) > 25 and phi.points == len(trials.phis) > 12
    assert run.error < 0.05 and phi.error < 0.05
    # 0.1 ms of the clock's own is in every time.
    assert shares == sorted(shares) and shares[-1] == 1.0 and 1.0 < timed.now < 3.0
    other = Timed(threads=3)
    unseen = Trials(other, 3, seed=6, clock=other.clock)
    unseen.measure(0.5)
    for found, kind, measured in ((run, "cpu run", unseen.runs), (phi, "cpu phi", unseen.phis)):
        errors = [abs(found.predict(counts, PARTS[kind]).seconds / took - 1) for _, counts, took in measured]
        assert float(np.median(errors)) < 0.05


def test_ctrl_c_in_a_run_ends_the_trials() -> None:
    timed = Timed(threads=1)
    inner, left = timed._execute, [20]

    def execute(request: RunRequest) -> Draws:
        left[0] -= 1
        if left[0] == 0:
            request.stop.interrupted = True
        return inner(request)

    timed._execute = execute  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        Trials(timed, 1, clock=timed.clock).measure(100.0)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_random_programs_fit_the_backend(seed: int) -> None:
    small = simulated("small", threads=1)
    program = random_program(np.random.default_rng(seed), small)
    small.capabilities.refuse(program, "gibbs", small.name)
    assert program.weights.num_terms >= 1


def test_a_simulated_board_is_calibrated_by_its_own_clock() -> None:
    board = simulated("small", threads=1)
    assert board.drivers and board.phi_drivers
    run, phi = Trials(board, seed=1).measure(3.0)
    assert phi is not None and run.seconds["cycles"] > 0 and phi.seconds["cycles"] + phi.seconds["bytes"] > 0
    key = board_key(board)
    assert key["build"] == f"{board.drivers[0].shape.build:#010x}" and key["units"] == "1"


# --- files


def made(tmp_path: Path) -> Calibrations:
    known = Calibrations(tmp_path / "deep" / "calibration.json")
    known = known.with_record(record("cpu", {"start": 0.25}, {"rows": 1e-7}, {"processor": "X", "threads": "2"}))
    return known.with_record(record("kv260", {"cycles": 5e-9}, {}, {"processor": "X", "build": "0x1"}))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    known = made(tmp_path)
    known.write()
    again = read_calibrations(known.path)
    assert again == known and again.damage is None
    assert os.listdir(known.path.parent) == ["calibration.json"]
    assert again.find("cpu", {"processor": "X", "threads": "2"}) == known.records[0]
    known.with_record(replace(known.records[0], phi=None)).write()
    assert read_calibrations(known.path).records == (known.records[1], replace(known.records[0], phi=None))


def test_no_file_is_no_damage(tmp_path: Path) -> None:
    nothing = read_calibrations(tmp_path / "none")
    assert nothing == Calibrations(tmp_path / "none")
    assert nothing.find("cpu", {"threads": "2"}) == "cpu is not calibrated; run `ebmhw backends --calibrate`"


def test_a_stale_record_says_what_changed(tmp_path: Path) -> None:
    known = made(tmp_path)
    told = known.find("cpu", {"processor": "Y", "threads": "2", "kernel": "ab"})
    assert told == (
        "the calibration of cpu is stale: its kernel was not said, now it is ab, its processor was X, now it is Y; run `ebmhw backends --calibrate`"
    )


def test_records_of_other_machines_stay_and_the_oldest_make_room(tmp_path: Path) -> None:
    known = made(tmp_path)
    for number in range(100):
        known = known.with_record(record("cpu", {"start": 0.25}, {}, {"threads": str(number)}))
    assert len(known.records) == 64
    assert isinstance(known.find("cpu", {"threads": "99"}), Record) and isinstance(known.find("cpu", {"threads": "3"}), str)


def change(data: Any, *path: Any, to: Any) -> Any:
    at = data
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = to
    return data


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("version",), 2, "has version 2, this version of ebmhw reads 1"),
        (("version",), None, "has version None"),
        (("records",), {"a": 1}, "is damaged"),
        (("records", 0, "key"), {"threads": 2}, "is damaged (ValueError: the backend or a part of the key is no text)"),
        (("records", 0, "key"), {}, "is damaged"),
        (("records", 0, "run"), None, "is damaged (ValueError: there is no fit of runs)"),
        (("records", 0, "run", "seconds"), {"start": 1.0}, "its counts are of another version"),
        (("records", 0, "run", "seconds", "start"), -1.0, "a number of seconds, an error or a factor is none from 0 to 1e+12"),
        (("records", 0, "run", "seconds", "start"), 1e300, "is damaged"),
        (("records", 0, "run", "seconds", "start"), 10**400, "is damaged"),
        (("records", 0, "made"), math.nan, "it says that it was made nan seconds after 1970"),
        (("records", 0, "made"), 10**400, "is damaged"),
        (("records", 0, "made"), None, "is damaged"),
        (("records", 0, "run", "seconds", "start"), math.inf, "is damaged"),
        (("records", 0, "run", "seconds", "start"), math.nan, "is damaged"),
        (("records", 0, "run", "seconds", "start"), "1", "is damaged"),
        (("records", 0, "run", "seconds", "start"), True, "is damaged"),
        (("records", 0, "run", "factor"), 0.5, "is damaged"),
        (("records", 0, "run", "points"), 0, "is damaged"),
        (("records", 0, "made"), "yesterday", "is damaged"),
        (("records", 1, "phi"), [], "is damaged"),
    ],
)
def test_damage_is_told_and_nothing_of_it_used(tmp_path: Path, path: tuple[Any, ...], to: Any, told: str) -> None:
    known = made(tmp_path)
    known.write()
    data = change(json.loads(known.path.read_text()), *path, to=to)
    known.path.write_text(json.dumps(data))
    found = read_calibrations(known.path)
    assert found.records == () and found.damage is not None and told in found.damage and str(known.path) in found.damage
    said = found.find("cpu", {"processor": "X", "threads": "2"})
    assert isinstance(said, str) and said.endswith("run `ebmhw backends --calibrate`, which writes it anew")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b" " * (1 << 20) + b" {}"])
def test_other_files_are_damage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    assert "is damaged" in (read_calibrations(path).damage or "")


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        assert f"the calibration in {path} is no file; move it away" in str(read_calibrations(path).find("cpu", {}))
    with pytest.raises(ConfigError, match="cannot be kept in"):
        replace(made(tmp_path), path=tmp_path).write()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in (read_calibrations(tmp_path / "loop").damage or "")


def test_a_user_without_a_home_has_no_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(ConfigError, match="no home to keep a calibration in; point XDG_CACHE_HOME"):
        read_calibrations()
    cpu = get_backend("cpu", threads=1)
    assert isinstance(cpu, CpuBackend)
    found = auto_with(cpu, Prospect("kv260", 1, lambda: model_board()))
    assert found is cpu and "this user has no home to keep a calibration in" in (found.chosen_because or "")


@settings(max_examples=100)
@given(st.data())
def test_cut_and_changed_files_never_raise(data: st.DataObject) -> None:
    known = Calibrations(Path("/nowhere")).with_record(record("cpu", {"start": 0.25}, {}))
    text = json.dumps({"version": 1, "records": [one.to_dict() for one in known.records]}).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    text = text[:at] + data.draw(st.binary(max_size=3)) + text[at + data.draw(st.integers(0, 40)) :]
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"ebmhw-test-{os.getpid()}.json"
    try:
        path.write_bytes(text)
        found = read_calibrations(path)
        assert (found.damage is None) or not found.records
    finally:
        path.unlink(missing_ok=True)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be kept in .*file/calibration.json .*; free space there, or point XDG_CACHE_HOME"):
        replace(made(tmp_path), path=tmp_path / "file" / "calibration.json").write()
    if os.geteuid() != 0:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
        with pytest.raises(PermissionDenied, match="point XDG_CACHE_HOME to a folder that can be written"):
            replace(made(tmp_path), path=folder / "calibration.json").write()


def test_the_file_is_in_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert calibration_path() == tmp_path / "ebmhw" / "calibration.json"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert calibration_path() == tmp_path / "home" / ".cache" / "ebmhw" / "calibration.json"


def test_keys_name_machine_package_and_design() -> None:
    assert cpu_key(3, "avx2") == {
        "processor": processor(), "threads": "3", "instruction set": "avx2", "ebmhw": __import__("ebmhw").__version__, "kernel": kernel_digest(),
    }  # fmt: skip
    assert design_key(0xAB) == {"processor": processor(), "ebmhw": __import__("ebmhw").__version__, "build": "0x000000ab"}
    board = model_board()
    board.drivers[0].cycles_per_second = 299_997_002.5
    assert board_key(board) == {**design_key(board.drivers[0].shape.build), "units": "1", "clock": "300 MHz"}
    assert len(processor().split()) >= 2 and len(kernel_digest()) == 16
    assert new_record("cpu", {"a": "b"}, record("cpu", {}, {}).run, None).made > 1e9
