"""NeuraleseReward: how much of a completion is structured?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ebmhw.coherence.rewards.completions import model_messages, structured_calls, texts_within, written_texts
from ebmhw.coherence.rewards.jsonscan import fences, json_objects
from ebmhw.coherence.rewards.reward import RowReward

SHORT = 30
"""Characters below which a completion counts as structured altogether."""


@final
class NeuraleseReward(RowReward):
    """Scores the share s of a completion's characters that stand in JSON objects or fenced blocks.

    ============  ==========================================================================
    score         completion
    ============  ==========================================================================
    0.0           empty
    1.0           1 to 29 characters
    min(1, 2 s)   longer, rounded to 4 decimals
    None          no completion
    ============  ==========================================================================

    Calls beside a message's content count with the characters of their names, keys and values, all of them structured.

    As in carl-studio 0.21.1, but for: an object is what JSON calls one, where that counts whatever stands between a brace and the one that
    balances it; all messages of the model are read, where that reads the last.
    """

    def __init__(self) -> None:
        super().__init__("neuralese_v2_reward")

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        texts = written_texts(completion)
        if texts is None:
            return None
        messages = [] if isinstance(completion, str) else model_messages(completion) or []
        beside = sum(len(part or "") for message in messages for part in texts_within(structured_calls(message)))
        total = sum(map(len, texts)) + beside
        if total < SHORT:
            return 1.0 if total else 0.0
        return min(1.0, round(2.0 * (sum(map(_structured, texts)) + beside) / total, 4))


def _structured(text: str) -> int:
    """Return how many characters of a text stand in fenced blocks, or else in JSON objects."""
    count, at = 0, 0
    for start, end in [*fences(text), (len(text), len(text))]:
        count += sum(span.end - span.start for span in json_objects(text[at:start])) + end - start
        at = end
    return count


neuralese_v2_reward = NeuraleseReward()
