"""exports: sessions as files that trainers take as they are, and a reward function for what a trained model writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.exports.eligibility import Eligible, eligible
    from ebmhw.karl.exports.examples import SYSTEM, example_of
    from ebmhw.karl.exports.exporting import Exported, export
    from ebmhw.karl.exports.plans import Step, plan_of, read_plan
    from ebmhw.karl.exports.questions import git_questions
    from ebmhw.karl.exports.reward_function import KarlReward, karl_reward
    from ebmhw.karl.exports.settings import FORMATS

_HOMES = {
    "FORMATS": "settings",
    "Eligible": "eligibility",
    "Exported": "exporting",
    "KarlReward": "reward_function",
    "SYSTEM": "examples",
    "Step": "plans",
    "eligible": "eligibility",
    "example_of": "examples",
    "export": "exporting",
    "git_questions": "questions",
    "karl_reward": "reward_function",
    "plan_of": "plans",
    "read_plan": "plans",
}

__all__ = [
    "FORMATS",
    "SYSTEM",
    "Eligible",
    "Exported",
    "KarlReward",
    "Step",
    "eligible",
    "example_of",
    "export",
    "git_questions",
    "karl_reward",
    "plan_of",
    "read_plan",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
