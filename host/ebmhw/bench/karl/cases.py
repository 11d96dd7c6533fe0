"""Cases of karl: scoring, reading, storing, tapping and choosing, each beside the plainest way to do the like."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from ebmhw.bench.harness import DEFAULT_ROUNDS, Case, Measure, Peer

CALLS = 75
SCORE_GOAL = 2000.0
"""Sessions of `CALLS` calls a CPU second."""

_POOL, _SIZE = 1000, 100
"""Sessions to choose from, and to choose."""


def cases(quick: bool) -> list[Case]:
    """Return the cases; ``quick`` takes a tenth of the work."""
    share = 10 if quick else 1
    records, megabytes = 400 // share, max(1, 16 // share)
    return [
        Case(
            name="karl/score",
            measures=f"sessions of {CALLS} calls scored a CPU second, commands all different, against parsing their records as JSON",
            unit="sessions/s",
            setup=lambda _: _sessions(records),
            ours=_scoring,
            peers=(Peer("json.loads", _parsing),),
            per_cpu_second=True,
            goal=SCORE_GOAL,
        ),
        Case(
            name="karl/ingest",
            measures=f"MB of a Claude Code transcript of {megabytes} MB read a CPU second, redaction included, against parsing its lines as JSON",
            unit="MB/s",
            setup=lambda stack: _transcript(stack, megabytes),
            ours=_reading,
            peers=(Peer("json.loads", _parsing_lines),),
            per_cpu_second=True,
        ),
        Case(
            name="karl/store",
            measures=f"scored sessions of {CALLS} calls stored a CPU second, one transaction each, against appending lines of JSON under flock",
            unit="sessions/s",
            setup=lambda stack: _Stored(_sessions(records // 2), _folder(stack)),
            ours=_storing,
            peers=(Peer("flock and append", _appending),),
            per_cpu_second=True,
        ),
        Case(
            name="karl/tap",
            measures=f"events of sessions of {CALLS} calls that the tap takes a CPU second, against rewriting a buffer of JSON at each event",
            unit="events/s",
            setup=lambda stack: _folder(stack),
            ours=_tapping(max(1, 8 // share)),
            peers=(Peer("rewritten buffer", _rewriting(max(1, 8 // share))),),
            per_cpu_second=True,
        ),
        _choosing("objective", "advantages less the weighed similarities", "advantage", higher=True),
        _choosing("seconds", "seconds", "s", higher=False),
    ]


def _choosing(what: str, meaning: str, unit: str, *, higher: bool) -> Case:
    return Case(
        name=f"karl/select {what}",
        measures=f"{meaning} of {_SIZE} of {_POOL:,} sessions chosen by the sampler, against greedy choice and the highest rewards",
        unit=unit,
        setup=lambda _: _pool(),
        ours=_chosen("qubo", what),
        peers=(Peer("greedy", _chosen("greedy", what)), Peer("top-k", _chosen("top-k", what))),
        higher_is_better=higher,
        # An objective below 0 has no ratio.
        ratio=not higher,
    )


# --- what is measured on


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ebmhw-karl-")))


def _sessions(records: int) -> Callable[[int], list[Any]]:
    """Return what makes the sessions of a round: new ones each round, so that nothing is known of their commands."""
    from ebmhw.bench.karl.scores import sessions

    made = {number: list(sessions(records, seed=number + 2, calls=CALLS)) for number in range(-1, DEFAULT_ROUNDS + 1)}
    return lambda number: made[number] if number in made else list(sessions(records, seed=number + 2, calls=CALLS))


def _transcript(stack: ExitStack, megabytes: int) -> Path:
    from ebmhw.bench.karl.transcripts import write_transcripts

    path = _folder(stack) / "transcript.jsonl"
    write_transcripts(path, megabytes * 10**6)
    return path


class _Stored(NamedTuple):
    sessions: Callable[[int], list[Any]]
    folder: Path


def _pool() -> Any:
    from ebmhw.bench.karl.scores import sessions
    from ebmhw.karl import advantages, score

    found = list(sessions(_POOL, seed=1, calls=30))
    rewards = [score(one) for one in found]
    return found, rewards, advantages(found, rewards)


# --- sides


def _scoring(sessions: Callable[[int], list[Any]]) -> Measure:
    from ebmhw.karl import score

    def measure(number: int) -> float:
        given = sessions(number)
        for one in given:
            score(one)
        return float(len(given))

    return measure


def _parsing(sessions: Callable[[int], list[Any]]) -> Measure:
    from ebmhw.karl.record import to_record

    texts: dict[int, list[str]] = {number: [json.dumps(to_record(one)) for one in sessions(number)] for number in range(-1, DEFAULT_ROUNDS + 1)}

    def measure(number: int) -> float:
        given = texts[number % DEFAULT_ROUNDS]
        for text in given:
            json.loads(text)
        return float(len(given))

    return measure


def _reading(path: Path) -> Measure:
    from ebmhw.karl import read_traces

    def measure(_: int) -> float:
        problems: list[Any] = []
        for _trajectory in read_traces(path, on_problem=problems.append):
            pass
        if problems:
            raise RuntimeError(f"{problems[0]}: a line of the transcript that was made for this could not be read")
        return path.stat().st_size / 1e6

    return measure


def _parsing_lines(path: Path) -> Measure:
    def measure(_: int) -> float:
        with open(path, "rb") as stream:
            for line in stream:
                json.loads(line)
        return path.stat().st_size / 1e6

    return measure


def _storing(stored: _Stored) -> Measure:
    from ebmhw.karl import Reward, Store

    reward, files = Reward(0.5, 0.5, 0.5, 0.5, 0.5, 0.5), count()

    def measure(number: int) -> float:
        given = stored.sessions(number)
        with Store(stored.folder / f"{next(files)}.sqlite") as store:
            for one in given:
                store.put(one, reward)
        return float(len(given))

    return measure


def _appending(stored: _Stored) -> Measure:
    from ebmhw.karl.record import to_record

    files = count()

    def measure(number: int) -> float:
        given = stored.sessions(number)
        path = stored.folder / f"{next(files)}.jsonl"
        for one in given:
            with open(path, "a") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                stream.write(json.dumps(to_record(one)) + "\n")
                stream.flush()
                # As the store does: what was put is on the disk.
                os.fsync(stream.fileno())
        return float(len(given))

    return measure


def _events(sessions: int, number: int) -> Iterator[dict[str, Any]]:
    """Yield what hooks are told in a round, sessions one after another."""
    for session in range(sessions):
        name = f"bench-{number}-{session}"
        yield {"hook_event_name": "UserPromptSubmit", "session_id": name, "cwd": "/", "prompt": "make the tests pass"}
        for call in range(CALLS):
            yield {
                "hook_event_name": "PostToolUse",
                "session_id": name,
                "cwd": "/",
                "tool_name": "Bash",
                "tool_input": {"command": f"python -m pytest -q tests/test_{call}.py"},
                "tool_response": {"stdout": "....\n" * 400 + "12 passed in 0.41s", "stderr": "", "interrupted": False},
            }


def _tapping(sessions: int) -> Callable[[Path], Measure]:
    def make(folder: Path) -> Measure:
        from ebmhw.karl.tap import Tap

        tap, rounds = Tap(folder / "tapped"), count()

        def measure(_: int) -> float:
            done = 0
            for done, event in enumerate(_events(sessions, next(rounds)), 1):  # noqa: B007  # how many they were
                tap.handle(event)
            return float(done)

        return measure

    return make


def _rewriting(sessions: int) -> Callable[[Path], Measure]:
    def make(folder: Path) -> Measure:
        rounds = count()

        def measure(_: int) -> float:
            done = 0
            for done, event in enumerate(_events(sessions, next(rounds)), 1):
                path = folder / f"{event['session_id']}.json"
                buffer = json.loads(path.read_text()) if path.exists() else {"events": []}
                kept = {"tool_name": event.get("tool_name"), "key_params": {"command": event.get("tool_input", {}).get("command")}, "number": done}
                buffer["events"].append(kept)
                path.write_text(json.dumps(buffer))
            return float(done)

        return measure

    return make


def _chosen(method: str, what: str) -> Callable[[Any], Measure]:
    def make(pool: Any) -> Measure:
        from ebmhw.karl import select

        sessions, rewards, found = pool

        def measure(number: int) -> float:
            chosen = select(sessions, _SIZE, method, advantages=found, rewards=rewards, seed=max(0, number), backend="cpu")
            return float(getattr(chosen, what))

        return measure

    return make
