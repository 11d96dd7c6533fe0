"""A server with a language model, and what keeps the protocol apart from what libraries print."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from server_process import RawClient

pytest.importorskip("mcp")

SAYS = "97 + 86 = 183. The answer is 183."


class Model(BaseHTTPRequestHandler):
    """An endpoint whose model has one answer."""

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": "parrot", "object": "model"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"role": "assistant", "content": SAYS}
        self._answer({"choices": [{"index": 0, "message": message, "text": SAYS, "finish_reason": "stop"}]})

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        return None


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1#parrot"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_repairs_ask_the_model_where_there_is_one(endpoint: str) -> None:
    with RawClient("--llm", endpoint, "--workers", "1") as one:
        one.begin()
        assert one.answer(one.call("health_check"))["result"]["structuredContent"]["language_model"] is True
        call = {"question": "What is 97 + 86?", "response": "I do not know.", "domain": "arithmetic"}
        told = one.answer(one.call("verify_and_repair", **call))["result"]["structuredContent"]
        assert [attempt["method"] for attempt in told["attempts"]] == ["model"]
        assert (told["final_answer"], told["verdict"], told["repaired"]) == (SAYS, "VERIFIED", True)
        told = one.answer(one.call("verify_llm_output", **call))["result"]["structuredContent"]
        assert told["verdict"] == "UNKNOWN"


NOISE = """
import os, subprocess, sys
from ebmhw.serve.descriptors import Descriptors
with Descriptors() as wire:
    print("noise of Python", flush=True)
    os.write(1, b"noise of C\\n")
    subprocess.run([sys.executable, "-c", "print('noise of a child')"], check=True)
    assert os.read(0, 1) == b"" and os.read(wire.incoming, 100) == b"question"
    os.write(wire.outgoing, b"protocol\\n")
print("after")
"""


def test_what_anything_prints_is_not_in_the_protocol() -> None:
    done = subprocess.run([sys.executable, "-c", NOISE], input=b"question", capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"protocol\nafter\n"
    assert done.stderr.splitlines() == [b"noise of Python", b"noise of C", b"noise of a child"]
