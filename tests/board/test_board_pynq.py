"""get_backend("kv260") over the real pynq and the simulated board: the bits of every other backend, threaded and in line, low and high in memory."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_pynq import backend, bitstream, opened, require_pynq
from conformance import Conformance, assert_equal_draws, judge
from phi_judge import FAMILIES, as_form, row_values

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.kv260 import Kv260Backend, overlay
from ebmhw.board.block_design import BLOCKS, STEM
from ebmhw.board.simulated.memory import HIGH_BASE
from ebmhw.errors import BackendUnavailable, EbmhwError, FirmwareError
from ebmhw.model import Model
from ebmhw.schedule import Schedule

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning:pynq")

PROGRAM = Model(12, None, {(i, (i + k) % 12): i - 5 for i in range(12) for k in (1, 5)}).compile()
SCHEDULE = Schedule.constant(0.1, 5)


class OverPynq(Conformance):
    """A board stays open for all tests of a class."""

    config = "small"
    options: dict[str, Any] = {}  # noqa: RUF012

    @pytest.fixture(autouse=True, scope="class")
    def board(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
        with ExitStack() as open_now:
            board, made = open_now.enter_context(backend(tmp_path_factory.mktemp("image"), self.config, **self.options))
            request.cls._backend = made
            yield board

    def make(self) -> SamplerBackend:
        raise AssertionError("the board's fixture makes it")

    def test_it_is_the_boards_own_driver(self, backend: SamplerBackend) -> None:
        assert type(backend) is Kv260Backend and backend.name == "kv260"


class TestSmall(OverPynq):
    examples = 12
    most_reads = 9

    @pytest.mark.skip(reason="two thousand draws in jobs of four lanes; the core of the board does it")
    def test_decisions_at_the_threshold(self) -> None:
        pass


class TestSmallInLine(OverPynq):
    examples = 6
    most_reads = 5
    options = {"threaded": False, "base": HIGH_BASE}  # noqa: RUF012

    @pytest.mark.skip(reason="as with threads")
    def test_decisions_at_the_threshold(self) -> None:
        pass


@pytest.mark.slow
class TestKv260(OverPynq):
    config = "kv260"
    examples = 8
    most_reads = 70
    structured_sweeps = 2


# --- the other unit, and both at once


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, SamplerBackend]]:
    with backend(tmp_path_factory.mktemp("image")) as made:
        yield made


@pytest.mark.parametrize("form", ["float16", "bfloat16", "float32"])
def test_it_measures_as_the_cpu(small: tuple[Any, SamplerBackend], form: str) -> None:
    rng = np.random.default_rng(11)
    for family in FAMILIES:
        rows, entries = int(rng.integers(1, 30)), int(rng.integers(2, 300))
        logits = as_form(row_values(rng, family, rows, entries, 4.0), form)
        if form == "bfloat16":
            ml_dtypes = pytest.importorskip("ml_dtypes")
            logits = logits.view(ml_dtypes.bfloat16)
        chosen = rng.integers(0, entries, rows)
        got, due = (one.phi(logits, chosen=chosen) for one in (small[1], get_backend("cpu")))
        assert got.array.tobytes() == due.array.tobytes(), f"{family}, {rows} rows of {entries}"


def test_a_shard_of_a_vocabulary(small: tuple[Any, SamplerBackend]) -> None:
    logits = np.random.default_rng(4).normal(0, 5, (9, 130)).astype(np.float32)
    got, due = (one.phi_partial(logits, 1000, vocab_size=2000, chosen=np.full(9, 1005)) for one in (small[1], get_backend("cpu")))
    assert got.array.tobytes() == due.array.tobytes()


def test_both_units_at_once(small: tuple[Any, SamplerBackend]) -> None:
    board, made = small
    logits = np.random.default_rng(2).normal(0, 3, (40, 60)).astype(np.float16)
    found: list[Any] = []
    work = [lambda: found.append(made.phi(logits).array), lambda: found.append(made.run(PROGRAM, SCHEDULE, reads=7, seed=3))] * 4
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    draws = [one for one in found if not isinstance(one, np.ndarray)]
    assert len(found) == 8 and len(draws) == 4
    for one in draws:
        assert_equal_draws(one, judge().run(PROGRAM, SCHEDULE, reads=7, seed=3))
    due = judge().phi(logits).array
    assert all(one.tobytes() == due.tobytes() for one in found if isinstance(one, np.ndarray))
    assert all(board.counters.transfers[block.dma, "s2mm"] for block in BLOCKS)


# --- opening


def test_a_board_opens_again(tmp_path: Path) -> None:
    for _ in range(2):
        with backend(tmp_path) as (_, made):
            assert_equal_draws(made.run(PROGRAM, SCHEDULE, seed=1), judge().run(PROGRAM, SCHEDULE, seed=1))


def test_a_closed_backend_is_refused(tmp_path: Path) -> None:
    with backend(tmp_path) as (_, made):
        made.close()  # type: ignore[attr-defined]
        with pytest.raises(EbmhwError, match="closed"):
            made.run(PROGRAM, SCHEDULE, seed=1)


@pytest.mark.parametrize("suffix", [".bit", ".hwh"])
def test_a_damaged_bitstream_is_refused_before_it_is_touched(tmp_path: Path, suffix: str) -> None:
    with opened(tmp_path) as (board, path):
        broken = path.with_suffix(suffix)
        broken.write_bytes(broken.read_bytes()[:-100])
        with pytest.raises(FirmwareError, match=rf"ebmhw{suffix}.* bytes.*copied in part"):
            get_backend("kv260", bitstream=path, device=board)
        assert not board.counters.summary()["register_reads"]


def test_another_build_is_refused(tmp_path: Path) -> None:
    # The manifest is of one configuration, what answers is of another.
    path = bitstream(tmp_path / "other", "kv260")
    with opened(tmp_path / "small") as (board, _):
        with pytest.raises(BackendUnavailable, match=r"is of build 0x[0-9a-f]{8}, .*of 0x[0-9a-f]{8}"):
            get_backend("kv260", bitstream=path, device=board)
        assert not board.fabric.memory.live


def test_a_hwh_of_another_design_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as (board, path):
        (tmp_path / "manifest.json").unlink()
        hwh = tmp_path / f"{STEM}.hwh"
        text = hwh.read_text()
        changes = {
            r"axi_dma_phi": text.replace("axi_dma_phi", "axi_dma_other"),
            r"ising_core is at 0xb0000000, not at 0xa0000000": text.replace("0xA0000000", "0xB0000000").replace("0xA000FFFF", "0xB000FFFF"),
            r"phi_unit is ebmhw:hdl:phi_unit:9\.0": text.replace("ebmhw:hdl:phi_unit:1.0", "ebmhw:hdl:phi_unit:9.0"),
            r"could not be loaded \(.*": text[: len(text) // 2],
        }
        for match, changed in changes.items():
            assert changed != text
            hwh.write_text(changed)
            with pytest.raises(BackendUnavailable, match=match):
                get_backend("kv260", bitstream=path, device=board)
            assert not board.fabric.memory.live
        hwh.write_text(text)
        made = get_backend("kv260", bitstream=path, device=board)
        assert_equal_draws(made.run(PROGRAM, SCHEDULE, seed=1), judge().run(PROGRAM, SCHEDULE, seed=1))
        made.close()  # type: ignore[attr-defined]


def test_a_bitstream_is_loaded_on_demand(tmp_path: Path) -> None:
    with opened(tmp_path) as (board, path):
        for download, loads in ((None, 0), (False, 0), (True, 1), (True, 2)):
            made = get_backend("kv260", bitstream=path, device=board, download=download)
            assert board.counters.loads == loads
            assert_equal_draws(made.run(PROGRAM, SCHEDULE, seed=1), judge().run(PROGRAM, SCHEDULE, seed=1))
            made.close()  # type: ignore[attr-defined]
        assert board.fabric.clocks.mhz() == pytest.approx(200, rel=1e-3)


def test_where_pynq_writes_down_what_it_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver reads the record itself, also of a bitstream that is gone by now."""
    require_pynq()
    state = importlib.import_module("pynq.pl_server.global_state")
    monkeypatch.setattr(state, "STATE_DIR", str(tmp_path))
    ours, other = tmp_path / "ours.bit", tmp_path / "other.bit"
    ours.write_bytes(b"ours")
    other.write_bytes(b"other")
    assert overlay._pynq_vetoes(ours) is None
    for path in (other, ours):
        about = {"bitfile_name": str(path), "bitfile_hash": state.bitstream_hash(str(path)), "timestamp": "", "active_name": "x"}
        state.save_global_state(state.GlobalState(**about))
        other.unlink(missing_ok=True)
        told = overlay._pynq_vetoes(ours)
        assert (told is None) if path == ours else (told is not None and f"PYNQ has loaded {other} since the board started" in told)
