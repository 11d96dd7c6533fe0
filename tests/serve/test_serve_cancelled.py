"""Calls that the client cancels: their work stops, with every process and file that belongs to it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from server_process import SECONDS, RawClient, alive, children, descendants

pytest.importorskip("mcp")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_is_cancelled_stops_and_is_never_answered() -> None:
    with RawClient("--workers", "1") as one:
        one.begin()
        first = {"question": "", "response": "1 + 1 = 2", "domain": "arithmetic"}
        assert one.answer(one.call("verify_llm_output", **first))
        before = [child for child in children(one.process.pid) if _is_worker(child)]
        assert before
        number = one.call("verify_stream", domain="arithmetic", candidates=[{"question": "", "answer": "1 + 1 = 2. " * 800}] * 64)
        while not one.answer(one.call("health_check"))["result"]["structuredContent"]["calls_at_work"]:
            pass
        one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
        while one.answer(one.call("health_check"))["result"]["structuredContent"]["calls_at_work"]:
            pass
        # It was at work and did not come to the end of 64 texts: it was killed.
        assert not any(alive(worker) for worker in before)
        last = one.call("verify_llm_output", **first)
        while (message := one.line())["id"] != last:
            assert message["id"] != number
        assert message["result"]["structuredContent"]["verdict"] == "VERIFIED"


@pytest.mark.confined
def test_code_under_way_is_ended_with_its_call_and_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "import time\ndef f():\n    time.sleep(1000)\n"
    with RawClient("--workers", "1", "--time-limit", "300") as one:
        one.begin()
        number = one.call("verify_code", code=code, func_name="f", test_cases=[{"expected": 1}])
        while not any(map(_is_sandbox, running := descendants(one.process.pid))):
            time.sleep(0.02)
        one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
        assert one.well()
        until = time.monotonic() + SECONDS
        while any(alive(process) and _is_sandbox(process) for process in running):
            assert time.monotonic() < until
            time.sleep(0.02)
        (folder,) = tmp_path.glob("ebmhw-serve-*")
        right = one.answer(one.call("verify_code", code="def f(): return 1\n", func_name="f", test_cases=[{"expected": 1}]))
        assert right["result"]["structuredContent"]["verdict"] == "VERIFIED"
        assert len(list(folder.iterdir())) == 1, "folders of killed workers are removed"
        one.close_input()
        assert one.ended() == 0
    assert list(tmp_path.iterdir()) == []


def _is_sandbox(process: int) -> bool:
    try:
        return b"sandbox" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _is_worker(process: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
