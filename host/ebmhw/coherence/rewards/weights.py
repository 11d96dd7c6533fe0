"""What each reward counts for: one table, by the name of the reward function."""

from __future__ import annotations

TASK_REWARDS = {
    "tool_call_format_reward": 2.0,
    "tool_selection_reward": 1.5,
    "chain_completion_reward": 2.0,
    "neuralese_v2_reward": 0.5,
    "conciseness_reward": 0.5,
    "carl_composite_reward": 1.5,
}
"""Weights of CARL (carl-studio 0.21.1): the five rewards of the task, and the one of coherence that joins when the cascade's gate fires."""
