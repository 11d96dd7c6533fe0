"""generate: one answer to a prompt, with phi of each token as it comes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ebmhw.coherence.capture.captured import TokenPhi
from ebmhw.coherence.capture.generating import ends_of
from ebmhw.coherence.capture.loading import Loaded
from ebmhw.coherence.capture.recorder import PhiCapture
from ebmhw.coherence.capture.texts import TokenTexts, token_texts
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import EbmhwError, InvalidRun, ModelError, shown
from ebmhw.numbers import whole
from ebmhw.verify.models.quiet import quiet

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

MAX_TOKENS = 256
TEMPERATURE_LIMIT = 10.0


class Generation(NamedTuple):
    """An answer.

    Attributes
    ----------
    prompt_ids, token_ids : what the model read and what it wrote, the token that ends the text among it
    texts : what each token adds to the text, "" for all but the last of several that make one character
    trace : of token_ids
    finish : "stop" where the model ended the text, "length" where max_tokens or its context did, "interrupt" where Ctrl-C did
    seed : of the draws; None where none were made
    """

    prompt_ids: list[int]
    token_ids: list[int]
    texts: list[str]
    trace: CoherenceTrace
    finish: Literal["stop", "length", "interrupt"]
    seed: int | None

    @property
    def text(self) -> str:
        """The answer, with the marks that end it."""
        return "".join(self.texts)


def prompt_tokens(loaded: Loaded, prompt: str, system: str | None = None, chat: bool | None = None) -> list[int]:
    """Return the tokens of a prompt.

    Parameters
    ----------
    system : what stands before the conversation, of chats only
    chat : write the prompt as a user's turn by the tokenizer's chat template (True), or as it is, to be continued (False); None for a chat
        where there is a template

    Raises
    ------
    ModelError
        where there is no template, or the tokenizer refuses the text or makes no token of it.
    """
    tokenizer = loaded.tokenizer
    has_template = bool(getattr(tokenizer, "chat_template", None))
    chats = has_template if chat is None else chat
    if chats and not has_template:
        raise ModelError(f"the tokenizer of {loaded.name} has no chat template; let the model continue the text as it is (chat=False, --no-chat)")
    if system is not None and not chats:
        raise ModelError(f"{loaded.name} has no chat here, in which a system's message could stand; put it into the prompt")
    turns = [*([{"role": "system", "content": system}] if system is not None else []), {"role": "user", "content": prompt}]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) if chats else prompt
        # A template writes the special tokens itself.
        tokens = [int(token) for token in tokenizer(text, add_special_tokens=not chats)["input_ids"]]
    except Exception as error:  # a template may refuse a conversation in its own words, a tokenizer half a surrogate pair
        raise ModelError(f"the tokenizer of {loaded.name} refuses the prompt ({type(error).__name__}: {error}); write it otherwise") from error
    if not tokens:
        raise ModelError(f"the prompt {shown(prompt)} has no token; write one")
    return tokens


def generate(
    loaded: Loaded,
    prompt_ids: Sequence[int],
    *,
    max_tokens: int = MAX_TOKENS,
    temperature: float = 0.0,
    seed: int | None = None,
    on_token: Callable[[TokenPhi, str], object] | None = None,
    backend: SamplerBackend | str | None = None,
    top_k: int | None = None,
) -> Generation:
    """Return the model's answer to a prompt, whose tokens are told as they come; Ctrl-C ends it, and what there is is returned.

    Parameters
    ----------
    prompt_ids : as `prompt_tokens` returns them
    max_tokens : of the answer, 1 up; the model's context may end it before
    temperature : 0 for the likeliest token, above 0 up to 10 for draws; phi is of the model's distribution at temperature 1 either way
    seed : of the draws, 0 to 2^64 - 1; None for one that is drawn. torch's own generators are as they were afterwards.
    on_token : called with each token and what it adds to the text
    backend, top_k : as of `PhiCapture`

    Raises
    ------
    InvalidRun
        for an argument out of range.
    ModelError
        where the model does not hold the prompt, or fails.
    """
    count, start = whole(max_tokens), whole(seed)
    if count is None or count < 1:
        raise InvalidRun(f"max_tokens is {shown(max_tokens)}; give a whole number from 1 up")
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 <= temperature <= TEMPERATURE_LIMIT:
        raise InvalidRun(f"temperature is {shown(temperature)}; give 0 (always the likeliest token) to {TEMPERATURE_LIMIT:g}")
    if seed is not None and (start is None or not 0 <= start < 2**64):
        raise InvalidRun(f"seed is {shown(seed)}; give a whole number from 0 to 2^64 - 1")
    model, tokenizer = loaded.model, loaded.tokenizer
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(limit, int) and len(prompt_ids) >= limit:
        raise ModelError(f"the prompt has {len(prompt_ids)} tokens; {loaded.name} holds {limit}, the answer included: shorten it")
    ends = sorted({*ends_of(model.generation_config.eos_token_id), *ends_of(tokenizer.eos_token_id)})
    if temperature > 0 and start is None:
        start = random.SystemRandom().getrandbits(63)
    texts = TokenTexts(tokenizer)

    def hear(token: TokenPhi) -> None:
        if on_token is not None:
            on_token(token, texts.add(token.token_id))

    capture = PhiCapture(backend=backend, on_token=hear, top_k=top_k)
    drawing = {"do_sample": True, "temperature": float(temperature), "top_k": 0, "top_p": 1.0} if temperature > 0 else {"do_sample": False}
    room = count if not isinstance(limit, int) else min(count, limit - len(prompt_ids))
    interrupted = _run(
        loaded,
        capture,
        prompt_ids,
        start if temperature > 0 else None,
        {**drawing, "max_new_tokens": room, "num_beams": 1, "eos_token_id": ends or None, "pad_token_id": min(ends, default=0)},
    )
    if not capture.calls:
        nothing = CoherenceTrace.of_fields(np.empty(0), np.empty(0), np.empty(0), model.config.get_text_config().vocab_size)
        return Generation(list(prompt_ids), [], [], nothing, "interrupt", start if temperature > 0 else None)
    captured = capture.calls[-1]
    ids, trace = captured.completion_ids[0], captured.traces[0]
    finish: Literal["stop", "length", "interrupt"] = "stop" if ids and ids[-1] in ends else "interrupt" if interrupted else "length"
    return Generation(list(prompt_ids), ids, token_texts(tokenizer, ids), trace, finish, start if temperature > 0 else None)


def _run(loaded: Loaded, capture: PhiCapture, prompt_ids: Sequence[int], seed: int | None, given: dict[str, Any]) -> bool:
    """Generate, and return whether Ctrl-C ended it."""
    import torch

    model = loaded.model
    devices = [model.device] if model.device.type == "cuda" else []
    ids = torch.tensor([list(prompt_ids)], device=model.device)
    try:
        with quiet(), capture.attached(model), torch.inference_mode(), torch.random.fork_rng(devices, enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **given)
    except KeyboardInterrupt:
        return True
    except EbmhwError:
        raise
    except (RuntimeError, ValueError, IndexError, NotImplementedError) as error:
        raise ModelError(
            f"{loaded.name} failed while it generated ({type(error).__name__}: {error}); see what transformers says of this model"
        ) from error
    return False
