"""vLLM's own outputs: a mapping {token id: logprob, rank, decoded_token} a token, with the token itself beyond the likeliest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from ebmhw.coherence.bounds.interval import TOLERANCE
from ebmhw.coherence.responses.fields import logprob, member, pick, sequence, text
from ebmhw.coherence.responses.tokens import Alternative, ListedToken, listed
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole


def read_vllm(output: Any, choice: int = 0, *, tolerance: float = TOLERANCE) -> list[ListedToken]:
    """Return the tokens of ``output.outputs[choice]`` of a RequestOutput, which ``LLM.generate`` gives for every prompt.

    Raises
    ------
    InvalidTrace
        where it was made without log-probabilities or is of another form, naming the place.
    """
    completion = pick(sequence(member(output, "outputs"), "outputs", "give a RequestOutput"), choice, "outputs")
    rows = member(completion, "logprobs")
    place = f"outputs[{choice}].logprobs"
    if rows is None:
        raise InvalidTrace(f"{place} is None; ask for SamplingParams(logprobs=20)")
    return _tokens(rows, member(completion, "token_ids"), place, tolerance)


def read_prompt(output: Any, choice: int = 0, *, tolerance: float = TOLERANCE) -> list[ListedToken]:
    """Return the tokens of the prompt, of ``prompt_logprobs``: of a RequestOutput, or of a response of vLLM's server, or of its choice.

    Nothing is known of the first token, which nothing comes before.
    """
    place, ids = "prompt_logprobs", member(output, "prompt_token_ids")
    rows = member(output, "prompt_logprobs")
    choices = member(output, "choices")
    if rows is None and choices is not None:
        picked = pick(sequence(choices, "choices"), choice, "choices")
        place, rows = f"choices[{choice}].prompt_logprobs", member(picked, "prompt_logprobs")
        ids = member(picked, "prompt_token_ids") if ids is None else ids
    if rows is None:
        raise InvalidTrace("prompt_logprobs is None; ask for SamplingParams(prompt_logprobs=20), or extra_body={'prompt_logprobs': 20}")
    return _tokens(rows, ids, place, tolerance)


def _tokens(rows: Any, token_ids: Any, place: str, tolerance: float) -> list[ListedToken]:
    rows = sequence(rows, place)
    ids: Sequence[Any] = [None] * len(rows) if token_ids is None else sequence(token_ids, f"token ids beside {place}")
    if len(ids) != len(rows):
        raise InvalidTrace(f"{place} has {len(rows)} tokens, but there are {len(ids)} token ids beside it; give the output as it came")
    return [_token(row, token_id, f"{place}[{t}]", tolerance) for t, (row, token_id) in enumerate(zip(rows, ids, strict=True))]


def _token(row: Any, given: Any, place: str, tolerance: float) -> ListedToken:
    own = None if given is None else _id(given, f"token id of {place}")
    if row is None:
        return ListedToken("", None, (), (), 0.0, own, place)
    if not isinstance(row, Mapping):
        raise InvalidTrace(f"{place} is {shown(row)}, not a mapping of token ids; give the output as it came")
    entries: list[tuple[int | None, Alternative]] = []
    unknown = False
    for key, value in row.items():
        number, where = _id(key, place), f"{place}[{shown(key)}]"
        rank = member(value, "rank")
        if rank is not None and (whole(rank) is None or rank < 1):
            raise InvalidTrace(f"{where}.rank is {shown(rank)}; ranks are whole numbers from 1 up")
        nats = logprob(member(value, "logprob"), f"{where}.logprob", tolerance)
        unknown |= nats is None
        entries.append((rank, Alternative(text(member(value, "decoded_token"), f"{where}.decoded_token"), -inf if nats is None else nats, number)))
    if len({entry.token_id for _, entry in entries}) != len(entries):
        raise InvalidTrace(f"{place} has a token id twice; give the output as it came")
    if own is None and entries:  # the token itself comes first
        own = entries[0][1].token_id
    mine = next((entry for _, entry in entries if entry.token_id == own), None)
    words = "" if mine is None else mine.text
    nats = None if mine is None or mine.logprob == -inf else mine.logprob
    if unknown:
        return ListedToken(words, nats, (), (), 0.0, own, place)
    if any(rank is None for rank, _ in entries):
        return listed(words, nats, [entry for _, entry in entries], place, likeliest=False, token_id=own)
    return _ranked(words, nats, [(int(rank or 0), entry) for rank, entry in entries], own, place)


def _ranked(words: str, nats: float | None, entries: list[tuple[int, Alternative]], own: int | None, place: str) -> ListedToken:
    """Return a token whose alternatives have ranks: as far as these are 1, 2, 3 ... without a gap, all that is not listed is less likely."""
    top: list[Alternative] = []
    further: list[Alternative] = []
    last = 0
    for rank, entry in sorted(entries, key=lambda one: (one[0], -one[1].logprob)):
        if entry.logprob == -inf:
            continue
        if rank <= last + 1 and not further:
            last = rank
            top.append(entry)
        else:
            further.append(entry)
    least = min((entry.logprob for entry in top), default=0.0)
    return ListedToken(words, nats, tuple(top), tuple(further), least, own, place)


def _id(value: Any, place: str) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10 else whole(value)
    if number is None or number < 0:
        raise InvalidTrace(f"{place}: {shown(value)} is no token id; give the output as it came")
    return int(number)
