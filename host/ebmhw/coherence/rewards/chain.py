"""ChainCompletionReward: how far does a chain of tool calls get?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from ebmhw.coherence.rewards.calls import calls_in
from ebmhw.coherence.rewards.completions import written_texts
from ebmhw.coherence.rewards.reward import RowReward, names_entry, whole_entry

CALL_LIMIT = 1000
"""Calls of one completion that are compared; more of them count as superfluous."""


@final
class ChainCompletionReward(RowReward):
    """Scores the calls of a completion, in their order; columns "expected_tools" (names) and "chain_length" L (how many calls it takes).

    ===============  =======================================================================
    score            what the completion calls
    ===============  =======================================================================
    1.0              nothing, where L is 0
    0.0              something, where L is 0; nothing, where it is not
    0.0              first a tool that is not expected
    0.3              likewise, but a text or a later call names one that is
    1.0              first an expected tool, where L is 1
    0.6 to 1.0       first an expected tool, where L is 2 or more: .6 + .4 (m - 1) / (max(L, n) - 1)
    None             whatever it is, where "chain_length", or with L above 0 "expected_tools", is unknown or empty; no completion
    ===============  =======================================================================

    Here n is how many calls there are, and m how many of them belong to the chain: the longest common subsequence of the calls and the expected
    tools, L at most. Where fewer than L tools are expected they stand for no order, and m counts the calls of any of them. So the whole chain in
    its order gives 1.0, one right call .6, and calls beyond the chain take some off.

    As in carl-studio 0.21.1 for one call, except that there rows and columns that are missing score 0; that looks at no second call, so it scores
    .6 for a completed chain.
    """

    def __init__(self) -> None:
        super().__init__("chain_completion_reward", ("expected_tools", "chain_length"))

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        length = whole_entry(row["chain_length"], "chain_length", 0)
        expected, found = names_entry(row["expected_tools"], "expected_tools"), calls_in(completion)
        if length is None or found is None:
            return None
        if length == 0:
            return 0.0 if found.calls else 1.0
        if not expected:
            return None
        names = [call.name for call in found.calls]
        if not names:
            return 0.0
        if names[0] not in expected:
            written = [*(written_texts(completion) or ()), *names]
            return 0.3 if any(name in text for name in expected for text in written) else 0.0
        if length == 1:
            return 1.0
        right = _in_order(names[:CALL_LIMIT], expected) if len(expected) >= length else sum(name in expected for name in names)
        return 0.6 + 0.4 * (min(right, length) - 1) / (max(length, len(names)) - 1)


def _in_order(names: Sequence[str], expected: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(expected) + 1)
    for name in names:
        diagonal = 0
        for j, other in enumerate(expected, 1):
            above = row[j]
            row[j] = diagonal + 1 if name == other else max(above, row[j - 1])
            diagonal = above
    return row[-1]


chain_completion_reward = ChainCompletionReward()
