"""How a server ends: at the end of its input, by signals, with a client that dies, killed; no worker outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from server_process import SECONDS, RawClient, alive, children

pytest.importorskip("mcp")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_end_of_input_in_the_midst_of_work_ends_server_and_workers() -> None:
    with RawClient("--workers", "2") as one:
        one.begin()
        assert one.answer(one.call("verify_llm_output", question="", response="1 + 1 = 2", domain="arithmetic"))
        workers = children(one.process.pid)
        assert workers
        for _ in range(8):
            one.call("verify_llm_output", question="", response="1 + 1 = 2. " * 900, domain="arithmetic")
        one.send(b'{"jsonrpc": "2.0", "id": 1, "met')
        one.close_input()
        assert one.ended() == 0
        _all_end(workers)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)])
def test_signals_end_it_cleanly(number: signal.Signals, status: int) -> None:
    with RawClient("--workers", "1") as one:
        one.begin()
        one.signal(number)
        assert one.ended() == status
        assert "Traceback" not in one.complaints()


def test_a_client_that_dies_without_reading_ends_it() -> None:
    """Both pipes are closed while answers wait in them."""
    with RawClient("--workers", "1") as one:
        one.begin()
        for _ in range(30):
            one.request("tools/list")
        assert one.process.stdout is not None
        one.process.stdout.close()
        one.close_input()
        assert one.ended() == 0
        assert "Traceback" not in one.complaints()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_do_not_outlive_a_server_that_is_killed() -> None:
    with RawClient("--workers", "1") as one:
        one.begin()
        assert one.answer(one.call("verify_llm_output", question="", response="1 + 1 = 2", domain="arithmetic"))
        workers = children(one.process.pid)
        one.process.kill()
        one.ended()
        _all_end(workers)


def test_closed_standard_streams_are_told_of() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, '-m', 'ebmhw', 'serve'])"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"standard input and output are not both open" in done.stderr


def test_a_client_that_never_reads_standard_error_is_served_up_to_a_last_line_without_end() -> None:
    """Each refusal writes a line of some 100 bytes there; a pipe takes 65,536."""
    with RawClient("--verbose") as one:
        one.begin()
        for _ in range(1000):
            one.send(b"nonsense\n")
            assert one.line()["error"]["code"] == -32700
        assert one.well()
        one.send(b'{"jsonrpc": "2.0", "id": "last", "method": "ping"}')
        one.close_input()
        assert one.line() == {"jsonrpc": "2.0", "id": "last", "result": {}}
        assert one.ended() == 0


def _all_end(processes: list[int]) -> None:
    """The library's own helper process ends a moment after the server does."""
    until = time.monotonic() + SECONDS
    while any(alive(process) for process in processes):
        assert time.monotonic() < until
        time.sleep(0.02)
