"""Sessions made up for measurements, as Claude Code writes them: the same for the same seed, of any size.

    python -m ebmhw.bench.karl.transcripts FILE [MEGABYTES]

writes FILE, where it does not exist, reads it with `ebmhw.karl.readers.read_traces` and prints one JSON object: megabytes, sessions, calls, seconds,
those of the CPU, MB/s, the peak of memory and the problems that were reported.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ebmhw.files import write_whole

MEGABYTES = 50

CALLS = 75
"""Calls of a session, on the average: as in the published store of the KARL paper (21,380 of 290 sessions)."""

_START = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
_TEXT = (
    "the function reads a file and returns its lines while tests check every branch of parser cache index token stream worker queue retry value "
    "error path result config option default model batch layer schedule sample"
)
_WORDS = _TEXT.split()
_FILES = tuple(f"src/{folder}/{name}.py" for folder in ("core", "io", "web") for name in ("cache", "parser", "index", "queue", "model"))
_COMMANDS = ("pytest -q", "make", "git status --short", "ls -la src", "python -m tools.check", "npm run build", "grep -rn TODO src", "make test")
_PROMPTS = (
    "add a {} to the {}",
    "why does the {} of the {} fail? fix it",
    "now write tests for the {} and the {}",
    "no, that is wrong: the {} is not a {}",
)


def lines_of(number: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the lines of a session's transcript.

    Parameters
    ----------
    number : of the session
    seed : of all; the same pair makes the same lines
    """
    draw = random.Random(f"{seed}/{number}")
    session = str(uuid.UUID(int=draw.getrandbits(128)))
    at = _START + timedelta(minutes=37 * number)
    before: str | None = None

    def line(kind: str, message: dict[str, Any], **more: Any) -> dict[str, Any]:
        nonlocal at, before
        at += timedelta(milliseconds=draw.randrange(200, 9000))
        own = str(uuid.UUID(int=draw.getrandbits(128)))
        made = {
            "parentUuid": before,
            "isSidechain": False,
            "userType": "external",
            "cwd": "/home/dev/project",
            "sessionId": session,
            "version": "2.0.31",
            "gitBranch": "main",
            "type": kind,
            "message": message,
            "uuid": own,
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **more,
        }
        before = own
        return made

    for _ in range(draw.randrange(1, 6)):
        asked = draw.choice(_PROMPTS).format(draw.choice(_WORDS), draw.choice(_WORDS))
        yield line("user", {"role": "user", "content": f"{asked}; {_prose(draw, 20)}"})
        for _ in range(draw.randrange(CALLS // 3, CALLS // 3 * 2 // 3 * 2)):
            message = f"msg_{draw.getrandbits(80):x}"
            if draw.random() < 0.5:
                yield line("assistant", _answer(message, {"type": "text", "text": _prose(draw, 40)}))
            call = f"toolu_{draw.getrandbits(96):x}"
            name, given, output, failed, details = _call(draw)
            yield line("assistant", _answer(message, {"type": "tool_use", "id": call, "name": name, "input": given}))
            result = {"type": "tool_result", "tool_use_id": call, "content": output, "is_error": failed}
            yield line("user", {"role": "user", "content": [result]}, toolUseResult=details)
        yield line("assistant", _answer(f"msg_{draw.getrandbits(80):x}", {"type": "text", "text": _prose(draw, 120)}))


def write_transcripts(path: Path, size: int, seed: int = 0) -> int:
    """Write a file of whole sessions, of ``size`` bytes at least; return how many they are."""
    count = 0

    def write(stream: Any) -> None:
        nonlocal count
        while stream.tell() < size:
            for entry in lines_of(count, seed):
                stream.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1

    write_whole(path, write)
    return count


def ingest(path: Path) -> dict[str, float]:
    """Return what reading a file of traces takes."""
    from ebmhw.karl.readers import read_traces

    problems: list[object] = []
    sessions = calls = 0
    start, cpu = time.perf_counter(), time.process_time()
    for trajectory in read_traces(path, on_problem=problems.append):
        sessions += 1
        calls += trajectory.total_tools
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    megabytes = path.stat().st_size / 1e6
    return {
        "megabytes": round(megabytes, 1),
        "sessions": sessions,
        "calls": calls,
        "seconds": round(seconds, 2),
        "cpu_s": round(cpu, 2),
        "mb_per_s": round(megabytes / seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "problems": len(problems),
    }


def _prose(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(_WORDS, k=draw.randrange(words // 2, words * 3 // 2)))


def _answer(message: str, block: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 4, "cache_read_input_tokens": 31000, "output_tokens": 210}
    return {"id": message, "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [block], "usage": usage}


def _call(draw: random.Random) -> tuple[str, dict[str, Any], str, bool, Any]:
    """Return tool, arguments, output, whether it failed, and the details of the result."""
    kind, path = draw.random(), draw.choice(_FILES)
    failed = draw.random() < 0.1
    if kind < 0.5:
        command = draw.choice(_COMMANDS)
        output = "\n".join(_prose(draw, 12) for _ in range(draw.randrange(2, 60)))
        if command in ("pytest -q", "make test"):
            output += f"\n{draw.randrange(1, 200)} passed in 1.21s"
        details: Any = f"Error: Exit code 1\n{output}" if failed else {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
        return "Bash", {"command": command, "description": _prose(draw, 6)}, f"Exit code 1\n{output}" if failed else output, failed, details
    if kind < 0.75:
        output = "\n".join(f"{row:6}\t{_prose(draw, 10)}" for row in range(draw.randrange(10, 120)))
        return "Read", {"file_path": path}, output, False, {"type": "text", "file": {"filePath": path, "content": output, "numLines": 80}}
    if kind < 0.92:
        old, new = _prose(draw, 60), _prose(draw, 60)
        given = {"file_path": path, "old_string": old, "new_string": new}
        output = "<tool_use_error>String to replace not found in file.</tool_use_error>" if failed else f"The file {path} has been updated."
        details = f"Error: {output}" if failed else {"filePath": path, "oldString": old, "newString": new, "originalFile": _prose(draw, 400)}
        return "Edit", given, output, failed, details
    return "Grep", {"pattern": draw.choice(_WORDS), "path": "src"}, "\n".join(draw.choices(_FILES, k=5)), False, {"numFiles": 5}


def main(arguments: list[str]) -> None:
    """Write and read."""
    path = Path(arguments[0])
    if not path.exists():
        write_transcripts(path, int(float(arguments[1]) * 1e6) if len(arguments) > 1 else MEGABYTES * 10**6)
    print(json.dumps(ingest(path)))


if __name__ == "__main__":
    main(sys.argv[1:])
