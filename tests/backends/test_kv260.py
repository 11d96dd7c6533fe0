"""The backend of the board, as far as it goes without one: what it says is missing, and how it drives PYNQ's objects."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge
from cores import ModelBackend, phi_backend

from boards import Board, Buffer
from ebmhw.backends import SamplerBackend, get_backend, kv260
from ebmhw.backends.kv260 import DESIGN, Kv260Backend, dma_name
from ebmhw.backends.packing import pack_problem
from ebmhw.backends.units import ISING, PHI
from ebmhw.contract import phi_unit
from ebmhw.contract.ising_core import REGISTERS
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault, InvalidRun
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)


class TestPynqBus(Conformance):
    examples = 12
    most_reads = 20

    def make(self) -> SamplerBackend:
        return ModelBackend(Board(lanes=64, slots=16).bus)

    @pytest.mark.skip(reason="as over the model's own bus")
    def test_decisions_at_the_threshold(self) -> None:
        pass

    @pytest.mark.skip(reason="as over the model's own bus")
    def test_structured_program(self) -> None:
        pass


def test_a_batch_is_one_transfer_each_way() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    draws = made.run(PROGRAM, SCHEDULE, reads=20, seed=1)
    assert_equal_draws(draws, judge().run(PROGRAM, SCHEDULE, reads=20, seed=1))
    ways = [entry[0] for entry in board.dma.log if entry != "reset"]
    assert board.dma.log[0] == "reset" and ways == ["back", "out"] * draws.info["exchanges"]


def test_buffers_are_kept_and_grow() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    for _ in range(3):
        made.run(PROGRAM, SCHEDULE, reads=8, seed=1)
    assert [buffer.size for buffer in board.buffers] == [4096, 4096]
    jobs = pack_problem(PROGRAM, np.zeros(0, dtype=np.int32), 4, 1000, "x").packet(1)
    for room in (4097, 5000, 9000):
        assert board.bus.exchange(jobs, room, 10.0).size == 3
    assert [buffer.size for buffer in board.buffers] == [4096, 4096, 8192, 16384]
    live = [buffer for buffer in board.buffers if not buffer.freed]
    assert len(live) == 2
    board.bus.close()
    assert all(buffer.freed for buffer in board.buffers)


def test_a_transfer_that_does_not_end_is_given_up() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    made.run(PROGRAM, SCHEDULE, seed=1)
    board.dma.hangs = True
    with pytest.raises(CoreStalled, match=r"the unit did not answer 72 bytes within 0.0 s"):
        board.bus.exchange(np.ones(9, dtype=np.uint64), 9, 0.001)
    board.dma.hangs = False
    made.drivers[0].reset()
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, seed=1), judge().run(PROGRAM, SCHEDULE, seed=1))


def test_an_error_of_the_engine_is_told() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    board.dma.hangs, board.dma.recvchannel.error = True, True
    board.dma.write = lambda offset, word: None  # type: ignore[method-assign]  # the error outlasts the reset
    with pytest.raises(HardwareFault, match=r"the DMA engine failed to transfer the answer: [0-9]+ bytes out, room for [0-9]+ back"):
        made.run(PROGRAM, SCHEDULE, seed=1)
    board = Board()
    board.dma.fails_at_end = True
    with pytest.raises(HardwareFault, match=r"failed to transfer the answer: DMA Decode Error \(invalid address\)"):
        ModelBackend(board.bus).run(PROGRAM, SCHEDULE, seed=1)


def test_an_engine_that_does_not_reset_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kv260, "_RESET_SECONDS", 0.01)
    board = Board()
    board.dma.read = lambda offset: 4  # type: ignore[method-assign]
    with pytest.raises(HardwareFault, match=r"the DMA engine did not reset within 0.01 s; load the overlay again"):
        ModelBackend(board.bus).run(PROGRAM, SCHEDULE, seed=1)


# --- the backend


class Overlay:
    """``pynq.Overlay``, with a board or without."""

    boards: tuple[Board, ...] = ()
    loaded: tuple[str, ...] = ()

    def __init__(self, path: str) -> None:
        if not self.boards:
            raise RuntimeError("No Devices Found")
        type(self).loaded += (path,)
        setattr(self, DESIGN, self.boards[0].registers)
        setattr(self, dma_name(ISING.unit), self.boards[0].dma)
        setattr(self, dma_name(PHI.unit), self.boards[0].phi_dma)


@pytest.fixture
def pynq(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Overlay]]:
    module = types.ModuleType("pynq")
    overlay = type("Overlay", (Overlay,), {})
    module.Overlay = overlay  # type: ignore[attr-defined]
    module.allocate = lambda shape, dtype: Buffer(*shape)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynq", module)
    monkeypatch.delenv(kv260.ENVIRONMENT, raising=False)
    yield overlay


@pytest.fixture
def bitstream(tmp_path: Path) -> Path:
    (tmp_path / "ebmhw.hwh").write_text("")
    path = tmp_path / "ebmhw.bit"
    path.write_text("")
    return path


def test_a_missing_pynq_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(
        BackendUnavailable, match=r"backend 'kv260': pynq does not import .*Kria-PYNQ.*get_backend\('cpu'\), whose samples are the same"
    ):
        get_backend("kv260")


def test_a_missing_bitstream_is_told(pynq: type[Overlay], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"no bitstream with its .hwh beside it at .*bitstreams/kv260/ebmhw.bit; name one in EBMHW_BITSTREAM"
    ):
        get_backend("kv260")
    monkeypatch.setenv(kv260.ENVIRONMENT, str(tmp_path / "a.bit"))
    with pytest.raises(BackendUnavailable, match=r"at .*a.bit; name one"):
        get_backend("kv260")
    (tmp_path / "a.bit").write_text("")
    with pytest.raises(BackendUnavailable, match=r"at .*a.bit; name one"):
        get_backend("kv260")
    with pytest.raises(BackendUnavailable, match=r"at .*b.bit; name one"):
        get_backend("kv260", bitstream=tmp_path / "b.bit")


def test_a_missing_board_is_told(pynq: type[Overlay], bitstream: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"ebmhw.bit could not be loaded \(No Devices Found\); run this on a KV260"):
        get_backend("kv260", bitstream=bitstream)


def test_names_in_the_block_design() -> None:
    assert (DESIGN, dma_name(ISING.unit), dma_name(PHI.unit)) == ("ebmhw", "axi_dma_ising", "axi_dma_phi")


def test_another_design_is_told(pynq: type[Overlay], bitstream: Path) -> None:
    pynq.__init__ = lambda self, path: None  # type: ignore[method-assign,assignment]
    with pytest.raises(BackendUnavailable, match=r"has no ebmhw with axi_dma_ising and axi_dma_phi \(.*load a bitstream of this project"):
        get_backend("kv260", bitstream=bitstream)


def test_another_core_is_refused(pynq: type[Overlay], bitstream: Path) -> None:
    board = Board()
    board.core.words[REGISTERS.register("map_hash").offset] = 5
    pynq.boards = (board,)
    with pytest.raises(BackendUnavailable, match="backend 'kv260': the core was built for register map of hash 0x00000005"):
        get_backend("kv260", bitstream=bitstream)
    board = Board()
    board.phi_unit.words[phi_unit.REGISTERS.register("packet_hash").offset] = 6
    pynq.boards = (board,)
    with pytest.raises(BackendUnavailable, match="backend 'kv260': the phi unit was built for packets of hash 0x00000006"):
        get_backend("kv260", bitstream=bitstream)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(InvalidRun, match=r"bitstream is 5; give the path of a .bit file"):
        get_backend("kv260", bitstream=5)


def test_a_board_samples(pynq: type[Overlay], bitstream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pynq.boards = (Board(lanes=64, slots=16),)
    monkeypatch.setenv(kv260.ENVIRONMENT, str(bitstream))
    made = get_backend("kv260")
    assert isinstance(made, Kv260Backend) and made.name == "kv260" and pynq.loaded == (str(bitstream),)
    assert made.capabilities.lanes == 64
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, reads=70, seed=1), judge().run(PROGRAM, SCHEDULE, reads=70, seed=1))


def test_a_board_measures(pynq: type[Overlay], bitstream: Path) -> None:
    board = Board()
    pynq.boards = (board,)
    made = get_backend("kv260", bitstream=bitstream)
    assert made.capabilities.units == ("ising", "phi")
    logits = np.random.default_rng(3).normal(0, 4, (500, 70)).astype(np.float16)
    chosen = np.arange(500) % 70
    found = made.phi(logits, chosen=chosen)
    assert np.array_equal(found.array, judge().phi(logits, chosen=chosen).array)
    assert found.info["units"] == 1 and found.info["exchanges"] >= 1
    assert [entry[0] for entry in board.phi_dma.log if entry != "reset"] == ["back", "out"] * found.info["exchanges"]
    # The core's engine and its registers were left alone.
    assert not board.dma.log


def test_a_measurement_that_does_not_end_is_given_up() -> None:
    board = Board()
    made = phi_backend(board.phi_bus)
    logits = np.ones((2, 5), dtype=np.float32)
    due = made.phi(logits)
    board.phi_dma.hangs = True
    with pytest.raises(CoreStalled, match=r"the unit did not answer 144 bytes within 0.0 s"):
        board.phi_bus.exchange(np.ones(18, dtype=np.uint64), 9, 0.001)
    board.phi_dma.hangs = False
    made.phi_drivers[0].reset()
    assert np.array_equal(made.phi(logits).array, due.array)
