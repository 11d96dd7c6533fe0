"""What is added to a call of transformers' generate so that logits and token meet in one step.

In transformers 5.23 processors that come from the generation config (repetition penalty, minimal length, suppressed tokens, ...) run before
those that a caller adds, and temperature, top-k and top-p after them: what a processor of ours is given may be changed already. So the logits
are taken where the model returns them, by a forward hook, and a processor only says that the step's forward pass is over: further passes of the
same model within the step (processors of others do that) are not its own. The criterion, called right after the token was chosen, has both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.capture.recording import Recording
from ebmhw.errors import NotSupported

if TYPE_CHECKING:
    from ebmhw.coherence.capture.captured import TokenPhi

OnToken = Callable[["TokenPhi"], object]

_LISTED = "capture follows greedy search and sampling, one token of each row a step"
_OTHER_MODES = (
    *("assistant_model", "use_mtp", "prompt_lookup_num_tokens", "assistant_early_exit", "dola_layers", "penalty_alpha"),
    *("force_words_ids", "constraints", "custom_generate"),
)


def refuse_other_modes(setting: Callable[[str], Any]) -> None:
    """Raise NotSupported for a call of generate that draws its tokens otherwise than one a row and step.

    Parameters
    ----------
    setting : from the name of an argument or of a member of the generation config to its value
    """
    beams = setting("num_beams")
    if beams is not None and beams > 1:
        raise NotSupported(f"num_beams is {beams}: beam search follows several rows at once and drops some; {_LISTED}, give num_beams=1")
    for name in _OTHER_MODES:
        if setting(name):
            raise NotSupported(f"{name} asks for another way to generate; {_LISTED}: leave it out, or score_completions afterwards")
    if setting("guidance_scale") not in (None, 1, 1.0):
        raise NotSupported(
            f"guidance_scale is {setting('guidance_scale')}: tokens come from a mixture of two distributions, not the model's own; leave it out"
        )
    if setting("cache_implementation") == "paged":
        raise NotSupported(f"cache_implementation 'paged' generates in batches that change all the time; {_LISTED}: leave it out")


@final
class Verdicts:
    """Which rows the caller's stopping criteria and stop strings end, as far as transformers' own criteria do not tell.

    Parameters
    ----------
    criteria : of the caller
    strings, tokenizer : those that end a text, and what knows them; transformers makes a criterion of them that nobody else can ask
    """

    def __init__(self, criteria: Sequence[Any], strings: Any = None, tokenizer: Any = None) -> None:
        self._heard = [criterion if _is_plain(criterion) else Heard(criterion) for criterion in criteria]
        self._asked = list(self._heard)
        if strings is not None and tokenizer is not None:
            from transformers import StopStringCriteria

            self._asked.append(StopStringCriteria(stop_strings=strings, tokenizer=tokenizer))

    @property
    def criteria(self) -> list[Any]:
        """What stands for the caller's criteria in the call."""
        return list(self._heard)

    def stopped(self, input_ids: Any, scores: Any) -> list[bool]:
        """Return which rows (rows,) they end at this step."""
        ended = [False] * len(input_ids)
        for criterion in self._asked:
            verdict = criterion.verdict if isinstance(criterion, Heard) else criterion(input_ids, scores)
            given = verdict.tolist() if hasattr(verdict, "tolist") else verdict
            ended = [before or bool(now) for before, now in zip(ended, given if isinstance(given, list) else [given] * len(ended), strict=True)]
        return ended


def _is_plain(criterion: Any) -> bool:
    # Those of transformers are known to it by their very type, and may be asked twice.
    return type(criterion).__module__.startswith("transformers.")


@final
class Heard:
    """A criterion of somebody else's and what it last said."""

    def __init__(self, criterion: Any) -> None:
        self._criterion = criterion
        self.verdict: Any = False

    def __call__(self, input_ids: Any, scores: Any, **given: Any) -> Any:
        self.verdict = self._criterion(input_ids, scores, **given)
        return self.verdict

    def __getattr__(self, name: str) -> Any:
        # transformers looks for eos_token_id there.
        if name.startswith("__") or name == "_criterion":
            raise AttributeError(name)
        return getattr(self._criterion, name)


@final
class Steps:
    """The hook, the processor and the criterion of one call of generate.

    Parameters
    ----------
    make : makes the recording, once the prompts of the rows are known
    verdicts : of the caller's criteria
    on_token : called with each token
    mask : the caller's attention mask, or None
    """

    def __init__(self, make: Callable[[list[list[int]]], Recording], verdicts: Verdicts, on_token: OnToken | None, mask: Any) -> None:
        self._make, self._verdicts, self._on_token, self._mask = make, verdicts, on_token, mask
        self.recording: Recording | None = None
        self._logits: Any = None
        self._given: Any = None
        self._passed = False
        self._width = 0
        self._last: list[int] = []

    def forward(self, module: Any, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Take the last position's logits of a forward pass (a view), unless the step has had its own."""
        if self._passed:
            return
        logits = getattr(output, "logits", None)
        if logits is None:
            raise NotSupported(f"{type(module).__name__} returns no logits, of which phi could be measured; capture a causal language model")
        self._logits = logits[:, -1]
        if self._given is None:
            self._given = kwargs.get("attention_mask")

    def process(self, input_ids: Any, scores: Any) -> Any:
        """Mark that the step's own forward pass is over, and return the scores as they are."""
        if self._logits is None or len(self._logits) != len(scores):
            had = "no logits" if self._logits is None else f"logits of {len(self._logits)} rows"
            raise NotSupported(f"the model gave {had} for {len(scores)} rows of scores; {_LISTED}")
        if self.recording is None:
            self._width = int(input_ids.shape[1])
            self.recording = self._make(_unpadded(input_ids, self._mask, self._given))
        self._passed = True
        return scores

    def finished(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Record the tokens that were just chosen, and return that this ends no row (rows,)."""
        import torch

        recording, logits = self.recording, self._logits
        self.release()
        if recording is None or int(input_ids.shape[1]) != self._width + recording.steps + 1:
            raise NotSupported(f"a step of generate did not add one token to each row; {_LISTED}")
        pairs = input_ids[:, -2:].tolist()
        tokens = [pair[-1] for pair in pairs]
        if self._last and [pair[0] for pair in pairs] != self._last:
            raise NotSupported(f"generate changed the rows that it had begun; {_LISTED}")
        self._last = tokens
        rows = recording.step(logits, tokens, self._verdicts.stopped(input_ids, scores))
        del logits
        if self._on_token is not None:
            for token in recording.latest(rows):
                self._on_token(token)
        return torch.zeros(len(tokens), dtype=torch.bool, device=input_ids.device)

    def release(self) -> None:
        """Let go of the logits."""
        self._logits, self._passed = None, False


def _unpadded(input_ids: Any, mask: Any, given: Any) -> list[list[int]]:
    """Return the prompts without padding, by the mask that the model was given, or else that of the caller, one row a prompt."""
    ids = input_ids.tolist()
    width = int(input_ids.shape[1])
    kept = None
    if getattr(given, "ndim", 0) == 2 and given.shape[0] == len(ids) and given.shape[1] >= width:
        kept = given[:, given.shape[1] - width :].tolist()
    elif getattr(mask, "ndim", 0) == 2 and mask.shape[1] == width and mask.shape[0] and len(ids) % mask.shape[0] == 0:
        kept = mask.repeat_interleave(len(ids) // mask.shape[0], dim=0).tolist()
    if kept is None:
        return [list(row) for row in ids]
    return [[token for token, keep in zip(row, keeps, strict=True) if keep] for row, keeps in zip(ids, kept, strict=True)]


def ends_of(value: Any) -> Collection[int]:
    """Return the token ids that end a text, of an eos_token_id: None, a number, several, or a tensor."""
    if value is None:
        return frozenset()
    plain = value.tolist() if hasattr(value, "tolist") else value
    return frozenset(map(int, plain)) if isinstance(plain, (list, tuple, set, frozenset)) else frozenset({int(plain)})
