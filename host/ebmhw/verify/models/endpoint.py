"""EndpointModel: a language model behind an OpenAI-compatible HTTP interface."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, final
from urllib.parse import urlsplit

from ebmhw.errors import ModelError, ModelLoadError, shown
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.models.answers import model_names, read_answer
from ebmhw.verify.models.http import Reply, Transport, TransportError, without_key
from ebmhw.verify.models.language_model import PLAIN_STOP, Completion, LanguageModel, Message, Sampling, as_plain_text
from ebmhw.verify.models.within import TimeOver

Interface = Literal["chat", "completions"]

KEY_VARIABLE = "EBMHW_API_KEY"
MOST_TRIES = 5
_FIRST_WAIT = 0.5  # seconds before the second try; doubled before each later one
_BUSY = (429, 500, 502, 503, 504)
_ABSENT = (404, 405, 501)
_OPTIONAL = ("logprobs", "seed", "n")


@final
class EndpointModel(LanguageModel):
    """Asks /chat/completions of an endpoint, or /completions where it offers only that.

    Parameters
    ----------
    url : such as "http://127.0.0.1:8000/v1"; "#name" at its end names the model. Proxies of the environment are used, but never for
        addresses of this machine; redirects are not followed
    model : its name; None for the one that the endpoint offers
    api_key : None takes the environment's EBMHW_API_KEY, and for api.openai.com also OPENAI_API_KEY. No error, name or repr shows it
    interface : "chat" or "completions" to ask only that
    answer_limit : bytes of one reply

    Busy endpoints (429, 5xx) are asked up to five times within the time limit, after the time that they name in Retry-After or after
    0.5, 1, 2 and 4 s. Log-probabilities and seeds are asked for and left out where the endpoint refuses them.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        api_key: str | None = None,
        interface: Interface | None = None,
        answer_limit: int = 16 << 20,
    ) -> None:
        self._url, named = _checked_url(url)
        self._model = model if model is not None else named
        if interface not in (None, "chat", "completions"):
            raise ModelLoadError(f"interface is {shown(interface)}; give 'chat', 'completions', or None for what is there")
        self._interfaces: tuple[Interface, ...] = ("chat", "completions") if interface is None else (interface,)
        self._key = _checked_key(api_key if api_key is not None else _key_of_environment(self._url))
        self._transport = Transport(answer_limit)
        self._refused: set[str] = set()

    def __repr__(self) -> str:
        return f"EndpointModel({self.name!r})"

    @property
    def name(self) -> str:
        """The address, and after "#" the model once it is known."""
        address = self._url.partition("?")[0]
        return address if self._model is None else f"{address}#{self._model}"

    def _answers(self, turns: tuple[Message, ...], sampling: Sampling) -> list[Completion]:
        """Return n answers, asking again where the endpoint gives fewer than it was asked for."""
        found: list[Completion] = []
        try:
            if self._model is None:
                self._model = self._only_model(sampling.deadline)
            calls = 0
            while len(found) < sampling.n:
                # The same seed again would only give the same answers again.
                again = None if sampling.seed is None else (sampling.seed + calls) % (1 << 63)
                found += self._ask(turns, sampling, sampling.n - len(found), again)[: sampling.n - len(found)]
                calls += 1
        except TimeOver:
            if found:
                return found
            raise ModelError(
                f"{self.name} did not answer within {sampling.deadline.seconds:g} s; is it working? Give a larger time_limit or fewer max_tokens"
            ) from None
        except ModelError as error:
            # What it had answered before it failed is whole.
            if not found:
                raise ModelError(without_key(str(error), self._key)) from None
        return found

    def _only_model(self, deadline: Deadline) -> str:
        reply = self._request("GET", "models", None, deadline)
        remedy = f"name one: {self.name}#NAME"
        if reply.status in _ABSENT:
            raise ModelError(f"{self.name} does not list its models (status {reply.status}); {remedy}")
        self._check_status(reply)
        names = model_names(reply, self.name)
        if len(names) != 1:
            raise ModelError(f"{self.name} offers {len(names)} models ({shown(', '.join(names[:10]))}); {remedy}")
        return names[0]

    def _ask(self, turns: Sequence[Message], sampling: Sampling, n: int, seed: int | None) -> list[Completion]:
        refusal: Reply | None = None
        for interface in self._interfaces:
            reply = self._ask_interface(interface, turns, sampling, n, seed)
            if not _is_absent(reply):
                self._check_status(reply)
                self._interfaces = (interface,)
                return read_answer(reply, interface, self.name)
            refusal = refusal or reply
        assert refusal is not None
        self._check_status(refusal)
        raise AssertionError("a reply that says that nothing is there has no good status")

    def _ask_interface(self, interface: Interface, turns: Sequence[Message], sampling: Sampling, n: int, seed: int | None) -> Reply:
        path = "chat/completions" if interface == "chat" else "completions"
        while True:
            body = self._body(interface, turns, sampling, n, seed)
            reply = self._request("POST", path, body, sampling.deadline)
            refused = _refused_parameter(reply, body)
            if refused is None:
                return reply
            self._refused.add(refused)

    def _body(self, interface: Interface, turns: Sequence[Message], sampling: Sampling, n: int, seed: int | None) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model, "temperature": sampling.temperature, "n": n, "stream": False}
        if interface == "chat":
            body |= {"messages": [message._asdict() for message in turns], "logprobs": True}
        else:
            body |= {"prompt": as_plain_text(turns), "logprobs": 1, "stop": [PLAIN_STOP]}
        if seed is not None:
            body["seed"] = seed
        # The newer name of the same limit, which some models insist on.
        body["max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"] = sampling.max_tokens
        return {key: value for key, value in body.items() if key not in self._refused}

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None, deadline: Deadline) -> Reply:
        base, mark, query = self._url.partition("?")
        for number in range(1, MOST_TRIES + 1):
            try:
                reply = self._transport.request(method, f"{base}/{path}{mark}{query}", body, self._key, deadline)
            except TransportError as error:
                raise ModelError(f"{self.name} {error}") from None
            if reply.status not in _BUSY or number == MOST_TRIES:
                return reply
            wait = reply.retry_after if reply.retry_after is not None else _FIRST_WAIT * 2 ** (number - 1)
            if wait >= deadline.left:
                self._fail(reply, f"it is busy, and its time to wait, {wait:g} s, ends after the time_limit of {deadline.seconds:g} s; try later")
            time.sleep(wait)
        raise AssertionError("the last try returns its reply")

    def _check_status(self, reply: Reply) -> None:
        status = reply.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            self._fail(
                reply, f"redirects are not followed, because they could carry the key elsewhere; give the address itself{_quoted(reply.location)}"
            )
        if status in (401, 403):
            self._fail(reply, f"it wants a key that is allowed to do this; give api_key or set {KEY_VARIABLE}")
        if status in _ABSENT:
            self._fail(reply, "is the address right (it mostly ends in /v1), and does it have this model?")
        if status in _BUSY:
            self._fail(reply, f"asked {MOST_TRIES} times; it is busy or broken, try later or look at its log")
        self._fail(reply, "see its documentation for what it accepts")

    def _fail(self, reply: Reply, remedy: str) -> NoReturn:
        raise ModelError(f"{self.name} answered status {reply.status}{reply.excerpt()}; {remedy}")


def _checked_url(url: str) -> tuple[str, str | None]:
    given, _, named = url.partition("#")
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good, parts = False, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ModelLoadError(
            f"the address of a model at {shown(parts.hostname)} holds a user or password, which would be shown; give api_key instead"
        )
    if not good or not given.isascii() or not given.isprintable() or " " in given:
        raise ModelLoadError(f"{shown(given)} is no address of an endpoint; give one such as http://127.0.0.1:8000/v1")
    base, mark, query = given.partition("?")
    return base.rstrip("/") + mark + query, named or None


def _key_of_environment(url: str) -> str | None:
    found = os.environ.get(KEY_VARIABLE)
    # Only to its own host: a key is not for whoever is asked.
    if not found and urlsplit(url).hostname == "api.openai.com":
        found = os.environ.get("OPENAI_API_KEY")
    return found or None


def _checked_key(key: str | None) -> str | None:
    if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
        raise ModelLoadError("the api_key is empty, or holds spaces, line ends or letters outside ASCII; give it as it was issued")
    return key


def _is_absent(reply: Reply) -> bool:
    # vLLM answers 400 to a chat with a model that has no chat template.
    return reply.status in _ABSENT or (reply.status == 400 and "chat template" in reply.message())


def _refused_parameter(reply: Reply, body: Mapping[str, Any]) -> str | None:
    """Return what the endpoint says it does not take, of what can be left out or said otherwise."""
    if reply.status not in (400, 422):
        return None
    message = reply.message()
    for name in (*_OPTIONAL, "max_tokens"):
        if name in body and re.search(rf"['\"`]{name}['\"`]", message):
            return name
    return None


def _quoted(location: str | None) -> str:
    return f", {shown(location)}" if location else ""
