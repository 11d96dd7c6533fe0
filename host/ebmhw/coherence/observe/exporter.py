"""Exporter: a log as a Prometheus endpoint, read on as it is scraped."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, SHUT_RDWR, socket
from typing import Any, final

from ebmhw.coherence.observe.prometheus import CONTENT_TYPE, render
from ebmhw.coherence.observe.reading import LogReader
from ebmhw.errors import ConfigError, EbmhwError, NetworkError

HOST = "127.0.0.1"
"""Address that is listened at unless another is given: this machine only."""

SCRAPES = 16
"""Requests that are answered at once; more are refused with status 503."""

TIMEOUT_S = 10.0
"""Seconds that a client may take for its request and for reading the answer, both together."""

REREAD_S = 1.0
"""Seconds between two looks at the log, however often it is scraped."""


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of "PORT", "HOST:PORT" or "[IPV6]:PORT"; port 0 is any that is free."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536) or (":" in host and not host.startswith("[")):
        raise ConfigError(f"--serve {text[:80]}: give PORT or HOST:PORT, such as 9464 or 0.0.0.0:9464; a port is 0 to 65535")
    return host.strip("[]") or HOST, int(port)


@final
class Exporter:
    """Serves ``GET /metrics`` from threads of its own until it is closed.

    Attributes
    ----------
    url : where the metrics are
    lock : held while the run is read or changed; whoever polls the reader as well takes it too
    """

    def __init__(self, reader: LogReader, host: str = HOST, port: int = 0) -> None:
        self.lock = threading.Lock()
        self._reader = reader
        self._text, self._read_at = "", -REREAD_S
        self._slots = threading.BoundedSemaphore(SCRAPES)
        kind = _Server6 if ":" in host else _Server
        try:
            self._server = kind((host, port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NetworkError(f"{host}:{port} cannot be listened at: {reason}; give a free port of this machine") from None
        self._server.exporter = self
        bound = self._server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(TIMEOUT_S)

    def metrics(self) -> str:
        """Return the metrics of the run, after a look at what is new in the log."""
        with self.lock:
            if time.monotonic() - self._read_at >= REREAD_S:
                self._reader.poll()
                self._text, self._read_at = render(self._reader.run), time.monotonic()
            return self._text

    def admit(self) -> bool:
        """Take one of the places for requests, False where there is none."""
        return self._slots.acquire(blocking=False)

    def release(self) -> None:
        """Give the place back."""
        self._slots.release()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    exporter: Exporter

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Answer in a thread where there is a place for one, else refuse at once."""
        assert isinstance(request, socket)
        if self.exporter.admit():
            super().process_request(request, client_address)
            return
        try:
            request.settimeout(0.1)
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass  # whoever asked is gone
        self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        assert isinstance(request, socket)
        # The timeout of a socket is one for each byte: a client that sends one now and then would never be cut off.
        deadline = threading.Timer(_Handler.timeout, _shut, (request,))
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self.exporter.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is no fault."""


def _shut(request: socket) -> None:
    """Make every wait for this client return."""
    with suppress(OSError):  # closed at this moment
        request.shutdown(SHUT_RDWR)


class _Server6(_Server):
    address_family = AF_INET6


class _Handler(BaseHTTPRequestHandler):
    timeout = TIMEOUT_S
    server_version = "ebmhw"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer /metrics."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer /metrics without its text."""
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        server = self.server
        assert isinstance(server, _Server)
        if self.path.partition("?")[0] != "/metrics":
            self._send(404, "text/plain; charset=utf-8", "only /metrics is here\n", body)
            return
        try:
            text = server.exporter.metrics()
        except EbmhwError as error:
            self._send(503, "text/plain; charset=utf-8", f"{error} [{error.code}]\n", body)
            return
        self._send(200, CONTENT_TYPE, text, body)

    def _send(self, status: int, kind: str, text: str, body: bool) -> None:
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: standard error belongs to the command."""
