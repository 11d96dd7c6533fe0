"""HuggingFaceModel: any causal language model of transformers."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from ebmhw.errors import ModelError, ModelLoadError, shown
from ebmhw.verify.models.language_model import (
    PLAIN_STOP,
    Completion,
    LanguageModel,
    Message,
    Sampling,
    as_plain_text,
    conversation,
    plain_answer,
)
from ebmhw.verify.models.quiet import quiet

INSTALL = "pip install torch transformers accelerate"

# No tokenizer makes fewer tokens of a text than one in so many characters; a longer prompt need not be read to be refused.
_CHARACTERS_A_TOKEN = 512


@final
class HuggingFaceModel(LanguageModel):
    """Generates with a causal model and its tokenizer.

    Parameters
    ----------
    model : as `AutoModelForCausalLM.from_pretrained` returns it; used where it is, on its device and in its numbers
    tokenizer : its tokenizer. Its chat template writes the conversation; without one it is plain text, "User: ... Assistant:"
    name : what reports call it; None for the model's own
    rows : how many texts are generated side by side; what is over waits

    Draws are its own: the random states of torch, NumPy and Python are neither used nor changed. Settings of the model's own generation
    config that shape its distribution (such as a repetition penalty) hold; its temperature, top-k and top-p do not. The log-probability is
    of that distribution at temperature 1.

    The time limit is looked at after each token; a forward pass that has begun, above all the one over a long prompt, is not cut short.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str | None = None, rows: int = 32) -> None:
        for what, given, needed in (("model", model, "generate"), ("tokenizer", tokenizer, "decode")):
            if not hasattr(given, needed):
                raise ModelLoadError(f"the {what} is a {type(given).__name__}, which cannot {needed}; give (model, tokenizer) of transformers")
        self._model, self._tokenizer, self._rows = model, tokenizer, max(1, rows)
        self._name = name if name is not None else getattr(model.config, "_name_or_path", "") or type(model).__name__

    @classmethod
    def load(cls, source: str | os.PathLike[str], name: str | None = None, device: str | None = None, rows: int = 32) -> HuggingFaceModel:
        """Return the model in a folder, or by its name on the hub, from the cache where it is there.

        Parameters
        ----------
        device : None takes "cuda" where there is one, else "cpu"

        Folders are read offline. Names go online unless HF_HUB_OFFLINE=1. Code that comes with a model is never run. Raises ModelLoadError.
        """
        torch, transformers = libraries()
        here = Path(source).is_dir()
        try:
            with quiet():
                model = transformers.AutoModelForCausalLM.from_pretrained(source, local_files_only=here, trust_remote_code=False, dtype="auto")
                tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=here, trust_remote_code=False)
                model = model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except Exception as error:  # transformers raises what its parts raise: OSError, ValueError, KeyError, SafetensorError, ...
            text = " ".join(str(error).split())
            raise ModelLoadError(
                f"the model {shown(os.fspath(source))} cannot be loaded ({type(error).__name__}: {text[:300]}); give a folder with config.json, "
                "weights and tokenizer of a causal model, or a name on the hub that is cached or can be reached"
            ) from error
        return cls(model, tokenizer, name if name is not None else os.fspath(source), rows)

    @property
    def name(self) -> str:
        """The name given, or the folder or hub name that it was loaded from."""
        return self._name

    @property
    def model(self) -> Any:
        """The model of transformers."""
        return self._model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self._tokenizer

    def _answers(self, turns: tuple[Message, ...], sampling: Sampling) -> list[Completion]:
        """Return n answers, generated side by side."""
        return self._each([turns], sampling)[0]

    def generate_each(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        n: int = 1,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        time_limit: float | None = 60.0,
    ) -> list[list[Completion]]:
        """Return n answers to each conversation, many side by side; arguments as of `LanguageModel.generate`, the time limit for all.

        Each answer draws the random numbers that it would draw alone, so it differs from that one only by rounding.
        """
        sampling = Sampling.of(n, max_tokens, temperature, seed, time_limit)
        return self._each([conversation(messages) for messages in conversations], sampling)

    def _each(self, conversations: Sequence[tuple[Message, ...]], sampling: Sampling) -> list[list[Completion]]:
        prompts = [self._tokens(turns) for turns in conversations]
        first_seed = sampling.seed if sampling.seed is not None else random.SystemRandom().getrandbits(63)
        # The likeliest tokens are the same each time.
        samples = sampling.n if sampling.temperature > 0 else 1
        # Rows of like length side by side, so that little is padded.
        jobs = sorted(((at, sample) for at in range(len(prompts)) for sample in range(samples)), key=lambda job: (len(prompts[job[0]]), job))
        found: dict[tuple[int, int], Completion] = {}
        for start in range(0, len(jobs), self._rows):
            batch = jobs[start : start + self._rows]
            seeds = [(first_seed + sample * 0x9E3779B97F4A7C15) % (1 << 63) for _, sample in batch]
            found.update(zip(batch, self._run([prompts[at] for at, _ in batch], seeds, sampling), strict=True))
        return [_begun([found[at, sample % samples] for sample in range(sampling.n)]) for at in range(len(prompts))]

    @property
    def context(self) -> int | None:
        """How many tokens prompt and answer may have together; None where the model sets no limit."""
        config = self._model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        limit = getattr(config, "max_position_embeddings", None)
        return limit if isinstance(limit, int) and limit > 0 else None

    @property
    def _chats(self) -> bool:
        return bool(getattr(self._tokenizer, "chat_template", None))

    def _tokens(self, turns: Sequence[Message]) -> list[int]:
        limit = self.context
        length = sum(len(turn.content) for turn in turns)
        if limit is not None and length > limit * _CHARACTERS_A_TOKEN:
            raise ModelError(f"the prompt has {length} characters, more than the {limit} tokens that {self.name} holds; shorten it")
        try:
            if self._chats:
                text = self._tokenizer.apply_chat_template([turn._asdict() for turn in turns], tokenize=False, add_generation_prompt=True)
            else:
                text = as_plain_text(turns)
            # A template writes the special tokens itself.
            tokens = self._tokenizer(text, add_special_tokens=not self._chats)["input_ids"]
        except Exception as error:  # a template may refuse a conversation in its own words, a tokenizer half a surrogate pair
            raise ModelError(
                f"the tokenizer of {self.name} refuses the conversation ({type(error).__name__}: {error}); write it otherwise"
            ) from error
        if limit is not None and len(tokens) >= limit:
            raise ModelError(f"the prompt has {len(tokens)} tokens; {self.name} holds {limit}, the answer included: shorten it")
        return [int(token) for token in tokens]

    def _run(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], sampling: Sampling) -> list[Completion]:
        from ebmhw.verify.models.drawing import Drawing

        torch, transformers = libraries()
        model = self._model
        width = max(len(prompt) for prompt in prompts)
        room = None if self.context is None else self.context - width
        ends = _whole_numbers(model.generation_config.eos_token_id) | _whole_numbers(self._tokenizer.eos_token_id)
        filler = min(ends, default=0)
        drawing = Drawing(seeds, sampling, ends, None if self._chats else self._said)
        # Left of the prompt, so that every row's last token is its own.
        ids = torch.tensor([[filler] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=model.device)
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
        try:
            with quiet(), _evaluating(model), torch.inference_mode():
                if sampling.deadline.passed:
                    drawing.end_all()
                else:
                    model.generate(
                        input_ids=ids,
                        attention_mask=mask,
                        max_new_tokens=sampling.max_tokens if room is None else min(sampling.max_tokens, room),
                        do_sample=False,
                        num_beams=1,
                        num_return_sequences=1,
                        return_dict_in_generate=False,
                        pad_token_id=filler,
                        eos_token_id=sorted(ends) or None,
                        logits_processor=transformers.LogitsProcessorList([drawing.draw]),
                        stopping_criteria=transformers.StoppingCriteriaList([drawing.finished]),
                    )
        except torch.OutOfMemoryError:
            raise ModelError(f"{self.name} ran out of memory with {len(prompts)} texts side by side; give fewer rows or max_tokens") from None
        except (RuntimeError, ValueError, IndexError, NotImplementedError) as error:
            raise ModelError(
                f"{self.name} failed while it generated ({type(error).__name__}: {error}); see what transformers says of this model"
            ) from error
        return [self._completion(row.tokens, row.logprob, row.finish) for row in drawing.rows]

    def _said(self, tokens: Sequence[int]) -> bool:
        """Whether a plain-text answer has gone on to the user's next words."""
        return PLAIN_STOP in self._tokenizer.decode(tokens[-8:])

    def _completion(self, tokens: Sequence[int], logprob: float, finish: Any) -> Completion:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return Completion(text.strip() if self._chats else plain_answer(text), logprob if tokens else None, len(tokens), finish)


def libraries() -> tuple[Any, Any]:
    """Return (torch, transformers), or raise ModelLoadError that says how to get them."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelLoadError(f"language models of transformers need torch and transformers ({error}): {INSTALL}") from None
    return torch, transformers


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _begun(completions: list[Completion]) -> list[Completion]:
    """Leave out those that time left no token for, but for one where there is no other."""
    return [one for one in completions if one.tokens] or completions[:1]


def _whole_numbers(value: Any) -> set[int]:
    if value is None:
        return set()
    return {int(item) for item in value} if isinstance(value, (list, tuple)) else {int(value)}
