"""One HTTP request under a hard wall-clock limit and a limit of size, whatever the other side does.

Timeouts of sockets are not enough: a server that sends a byte a second never exceeds one. So a request runs in a thread of its own, and
when time is over its socket is shut down, which makes every wait in it return.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import ipaddress
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, final
from urllib.parse import SplitResult, unquote, urlsplit

from ebmhw.errors import shown
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.models.within import TimeOver, within

_PIECE = 1 << 16


class TransportError(Exception):
    """No whole reply came; the text follows the name of the endpoint: "cannot be reached ..."."""


@final
@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes
    ----------
    status : 200 and so on
    content_type : in lower case, without parameters; "" where none was given
    body : at most the limit's bytes
    location : where a redirect points
    retry_after : seconds, at least 0; None where none, or nothing readable, was given
    key : what was sent to be allowed in; no excerpt shows it
    """

    status: int
    content_type: str
    body: bytes
    location: str | None
    retry_after: float | None
    key: str | None = field(default=None, repr=False)

    @property
    def is_json(self) -> bool:
        """Whether it says that it is."""
        return self.content_type == "application/json" or self.content_type.endswith("+json")

    def message(self) -> str:
        """Return the error message and parameter that it holds in the form that OpenAI uses, quoted; else all of it as text."""
        text = self.body[:_PIECE].decode(errors="replace")
        try:
            error = json.loads(text).get("error")
            return f"{error.get('message')} {error.get('param')!r}"
        except (ValueError, AttributeError, RecursionError):
            return text

    def excerpt(self) -> str:
        """Return its beginning and its type, as they may stand in a message."""
        kind = f" ({shown(self.content_type)})" if self.content_type and not self.is_json else ""
        text = " ".join(without_key(self.body[:_PIECE].decode(errors="replace"), self.key).split())
        return f"{kind}: {text[:200]!r}" if text else f"{kind} and nothing else"


@final
class Transport:
    """Sends requests, each over a connection of its own; ``limit`` is the most bytes of a reply."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def request(self, method: str, url: str, body: Mapping[str, Any] | None, key: str | None, deadline: Deadline) -> Reply:
        """Return the reply to JSON, or raise TransportError, or `TimeOver` at the deadline."""
        parts = urlsplit(url)
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close", "User-Agent": "ebmhw"}
        if payload is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        connection, target = _connection(parts, headers, deadline)
        opened: list[socket.socket] = []

        def exchange() -> Reply:
            try:
                connection.connect()
                # The connection lets go of it once the headers are there, and reads on.
                opened.append(connection.sock)
                if deadline.passed:
                    raise TransportError("could be reached only when time was over")
                connection.request(method, target, payload, headers)
                with connection.getresponse() as response:
                    return self._read(response, key)
            finally:
                connection.close()

        try:
            return within(deadline, exchange, lambda: _shut([*opened, connection.sock]))
        except TimeoutError as error:
            if error.errno is None:  # the socket's own limit, which is the deadline
                raise TimeOver from None
            raise TransportError("cannot be reached: nothing answers at that address; correct it, or look at the network") from None
        except ssl.SSLCertVerificationError as error:
            raise TransportError(
                f"shows a certificate that is not trusted ({error.verify_message}); trust its issuer through SSL_CERT_FILE"
            ) from None
        except ConnectionRefusedError:
            raise TransportError("cannot be reached: the connection was refused; start the server or correct the address") from None
        except socket.gaierror as error:
            raise TransportError(f"cannot be reached: there is no such host ({error.strerror}); correct the address") from None
        except (http.client.HTTPException, UnicodeError) as error:
            raise TransportError(f"did not answer in HTTP ({type(error).__name__}: {shown(str(error))}); is it an HTTP server?") from None
        except ssl.SSLError as error:
            raise TransportError(f"does not speak TLS ({error.reason}); is it http:// rather than https://?") from None
        except OSError as error:
            raise TransportError(f"broke the connection ({type(error).__name__}: {error}); look at its log, then try again") from None

    def _read(self, response: http.client.HTTPResponse, key: str | None) -> Reply:
        encoding = response.getheader("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            raise TransportError(f"packed its reply as {shown(encoding)}, which it was asked not to do; turn compression off on it or its proxy")
        expected = response.length
        pieces, size = [], 0
        if expected is not None and expected > self._limit:
            raise TransportError(
                f"announced a reply of {expected} bytes; the limit is {self._limit}, so ask for fewer max_tokens or raise answer_limit"
            )
        while piece := response.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > self._limit:
                raise TransportError(f"sent more than {self._limit} bytes; ask for fewer max_tokens or raise answer_limit")
        if expected is not None and size < expected:
            raise TransportError(f"ended its reply after {size} of {expected} bytes; look at its log, then try again")
        return Reply(
            response.status,
            response.getheader("Content-Type", "").partition(";")[0].strip().lower(),
            b"".join(pieces),
            without_key(response.getheader("Location", ""), key) or None,
            _seconds(response.getheader("Retry-After")),
            key,
        )


def without_key(text: str, key: str | None) -> str:
    """Return a text with the key struck out; one of a few letters is no secret, and would strike out parts of words."""
    return text.replace(key, "***") if key is not None and len(key) >= 8 else text


def _shut(opened: Sequence[socket.socket | None]) -> None:
    # One that is still to be connected, or shakes hands, ends by its own limit, which is the same deadline.
    for sock in opened:
        if sock is not None:
            with suppress(OSError):  # closed at this moment
                sock.shutdown(socket.SHUT_RDWR)


def _connection(parts: SplitResult, headers: dict[str, str], deadline: Deadline) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not open yet, and what to request over it; a proxy may get a header of its own."""
    host = parts.hostname
    assert host is not None
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    timeout = min(deadline.left, 1e6)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    proxy = _proxy(parts.scheme, host)
    if proxy is None:
        if secure:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context()), target
        return http.client.HTTPConnection(host, port, timeout=timeout), target
    proof = {}
    if proxy.username is not None:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        proof["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    assert proxy.hostname is not None
    if secure:
        tunnel = http.client.HTTPSConnection(proxy.hostname, proxy.port or 80, timeout=timeout, context=ssl.create_default_context())
        tunnel.set_tunnel(host, port, headers=proof)
        return tunnel, target
    headers.update(proof)
    return http.client.HTTPConnection(proxy.hostname, proxy.port or 80, timeout=timeout), parts._replace(fragment="").geturl()


def _proxy(scheme: str, host: str) -> SplitResult | None:
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies()
    address = found.get(scheme) or found.get("all")
    if not address:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise TransportError(
            f"cannot be reached through the proxy that {scheme}_proxy or all_proxy names; name one at http://, or add the host to no_proxy"
        )
    return parts


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(text: str | None) -> float | None:
    """Return what Retry-After means, in seconds from now: a whole number, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal() and len(text) < 12:
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError):
        return None
