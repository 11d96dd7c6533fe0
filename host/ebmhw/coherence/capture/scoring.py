"""score_completions: traces of given completions, by one forward pass over prompt and completion."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.capture.mass import likeliest_mass
from ebmhw.coherence.clipped import measurable
from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.measure import meter_of
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, MissingExtra, ModelError, shown
from ebmhw.numbers import whole
from ebmhw.phi import PhiRecords

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

BATCH = 8

_LOGIT_BYTES = 1 << 28
"""Logits of one forward pass; longer rows are read in parts, with the model's cache between them."""

Ids = Sequence[int]


def score_completions(
    model: Any,
    prompt_ids: Sequence[Any],
    completion_ids: Sequence[Any],
    *,
    backend: SamplerBackend | str | None = None,
    batch: int = BATCH,
    temperature: float = 1.0,
    top_k: int | None = None,
    vocab_size: int | None = None,
) -> list[CoherenceTrace]:
    """Return the trace of each completion after its prompt.

    Token t of a completion is judged by the model's output at the token before it, the last one of the prompt for t = 0: what
    `ebmhw.coherence.capture.recorder.PhiCapture` sees while the same tokens are generated, up to rounding of the forward pass. The first
    token after an empty prompt has no such output; it is unknown. Only logits that judge a token are computed where the model allows it
    (logits_to_keep), and a part of them at a time. No gradients; the model's training mode is as it was afterwards.

    Parameters
    ----------
    model : a causal language model of transformers, perhaps within peft's wrapper
    prompt_ids, completion_ids : token ids of each row, without padding; either may be empty
    backend : a backend, its name, or None for the default one
    batch : rows of one forward pass
    temperature : of the distribution that is measured, above 0; 1 for the model's own
    top_k : measure the probability of that many likeliest tokens too
    vocab_size : entries of a row that count, where the rest is padding; None for all

    Raises
    ------
    InvalidTrace
        for ids that are none, and for other arguments out of range.
    ModelError
        for a row that is longer than the model's context.
    """
    at_once = whole(batch)
    if at_once is None or at_once < 1:
        raise InvalidTrace(f"batch of a scoring is {shown(batch)}; give a whole number from 1 up")
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 < temperature < float("inf"):
        raise InvalidTrace(f"temperature of a scoring is {shown(temperature)}; give a number above 0, 1 for the model's own distribution")
    for name, given in (("prompt_ids", prompt_ids), ("completion_ids", completion_ids)):
        if isinstance(given, (str, bytes)) or not (hasattr(given, "__len__") and hasattr(given, "__iter__")):
            raise InvalidTrace(f"{name} of a scoring are {shown(given)}; give a list with the token ids of each row")
    if len(prompt_ids) != len(completion_ids):
        raise InvalidTrace(f"there are {len(prompt_ids)} prompts and {len(completion_ids)} completions; give a prompt to each completion")
    entries = _entries(model)
    rows = [
        (_ids(prompt, "prompt", row, entries), _ids(completion, "completion", row, entries))
        for row, (prompt, completion) in enumerate(zip(prompt_ids, completion_ids, strict=True))
    ]
    limit = _context(model)
    for row, (prompt, completion) in enumerate(rows):
        if limit is not None and len(prompt) + len(completion) > limit:
            raise ModelError(
                f"row {row} has {len(prompt)} tokens of prompt and {len(completion)} of completion; the model holds {limit}: shorten one of them"
            )
    meter = meter_of(backend)
    size = vocab_size if vocab_size is not None else entries
    found: list[CoherenceTrace | None] = [None] * len(rows)
    # Rows of like length side by side, so that little is padded.
    order = sorted(range(len(rows)), key=lambda row: len(rows[row][0]) + len(rows[row][1]))
    with _evaluating(model):
        for start in range(0, len(order), at_once):
            numbers = order[start : start + at_once]
            for row, trace in zip(numbers, _scored(model, [rows[row] for row in numbers], numbers, meter, temperature, top_k, size), strict=True):
                found[row] = trace
    return [trace for trace in found if trace is not None]


def _scored(
    model: Any, rows: Sequence[tuple[Ids, Ids]], numbers: Sequence[int], meter: SamplerBackend, temperature: float, top_k: int | None, size: int
) -> Iterator[CoherenceTrace]:
    """Yield the traces of a batch of rows."""
    lengths = [len(prompt) + len(completion) for prompt, completion in rows]
    width = max(lengths)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    following = np.full((len(rows), width), UNKNOWN_TOKEN, dtype=np.int64)
    for row, (prompt, completion) in enumerate(rows):
        ids[row, : lengths[row]] = [*prompt, *completion]
        first = max(len(prompt), 1)
        following[row, first - 1 : max(first, lengths[row]) - 1] = ids[row, first : lengths[row]]
    parts = list(_measured(model, ids, lengths, following, meter, temperature, top_k, size))
    for row, ((prompt, completion), number) in enumerate(zip(rows, numbers, strict=True)):
        # Output p judges the token at p + 1.
        columns = np.arange(len(prompt), lengths[row]) - 1
        yield _trace(row, columns, parts, np.array(completion, dtype=np.int64), size, number, top_k is not None)


Part = tuple[int, PhiRecords, "FloatArray | None"]
"""The column of its first output, the records (rows, columns), and the probability of the likeliest tokens."""


def _measured(
    model: Any,
    ids: npt.NDArray[np.int64],
    lengths: Sequence[int],
    following: npt.NDArray[np.int64],
    meter: SamplerBackend,
    temperature: float,
    top_k: int | None,
    size: int,
) -> Iterator[Part]:
    """Yield what the outputs that judge a token come to, part by part of the columns."""
    import torch

    judged = np.flatnonzero((following != UNKNOWN_TOKEN).any(axis=0))
    if not judged.size:
        return
    first, stop = int(judged[0]), int(judged[-1]) + 1
    columns = max(1, _LOGIT_BYTES // (len(ids) * size * 4))
    tokens = torch.from_numpy(ids).to(model.device)
    mask = (torch.arange(ids.shape[1])[None, :] < torch.tensor(lengths)[:, None]).to(device=model.device, dtype=torch.long)
    keeps = "logits_to_keep" in inspect.signature(_inner(model).forward).parameters
    cache = None
    # The first part takes the prompt along, whose outputs judge nothing.
    begin = 0
    for start in range(first, stop, columns):
        end = min(start + columns, stop)
        given = {"logits_to_keep": end - start} if keeps else {}
        last = end == stop
        output = model(
            input_ids=tokens[:, begin:end], attention_mask=mask[:, :end], past_key_values=cache, use_cache=not (last and begin == 0), **given
        )
        cache = None if last else output.past_key_values
        logits = output.logits[:, -(end - start) :]
        del output
        if temperature != 1.0:
            logits = logits.float() / temperature
        wanted = following[:, start:end]
        records = meter.phi(logits, chosen=np.where(wanted < size, wanted, UNKNOWN_TOKEN), vocab_size=size, mask=wanted != UNKNOWN_TOKEN)
        mass = None
        if top_k is not None:
            mass = likeliest_mass(logits[..., :size].flatten(0, 1), records.reshape(-1), top_k).reshape(wanted.shape)
        yield start, records, mass
        begin = end


def _trace(
    row: int, columns: npt.NDArray[np.int64], parts: Sequence[Part], ids: npt.NDArray[np.int64], size: int, number: int, with_mass: bool
) -> CoherenceTrace:
    fields = [np.full(len(ids), np.nan) for _ in range(4)]
    for start, records, mass in parts:
        inside = (columns >= start) & (columns < start + records.shape[1])
        of_row = records[row][columns[inside] - start]
        values = [of_row.phi, of_row.entropy_bits * np.log(2.0), np.exp(of_row.chosen_logprob)]
        values += [] if mass is None else [mass[row][columns[inside] - start]]
        for field, value in zip(fields, values, strict=False):
            field[inside] = np.where(measurable(of_row), value, np.nan)
    phi, entropy, prob, likely = fields
    known = np.where(ids < size, ids, UNKNOWN_TOKEN)
    return CoherenceTrace.of_fields(phi, entropy, prob, size, sample_idx=number, token_ids=known, top_k_mass=likely if with_mass else None)


def _ids(given: Any, what: str, row: int, entries: int) -> list[int]:
    plain = given.tolist() if hasattr(given, "tolist") else given
    if not isinstance(plain, (list, tuple, range)):
        raise InvalidTrace(f"the {what} of row {row} is {shown(given)}; give a list of its token ids, (T,), without padding")
    for token in plain:
        number = whole(token)
        if number is None or not 0 <= number < entries:
            raise InvalidTrace(f"the {what} of row {row} holds {shown(token)}; give token ids from 0 to {entries - 1}, without padding")
    return [int(token) for token in plain]


def _inner(model: Any) -> Any:
    base = getattr(model, "get_base_model", None)
    return model if base is None else base()


def _entries(model: Any) -> int:
    """Return how many entries a row of the model's logits has."""
    if not hasattr(model, "get_output_embeddings") or not hasattr(model, "config"):
        raise ModelError(f"a {type(model).__name__} cannot score completions; give a causal language model of transformers")
    try:
        import torch  # noqa: F401  # whether it is there at all
    except ImportError as error:
        raise MissingExtra(f"language models need torch ({error}): pip install 'ebmhw[llm]'") from None
    head = _inner(model).get_output_embeddings()
    weight = getattr(head, "weight", None)
    return int(weight.shape[0]) if weight is not None else int(model.config.get_text_config().vocab_size)


def _context(model: Any) -> int | None:
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Switch dropout and gradients off, and put back what each module had."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
