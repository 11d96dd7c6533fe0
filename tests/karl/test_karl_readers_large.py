"""Files of any size, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ebmhw.bench.karl.transcripts import ingest, lines_of, write_transcripts
from ebmhw.karl.readers import Problem, read_traces

SIZE = 200 * 10**6
PEAK_MB = 200


def in_a_child(path: Path) -> dict[str, float]:
    """Return what reading takes in a process of its own, whose peak of memory is that of the reading."""
    done = subprocess.run([sys.executable, "-m", "ebmhw.bench.karl.transcripts", str(path)], capture_output=True, check=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_made_up_sessions_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    assert list(lines_of(3, 7)) == list(lines_of(3, 7)) != list(lines_of(3, 8))
    count = write_transcripts(tmp_path / "a.jsonl", 10**6)
    write_transcripts(tmp_path / "b.jsonl", 10**6)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    told = ingest(tmp_path / "a.jsonl")
    lines = [line for number in range(count) for line in lines_of(number)]
    blocks = [block for line in lines if isinstance(line["message"]["content"], list) for block in line["message"]["content"]]
    assert (told["sessions"], told["problems"]) == (count, 0)
    assert told["calls"] == sum(block["type"] == "tool_use" for block in blocks) > 50


@pytest.mark.slow
def test_a_large_transcript_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    count = write_transcripts(path, SIZE)
    told = in_a_child(path)
    assert (told["sessions"], told["problems"]) == (count, 0)
    assert told["peak_mb"] < PEAK_MB, told


@pytest.mark.slow
def test_lines_without_end_and_one_session_without_end(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    message = {"role": "assistant", "content": [{"type": "text", "text": "word " * 900}]}
    with path.open("wb") as stream:
        stream.write(b'{"type": "user", "sessionId": "s", "message": {"content": "go"}}\n')
        stream.write(b'{"type": "user", "sessionId": "s", "message": {"content": "')
        for _ in range(100):
            stream.write(b"x" * 10**6)
        stream.write(b'"}}\n')
        for number in range(1500):
            entry = {"type": "assistant", "sessionId": f"s{number % 1000}", "uuid": f"u{number}", "message": {**message, "id": f"m{number}"}}
            stream.write(json.dumps(entry).encode() + b"\n")
    told = in_a_child(path)
    # The sessions keep 6 MB of text at once: less than may be held open.
    assert (told["sessions"], told["problems"]) == (1001, 1)
    assert told["peak_mb"] < PEAK_MB, told
    problems: list[Problem] = []
    assert sum(len(each.turns) for each in read_traces(path, on_problem=problems.append)) == 1501
    assert [problem.line for problem in problems] == [2]
