"""`pynq get-notebooks ebmhw` delivers the notebooks, and every `pynq.Overlay` knows the units' drivers."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest
from board_pynq import require_pynq

import ebmhw


def entry_points(group: str) -> dict[str, str]:
    found = {entry.name: entry.value for entry in importlib.metadata.entry_points(group=group)}
    if "ebmhw" not in found:
        pytest.skip("ebmhw is on the path here, not installed: it has no entry points")
    return found


def test_notebooks_are_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_pynq()
    assert entry_points("pynq.notebooks")["ebmhw"] == "ebmhw.notebooks"
    get_notebooks = pytest.importorskip("pynq._cli.get_notebooks")
    monkeypatch.chdir(tmp_path)
    # Without a board there is no device to ask; on one the option is not needed.
    monkeypatch.setattr(sys, "argv", ["pynq", "--ignore-overlays", "ebmhw"])
    get_notebooks.main()
    given = Path(ebmhw.__file__).parent / "notebooks"
    delivered = {path.name: path.read_bytes() for path in tmp_path.rglob("*.ipynb")}
    assert delivered == {path.name: path.read_bytes() for path in given.glob("*.ipynb")} and len(delivered) == 3


def test_drivers_are_named() -> None:
    require_pynq()
    assert entry_points("pynq.lib")["ebmhw"] == "ebmhw.backends.kv260.ip"
