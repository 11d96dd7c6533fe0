"""Reward functions for TRL's trainers: the task's, that of coherence, and what guards and checks them.

Each is called as ``reward(completions=..., prompts=..., completion_ids=..., **columns)`` and returns a score for each completion, None where it is
unknown. TRL's sum of several rewards counts None as 0, also against other completions of its group; with
``multi_objective_aggregation="normalize_then_sum"`` in its GRPOConfig each reward is compared among the completions that have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.coherence.rewards.calls import ToolCall, calls_in, extract_json
    from ebmhw.coherence.rewards.carl import CoherenceReward, make_carl_reward
    from ebmhw.coherence.rewards.chain import ChainCompletionReward, chain_completion_reward
    from ebmhw.coherence.rewards.completions import extract_text
    from ebmhw.coherence.rewards.composite import CARLReward, CompositeReward, RewardComponents
    from ebmhw.coherence.rewards.conciseness import ConcisenessReward, conciseness_reward
    from ebmhw.coherence.rewards.dispersion import DispersionReward
    from ebmhw.coherence.rewards.diversity import DiversityReward, diversity_reward
    from ebmhw.coherence.rewards.eml import EMLCompositeReward
    from ebmhw.coherence.rewards.forward import ForwardTraces
    from ebmhw.coherence.rewards.neuralese import NeuraleseReward, neuralese_v2_reward
    from ebmhw.coherence.rewards.phases import PhaseAdaptiveCARLReward
    from ebmhw.coherence.rewards.privacy import PrivacyReward, privacy_rewards, suppress_private_rewards
    from ebmhw.coherence.rewards.reward import RowReward
    from ebmhw.coherence.rewards.source import PromptedTraceSource, TraceSource
    from ebmhw.coherence.rewards.tool_format import ToolCallFormatReward, tool_call_format_reward
    from ebmhw.coherence.rewards.tool_selection import ToolSelectionReward, tool_selection_reward
    from ebmhw.coherence.rewards.tools import DEFAULT_TOOLS, ToolRegistry
    from ebmhw.coherence.rewards.verification import VerificationReward, verification_reward
    from ebmhw.coherence.rewards.weights import TASK_REWARDS

_HOMES = {
    "CARLReward": "composite",
    "ChainCompletionReward": "chain",
    "CoherenceReward": "carl",
    "CompositeReward": "composite",
    "ConcisenessReward": "conciseness",
    "DEFAULT_TOOLS": "tools",
    "DispersionReward": "dispersion",
    "DiversityReward": "diversity",
    "EMLCompositeReward": "eml",
    "ForwardTraces": "forward",
    "NeuraleseReward": "neuralese",
    "PhaseAdaptiveCARLReward": "phases",
    "PrivacyReward": "privacy",
    "PromptedTraceSource": "source",
    "RewardComponents": "composite",
    "RowReward": "reward",
    "TASK_REWARDS": "weights",
    "ToolCall": "calls",
    "ToolCallFormatReward": "tool_format",
    "ToolRegistry": "tools",
    "ToolSelectionReward": "tool_selection",
    "TraceSource": "source",
    "VerificationReward": "verification",
    "calls_in": "calls",
    "chain_completion_reward": "chain",
    "conciseness_reward": "conciseness",
    "diversity_reward": "diversity",
    "extract_json": "calls",
    "extract_text": "completions",
    "make_carl_reward": "carl",
    "neuralese_v2_reward": "neuralese",
    "privacy_rewards": "privacy",
    "suppress_private_rewards": "privacy",
    "tool_call_format_reward": "tool_format",
    "tool_selection_reward": "tool_selection",
    "verification_reward": "verification",
}

__all__ = [
    "DEFAULT_TOOLS",
    "TASK_REWARDS",
    "CARLReward",
    "ChainCompletionReward",
    "CoherenceReward",
    "CompositeReward",
    "ConcisenessReward",
    "DispersionReward",
    "DiversityReward",
    "EMLCompositeReward",
    "ForwardTraces",
    "NeuraleseReward",
    "PhaseAdaptiveCARLReward",
    "PrivacyReward",
    "PromptedTraceSource",
    "RewardComponents",
    "RowReward",
    "ToolCall",
    "ToolCallFormatReward",
    "ToolRegistry",
    "ToolSelectionReward",
    "TraceSource",
    "VerificationReward",
    "calls_in",
    "chain_completion_reward",
    "conciseness_reward",
    "diversity_reward",
    "extract_json",
    "extract_text",
    "make_carl_reward",
    "neuralese_v2_reward",
    "privacy_rewards",
    "suppress_private_rewards",
    "tool_call_format_reward",
    "tool_selection_reward",
    "verification_reward",
]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
