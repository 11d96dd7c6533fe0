"""`ebmhw serve`: what its options do, and how it refuses what they cannot be; the protocol is tested with the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebmhw.cli.main import main

BEGIN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def called(number: int, tool: str, **arguments: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.mark.parametrize(
    "options",
    [("--workers", "0"), ("--time-limit", "nan"), ("--time-limit", "0"), ("--max-characters", "0"), ("--seed", "-1"), ("--knowledge", "nowhere.txt")],
)
def test_options_that_are_none_are_refused_before_anything_is_served(options: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_options_are_limits_of_the_calls(tmp_path: Path) -> None:
    """Standard input and output are files, which neither wait nor tell of their end as pipes do."""
    pytest.importorskip("mcp")
    messages = [BEGIN, called(2, "health_check"), called(3, "verify_llm_output", question="x" * 21, response="")]
    (tmp_path / "in").write_text("".join(json.dumps(message) + "\n" for message in messages))
    with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as sink:
        done = subprocess.run(
            [sys.executable, "-m", "ebmhw", "serve", "--max-characters", "20", "--workers", "3", "--time-limit", "7"],
            stdin=source,
            stdout=sink,
            stderr=subprocess.PIPE,
            timeout=60,
            env=dict(os.environ),
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    answers = {answer["id"]: answer for answer in map(json.loads, (tmp_path / "out").read_text().splitlines())}
    assert answers[1]["result"]["serverInfo"]["name"] == "ebmhw"
    limits = answers[2]["result"]["structuredContent"]["limits"]
    assert (limits["characters"], limits["workers"], limits["seconds"]) == (20, 3, 7.0)
    assert answers[3]["result"]["structuredContent"]["limit"] == 20


def test_a_missing_library_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.lowlevel", None)
    result = CliRunner().invoke(main, ["serve"])
    assert result.exit_code == 2
    assert "pip install 'ebmhw[mcp]'" in result.stderr
