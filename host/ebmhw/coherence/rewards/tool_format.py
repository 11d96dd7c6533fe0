"""ToolCallFormatReward: is a tool call written as one should be?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ebmhw.coherence.rewards.calls import calls_in
from ebmhw.coherence.rewards.reward import RowReward
from ebmhw.coherence.rewards.tools import DEFAULT_TOOLS, ToolRegistry, registry_of


@final
class ToolCallFormatReward(RowReward):
    """Scores how well the first tool call of a completion is formed.

    ======  ================================================================================
    score   what the completion holds
    ======  ================================================================================
    0.0     no JSON object
    0.3     JSON objects, none of which is a call: none has a text as its "name"
    0.6     a call whose "arguments" are missing, or are no JSON object
    0.8     a call with arguments, of an unknown tool, or other than its schema says
    1.0     a call whose arguments are what the tool's schema says
    None    no completion
    ======  ================================================================================

    As in carl-studio 0.21.1, but for: any JSON object is looked at, where that looks at the first fence and the first brace and takes braces within
    texts for braces; calls are read in all forms of `ebmhw.coherence.rewards.calls.calls_in`; arguments are judged by the whole schema.

    Parameters
    ----------
    tools : the tools that there are; a dataset's column "tools" comes before it, row by row
    """

    def __init__(self, tools: ToolRegistry = DEFAULT_TOOLS) -> None:
        super().__init__("tool_call_format_reward", ("tools",))
        self._tools = tools

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        found = calls_in(completion)
        if found is None:
            return None
        if not found.calls:
            return 0.3 if found.objects else 0.0
        call = found.calls[0]
        if call.arguments is None:
            return 0.6
        return 1.0 if registry_of(row["tools"], self._tools).accepts(call) else 0.8


tool_call_format_reward = ToolCallFormatReward()
