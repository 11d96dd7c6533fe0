"""A few traces that stand for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole


def select_traces(traces: Sequence[CoherenceTrace], k: int = 4, seed: Any = None) -> list[CoherenceTrace]:
    """Return k traces of a batch: the worst, the best and the median by `CoherenceTrace.carl_reward`, then others drawn at random.

    All of them where there are no more than k; traces whose reward is unknown only where the others do not suffice. ``seed`` as of
    numpy.random.default_rng.
    """
    count = whole(k)
    if count is None or count < 0:
        raise InvalidTrace(f"k is {shown(k)}; give how many traces to select, a whole number from 0 up")
    strangers = [trace for trace in traces if not isinstance(trace, CoherenceTrace)] if isinstance(traces, Sequence) else [traces]
    if strangers:
        raise InvalidTrace(f"traces hold {shown(strangers[0])}; give a sequence of CoherenceTrace")
    try:
        random = np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidTrace(f"seed is {shown(seed)}; give a whole number from 0 up, or None to draw anew each time") from None
    if len(traces) <= count:
        return list(traces)
    rewards = [trace.carl_reward() for trace in traces]
    known = sorted((reward, i) for i, reward in enumerate(rewards) if reward is not None)
    ends = [known[0][1], known[-1][1], known[len(known) // 2][1]] if known else []
    chosen = list(dict.fromkeys(ends))
    order = random.permutation(len(traces)).tolist()
    others = [i for i in order if i not in chosen]
    chosen += sorted(others, key=lambda i: rewards[i] is None)
    return [traces[i] for i in chosen[:count]]
