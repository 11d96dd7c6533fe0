"""karl_reward: the reward of a session as a reward function of TRL, for plans that a model writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ebmhw.coherence.rewards.completions import extract_text
from ebmhw.coherence.rewards.reward import RowReward
from ebmhw.karl.exports.plans import read_plan
from ebmhw.karl.reward import score
from ebmhw.karl.trajectory import Trajectory


@final
class KarlReward(RowReward):
    """Scores the plan in a completion as if it were a session: ``karl_reward(completions=..., **columns) -> [0 to 1, or None, ...]``.

    It scores what a completion claims, not what would happen: no tool is run. So it can be gamed, by a plan of calls that look like good work.
    What a text cannot show is unknown: how the session ended, how long it took, whether a call created its file, how many tests a run collected.
    Marks ([ok], [fail]) that a model writes are its own word: they do not count unless ``marks`` is True, every call is then one whose success
    is unknown. What is left to tell plans apart is the variety of tools, files changed, checks after changes, and reading before writing; use it
    next to a reward of what the plan does, never alone.

    Parameters
    ----------
    marks : True counts marks as successes and failures
    """

    def __init__(self, marks: bool = False) -> None:
        super().__init__("karl_reward")
        self.marks = bool(marks)

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        """Return the total reward of the plan in a completion; None where it has none."""
        steps = read_plan(extract_text(completion))
        if not steps:
            return None
        events = tuple(step.event(self.marks) for step in steps)
        return score(Trajectory(id="traj_completion", session_id="completion", events=events), guard=True).total

    def __repr__(self) -> str:
        return f"KarlReward(marks={self.marks})"


karl_reward = KarlReward()
"""The reward function with marks left out."""
