"""The published reward: what the code of the KARL paper's five-signal version computes, where that is not what its text says.

Beside `ebmhw.karl.reward.scoring`: signals of single calls look at the first 50; an unknown exit code of a shell command is an error, and errors
beyond those 50 count against the commands within them; tests and builds are told by keywords anywhere in the line; reading after writing weighs
.09, not .3; creating a file is an unread write, and notebooks are no files; signals and total are rounded to four places.
"""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.karl.reward.efficiency import NO_EVENTS, efficiency_parts
from ebmhw.karl.reward.outcome import outcome_score
from ebmhw.karl.reward.process import process_parts
from ebmhw.karl.reward.reward import SIGNALS, WEIGHTS, Reward
from ebmhw.karl.reward.verification import NO_MUTATION, mutates
from ebmhw.karl.tools import BASH, EDIT, READ, WRITE
from ebmhw.karl.trajectory import ToolEvent, Trajectory

EVENTS = 50
"""Calls that the published store keeps of a session."""

TEST_WORDS = ("pytest", "npm test", "bun test", "cargo test", "go test", "make test")
BUILD_WORDS = ("xcodebuild", "cargo build", "make ", "npm run build", "bun build")
READ_AFTER_WRITE = 0.3
"""What the code gives for it, before it weighs it by .3 once more."""

FEW_CALLS = 3
FEW = 0.6
PLACES = 4

_FILES = (EDIT, WRITE)


def published_score(trajectory: Trajectory) -> Reward:
    """Return the reward by the paper's code, for the record that its session tap makes of the same calls."""
    calls = trajectory.total_tools
    kept = trajectory.events[:EVENTS]
    used = efficiency_parts(trajectory.tool_counts, trajectory.duration_s)
    signals = (
        outcome_score(trajectory.outcome),
        _process(trajectory.events, calls),
        NO_EVENTS if used is None else used.total,
        _verification(kept, trajectory),
        _consistency(kept, calls),
    )
    total = sum(WEIGHTS[name] * signal for name, signal in zip(SIGNALS, signals, strict=True))
    return Reward(round(min(1.0, total), PLACES), *(round(min(1.0, signal), PLACES) for signal in signals))


def _process(events: Sequence[ToolEvent], calls: int) -> float:
    if not calls:
        return 0.5
    kept = events[:EVENTS]
    found = process_parts(kept)
    shell = sum(event.tool == BASH for event in kept)
    # The tap writes an exit code into every event, and None is not 0.
    errors = sum(event.tool == BASH and event.exit_code != 0 for event in events)
    clean = 1.0 - errors / shell if shell else 1.0
    if found is None:
        return 0.4 * 0.5 + 0.25 * clean + 0.20 + 0.15
    # In the order in which the code adds: ties in the fourth place fall as its own do (else 1 total of 100,000 differs).
    weights = weight = 0.0
    for place, event in enumerate(kept):
        own = 0.5 + place / max(len(kept) - 1, 1)
        weights += own
        weight += own if event.success is not False else 0.0
    return min(1.0, max(0.0, found._replace(success=weight / weights, shell=clean).total))


def _verification(kept: Sequence[ToolEvent], trajectory: Trajectory) -> float:
    if not trajectory.total_tools:
        return 0.5
    if not mutates(trajectory.tool_counts):
        return NO_MUTATION
    tested = built = read = False
    written: set[str] = set()
    for event in kept:
        if event.tool == BASH:
            line = event.params.get("command", "").lower()
            tested = tested or any(word in line for word in TEST_WORDS)
            built = built or any(word in line for word in BUILD_WORDS)
        path = event.params.get("file_path", "")
        if event.tool in _FILES and path:
            written.add(path)
        read = read or (event.tool == READ and path in written)
    return 0.4 * tested + 0.3 * built + 0.3 * (READ_AFTER_WRITE if read else 0.0)


def _consistency(kept: Sequence[ToolEvent], calls: int) -> float:
    if calls < FEW_CALLS:
        return FEW
    read: set[str] = set()
    edits: dict[str, int] = {}
    known = 0
    for event in kept:
        path = event.params.get("file_path", "")
        if path and event.tool == READ:
            read.add(path)
        elif path and event.tool in _FILES:
            known += path in read
            edits[path] = edits.get(path, 0) + 1
    before = known / sum(edits.values()) if edits else 0.5
    return 0.6 * before + 0.4 * max(0.0, 1.0 - 0.2 * sum(count >= 3 for count in edits.values()))
