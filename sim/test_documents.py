"""Generated documents are up to date, and the hardware description keeps to its side of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hdl import document
from hdl.ising_core.config import IsingConfig

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "hdl").rglob("*.py"))


def test_the_generated_parts_of_the_readme_are_up_to_date() -> None:
    text = document.README.read_text()
    assert document.updated(text, document.parts(IsingConfig.from_yaml(document.ROOT / "configs" / "kv260.yaml"))) == text, (
        "run python -m hdl.document"
    )


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lanes": 65}, "lanes of an Ising core is 65; give a whole number from 1 to 64"),
        ({"slots": 3}, "slots of an Ising core is 3; give an even number"),
        ({"beats_block": 1024}, "beats_block of an Ising core is 1024; give a whole number from 1 to 1023"),
        ({"spin_latency": True}, "spin_latency of an Ising core is True"),
    ],
)
def test_a_core_that_cannot_be_is_refused(change: dict[str, int], message: str) -> None:
    import dataclasses

    small = IsingConfig.from_yaml(ROOT / "hdl" / "configs" / "small.yaml")
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(small, **change)


def test_a_configuration_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("ising_core:\n  lanes: 4\n")
    with pytest.raises(ValueError, match=r"odd.yaml: ising_core has lanes; it needs lanes, slots"):
        IsingConfig.from_yaml(path)
