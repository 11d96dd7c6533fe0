"""Tests of EndpointModel over TLS, straight and through a proxy."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from model_server import hostile_server, http_reply, read_request

from ebmhw.errors import ModelError
from ebmhw.verify.models import EndpointModel, Message

ASK = [Message("user", "What is 27 + 15?")]
ANSWER = http_reply(json.dumps({"choices": [{"message": {"content": "It is 42."}, "finish_reason": "stop"}]}))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A new certificate for 127.0.0.1 and model.test, signed by itself, as (certificate, key)."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:model.test"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", names]
    subprocess.run(["openssl", "req", "-x509", *kind, "-keyout", key, "-out", made], check=True, capture_output=True, timeout=60)
    return made, key


@contextlib.contextmanager
def tls_server(certificate, asked):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve(listening):
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                    asked.append(read_request(connection))
                    connection.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def test_a_certificate_has_to_be_trusted(certificate, monkeypatch):
    asked = []
    with tls_server(certificate, asked) as port:
        with pytest.raises(ModelError, match=r"certificate that is not trusted \(.*\); trust its issuer through SSL_CERT_FILE"):
            EndpointModel(f"https://127.0.0.1:{port}/v1", "m").generate(ASK, time_limit=20)
        assert asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert EndpointModel(f"https://127.0.0.1:{port}/v1", "m").generate(ASK, time_limit=20)[0].text == "It is 42."
        # The name is part of what is trusted.
        with pytest.raises(ModelError, match="not trusted"):
            EndpointModel(f"https://localhost:{port}/v1", "m").generate(ASK, time_limit=20)


def test_a_proxy_tunnels_and_never_sees_the_key(certificate, monkeypatch):
    asked, tunnels = [], []

    def pump(source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def speak(connection):
        tunnels.append(connection.request)
        with socket.create_connection(("127.0.0.1", port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join(10)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with tls_server(certificate, asked) as port, hostile_server(speak) as proxy:
        monkeypatch.setenv("https_proxy", proxy.removesuffix("/v1").replace("http://", "http://me:p%40ss@"))
        (found,) = EndpointModel("https://model.test/v1", "m", api_key="sk-secret-key").generate(ASK, time_limit=20)
    assert found.text == "It is 42." and b"Bearer sk-secret-key" in asked[0] and b"Proxy-Authorization" not in asked[0]
    assert tunnels[0].startswith(b"CONNECT model.test:443 ") and b"sk-secret-key" not in tunnels[0]
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in tunnels[0]


@pytest.mark.parametrize("drip", [b"x", b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"])
def test_a_proxy_that_never_ends_costs_no_more_than_the_limit(drip, monkeypatch):
    def speak(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" if drip == b"X: y\r\n" else b"")
        while True:
            connection.sendall(drip)
            time.sleep(0.02)

    with hostile_server(speak) as proxy:
        monkeypatch.setenv("https_proxy", proxy.removesuffix("/v1"))
        began = time.monotonic()
        with pytest.raises(ModelError, match=r"did not answer within 0\.4 s|broke the connection|not answer in HTTP"):
            EndpointModel("https://model.test/v1", "m").generate(ASK, time_limit=0.4)
        assert time.monotonic() - began < 10
        limit = time.monotonic() + 5
        while any(thread.name == "ebmhw language model" for thread in threading.enumerate()) and time.monotonic() < limit:
            time.sleep(0.01)
        assert not any(thread.name == "ebmhw language model" for thread in threading.enumerate())


def test_a_handshake_that_hangs_costs_no_more_than_the_limit():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(ModelError, match=r"did not answer within 0\.4 s"):
            EndpointModel(f"https://127.0.0.1:{silent.getsockname()[1]}/v1", "m").generate(ASK, time_limit=0.4)
        assert time.monotonic() - began < 10
