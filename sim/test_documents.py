"""Generated documents are up to date, and the hardware description keeps to its side of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ebmhw.contract.design import UNITS
from hdl import document
from hdl.config import DesignConfig

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "hdl").rglob("*.py"))


DOCUMENTS = document.documents(DesignConfig.from_yaml(document.ROOT / "configs" / "kv260.yaml"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.parent.name)
def test_the_generated_parts_of_a_readme_are_up_to_date(path: Path) -> None:
    text = path.read_text()
    assert document.updated(text, DOCUMENTS[path]) == text, "run python -m hdl.document"


def test_every_unit_has_a_document() -> None:
    assert [path.parent.name for path in DOCUMENTS] == [unit.name for unit in UNITS]


@pytest.mark.parametrize(
    ("text", "message"), [("nothing", "none; it needs"), ("<!-- generated: jobs -->\n<!-- end -->", "the generated parts jobs; it needs")]
)
def test_a_document_without_all_parts_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        document.updated(text, {"jobs": "a", "results": "b"})


def imported(source: str) -> set[str]:
    """Return the modules that a source imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def strays(source: str) -> set[str]:
    """Return what a source of hdl imports of the host beside the contract: judge and judged share numbers, not code."""
    return {name for name in imported(source) if name.startswith("ebmhw") and not name.startswith(("ebmhw.contract", "ebmhw.errors", "ebmhw.files"))}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_hdl_imports_only_the_contract_of_the_host(path: Path) -> None:
    assert not strays(path.read_text())


def test_a_stray_import_is_found() -> None:
    assert strays("def f():\n    from ebmhw.golden import step") == {"ebmhw.golden.step"}
