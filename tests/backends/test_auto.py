"""auto: the side that is expected to be faster, the same bits from both, faults told, and nothing touched where there is nothing to touch."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from auto_boards import auto, meddled_board, model_board, record
from board_tree import add_design, add_machine, add_unit
from conformance import Conformance, assert_equal_draws, cases
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ebmhw.backends import SamplerBackend, choice, get_backend
from ebmhw.backends.auto.backend import AutoBackend, auto_with
from ebmhw.backends.auto.calibration import Calibrations, cpu_key, design_key
from ebmhw.backends.auto.prospect import Prospect, look_for_board
from ebmhw.backends.cpu import CpuBackend
from ebmhw.board.block_design import BLOCKS
from ebmhw.board.loaded import MAP_HASH
from ebmhw.board.system import TREE
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule

RING = Model(12, None, [((i, (i + 1) % 12), 1) for i in range(12)]).compile()


def sides(reads: int, sweeps: int, program: Program = RING, **options: Any) -> str:
    """Return the side that a CPU of 1 us a row of a sweep and a board of 1 ms and 10 ns a cycle are compared to."""
    both = auto({"gibbs rows": 1e-6, "single gibbs rows": 1e-6}, {"exchanges": 1e-3, "cycles": 1e-8}, **options)
    return str(both.run(program, Schedule.constant(0.3, sweeps), reads=reads, seed=1).info["backend"])


# --- which side


def test_the_choice_turns_where_expected_times_cross() -> None:
    # 12 rows of a sweep: 12 us on the CPU. On the board 1 ms, and for each sweep the beats and the latency of 12 rows in cycles of 10 ns.
    taken = [sides(8, sweeps) for sweeps in (10, 60, 80, 90, 120, 1000)]
    assert taken == sorted(taken) and set(taken) == {"cpu", "model"}
    assert sides(8, 82) == "cpu" and sides(8, 95) == "model"


def test_info_tells_the_side_and_both_times() -> None:
    both = auto({"start": 0.002}, {"start": 0.5})
    info = both.run(RING, Schedule.constant(0.3, 4), reads=2, seed=1).info
    assert info["backend"] == "cpu"
    assert info["chosen_because"] == "auto: cpu is expected to take 2 ms (within a factor of 1.2), model 500 ms (within 1.2)"
    assert info["expected_s"] == {"cpu": pytest.approx(0.002), "model": pytest.approx(0.5)}
    back = auto({"start": 3.0}, {"start": 0.5}).run(RING, Schedule.constant(0.3, 4), reads=2, seed=1).info
    assert back["backend"] == "model" and back["chosen_because"].startswith("auto: model is expected to take 500 ms")
    assert {"cores", "lanes", "exchanges"} <= set(back) and "instruction_set" in info


def test_what_a_first_run_costs_is_counted_once() -> None:
    both = auto({"start": 1.0}, {"packing": 1.0, "bytes": 1e-9})
    schedule = Schedule.constant(0.3, 2)
    other = Model(12, None, [((i, (i + 1) % 12), -1) for i in range(12)]).compile()
    taken = [both.chooser.run(_request(both, program, schedule)) for program in (RING, other)]
    assert [choice.on_board for choice in taken] == [False, False]
    packed = auto({"start": 1.0}, {"packing": 1e-4, "bytes": 1e-6})
    first, again = (packed.run(RING, schedule, reads=8, seed=1).info["expected_s"]["model"] for _ in range(2))
    packed.run(other, schedule, reads=8, seed=1)
    # The program is packed still, but has to be loaded again.
    third = packed.run(RING, schedule, reads=8, seed=1).info["expected_s"]["model"]
    assert again < third < first


def _request(both: AutoBackend, program: Program, schedule: Schedule) -> Any:
    caught: list[Any] = []

    class Caught(Exception):
        pass

    def catch(request: Any) -> Any:
        caught.append(request)
        raise Caught

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(both.chooser, "run", catch)
        with pytest.raises(Caught):
            both.run(program, schedule, reads=8, seed=1)
    return caught[0]


def test_programs_that_the_board_does_not_take_go_to_the_cpu() -> None:
    cheap_board = {"start": 1e-9}
    dense = Model(40, None, [((i, j), 1) for i in range(40) for j in range(i)]).compile()
    for board, program, told in (
        (model_board(spins_max=16), dense, "the program has 40 spins, backend 'model' takes 16"),
        (model_board(beats_max=100), dense, "the program's rows take 400 beats, model takes 100"),
        (model_board(), Model(3, None, {(0, 1): 300, (1, 2): 1}).compile(coupling_bits=18), "coupling bits, backend 'model' takes 8"),
    ):
        info = auto({"start": 5.0}, cheap_board, board=board).run(program, Schedule.constant(0.1, 2), reads=3, seed=1).info
        assert info["backend"] == "cpu" and told in info["chosen_because"] and info["chosen_because"].startswith("auto: cpu, since ")
        assert info["expected_s"]["model"] is None


# --- the same bits


class TestConformanceOfEither(Conformance):
    """Runs of some size go to the board, others to the CPU."""

    examples = 25
    most_spins = 24
    most_reads = 40
    structured_reads = 4
    structured_sweeps = 2

    def make(self) -> SamplerBackend:
        return auto({"gibbs rows": 1e-6, "metropolis rows": 1e-6, "single gibbs rows": 1.0}, {"start": 5e-5}, board=model_board(64, 16))

    @pytest.mark.skip(reason="thousands of jobs; the backends' own suites do it")
    def test_decisions_at_the_threshold(self) -> None:
        pass


@settings(max_examples=40)
@given(cases(16, 20, 5, 8), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_both_sides_give_the_same(case: Any, share: float, seed: int) -> None:
    # Wherever it is done; the expected times are drawn.
    random = np.random.default_rng(seed)
    cpu, board = random.random() * share, random.random() * (1 - share)
    both = auto({"start": cpu}, {"start": board}, {"start": cpu}, {"start": board})
    got = both.run(case.program, case.schedule, **case.options)
    assert got.info["backend"] == ("model" if board < cpu else "cpu")
    event(got.info["backend"])
    assert_equal_draws(got, get_backend("cpu").run(case.program, case.schedule, **case.options))
    resumed = both.run(case.program, case.schedule, resume=got)
    assert resumed.sweeps == got.sweeps + case.schedule.total_sweeps
    logits = (8 * random.standard_normal((int(random.integers(1, 6)), int(random.integers(2, 300))))).astype(random.choice(["f4", "f2"]))
    one, other = both.phi(logits), get_backend("cpu").phi(logits)
    assert one.info["backend"] == ("model" if board < cpu else "cpu")
    for name in ("phi_q20", "entropy_q20", "log_z_q20", "argmax", "flags"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_submitted_runs_say_where_they_were_done() -> None:
    both = auto({"gibbs rows": 1e-3, "single gibbs rows": 1e-9}, {"start": 1e-3, "exchanges": 1e-3, "cycles": 1e-8})
    reads = [1, 8, 5, 1, 3]
    futures = [both.submit(RING, Schedule.constant(0.4, 6), reads=count, seed=9) for count in reads]
    wait(futures)
    for count, future in zip(reads, futures, strict=True):
        draws = future.result()
        assert draws.info["backend"] == ("cpu" if count == 1 else "model") and draws.info["chosen_because"].startswith("auto: ")
        assert_equal_draws(draws, get_backend("cpu").run(RING, Schedule.constant(0.4, 6), reads=count, seed=9))


# --- phi


def test_phi_is_measured_where_it_is_faster() -> None:
    both = auto({}, {}, {"entries of 32 bits": 1e-6, "entries of 16 bits": 5e-7}, {"exchanges": 1e-3})
    rng = np.random.default_rng(3)
    small, large = rng.standard_normal((1, 100)), rng.standard_normal((8, 500))
    taken = [both.phi(logits.astype("f4")).info for logits in (small, large)]
    assert [info["backend"] for info in taken] == ["cpu", "model"]
    assert taken[1]["expected_s"] == {"cpu": pytest.approx(4e-3), "model": pytest.approx(1e-3)}
    partial = both.phi_partial(large.astype("f4"), 7)
    assert partial.info["backend"] == "model" and partial.info["chosen_because"].startswith("auto: model is expected")
    empty = both.phi(large, mask=np.zeros(8, dtype=bool))
    assert empty.info["backend"] == "cpu" and empty.info["chosen_because"] == "auto: cpu, since there is no row to measure"


def test_tensors_stay_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    both = auto({}, {}, {"start": 9.0}, {"start": 1e-9})

    class Elsewhere:
        device = "cuda:0"

    monkeypatch.setattr("ebmhw.backends.auto.chooser.DeviceLogits", Elsewhere)
    request = type("Request", (), {"logits": Elsewhere()})()
    told = both.chooser.phi(request)  # type: ignore[arg-type]
    assert not told.on_board and told.because == "auto: cpu, which measures logits on cuda:0 where they lie"


def test_a_board_without_phi_unit_leaves_phi_to_the_cpu() -> None:
    from cores import backend

    info = auto({}, {}, {"start": 9.0}, {"start": 1e-9}, board=backend()).phi(np.zeros((2, 5), dtype="f4")).info
    assert info["backend"] == "cpu" and info["chosen_because"] == "auto: cpu, since model has no phi unit"


# --- faults


@pytest.mark.parametrize("fault", [HardwareFault("the transfer failed", "truncated"), CoreStalled("it did not answer", b"abc")])
def test_a_board_that_fails_is_an_error_with_the_remedy(fault: HardwareFault) -> None:
    board, bus = meddled_board()
    both = auto({"start": 5.0}, {"start": 1e-6}, board=board)

    def fail(beats: Any) -> Any:
        raise fault

    bus.answer = fail
    with pytest.raises(
        type(fault), match=r"expected to take.*auto does not begin again elsewhere by itself: run it with get_backend\('cpu'\)"
    ) as caught:
        both.run(RING, Schedule.constant(0.4, 6), reads=3, seed=9)
    assert str(fault) in str(caught.value) and "ebmhw board selftest" in str(caught.value)
    assert caught.value.error == fault.error and getattr(caught.value, "arrived", b"") == getattr(fault, "arrived", b"")
    with pytest.raises(type(fault), match="auto does not begin again"):
        both.submit(RING, Schedule.constant(0.4, 6), reads=3, seed=9).result()
    # It is tried again, and the problem loaded anew.
    bus.answer = lambda beats: beats
    draws = both.run(RING, Schedule.constant(0.4, 6), reads=3, seed=9)
    assert draws.info["backend"] == "model"
    assert_equal_draws(draws, get_backend("cpu").run(RING, Schedule.constant(0.4, 6), reads=3, seed=9))


def test_wrong_answers_of_the_board_are_no_reason_for_the_cpu() -> None:
    board, bus = meddled_board()
    both = auto({"start": 5.0}, {"start": 1e-6}, board=board)
    bus.answer = lambda beats: beats[:-1]
    with pytest.raises(HardwareFault, match="auto does not begin again"):
        both.run(RING, Schedule.constant(0.4, 6), reads=3, seed=9)


# --- what is here


def tree(folder: Path) -> Path:
    add_machine(folder)
    return folder


def refuse() -> Any:
    raise AssertionError("the board was asked")


def test_no_device_tree_means_the_cpu_and_nothing_is_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.setattr(choice, "DEVICE_TREE", tmp_path / "none")
    for name in [name for name in sys.modules if name.startswith(("ebmhw.backends.auto", "pynq"))]:
        monkeypatch.delitem(sys.modules, name)
    backend = get_backend("auto")
    assert isinstance(backend, CpuBackend)
    assert backend.chosen_because == "auto: the CPU, since this machine has no device tree, and so no board"
    assert not {"ebmhw.backends.auto", "pynq"} & set(sys.modules)
    assert Path("/", TREE) == Path("/proc/device-tree")


def test_device_tree_is_that_of_the_board() -> None:
    assert Path("/", TREE) == choice.DEVICE_TREE


def _nothing(root: Path) -> None:
    pass


def _half(root: Path) -> None:
    add_unit(root, BLOCKS[0])


def _mismatch(root: Path) -> None:
    for block in BLOCKS:
        add_unit(root, block, **{MAP_HASH: (1).to_bytes(4, "big")})


def _not_operating(root: Path) -> None:
    add_design(root, manager="write error\n")


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (_nothing, "the live device tree shows no design of ebmhw; on a KV260 `ebmhw board load` loads it"),
        (_half, "what is loaded cannot be told: .*half loaded"),
        (
            _mismatch,
            f"not of this version of ebmhw: .*0x00000001 in the loaded design, {BLOCKS[0].unit.registers.hash32:#010x} in this version.*board load",
        ),
        (_not_operating, "the FPGA manager says 'write error'; load the firmware again"),
    ],
)
def test_what_is_not_to_be_used_is_told_and_not_touched(tmp_path: Path, prepare: Callable[[Path], None], told: str) -> None:
    prepare(tree(tmp_path))
    found = look_for_board(tmp_path, refuse)
    assert isinstance(found, str)
    assert re.search(told, found), found


def calibrated(path: Path, cpu: CpuBackend, build: int, clock: str = "0.1 MHz") -> Calibrations:
    known = Calibrations(path)
    known = known.with_record(record("cpu", {"start": 1.0}, {"start": 1.0}, cpu_key(cpu.threads, cpu.instruction_set)))
    return known.with_record(record("kv260", {"start": 0.5}, {"start": 0.5}, {**design_key(build), "units": "1", "clock": clock}))


def test_a_board_is_asked_once_it_is_calibrated(tmp_path: Path) -> None:
    cpu, board = CpuBackend(threads=1), model_board()
    build = board.drivers[0].shape.build
    assert build == board.phi_drivers[0].shape.build, "models of one build stand for a board"
    add_design(tree(tmp_path), build)
    prospect = look_for_board(tmp_path, refuse)
    assert isinstance(prospect, Prospect) and prospect.build == build
    plain = auto_with(cpu, prospect, Calibrations(tmp_path / "none"))
    assert plain is cpu and plain.chosen_because is not None
    assert "a design of ebmhw is loaded, but cpu is not calibrated; run `ebmhw backends --calibrate`" in plain.chosen_because
    assert "kv260 is not calibrated" in plain.chosen_because
    stale = auto_with(cpu, prospect, calibrated(tmp_path / "none", cpu, build ^ 1))
    assert (
        stale.chosen_because is not None and f"the calibration of kv260 is stale: its build was {build ^ 1:#010x}, now it is" in stale.chosen_because
    )
    slower = auto_with(cpu, Prospect("kv260", build, lambda: board), calibrated(tmp_path / "none", cpu, build, "300 MHz"))
    assert slower.chosen_because is not None
    assert "the calibration of kv260 is stale: its clock was 300 MHz, now it is 0.1 MHz; run `ebmhw backends" in slower.chosen_because
    both = auto_with(cpu, Prospect("kv260", build, lambda: board), calibrated(tmp_path / "none", cpu, build))
    assert isinstance(both, AutoBackend) and both.name == "auto" and both.capabilities == cpu.capabilities
    assert both.run(RING, Schedule.constant(0.4, 6), reads=3, seed=9).info["backend"] == "model"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            BackendUnavailable("backend 'kv260': pynq does not import"),
            "the board does not answer as it should: backend 'kv260': pynq does not import",
        ),
        (CoreStalled("no answer to a read"), "no answer to a read"),
        (HardwareFault("the DMA engine did not reset"), "the DMA engine did not reset"),
        (None, "the units say that they are of build 0x.*, the device tree says 0x00000007; load the firmware again"),
    ],
)
def test_a_board_that_does_not_answer_is_told(tmp_path: Path, error: Exception | None, told: str) -> None:
    def connect() -> Any:
        if error is not None:
            raise error
        return model_board()

    cpu = CpuBackend(threads=1)
    found = auto_with(cpu, Prospect("kv260", 7, connect), calibrated(tmp_path / "none", cpu, 7))
    assert found is cpu and found.chosen_because is not None and found.chosen_because.startswith("auto: the CPU, since ")
    assert re.search(told, found.chosen_because), found.chosen_because
    assert found.run(RING, Schedule.constant(0.4, 1)).info["chosen_because"] == found.chosen_because
