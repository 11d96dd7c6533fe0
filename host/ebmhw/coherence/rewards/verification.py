"""VerificationReward: is what a completion says true, as far as it can be checked?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.rewards.completions import content_text, extract_text, written_texts
from ebmhw.coherence.rewards.reward import Scores, check_completions, check_log, column
from ebmhw.errors import ConfigError

if TYPE_CHECKING:
    from ebmhw.verify import VerifyRepairPipeline

TIME_LIMIT = 10.0
"""Seconds for one completion, of a pipeline that is not given."""


@final
class VerificationReward:
    """Scores completions by the verdict of `ebmhw.verify.VerifyRepairPipeline.verify`: claims are read, and checked exactly.

    ======  ================================================================================
    score   verdict
    ======  ================================================================================
    1.0     VERIFIED: all claims hold, and the question is answered
    0.0     VIOLATED: a claim does not hold, also where others could not be checked
    None    UNKNOWN: nothing could be checked, a claim is undecided, or time was over; no completion
    ======  ================================================================================

    The question is the last message of the user, or the prompt where it is a text. The dataset's column "constraints" may hold a constraint
    program for a row (see `ebmhw.verify.programs`). With TRL's ``log_metric`` the shares of each verdict are logged under verification/.

    Parameters
    ----------
    pipeline : what checks; None for one with ``options``, made at the first call
    options : of `VerifyRepairPipeline`, such as domains, knowledge, backend and time_limit (10 s by default)

    Raises
    ------
    MissingExtra
        at the first call, where what the extra "verify" brings is not installed.
    """

    def __init__(self, pipeline: VerifyRepairPipeline | None = None, **options: Any) -> None:
        if pipeline is not None and options:
            raise ConfigError(f"a pipeline is given, and options of another ({', '.join(options)}); give one of them")
        self.__name__ = "verification_reward"
        self._pipeline, self._options = pipeline, {"time_limit": TIME_LIMIT, **options}
        self._lock = threading.Lock()

    def __call__(
        self,
        completions: Sequence[Any],
        prompts: Any = None,
        constraints: Any = None,
        log_metric: Callable[[str, float], Any] | None = None,
        **columns: Any,
    ) -> Scores:
        """Return the scores of completions, in order."""
        check_log(log_metric)
        count = check_completions(completions)
        questions, programs = column(prompts, count, "prompts"), column(constraints, count, "constraints")
        scores = [self._score(*row) for row in zip(completions, questions, programs, strict=True)]
        if log_metric is not None and count:
            for name, score in (("verified", 1.0), ("violated", 0.0), ("unknown", None)):
                log_metric(f"verification/{name}", scores.count(score) / count)
        return scores

    def _score(self, completion: Any, prompt: Any, constraints: Any) -> float | None:
        if completion is None or written_texts(completion) is None:
            return None
        report = self._checker().verify(question_of(prompt), extract_text(completion), constraints=constraints)
        return {"VERIFIED": 1.0, "VIOLATED": 0.0, "UNKNOWN": None}[report.verdict]

    def _checker(self) -> VerifyRepairPipeline:
        with self._lock:
            if self._pipeline is None:
                from ebmhw.verify import VerifyRepairPipeline

                self._pipeline = VerifyRepairPipeline(**self._options)
            return self._pipeline

    def __repr__(self) -> str:
        return f"VerificationReward({self._pipeline!r})"


def question_of(prompt: Any) -> str:
    """Return the question in a prompt: a text, or the content of the user's last message; "" where there is none."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, (list, tuple)):
        return ""
    asked = [message for message in prompt if isinstance(message, dict) and message.get("role") == "user"]
    return content_text(asked[-1]) if asked else ""


verification_reward = VerificationReward()
