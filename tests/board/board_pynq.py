"""The real pynq, where it is installed, over a simulated board: bitstreams to open on it, and backends."""

from __future__ import annotations

import dataclasses
import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from board_images import synthetic_entry

from ebmhw import rtl
from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.board.block_design import STEM
from ebmhw.board.hwh import hwh_text
from ebmhw.board.manifest import FILE, BitstreamEntry, FileFacts, Manifest
from ebmhw.contract.sources import Sidecar
from ebmhw.errors import BackendUnavailable

REQUIRED = "EBMHW_REQUIRE_PYNQ"
"""Environment variable: where it is set, pynq must be there."""


def require_pynq() -> Any:
    """Return pynq; the test is skipped where it is missing, and fails where EBMHW_REQUIRE_PYNQ is set."""
    try:
        with warnings.catch_warnings():
            # Of the processor, which is no board's, and of libraries that it leans on.
            warnings.simplefilter("ignore")
            importlib.import_module("pynq.lib")
            return importlib.import_module("pynq")
    except ImportError as error:
        if os.environ.get(REQUIRED):
            pytest.fail(f"pynq does not import ({error}), and {REQUIRED} is set: run .ci/pynq")
        pytest.skip("pynq is not installed; .ci/pynq runs this")


def sidecar(config: str = "small") -> Sidecar:
    """Return what is known of a configuration's RTL; the test is skipped where there is none, and fails where EBMHW_REQUIRE_RTL is set."""
    try:
        return rtl.find(config).sidecar
    except BackendUnavailable as error:
        if os.environ.get("EBMHW_REQUIRE_RTL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def bitstream(folder: Path, config: str = "small", clock_mhz: int = 200) -> Path:
    """Write a bitstream of a configuration, its .hwh and its manifest into a folder, as they lie on a board, and return the .bit."""
    about = sidecar(config)
    entry = synthetic_entry(folder)
    (folder / f"{STEM}.hwh").write_text(hwh_text(about, clock_mhz), encoding="utf-8")
    kept = {field.name: getattr(entry, field.name) for field in dataclasses.fields(BitstreamEntry)}
    for name in ("config", "parameters", "units", "contract_digest", "sources_digest", "files"):
        del kept[name]
    files = {name: FileFacts.of(folder / name) for name in entry.files}
    made = BitstreamEntry.of_rtl(about, **kept | {"clock_mhz": clock_mhz}, files=files)
    Manifest({}).with_entry(made).write(folder / FILE)
    return folder / f"{STEM}.bit"


@contextmanager
def opened(folder: Path, config: str = "small", **options: Any) -> Iterator[Any]:
    """Yield a simulated board and a bitstream's path to open on it."""
    require_pynq()
    from ebmhw.board.simulated import simulated_board

    path = bitstream(folder, config)
    with simulated_board(config, **options) as board:
        yield board, path


@contextmanager
def backend(folder: Path, config: str = "small", **options: Any) -> Iterator[tuple[Any, SamplerBackend]]:
    """Yield a simulated board and the board's own backend over it."""
    with opened(folder, config, **options) as (board, path):
        made = get_backend("kv260", bitstream=path, device=board)
        try:
            yield board, made
        finally:
            made.close()  # type: ignore[attr-defined]
        assert not board.fabric.memory.live, "memory was not given back"
