"""What the READMEs of the board say and what the code says: addresses, names, commands, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebmhw.board.block_design import APP, BLOCKS, CLOCK_MHZ, CLOCKS_MHZ, FIRMWARE_ROOT, INTERRUPT_CONTROLLER, INTERRUPT_CONTROLLER_ADDRESS, SHARE_ROOT
from ebmhw.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "boards" / "kv260" / "README.md"

pytestmark = pytest.mark.skipif(not (ROOT / "Makefile").is_file(), reason="no checkout around the tests")


def test_the_block_design_is_as_described() -> None:
    text = README.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (0x[0-9a-f]+) \|", text, re.MULTILINE))
    due = {block.cell: block.address for block in BLOCKS} | {block.dma: block.dma_address for block in BLOCKS}
    due[INTERRUPT_CONTROLLER] = INTERRUPT_CONTROLLER_ADDRESS
    assert {cell: int(address, 16) for cell, address in rows.items()} == due
    for block in BLOCKS:
        assert f"`{block.vlnv}`" in text
        assert f"{block.unit.job_bits} bits in, {block.unit.result_bits} bits out" in text
    assert f"{FIRMWARE_ROOT}/{APP}" in text and SHARE_ROOT in text and f"{CLOCK_MHZ} MHz unless" in text
    for mhz in re.findall(r"CLOCK=(\d+)", text):
        assert int(mhz) in CLOCKS_MHZ


def test_commands_that_are_named_exist() -> None:
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"ebmhw board (\w+)", text))
    assert named == {"status", "load", "selftest", "bench"}
    for name in named:
        assert CliRunner().invoke(main, ["board", name, "--help"]).exit_code == 0
    targets = set(re.findall(r"`make (\w[\w-]*)", text))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", ["boards/kv260/README.md", "bitstreams/README.md"])
def test_links_lead_somewhere(path: str) -> None:
    page = ROOT / path
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target
