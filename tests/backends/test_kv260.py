"""The backend of the board, as far as it goes without one: what it says is missing, and how it drives PYNQ's objects."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import Conformance, assert_equal_draws, judge
from cores import ModelBackend, model

from ebmhw.backends import SamplerBackend, get_backend, kv260
from ebmhw.backends.kv260 import CORE, DMA, Kv260Backend, PynqBus
from ebmhw.backends.packing import pack_problem
from ebmhw.contract.ising_core import REGISTERS
from ebmhw.errors import BackendUnavailable, CoreStalled, HardwareFault, InvalidRun
from ebmhw.model import Model
from ebmhw.schedule import Schedule
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)


class Buffer(np.ndarray):
    """What ``pynq.allocate`` returns, as far as it is used: caches that do not see the other side without being told."""

    def __new__(cls, size: int) -> Buffer:
        self = np.zeros(size, dtype=np.uint64).view(cls)
        self.memory = np.full(size, 0xDEAD, dtype=np.uint64)
        self.freed = False
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.memory, self.freed = getattr(source, "memory", None), getattr(source, "freed", False)

    def flush(self) -> None:
        self.memory[:] = self

    def invalidate(self) -> None:
        self[:] = self.memory

    def freebuffer(self) -> None:
        assert not self.freed
        self.freed = True


class Channel:
    """A channel of a simple-mode AXI DMA as ``pynq.lib.dma`` presents it."""

    def __init__(self, dma: Dma, outward: bool) -> None:
        self.dma, self.outward = dma, outward
        self.running, self.error, self.transferred = True, False, 0
        self.under_way: tuple[Buffer, int] | None = None
        self.polls = 0

    @property
    def idle(self) -> bool:
        self.polls += 1
        self.dma.tick()
        return self.under_way is None

    def start(self) -> None:
        self.running = True

    def transfer(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        assert self.running and self.under_way is None and start == 0 and 0 < nbytes <= array.nbytes and not array.freed
        if self.outward:
            array.flush()
        self.under_way = (array, nbytes // 8)
        self.last = array
        self.dma.log.append(("out" if self.outward else "back", nbytes))

    def wait(self) -> None:
        assert self.running and self.under_way is None
        if self.dma.fails_at_end:
            raise RuntimeError("DMA Decode Error (invalid address)")
        if not self.outward:
            self.last.invalidate()


class Dma:
    """An AXI DMA with a core at its streams."""

    def __init__(self, core: ModelBus) -> None:
        self.core = core
        self.log: list[Any] = []
        self.sendchannel, self.recvchannel = Channel(self, True), Channel(self, False)
        self.hangs = self.fails_at_end = False
        self.reset_polls = 0
        self.change: Callable[[np.ndarray], np.ndarray] = lambda answer: answer

    def tick(self) -> None:
        out, back = self.sendchannel.under_way, self.recvchannel.under_way
        if self.hangs or out is None or back is None:
            return
        answer = self.change(self.core.model.answer(out[0].memory[: out[1]].copy()))
        assert answer.size <= back[1]
        back[0].memory[: answer.size] = answer
        self.recvchannel.transferred = 8 * answer.size
        self.sendchannel.under_way = self.recvchannel.under_way = None

    def write(self, offset: int, word: int) -> None:
        assert (offset, word) == (0, 4)
        self.log.append("reset")
        self.reset_polls = 3
        for channel in (self.sendchannel, self.recvchannel):
            channel.running, channel.error, channel.under_way = False, False, None

    def read(self, offset: int) -> int:
        assert offset == 0
        self.reset_polls -= 1
        return 4 if self.reset_polls > 0 else 0x10002


class Board:
    """A core model behind fakes of PYNQ's objects."""

    def __init__(self, **size: int) -> None:
        self.core = ModelBus(model(**size))
        self.dma = Dma(self.core)
        self.buffers: list[Buffer] = []
        self.bus = PynqBus(self.core, self.dma, self.allocate)

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        assert dtype is np.uint64
        self.buffers.append(Buffer(*shape))
        return self.buffers[-1]


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
    with pytest.raises(CoreStalled, match=r"the core did not answer [0-9]+ beats within 0.0 s"):
        board.bus.exchange(np.ones(9, dtype=np.uint64), 9, 0.001)
    board.dma.hangs = False
    made.drivers[0].reset()
    assert_equal_draws(made.run(PROGRAM, SCHEDULE, seed=1), judge().run(PROGRAM, SCHEDULE, seed=1))


def test_an_error_of_the_engine_is_told() -> None:
    board = Board()
    made = ModelBackend(board.bus)
    board.dma.hangs, board.dma.recvchannel.error = True, True
    board.dma.write = lambda offset, word: None  # type: ignore[method-assign]  # the error outlasts the reset
    with pytest.raises(HardwareFault, match=r"the DMA engine failed to transfer the answer: [0-9]+ beats out, room for [0-9]+ back"):
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
        setattr(self, CORE, self.boards[0].core)
        setattr(self, DMA, self.boards[0].dma)


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


def test_a_design_without_the_core_is_told(pynq: type[Overlay], bitstream: Path) -> None:
    pynq.__init__ = lambda self, path: None  # type: ignore[method-assign,assignment]
    with pytest.raises(BackendUnavailable, match=r"has no ising_core with an axi_dma .*load a bitstream of this project"):
        get_backend("kv260", bitstream=bitstream)


def test_another_core_is_refused(pynq: type[Overlay], bitstream: Path) -> None:
    board = Board()
    board.core.words[REGISTERS.register("map_hash").offset] = 5
    pynq.boards = (board,)
    with pytest.raises(BackendUnavailable, match="backend 'kv260': the core was built for register map of hash 0x00000005"):
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
