"""karl: learning from whole sessions of agents; their logs read and scored, the best and most diverse chosen, exported, trained on, evaluated.

Names are resolved when they are first used: the tap, which an agent calls at every event, loads the standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.baselines import advantages
    from ebmhw.karl.exports import export
    from ebmhw.karl.readers import read_traces
    from ebmhw.karl.reward import Reward, score
    from ebmhw.karl.selection import select
    from ebmhw.karl.store import Store
    from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, Turn

_HOMES = {
    "Outcome": "trajectory",
    "Reward": "reward",
    "Store": "store",
    "ToolEvent": "trajectory",
    "Trajectory": "trajectory",
    "Turn": "trajectory",
    "advantages": "baselines",
    "export": "exports",
    "read_traces": "readers",
    "score": "reward",
    "select": "selection",
}

__all__ = ["Outcome", "Reward", "Store", "ToolEvent", "Trajectory", "Turn", "advantages", "export", "read_traces", "score", "select"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
