"""How fast `ebmhw serve` answers, and what a thousand calls leave in memory; wall-clock, for most of the work is in its processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, final

from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing

SECONDS = 60.0
"""Longest end of a server; a call's limit is the server's own."""

CALLS: dict[str, dict[str, Any]] = {
    "health_check": {},
    "verify_llm_output": {"question": "What is 97 + 86?", "response": "97 + 86 = 173, so the answer is 173."},
    "verify_code": {"code": "def add(a, b):\n    return a + b\n", "func_name": "add", "test_cases": [{"args": [1, 2], "expected": 3}]},
}
MANY = {"health_check": 1000, "verify_llm_output": 400, "verify_code": 10}
"""Calls of a round."""


@final
class Server:
    """A server of this package and the client of it, in raw lines.

    Attributes
    ----------
    seconds : until it had answered `initialize`
    """

    def __init__(self, *options: str) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen([sys.executable, "-m", "ebmhw", "serve", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._numbers = count(1)
        self._send("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}})
        self._receive()
        self.seconds = time.perf_counter() - began

    def _send(self, method: str, parameters: Any) -> None:
        assert self._process.stdin is not None
        message = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the server ended"}
        if "error" in answer or answer["result"].get("isError", False):
            raise RuntimeError(f"the server answered {str(answer)[:300]}")
        return answer["result"]

    def rate(self, tool: str, calls: int, beside: int) -> float:
        """Return calls answered a second, ``beside`` of them under way at a time."""
        began = time.perf_counter()
        for number in range(calls + beside):
            if number >= beside:
                self._receive()
            if number < calls:
                self._send("tools/call", {"name": tool, "arguments": CALLS[tool]})
        return calls / (time.perf_counter() - began)

    def memory(self) -> float:
        """Return MB that the server and its workers hold; Linux only."""
        total = 0
        for process in [self._process.pid, *_children(self._process.pid)]:
            try:
                lines = Path(f"/proc/{process}/status").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return total / 1000

    def end(self) -> None:
        """Close its input and wait for its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


def cases(quick: bool) -> list[Case]:
    """Return the cases: the start, calls a second one after the other and eight at a time, memory."""
    made = [
        Case(
            name="serve/start",
            measures="seconds from the start of the process to the answer to `initialize`",
            unit="s",
            ours=lambda _: lambda number: _start(),
            peers=(Peer("carnot.mcp", _carnot),),
            higher_is_better=False,
        )
    ]
    for tool, calls in MANY.items():
        for beside in (1, 8):
            made.append(_rate(tool, max(beside, calls // 10) if quick else calls, beside))
    if not quick and sys.platform == "linux":
        made.append(
            Case(
                name="serve/memory",
                measures="MB that server and workers hold after 1,000 further calls of verify_llm_output, beyond what they held after 200",
                unit="MB",
                setup=_shared,
                ours=lambda server: lambda number: _growth(server),
                higher_is_better=False,
                ratio=False,
                max_rounds=1,
                warm_up=False,
            )
        )
    return made


def _rate(tool: str, calls: int, beside: int) -> Case:
    def ours(server: Server) -> Measure:
        return lambda number: server.rate(tool, calls, beside)

    together = "one after the other" if beside == 1 else f"{beside} at a time"
    return Case(
        name=f"serve/{tool}, {together}",
        measures=f"calls of {tool} a second, {together}, as a client sees them; the worker is warm",
        unit="calls/s",
        setup=_shared,
        ours=ours,
        peers=(Peer("carnot.mcp", _carnot),),
    )


def _shared(stack: ExitStack) -> Server:
    return stack.enter_context(_running())


@contextmanager
def _running() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.end()


def _start() -> float:
    with _running() as server:
        return server.seconds


def _growth(server: Server) -> float:
    server.rate("verify_llm_output", 200, 8)
    before = server.memory()
    server.rate("verify_llm_output", 1000, 8)
    return server.memory() - before


def _carnot(shared: Any) -> Measure:
    if find_spec("carnot") is None:
        raise PeerMissing("carnot-ebm is not installed: pip install carnot-ebm")
    # Ours needs mcp 2 and carnot.mcp an older one: they never stand in one environment.
    raise PeerMissing("carnot.mcp serves with mcp below 2 only; with a later one it ends at once without an answer")


def _children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in listed.split()]
