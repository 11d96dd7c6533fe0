"""Responses as the objects of OpenAI's own client, and from a server of our own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from response_cases import Case

from ebmhw.coherence.responses import bounded_trace


def test_objects_of_the_client_are_read_like_json() -> None:
    types = pytest.importorskip("openai.types")
    chat = pytest.importorskip("openai.types.chat")
    api = pytest.importorskip("openai.types.responses")
    case = Case(5, 6, 50, 5)
    assert bounded_trace(chat.ChatCompletion.model_validate(case.chat("openai")), 50) == bounded_trace(case.chat("openai"), 50)
    assert bounded_trace([chat.ChatCompletionChunk.model_validate(one) for one in case.chunks()], 50) == bounded_trace(case.chunks(), 50)
    assert bounded_trace(types.Completion.model_validate(case.completion()), 50) == bounded_trace(case.completion(), 50)
    assert bounded_trace(api.Response.model_validate(case.response()), 50) == bounded_trace(case.response(), 50)
    assert bounded_trace(chat.ChatCompletion.model_validate(case.chat("openai")).model_dump(), 50) == bounded_trace(case.chat("openai"), 50)


@pytest.mark.parametrize("interface", ["chat", "completions"])
def test_a_response_of_a_server_to_the_official_client(interface: str) -> None:
    openai = pytest.importorskip("openai")
    from model_server import Bigram, model_server

    model = Bigram()
    with model_server() as (url, _), openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=20) as client:
        options: dict[str, Any] = {"model": "bigram", "seed": 5, "temperature": 1, "max_tokens": 30}
        if interface == "chat":
            answer = client.chat.completions.create(messages=[{"role": "user", "content": "What is 27 + 15?"}], logprobs=True, **options)
        else:
            answer = client.completions.create(prompt="User: What is 27 + 15?\n\nAssistant:", logprobs=1, **options)
    trace = bounded_trace(answer, len(model.letters))
    assert trace.n_tokens > 3
    entropies = [-(row * np.log(row)).sum() for row in model.probabilities]
    for t in range(1, trace.n_tokens):
        before = trace.tokens[t - 1]
        if before in model.at:
            assert trace.entropy_low[t] <= entropies[model.at[before]] <= trace.entropy_high[t]
