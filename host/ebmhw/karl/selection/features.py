"""Vectors of sessions, whose cosine says how alike two are: what was asked, which tools were called in which order, and the fingerprint."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ebmhw.karl.tools import BASH
from ebmhw.karl.trajectory import PROMPT_CHARS, Trajectory

BUCKETS = 256
"""Places of a hashed vector: of words and of tools, one vector each."""

EVENTS_READ = 500
"""Calls of a session that its vector is made of, so that one of thousands takes no longer than the others."""

Vectors = npt.NDArray[np.float32]

_ROWS = 1024
"""Sessions whose vectors are made at once, in float64."""

_WORD = re.compile(r"\w{1,40}")
_COMMAND = re.compile(r"[\w./-]{1,40}")


def session_vectors(trajectories: Sequence[Trajectory]) -> Vectors:
    """Return a vector of length 1 a session, float32 (n, d), 2 KB each.

    Three parts weigh the same where a session has them: words and pairs of words of the prompt; calls, pairs and triples of calls, a shell's with
    the name of its command; the vector of `ebmhw.karl.baselines.fingerprint`. The first two are counted, by their square roots, in places that
    CRC-32 gives: the same in every process.
    """
    parts = [_block(trajectories[start : start + _ROWS]) for start in range(0, len(trajectories), _ROWS)]
    return np.concatenate(parts) if parts else np.zeros((0, 2 * BUCKETS), dtype=np.float32)


def cosines(first: Vectors, second: Vectors) -> Vectors:
    """Return the cosines of vectors of length 1, (n, d) and (m, d) -> (n, m).

    Rounded to six digits: sums of products in another order, as of another BLAS, differ beyond the fourteenth.
    """
    made: Vectors = np.round(first.astype(np.float64) @ second.T.astype(np.float64), 6).astype(np.float32)
    return made


def _block(trajectories: Sequence[Trajectory]) -> Vectors:
    from ebmhw.karl.baselines import vector

    prompts = np.zeros((len(trajectories), BUCKETS))
    calls = np.zeros((len(trajectories), BUCKETS))
    for row, trajectory in enumerate(trajectories):
        _count(prompts[row], _grams(_WORD.findall(trajectory.prompt[:PROMPT_CHARS].lower()), 2))
        _count(calls[row], _grams([_call(event.tool, event.params.get("command", "")) for event in trajectory.events[:EVENTS_READ]], 3))
    prints = np.array([vector(trajectory) for trajectory in trajectories], dtype=np.float64)
    made: Vectors = _unit(np.concatenate([_unit(np.sqrt(prompts)), _unit(np.sqrt(calls)), _unit(prints)], axis=1)).astype(np.float32)
    return made


def _call(tool: str, command: str) -> str:
    if tool != BASH:
        return tool
    found = _COMMAND.search(command)
    return f"{tool} {found[0].rpartition('/')[2]}" if found else tool


def _grams(words: Sequence[str], longest: int) -> Iterator[str]:
    for length in range(1, longest + 1):
        for start in range(len(words) - length + 1):
            yield "\x1f".join(words[start : start + length])


def _count(row: npt.NDArray[np.float64], grams: Iterable[str]) -> None:
    for gram in grams:
        row[zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS] += 1.0


def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    # A session that has nothing of a part is like no other in it.
    made: npt.NDArray[np.float64] = np.divide(rows, sizes, out=np.zeros_like(rows), where=sizes > 0)
    return made
