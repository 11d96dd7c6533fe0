"""Reward: five signals of a session, each in [0, 1], and their weighted sum; by the KARL paper, sections 3.4 and 3.5, with its faults removed.

Choices that its text leaves open:

- Whether a shell command failed is told by its exit code, and where that is not known by its success; an unknown exit code is no error.
- Writes are calls of `ebmhw.karl.tools.WRITES`. A file that a call creates could not be read before: that call is no write of the first part of
  consistency. It creates one if it says so (``created``), or, where that is not known, if it is a Write that did not fail of a path which
  nothing before it in the session read or wrote.
- Signals of single calls (process, verification, consistency) are of the calls that are kept; counts (efficiency, whether there was any write) are
  of all of them.
- A duration of 0 or less is unknown.
- Whether a call of Read or of a write succeeded is not asked, nor whether a test ran before or after the last change: the text asks for neither.
  `ebmhw.karl.baselines.fingerprint` tells the latter. One changed file that is read again is enough for that part of verification.
- A file that the session made itself has to be read like any other before the next write to it. Paths are compared as they are written.
- A write without a path counts as a mutation, and is left out of the first part of consistency.
- Whether a command tests or builds is told by `ebmhw.karl.commands`, and a test run that ran no test earns nothing (``guard``).

``paper_compat=True`` gives what the paper's code gives (`ebmhw.karl.reward.paper`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.reward.guard import suspicions
    from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward
    from ebmhw.karl.reward.scoring import parts, score, weighted

_HOMES = {
    "SIGNALS": "reward",
    "WEIGHTS": "reward",
    "Reward": "reward",
    "parts": "scoring",
    "score": "scoring",
    "suspicions": "guard",
    "weighted": "scoring",
}

__all__ = ["SIGNALS", "WEIGHTS", "Reward", "parts", "score", "suspicions", "weighted"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
