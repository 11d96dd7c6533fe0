"""Fingerprints: how an agent worked, in a few numbers, to compare sessions by."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np

from ebmhw.karl.baselines.totals import Floats
from ebmhw.karl.commands import runs_build, runs_tests
from ebmhw.karl.record import bash_error
from ebmhw.karl.tools import BASH, RESEARCH, WRITES, category
from ebmhw.karl.trajectory import Trajectory

CATEGORIES = "RMXO"
"""Research, mutation, execution, other: as of `ebmhw.karl.tools.category`."""

BIGRAMS = tuple(one + other for one in CATEGORIES for other in CATEGORIES)

_OTHERS = 6
VECTOR_SIZE = len(BIGRAMS) + _OTHERS


@final
@dataclass(frozen=True)
class Fingerprint:
    """How an agent worked in a session (the KARL paper, section 9.1); None is what its calls do not show.

    Attributes
    ----------
    bigrams : {categories of a call and the next: how often}, such as {"RM": 3}; keys of `BIGRAMS` that occur
    calls : of tools
    files : files that it wrote
    research : share of calls that only look (read, search), 0 to 1; None without calls
    verified : whether a test or a build ran after it wrote; a test run known to have tested nothing is none. None where it wrote nothing
    recovery : share of the runs of failures that a call without failure follows, 0 to 1; None without failures
    scope : depth of the folder that all its files share, by the mean depth of their folders, 0 to 1; None with fewer than two files named
    """

    bigrams: Mapping[str, int]
    calls: int
    files: int
    research: float | None
    verified: bool | None
    recovery: float | None
    scope: float | None

    @property
    def signature(self) -> str:
        """A short text, such as "R60 M2 V+ E1.0 S0.5 RM MX": research in percent, files, verified, recovery, scope, and the commonest bigrams."""
        verified = {None: "?", True: "+", False: "-"}[self.verified]
        research = "?" if self.research is None else f"{100 * self.research:.0f}"
        common = sorted(self.bigrams, key=lambda pair: (-self.bigrams[pair], pair))[:3]
        return " ".join([f"R{research}", f"M{self.files}", f"V{verified}", f"E{_short(self.recovery)}", f"S{_short(self.scope)}", *common])

    def vector(self) -> Floats:
        """Return the fingerprint as numbers to compare by their cosine, shape (`VECTOR_SIZE`,), float64.

        First the roots of the bigrams' shares, in the order of `BIGRAMS`, a vector of length 1 (0 without bigrams), so that their product is the
        Bhattacharyya coefficient; then calls, files, research, verified, recovery and scope, each -1 to 1 (0 where unknown) over the root of 6, so
        that both halves weigh alike.
        """
        pairs = np.array([self.bigrams.get(pair, 0) for pair in BIGRAMS], float)
        if pairs.any():
            pairs = np.sqrt(pairs / pairs.sum())
        # 1 at 1,023 calls, 0 at 31; a few files written are told apart, many not.
        length = min(1.0, math.log2(1 + self.calls) / 5 - 1)
        verified = None if self.verified is None else float(self.verified)
        rest = [length, 2 * self.files / (self.files + 2) - 1]
        rest += [0.0 if share is None else 2 * share - 1 for share in (self.research, verified, self.recovery, self.scope)]
        return np.concatenate([pairs, np.array(rest) / math.sqrt(_OTHERS)])


def fingerprint(trajectory: Trajectory) -> Fingerprint:
    """Return the fingerprint of a session."""
    kinds = [category(event.tool) for event in trajectory.events]
    written: set[str] = set()
    paths: set[str] = set()
    wrote = verified = failing = False
    runs = mended = 0
    for event in trajectory.events:
        path = event.params.get("file_path")
        if path:
            path = _normal(path, trajectory.cwd)
            paths.add(path)
        if event.tool in WRITES:
            wrote = True
            if path:
                written.add(path)
        elif event.tool == BASH and wrote and not verified:
            command = event.params.get("command", "")
            verified = (runs_tests(command) and event.tests != 0) or runs_build(command)
        if event.success is False or bash_error(event):
            runs += not failing
            failing = True
        elif failing:
            mended += 1
            failing = False
    calls = trajectory.total_tools
    looked = sum(count for tool, count in trajectory.tool_counts.items() if tool in RESEARCH)
    return Fingerprint(
        bigrams=dict(Counter(one + other for one, other in pairwise(kinds))),
        calls=calls,
        files=len(written),
        research=looked / calls if calls else None,
        verified=verified if wrote else None,
        recovery=mended / runs if runs else None,
        scope=_scope(paths),
    )


def vector(trajectory: Trajectory) -> Floats:
    """Return the fingerprint of a session as numbers, as of `Fingerprint.vector`."""
    return fingerprint(trajectory).vector()


def _scope(paths: set[str]) -> float | None:
    if len(paths) < 2:
        return None
    folders = [[part for part in posixpath.dirname(path).split("/") if part] for path in sorted(paths)]
    shared = 0
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    mean = sum(map(len, folders)) / len(folders)
    return shared / mean if mean else 1.0


def _normal(path: str, cwd: str | None) -> str:
    """Return a path from the folder where the agent worked, where that is known and holds it."""
    slashed = path.replace("\\", "/")
    if cwd:
        root = cwd.replace("\\", "/").rstrip("/") + "/"
        if slashed.startswith(root):
            slashed = slashed[len(root) :]
    return posixpath.normpath(slashed)


def _short(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"
