"""Responses as OpenAI's servers and vLLM's give them, made of distributions that are known in full."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Logprob:
    """As vllm.logprobs.Logprob."""

    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


class Case:
    """A completion of T tokens over V, of which the k likeliest are told; some texts stand for two tokens."""

    def __init__(self, seed: int, tokens: int, size: int, k: int) -> None:
        rng = np.random.default_rng(seed)
        logits = rng.normal(0, rng.choice([0.1, 1.0, 4.0], (tokens, 1)), (tokens, size)).astype(np.float32)
        if rng.random() < 0.3:
            logits = np.round(logits)
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.logprobs = (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32).astype(np.float64)
        exact = shifted.astype(np.float64) - np.log(np.exp(shifted.astype(np.float64)).sum(axis=1, keepdims=True))
        self.entropy = np.array([-math.fsum((np.exp(row) * row).tolist()) for row in exact])
        self.prob = exact
        self.size, self.k = size, min(k, size)
        self.chosen = np.array([rng.integers(size) if rng.random() < 0.5 else int(row.argmax()) for row in logits], dtype=int)
        self.texts = [f"t{i if i % 7 else 0}" for i in range(size)]  # every seventh token has the text "t0"

    @property
    def selected_prob(self) -> np.ndarray:
        return np.exp(self.prob[np.arange(len(self.chosen)), self.chosen])

    def top(self, t: int) -> list[int]:
        return np.argsort(-self.logprobs[t], kind="stable")[: self.k].tolist()

    def with_chosen_first(self, t: int) -> list[int]:
        """As vLLM's mappings: the token itself, then the likeliest."""
        return list(dict.fromkeys([int(self.chosen[t]), *self.top(t)]))

    def entry(self, t: int, i: int) -> dict[str, Any]:
        return {"token": self.texts[i], "logprob": max(float(self.logprobs[t, i]), -9999.0), "bytes": list(self.texts[i].encode())}

    def content(self, server: str) -> list[dict[str, Any]]:
        """The list of a chat completion; vLLM cuts its mapping, the token itself first, to k entries."""
        lists = [self.top(t) if server == "openai" else self.with_chosen_first(t)[: self.k] for t in range(len(self.chosen))]
        return [self.entry(t, int(self.chosen[t])) | {"top_logprobs": [self.entry(t, i) for i in top]} for t, top in enumerate(lists)]

    def chat(self, server: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": "x"}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": self.content(server), "refusal": None}}
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}

    def chunks(self) -> list[dict[str, Any]]:
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None, "logprobs": None}
        middle = [
            {"index": 0, "delta": {"content": "x"}, "finish_reason": None, "logprobs": {"content": [entry], "refusal": None}}
            for entry in self.content("openai")
        ]
        return [base | {"choices": [one]} for one in (first, *middle)] + [base | {"choices": []}]

    def completion(self) -> dict[str, Any]:
        tops = [{self.texts[i]: float(self.logprobs[t, i]) for i in self.with_chosen_first(t)} for t in range(len(self.chosen))]
        own = [float(self.logprobs[t, i]) for t, i in enumerate(self.chosen)]
        logprobs = {"tokens": [self.texts[i] for i in self.chosen], "token_logprobs": own, "top_logprobs": tops, "text_offset": [0] * len(own)}
        choice = {"index": 0, "finish_reason": "stop", "text": "x", "logprobs": logprobs}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}

    def response(self) -> dict[str, Any]:
        text = {"type": "output_text", "text": "x", "annotations": [], "logprobs": self.content("openai")}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
        base = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1.0,
            "model": "m",
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
        }
        return base | {"output": [{"id": "rs_1", "type": "reasoning", "summary": []}, message]}

    def mappings(self, ranks: str = "at least") -> list[dict[int, Logprob]]:
        """As vLLM's Python objects; the token's own rank counts the entries at least as likely, or (in older versions) those likelier."""
        rows = []
        for t, i in enumerate(self.chosen.tolist()):
            own = self.logprobs[t, i]
            rank = int((self.logprobs[t] >= own).sum()) if ranks == "at least" else int((self.logprobs[t] > own).sum()) + 1
            row = {i: Logprob(float(own), rank, self.texts[i])}
            row |= {j: Logprob(float(self.logprobs[t, j]), place, self.texts[j]) for place, j in enumerate(self.top(t), 1)}
            rows.append(row)
        return rows
