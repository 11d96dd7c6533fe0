"""responses: what endpoints tell of their tokens (the likeliest few, with log-probabilities), read into `BoundedTrace`.

`bounded_trace` takes a response of the chat completions, completions and Responses APIs as OpenAI defined them and others serve them, and the
outputs of vLLM, each as parsed JSON or as the objects of their Python clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.responses.chat import read_chat
    from ebmhw.coherence.responses.completions import read_completion
    from ebmhw.coherence.responses.forms import bounded_trace, read_tokens
    from ebmhw.coherence.responses.openai import read_response
    from ebmhw.coherence.responses.tokens import ListedToken, trace_of
    from ebmhw.coherence.responses.vllm import read_prompt, read_vllm

_HOMES = {
    "ListedToken": "tokens",
    "bounded_trace": "forms",
    "read_chat": "chat",
    "read_completion": "completions",
    "read_prompt": "vllm",
    "read_response": "openai",
    "read_tokens": "forms",
    "read_vllm": "vllm",
    "trace_of": "tokens",
}

__all__ = [
    "ListedToken",
    "bounded_trace",
    "read_chat",
    "read_completion",
    "read_prompt",
    "read_response",
    "read_tokens",
    "read_vllm",
    "trace_of",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
