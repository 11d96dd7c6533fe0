"""What a karl training run tells: a plan, a report each step, and the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.karl.training.config import KarlConfig


class KarlPlan(NamedTuple):
    """What a run would do.

    Attributes
    ----------
    config : all of it
    model : what reports call it
    device : "cpu" or "cuda"
    examples, left_out : that are trained on, and that are not: of weight 0, or without a token to learn
    valid : examples whose loss is measured at the end
    tokens, target_tokens : of the examples, in all, and those that are learnt
    longest : tokens of the longest example
    shortened : examples that lost tokens to max_tokens
    parameters : that are trained
    rounds : how often each example is seen
    resumed_at : step of the checkpoint from which a resumed run goes on, None for a new run
    """

    config: KarlConfig
    model: str
    device: str
    examples: int
    left_out: int
    valid: int
    tokens: int
    target_tokens: int
    longest: int
    shortened: int
    parameters: int
    rounds: float
    resumed_at: int | None


class KarlStep(NamedTuple):
    """A step that is done.

    Attributes
    ----------
    step, steps : which, of how many
    loss : the weighted mean that was trained on
    nll : mean over the step's target tokens, nats, unweighted
    seconds : of the step
    eta_s : until the last step, at the mean pace of those done by this process
    record : the line of log.jsonl
    """

    step: int
    steps: int
    loss: float
    nll: float
    seconds: float
    eta_s: float
    record: dict[str, Any]


class KarlResult(NamedTuple):
    """A run that ended.

    Attributes
    ----------
    output, adapter, log : its folder, and what is in it
    steps, asked_steps : updates done in all, also by processes that it was resumed from, and asked for
    ended : "finished", "interrupted" or "time limit"; but for the first the run can be resumed
    seconds : of this process's steps
    examples, left_out, shortened : as of `KarlPlan`
    summary : {key of the log: (mean over the first steps, mean over the last)}
    resumed_at : step of the checkpoint that this process went on from, None where it began at the start
    notice : what a user should know of how it began, None where there is nothing: a resumed run that had no whole checkpoint begins anew
    valid_before, valid_after : mean NLL a target token over examples of valid.jsonl, nats, without the adapter and with it; None where there are
        none, or the run did not finish
    """

    output: Path
    adapter: Path
    log: Path
    steps: int
    asked_steps: int
    ended: str
    seconds: float
    examples: int
    left_out: int
    shortened: int
    summary: dict[str, tuple[float | None, float | None]]
    valid_before: float | None
    valid_after: float | None
    resumed_at: int | None = None
    notice: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        paths = {name: str(getattr(self, name)) for name in ("output", "adapter", "log")}
        return self._asdict() | paths | {"summary": {name: list(ends) for name, ends in self.summary.items()}}
