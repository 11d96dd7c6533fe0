"""ToolSelectionReward: is the right tool called?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ebmhw.coherence.rewards.calls import calls_in
from ebmhw.coherence.rewards.reward import RowReward, names_entry
from ebmhw.coherence.rewards.tools import DEFAULT_TOOLS, ToolRegistry, registry_of


@final
class ToolSelectionReward(RowReward):
    """Scores which tool the first call of a completion names; column "expected_tools" holds the names of the right ones.

    ======  ================================================================================
    score   what the completion calls first
    ======  ================================================================================
    0.0     nothing, or a tool that does not exist
    0.5     a tool that exists, but is not expected
    1.0     an expected tool
    None    whatever it is, where "expected_tools" is unknown or empty; no completion
    ======  ================================================================================

    As in carl-studio 0.21.1, but for: that scores 0 where it does not know what is expected, and .5 for any call where none is expected
    (`ChainCompletionReward` judges those); there an expected tool has to be registered too.

    Parameters
    ----------
    tools : the tools that there are; a dataset's column "tools" comes before it, row by row
    """

    def __init__(self, tools: ToolRegistry = DEFAULT_TOOLS) -> None:
        super().__init__("tool_selection_reward", ("expected_tools", "tools"))
        self._tools = tools

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        expected, found = names_entry(row["expected_tools"], "expected_tools"), calls_in(completion)
        if not expected or found is None:
            return None
        name = found.calls[0].name if found.calls else None
        if name in expected:
            return 1.0
        return 0.5 if name in registry_of(row["tools"], self._tools) else 0.0


tool_selection_reward = ToolSelectionReward()
