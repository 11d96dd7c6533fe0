"""Servers for tests: a real OpenAI-compatible one with a small real model, and a hostile one that sends what it is told."""

import contextlib
import itertools
import math
import re
import socket
import threading
import time

import numpy as np

CORPUS = (
    "User: What is 27 + 15?\n\nAssistant: 27 + 15 = 42. The answer is 42.\n\n"
    "User: What is 8 * 7?\n\nAssistant: 8 * 7 = 56. The answer is 56.\n\n"
    "User: Who sings? \n\nAssistant: The gull sings, and the tern sings too.\n\n"
)


class Bigram:
    """A model of which letter follows which, counted in the corpus with one count added to each; the letter "\\0" ends a text."""

    def __init__(self):
        letters = sorted(set(CORPUS) | {"\0"})
        self.letters, self.at = letters, {letter: number for number, letter in enumerate(letters)}
        counts = np.full((len(letters), len(letters)), 0.05)
        for first, second in itertools.pairwise(CORPUS):
            counts[self.at[first], self.at["\0" if second == "\n" else second]] += 1
        self.probabilities = counts / counts.sum(axis=1, keepdims=True)

    def logprob(self, prompt, text):
        """Return the log-probability of a text after a prompt, its end not counted, letter by letter from the table."""
        total, last = 0.0, self.at.get(prompt[-1], 0)
        for letter in text:
            total += math.log(self.probabilities[last, self.at[letter]])
            last = self.at[letter]
        return total

    def generate(self, prompt, max_tokens, temperature, rng):
        """Return (letters, their log-probabilities, finish reason); the end counts as a letter."""
        last, found, logprobs = self.at.get(prompt[-1], 0), [], []
        while len(found) < max_tokens:
            row = self.probabilities[last]
            if temperature == 0:
                last = int(row.argmax())
            else:
                powers = row ** (1 / temperature)
                last = int(rng.choice(len(row), p=powers / powers.sum()))
            found.append(self.letters[last])
            logprobs.append(math.log(row[last]))
            if found[-1] == "\0":
                return found, logprobs, "stop"
        return found, logprobs, "length"


def application(quirks, seen):
    """Return the server; ``quirks`` says how it differs from OpenAI's, ``seen`` collects (path, body, authorization) of each request.

    Quirks: "no chat", "no completions", "no logprobs" (not given), "refuse logprobs"/"refuse seed"/"refuse n"/"refuse max_tokens" (status
    400), "one choice" (n ignored), "two models", "busy N" (503 to the first N requests).
    """
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    server, model = FastAPI(), Bigram()

    def failed(status, message, param=None, headers=None):
        return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}, status, headers)

    def choices(body, prompt):
        count = 1 if "one choice" in quirks else body.get("n", 1)
        rng = np.random.default_rng(body.get("seed"))
        limit = body.get("max_tokens", body.get("max_completion_tokens", 16))
        return [model.generate(prompt, limit, body.get("temperature", 1.0), rng) for _ in range(count)]

    async def refusal(request):
        body = await request.json() if request.method == "POST" else None
        seen.append((request.url.path, body, request.headers.get("authorization")))
        for quirk in quirks:
            kind, _, what = quirk.partition(" ")
            if kind == "busy" and len(seen) <= int(what):
                return failed(503, "The engine is overloaded", headers={"Retry-After": "0"})
            if kind == "refuse" and what in (body or {}):
                return failed(400, f"Unsupported parameter: '{what}' is not supported with this model.", what)
        return None

    def usage(found):
        return {"prompt_tokens": 1, "completion_tokens": sum(len(letters) for letters, _, _ in found), "total_tokens": 1}

    def content(letters):
        return "".join(letters).rstrip("\0")

    @server.get("/v1/models")
    async def models(request: Request):
        if (refused := await refusal(request)) is not None:
            return refused
        names = ["bigram", "trigram"] if "two models" in quirks else ["bigram"]
        return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in names]}

    if "no chat" not in quirks:

        @server.post("/v1/chat/completions")
        async def chat(request: Request):
            if (refused := await refusal(request)) is not None:
                return refused
            body = await request.json()
            found = choices(body, body["messages"][-1]["content"] + ":")
            answer = []
            for index, (letters, logprobs, finish) in enumerate(found):
                entries = [
                    {"token": token, "logprob": value, "bytes": None, "top_logprobs": []} for token, value in zip(letters, logprobs, strict=True)
                ]
                told = {"content": entries, "refusal": None} if body.get("logprobs") and "no logprobs" not in quirks else None
                message = {"role": "assistant", "content": content(letters)}
                answer.append({"index": index, "message": message, "logprobs": told, "finish_reason": finish})
            return {"id": "1", "object": "chat.completion", "created": 0, "model": "bigram", "choices": answer, "usage": usage(found)}

    if "no completions" not in quirks:

        @server.post("/v1/completions")
        async def completions(request: Request):
            if (refused := await refusal(request)) is not None:
                return refused
            body = await request.json()
            found = choices(body, body["prompt"])
            answer = []
            for index, (letters, logprobs, finish) in enumerate(found):
                told = {"tokens": letters, "token_logprobs": logprobs, "top_logprobs": None, "text_offset": [0] * len(letters)}
                told = told if body.get("logprobs") is not None and "no logprobs" not in quirks else None
                answer.append({"index": index, "text": content(letters), "logprobs": told, "finish_reason": finish})
            return {"id": "1", "object": "text_completion", "created": 0, "model": "bigram", "choices": answer, "usage": usage(found)}

    return server


@contextlib.contextmanager
def model_server(*quirks):
    """Run the server in a thread; yield (its address that ends in /v1, the list of requests seen)."""
    import uvicorn

    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application(quirks, seen), log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        limit = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < limit
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", seen
        finally:
            server.should_exit = True
            thread.join(20)


def read_request(connection):
    """Return all of a request, b"" where none came: a connection that is closed with something unread is reset, and the reply lost."""
    found, length = b"", None
    while length is None or len(found) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        found += piece
        head, end, _ = found.partition(b"\r\n\r\n")
        if end:
            told = re.search(rb"(?i)content-length: (\d+)", head)
            length = len(head) + 4 + (int(told[1]) if told else 0)
    return found


@contextlib.contextmanager
def hostile_server(speak):
    """Accept connections, read each request, and let ``speak(connection)`` do what it likes; yield the address."""
    stop = threading.Event()

    def talk(connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            connection.request = read_request(connection)
            if connection.request:
                speak(connection)

    class Connection(socket.socket):
        pass

    def accept(listening):
        while not stop.is_set():
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(Connection(fileno=plain.detach()),), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            stop.set()
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def http_reply(body, status="200 OK", kind="application/json", extra=""):
    """Return the bytes of a reply."""
    body = body if isinstance(body, bytes) else body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body
