"""ForwardTraces: traces by a second forward pass, where completions come from a server and nothing could be captured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import ConfigError, shown


@final
class ForwardTraces:
    """Makes traces of prompts and TRL's own completion ids by one forward pass of the model (see `ebmhw.coherence.capture.scoring`).

    Prompts are tokenised as TRL's GRPOTrainer does: messages by the chat template with a generation prompt, unless the last one is the model's and
    is gone on with; a text as it is. Completions are not tokenised anew.

    Parameters
    ----------
    model, tokenizer : of transformers; give the model that is trained, perhaps within peft's wrapper
    tools : those that the chat template tells the model about, as for GRPOTrainer
    chat_template_kwargs : further arguments of the chat template, likewise
    options : of `score_completions`: backend, batch, temperature, top_k, vocab_size
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, tools: Sequence[Any] | None = None, chat_template_kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        unknown = set(options) - {"backend", "batch", "temperature", "top_k", "vocab_size"}
        if unknown:
            raise ConfigError(f"ForwardTraces has no option {shown(min(unknown))}; it takes those of score_completions")
        self._model, self._tokenizer, self._options = model, tokenizer, options
        self._template = {"tools": list(tools) if tools else None, **(chat_template_kwargs or {})}

    def traces_after(self, prompts: Sequence[Any], completion_ids: Sequence[Sequence[int]]) -> list[CoherenceTrace | None]:
        """Return a trace for each completion; None where the prompt is None, or is longer with the completion than the model's context."""
        from ebmhw.coherence.capture.scoring import score_completions

        ids = [None if prompt is None else self._prompt_ids(prompt) for prompt in prompts]
        limit = getattr(self._model.config.get_text_config(), "max_position_embeddings", None) or float("inf")
        rows = [
            (i, prompt, list(tokens))
            for i, (prompt, tokens) in enumerate(zip(ids, completion_ids, strict=True))
            if prompt is not None and len(prompt) + len(tokens) <= limit
        ]
        traces: list[CoherenceTrace | None] = [None] * len(ids)
        scored = score_completions(self._model, [prompt for _, prompt, _ in rows], [tokens for _, _, tokens in rows], **self._options)
        for (i, _, _), trace in zip(rows, scored, strict=True):
            traces[i] = trace
        return traces

    def _prompt_ids(self, prompt: Any) -> list[int]:
        if isinstance(prompt, str):
            return list(self._tokenizer(text=prompt)["input_ids"])
        goes_on = bool(prompt) and prompt[-1].get("role") == "assistant"
        told = self._tokenizer.apply_chat_template(
            conversation=prompt, add_generation_prompt=not goes_on, continue_final_message=goes_on, tokenize=True, return_dict=True, **self._template
        )
        return list(told["input_ids"])

    def __repr__(self) -> str:
        return f"ForwardTraces({type(self._model).__name__})"
