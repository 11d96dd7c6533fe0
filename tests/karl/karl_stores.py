"""What tests of the store share: a plain session, and a score that tells sessions apart."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from ebmhw.karl.record import from_record, to_record
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.trajectory import ToolEvent, Trajectory

HALF = Reward(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
GOOD = Reward(0.9, 0.8, 0.7, 0.6, 0.5, 0.4)


def by_calls(trajectory: Trajectory) -> Reward:
    """A score that differs wherever calls or outcome do."""
    flags = sum(3**place * (1 + (flag is True) - (flag is False)) for place, flag in enumerate(trajectory.outcome[:4]))
    return Reward(flags / 100, min(trajectory.total_tools, 100) / 100, 0.5, 0.5, 0.5, 0.5)


def kept(trajectory: Trajectory) -> Trajectory:
    """What a record keeps of a trajectory."""
    return from_record(to_record(trajectory)).trajectory


def plain(identity: str = "traj_1", calls: int = 2, **values: object) -> Trajectory:
    events = tuple(ToolEvent("Bash", {"command": f"c{number}"}, True) for number in range(calls))
    return Trajectory(**{"id": identity, "session_id": "s1", "events": events, **values})  # type: ignore[arg-type]


def in_a_fresh_python(code: str, *arguments: object) -> None:
    """Run code that forks, or becomes somebody else, in a process where nothing has threads: those of JAX make a fork unsafe."""
    head = "import os, sys\nfrom pathlib import Path\nfrom karl_stores import by_calls, plain\nfrom ebmhw.karl.store import Store\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", head + textwrap.dedent(code), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
