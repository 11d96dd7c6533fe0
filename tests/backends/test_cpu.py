"""The CPU kernel: conformance on every instruction set, threads and batches, interrupts, a missing kernel, sanitizers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge, split_everywhere
from hypothesis import given, settings
from hypothesis import strategies as st

import ebmhw
from ebmhw.backends import Progress, SamplerBackend, cpu, get_backend
from ebmhw.errors import BackendUnavailable
from ebmhw.model import Model
from ebmhw.native import library as native
from ebmhw.native.encoded import EncodedProgram
from ebmhw.program import Program
from ebmhw.schedule import Schedule

PACKAGE = Path(ebmhw.__file__).parent


def backend_of(instruction_set: str) -> SamplerBackend:
    if native.INSTRUCTION_SETS.index(instruction_set) > native.library().ebmhw_instruction_set():
        pytest.skip(f"this processor has no {instruction_set}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EBMHW_KERNEL", instruction_set)
        made = get_backend("cpu")
    assert made.instruction_set == instruction_set  # type: ignore[attr-defined]
    return made


class TestPortable(Conformance):
    examples = 40

    def make(self) -> SamplerBackend:
        return backend_of("portable")


class TestAvx2(Conformance):
    examples = 40

    def make(self) -> SamplerBackend:
        return backend_of("avx2")


class TestAvx512(Conformance):
    examples = 100

    def make(self) -> SamplerBackend:
        return backend_of("avx512")


def mixed_program(n: int = 30, seed: int = 1) -> Program:
    """Rows of every kind: byte, pairs of bytes and wide; orders 2 to 4."""
    rng = np.random.default_rng(seed)
    terms: dict[tuple[int, ...], int] = {}
    for k, largest, count in ((2, 3, n), (2, 127, n), (3, 2, n // 2), (4, 5, n // 3), (2, 3000, n // 4)):
        for _ in range(count):
            terms[tuple(sorted(rng.choice(n, size=k, replace=False).tolist()))] = int(rng.integers(1, largest + 1)) * int(rng.choice([-1, 1]))
    return Model(n, rng.integers(-40, 40, size=n).tolist(), terms).compile(coupling_bits=18, scale=1)


OPTIONS: dict[str, Any] = {"reads": 100, "seed": 77, "first_read": 5, "burn_in": 3, "keep_every": 2, "clamps": {2: -1, 7: 1}}
SCHEDULE = Schedule.geometric(1e-4, 0.3, 12)


@pytest.fixture(scope="module")
def expected() -> Any:
    return judge().run(mixed_program(), SCHEDULE, **OPTIONS)


@pytest.mark.parametrize("batch_bytes", [1, 5000, 64 << 20])
@pytest.mark.parametrize("threads", [1, 2, 3, 64])
def test_threads_and_batches_do_not_change_bits(expected: Any, threads: int, batch_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_BATCH_BYTES", batch_bytes)
    backend = get_backend("cpu", threads=threads)
    assert_equal_draws(backend.run(mixed_program(), SCHEDULE, **OPTIONS), expected)
    head, tail = split_everywhere(SCHEDULE)[5]
    assert_equal_draws(backend.run(mixed_program(), tail, resume=backend.run(mixed_program(), head, **OPTIONS)), expected)


def test_rows_of_every_kind_are_there() -> None:
    encoded = EncodedProgram(mixed_program(), np.zeros(0, dtype=np.int32))
    kinds = np.frombuffer(encoded._row.tobytes(), dtype=np.uint8).reshape(mixed_program().n, -1)[:, 28]
    assert set(kinds.tolist()) == {0, 1, 2}


def test_two_runs_at_once_do_not_disturb_each_other(expected: Any) -> None:
    backend, program, results = get_backend("cpu", threads=2), mixed_program(), []
    together = [threading.Thread(target=lambda: results.append(backend.run(program, SCHEDULE, **OPTIONS))) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(results) == 4
    for draws in results:
        assert_equal_draws(draws, expected)


# --- runs that are cut


def carried_on(backend: SamplerBackend, program: Program, schedule: Schedule, cut: Any, options: dict[str, Any]) -> None:
    """A cut run is exact for what it reports, and, resumed, becomes the whole run."""
    words = np.repeat(schedule.betas, schedule.sweeps)
    shorter = {**options, "reads": cut.reads}
    if np.ndim(options.get("initial")) == 2:
        shorter["initial"] = options["initial"][: cut.reads]
    if options.get("clamps"):
        shorter["clamps"] = {i: v if np.ndim(v) == 0 else v[: cut.reads] for i, v in options["clamps"].items()}
    exact = backend.run(program, Schedule.custom(words[: cut.sweeps]), **shorter)
    whole = backend.run(program, schedule, **shorter)
    rest = backend.run(program, Schedule.custom(words[cut.sweeps :]), resume=cut)
    for got, wanted in ((cut, exact), (rest, whole)):
        assert got.sweeps == wanted.sweeps
        for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random", "kept"):
            assert np.array_equal(getattr(got, name), getattr(wanted, name)), name


@given(st.integers(1, 40), st.integers(1, 100), st.booleans(), st.sampled_from([1, 64 << 20]), st.integers(1, 3), st.data())
@settings(max_examples=25, deadline=None)
def test_interrupts_leave_exact_draws(calls: int, reads: int, progress: bool, batch: int, threads: int, data: st.DataObject) -> None:
    backend, program = get_backend("cpu", threads=threads), mixed_program(8, seed=calls)
    asked = reports = 0

    def interrupt() -> bool:
        nonlocal asked
        asked += 1
        return asked >= calls or reports >= calls

    def seen(report: Progress) -> None:
        nonlocal reports
        reports += 1
        assert report.reads == reads and 0 <= report.reads_done <= reads and 0 < report.share <= 1
        assert 0 < report.sweeps_done <= report.sweeps == 120

    schedule = Schedule.geometric(1e-4, 1.0, 120)
    clamps = data.draw(st.sampled_from([None, {3: 1}, {3: np.resize([1, -1, -1], reads)}]))
    options = {"reads": reads, "seed": calls, "keep_every": 7, "burn_in": 4, "clamps": clamps}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "_BATCH_BYTES", batch)
        cut = backend.run(program, schedule, interrupt=interrupt, progress=seen if progress else None, **options)
    assert 1 <= cut.reads <= reads and 1 <= cut.sweeps <= 120
    whole = cut.reads == reads and cut.sweeps == 120
    assert cut.info["stopped_by"] in (("interrupt", None) if whole else ("interrupt",))
    assert (cut.info["reads"], cut.info["sweeps"]) == (cut.reads, cut.sweeps)
    assert cut.info["updates"] == cut.reads * cut.sweeps * (8 - (clamps is not None))
    carried_on(backend, program, schedule, cut, options)


@pytest.mark.parametrize("limit", [0, 1e-9, 1e-3, 0.02])
@pytest.mark.parametrize("name", ["cpu", "golden"])
def test_a_time_limit_leaves_exact_draws(name: str, limit: float) -> None:
    backend, program, schedule = get_backend(name), mixed_program(), Schedule.geometric(1e-4, 1.0, 3000 if name == "cpu" else 20)
    start = np.resize(np.array([1, -1, -1], dtype=np.int8), (40, 30))
    options = {"reads": 40, "seed": 3, "initial": start, "keep_every": 5}
    cut = backend.run(program, schedule, time_limit=limit, **options)
    assert cut.reads == 40 and cut.sweeps >= 1
    assert cut.info["stopped_by"] == (None if cut.sweeps == schedule.total_sweeps else "time_limit")
    carried_on(backend, program, schedule, cut, options)


def test_a_time_limit_ends_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_BATCH_BYTES", 1)
    backend, program, schedule = get_backend("cpu", threads=1), mixed_program(), Schedule.constant(0.1, 50)
    seen = [0]
    options = {"interrupt": lambda: seen[-1] >= 96, "progress": lambda report: seen.append(report.reads_done)}
    cut = backend.run(program, schedule, reads=3200, seed=1, **options)  # type: ignore[arg-type]
    assert cut.reads % 32 == 0 and 96 <= cut.reads < 3200 and cut.sweeps == 50
    carried_on(backend, program, schedule, cut, {"reads": 3200, "seed": 1})


def test_a_run_cut_between_batches_is_resumed_with_the_same_clamps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_BATCH_BYTES", 1)
    backend, program = get_backend("cpu", threads=1), mixed_program()
    cut = backend.run(program, Schedule.constant(0.1, 5), reads=64, seed=1, clamps={2: 1}, interrupt=lambda: True)
    assert cut.reads == 32
    rest = Schedule.constant(0.1, 5 - cut.sweeps)
    again = backend.run(program, rest, resume=cut, clamps={2: 1})
    assert_equal_draws(again, backend.run(program, rest, resume=cut))


def test_a_generous_time_limit_changes_nothing(expected: Any) -> None:
    for limit in (1e9, float("inf")):
        draws = get_backend("cpu").run(mixed_program(), SCHEDULE, time_limit=limit, interrupt=lambda: False, **OPTIONS)
        assert_equal_draws(draws, expected)
        assert draws.info["stopped_by"] is None


SIGINT = """
    import os, signal, sys, threading
    import numpy as np
    from ebmhw import Model, Schedule, get_backend
    program = Model(500, None, {(i, (i + k) % 500): -1 for i in range(500) for k in (1, 7, 31)}).compile()
    backend = get_backend("cpu", threads=2)
    schedule = Schedule.constant(0.3, 2_000_000)
    said = []
    def progress(report):
        if not said:
            said.append(print("ready", flush=True))
    cut = backend.run(program, schedule, reads=70, seed=4, progress=progress)
    assert cut.info["stopped_by"] == "interrupt" and 0 < cut.sweeps < 2_000_000, cut.info
    exact = backend.run(program, Schedule.constant(0.3, cut.sweeps), reads=70, seed=4)
    for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random"):
        assert np.array_equal(getattr(cut, name), getattr(exact, name)), name
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert threading.active_count() == 1
    print("exact", cut.sweeps)
"""


def start_python(code: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env={**os.environ, **environment}, **pipes)  # type: ignore[call-overload,no-any-return]


def run_python(code: str, **environment: str) -> str:
    with start_python(code, **environment) as child:
        out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    return out


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_ctrl_c_leaves_exact_draws() -> None:
    with start_python(SIGINT) as child:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0 and out.startswith("exact"), err


SIGINT_TWICE = """
    import signal, threading
    from ebmhw import Model, Schedule, get_backend
    def progress(report):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    try:
        get_backend("cpu").run(Model(5).compile(), Schedule.constant(0.3, 1000), reads=70, progress=progress)
    except KeyboardInterrupt:
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and threading.active_count() == 1
        print("raised")
"""


def test_a_second_ctrl_c_raises() -> None:
    assert run_python(SIGINT_TWICE) == "raised\n"


def test_a_handler_of_the_caller_is_left_alone() -> None:
    caught = []
    before = signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
    try:
        draws = get_backend("cpu").run(
            mixed_program(), Schedule.constant(0.3, 50), seed=1, progress=lambda report: signal.raise_signal(signal.SIGINT)
        )
        assert draws.sweeps == 50 and caught
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("where", ["progress", "interrupt"])
def test_errors_of_callbacks_pass_through(where: str, threads: int) -> None:
    class OwnError(Exception):
        pass

    def fail(*_: object) -> bool:
        raise OwnError(where)

    with pytest.raises(OwnError, match=where):
        get_backend("cpu", threads=threads).run(mixed_program(), SCHEDULE, reads=100, **{where: fail})
    assert not [t for t in threading.enumerate() if t.name.startswith("ebmhw")]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_progress_ends_with_everything_done() -> None:
    reports: list[Progress] = []
    draws = get_backend("cpu").run(mixed_program(), Schedule.constant(0.1, 40), reads=70, seed=1, progress=reports.append)
    shares = [report.share for report in reports]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert reports[-1].sweeps_done == reports[-1].sweeps == 40
    assert reports[-1].best_energy == draws.best_energy.min() and reports[-1].mean_energy == draws.energy.mean()


# --- a kernel that is missing


@pytest.fixture
def forget_library() -> Any:
    native.library.cache_clear()
    yield
    native.library.cache_clear()


@pytest.mark.usefixtures("forget_library")
@pytest.mark.parametrize("name", ["cpu", "auto"])
def test_a_kernel_that_was_not_built_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "find_spec", lambda _: None)
    with pytest.raises(BackendUnavailable, match=r"was not built; install a C compiler .*apt install gcc.*get_backend\('golden'\)") as caught:
        get_backend(name)
    assert caught.value.code == "backend-unavailable"
    assert get_backend("golden").run(Model(2).compile(), Schedule.constant(1, 1)).sweeps == 1


@pytest.mark.usefixtures("forget_library")
def test_a_kernel_that_does_not_load_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "_kernel.abi3.so"
    broken.write_bytes(b"\x7fELF nonsense")
    monkeypatch.setattr(native, "find_spec", lambda name: ModuleSpec(name, None, origin=str(broken)))
    with pytest.raises(BackendUnavailable, match=r"_kernel.abi3.so does not load .*get_backend\('golden'\)"):
        get_backend("cpu")


def copy_of_package(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "ebmhw", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return tmp_path


def test_the_package_works_without_its_kernel(tmp_path: Path) -> None:
    code = f"""
        import ebmhw
        assert ebmhw.__file__.startswith({str(tmp_path)!r}), ebmhw.__file__
        program = ebmhw.Model(3, [1, 2, 3], {{(0, 1): 1}}).compile()
        print(ebmhw.get_backend("golden").run(program, ebmhw.Schedule.constant(0.1, 2), seed=1).energy.tolist())
        for name in ("cpu", "auto"):
            try:
                ebmhw.get_backend(name)
            except ebmhw.errors.BackendUnavailable as error:
                print(error)
    """
    lines = run_python(code, PYTHONPATH=str(copy_of_package(tmp_path))).splitlines()
    wanted = get_backend("golden").run(Model(3, [1, 2, 3], {(0, 1): 1}).compile(), Schedule.constant(0.1, 2), seed=1)
    assert lines[0] == str(wanted.energy.tolist())
    assert len(lines) == 3 and all("apt install gcc" in line for line in lines[1:])


@pytest.mark.parametrize("wanted", ["sse9", "AVX2", " ", "avx512 "])
def test_unknown_instruction_sets_are_refused(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBMHW_KERNEL", wanted)
    with pytest.raises(BackendUnavailable, match=r"EBMHW_KERNEL=.*use portable"):
        get_backend("cpu")


# --- sanitizers

SANITIZED = """
    import ctypes, os
    import numpy as np
    from ebmhw.native import library as native

    # Memory of exactly the size asked for, so that the sanitizer's red zone starts right behind it.
    libc = ctypes.CDLL(None)
    def exact(shape, dtype):
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        at = ctypes.c_void_p()
        assert libc.posix_memalign(ctypes.byref(at), ctypes.c_size_t(64), ctypes.c_size_t(max(size, 1))) == 0
        return np.frombuffer((ctypes.c_uint8 * size).from_address(at.value), dtype=kind).reshape(shape)
    native.aligned = exact

    import conformance, random
    from ebmhw.backends import get_backend
    from ebmhw.schedule import Schedule
    from ebmhw.program import Program
    rng = np.random.default_rng(12)
    compared = 0
    for name in native.INSTRUCTION_SETS[: native.library().ebmhw_instruction_set() + 1]:
        os.environ["EBMHW_KERNEL"] = name
        backend = get_backend("cpu", threads=2)
        for regime in conformance.REGIMES:
            for n in (1, 2, 7, 40):
                orders = [[2], [2, 3], [2, 3, 4, 5]][int(rng.integers(0, 3))]
                bias, terms, bits = conformance.random_weights(rng, regime, n, orders)
                program = Program.from_rows(n, conformance.rows_of(bias, terms, rng.permutation(n).tolist()), coupling_bits=bits)
                schedule = Schedule.custom([0.0, 1.0 / conformance.field_bound(program), 3.0 / conformance.field_bound(program), 20.0], 1)
                for rule in ("gibbs", "metropolis"):
                    clamps = {0: 1} if n == 7 else {i: -1 for i in range(n)} if n == 2 else None
                    options = dict(reads=int(rng.choice([1, 2, 33, 70])), seed=5, rule=rule, keep_every=1, clamps=clamps)
                    draws = backend.run(program, schedule, **options)
                    if n < 40:
                        conformance.assert_equal_draws(draws, conformance.judge().run(program, schedule, **options))
                        compared += draws.info["updates"]
    print("clean", compared)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None or not sys.platform.startswith("linux"), reason="needs gcc's sanitizers")
def test_kernel_under_sanitizers(tmp_path: Path) -> None:
    root = copy_of_package(tmp_path)
    built = root / "ebmhw" / "native" / "_kernel.abi3.so"
    # The flags of the real build: what they define (such as -fwrapv) is no fault.
    flags = [flag for flag in re.findall(r'"(-[fWs][^"]*)"', (Path(__file__).parents[2] / "setup.py").read_text()) if "visibility" not in flag]
    compiled = subprocess.run(
        [
            *("gcc", "-shared", "-fPIC", *flags, "-O1", "-g", "-DPy_LIMITED_API=0x030A0000"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", f"-I{sysconfig.get_paths()['include']}"),
            *(str(PACKAGE / "native" / "kernel.c"), "-o", str(built)),
        ],
        capture_output=True,
        text=True,
    )
    if compiled.returncode:
        pytest.skip(f"gcc does not build the kernel with sanitizers here: {compiled.stderr[-300:]}")
    preload = [
        subprocess.run(["gcc", f"-print-file-name={lib}"], capture_output=True, text=True).stdout.strip() for lib in ("libasan.so", "libubsan.so")
    ]
    out = run_python(
        SANITIZED,
        PYTHONPATH=os.pathsep.join([str(root), str(Path(__file__).parent)]),
        LD_PRELOAD=" ".join(preload),
        ASAN_OPTIONS="detect_leaks=0",
        OPENBLAS_NUM_THREADS="1",
    )
    assert out.startswith("clean")
    print(f"under sanitizers: {out}")
