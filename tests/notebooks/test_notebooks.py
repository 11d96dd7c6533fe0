"""The notebooks: their form, and that their code runs and gives the same numbers on every backend."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ebmhw
from ebmhw import rtl
from ebmhw.errors import BackendUnavailable

FOLDER = Path(ebmhw.__file__).parent / "notebooks"
NAMES = ("first_samples", "phi_of_a_model", "verify_and_repair")


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return found


def code(name: str) -> str:
    return "\n\n".join("".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code")


def run(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # Figures are shown nowhere; a warning of the notebook's own is an error.
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", "COLUMNS": "200", **variables}
    return subprocess.run([sys.executable, "-c", code(name)], env=environment, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def test_all_of_them_are_listed() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_form(name: str) -> None:
    data = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (data["nbformat"], data["nbformat_minor"]) == (4, 5) and data["metadata"]["kernelspec"]["name"] == "python3"
    assert data["cells"][0]["cell_type"] == "markdown" and data["cells"][0]["source"][0].startswith("# ")
    identities = [cell["id"] for cell in data["cells"]]
    assert len(set(identities)) == len(identities)
    for cell in data["cells"]:
        if cell["cell_type"] == "code":
            # Outputs are the reader's own.
            assert cell["outputs"] == [] and cell["execution_count"] is None
            assert max(map(len, "".join(cell["source"]).splitlines())) <= 170
    assert not re.search(r"/home/|/root/|/work/", json.dumps(data))


@pytest.mark.parametrize("name", NAMES)
def test_runs_on_the_cpu(name: str, tmp_path: Path) -> None:
    if name == "verify_and_repair":
        pytest.importorskip("lark")
    done = run(name, tmp_path, EBMHW_BACKEND="cpu")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cpu Capabilities(") and not list(tmp_path.iterdir())


def test_without_a_board_it_says_what_to_do(tmp_path: Path) -> None:
    done = run("first_samples", tmp_path, EBMHW_BACKEND="kv260")
    assert done.returncode != 0 and "BackendUnavailable" in done.stderr and "kv260" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_simulated_prints_what_the_cpu_prints(name: str, tmp_path: Path) -> None:
    """The RTL of the board, cycle by cycle; everything but the backend's own line is the same text."""
    try:
        rtl.find("kv260")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    printed = []
    for backend in ("cpu", "simulated"):
        done = run(name, tmp_path, EBMHW_BACKEND=backend)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.replace(f", {backend})", ")").splitlines()[1:])
    assert printed[0] == printed[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_jupyter_executes_them(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel of Jupyter, cell by cell, as a user would."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("EBMHW_BACKEND", "cpu")
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
