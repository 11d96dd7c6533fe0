"""Privacy: what a model was told in private may not stand in what it says in public."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from ebmhw.coherence.rewards.completions import content_text, model_messages, structured_calls, texts_within
from ebmhw.coherence.rewards.reward import RowReward, Scores, names_entry
from ebmhw.errors import ValidationError

PENALTY = -3.0
"""The score of a completion that leaks, the number of carl-studio 0.21.1; a penalty, so outside the table of weights."""

PHASES = ("private", "public")


@final
class PrivacyReward(RowReward):
    """Punishes completions in which something private stands.

    ======  ================================================================================
    score   completion
    ======  ================================================================================
    0.0     none of its "private_keys" stands in it, nor in a public event of its "trajectory"
    -3.0    one does; or its trajectory is none: an event is a dict with a "phase" of "private" or "public", and holds what JSON can
    None    "private_keys" is unknown; no completion
    ======  ================================================================================

    "private_keys" is a list of texts, found as they are, in the texts, keys and numbers of the event. As in carl-studio 0.21.1, but for: what is
    searched is what all messages of the model say and call, where that searches the content of the last message; rows that are
    missing are unknown, where that raises; events that are too large to be searched (`completions.PART_LIMIT`) count as leaking.
    """

    def __init__(self) -> None:
        super().__init__("privacy_rewards", ("private_keys", "trajectory"))

    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        keys = names_entry(row["private_keys"], "private_keys")
        written = _written(completion)
        if keys is None or written is None:
            return None
        events = [] if row["trajectory"] is None else row["trajectory"]
        if not isinstance(events, (list, tuple)) or not all(isinstance(event, Mapping) and event.get("phase") in PHASES for event in events):
            return PENALTY
        public = [event for event in events if event["phase"] == "public"]
        return PENALTY if any(_leaks(value, keys) for value in [written, *public]) else 0.0


def _written(completion: Any) -> list[Any] | None:
    if isinstance(completion, str):
        return [completion]
    messages = model_messages(completion)
    return None if messages is None else [[content_text(message), structured_calls(message)] for message in messages]


def _leaks(value: Any, keys: Sequence[str]) -> bool:
    return bool(keys) and any(text is None or any(key in text for key in keys) for text in texts_within(value))


privacy_rewards = PrivacyReward()


@final
class _Suppressed:
    def __init__(self, reward: Callable[..., Scores]) -> None:
        self._reward = reward
        self.__name__ = getattr(reward, "__name__", type(reward).__name__)

    def __call__(self, completions: Sequence[Any], **columns: Any) -> Scores:
        scores = self._reward(completions=completions, **columns)
        penalties = privacy_rewards(completions, **columns)
        if len(scores) != len(penalties):
            raise ValidationError(f"{self.__name__} gave {len(scores)} scores for {len(penalties)} completions; it has to give one each")
        return [0.0 if penalty else score for score, penalty in zip(scores, penalties, strict=True)]

    def __getattr__(self, name: str) -> Any:
        # What else the reward has, such as the state that a resumed run needs.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self._reward, name)

    def __repr__(self) -> str:
        return f"suppress_private_rewards({self._reward!r})"


def suppress_private_rewards(reward: Callable[..., Scores]) -> Callable[..., Scores]:
    """Return a reward that is 0 where a completion leaks (see `PrivacyReward`), and is what it was elsewhere, also where nothing private is known.

    It has the reward's other attributes, such as ``last_traces`` or ``state``.
    """
    return _Suppressed(reward)
