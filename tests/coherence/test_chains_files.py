"""Chains as lines and files: round trips, broken ones, tampering, growth by several writers and after crashes, and carl-core's."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.coherence.chains import (
    SCHEMA,
    ActionType,
    ChainLog,
    InteractionChain,
    Step,
    from_jsonl,
    read_chain,
    verify_step_content_hash,
    write_chain,
)
from ebmhw.coherence.chains.lines import MAX_LINE
from ebmhw.coherence.chains.reading import MAX_PROBLEMS
from ebmhw.errors import InvalidFile, ValidationError

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)

# Made with carl-core 0.2.0: a header and three steps, the second within the first.
PEER = """\
{"chain_id": "peer", "started_at": "2026-01-31T12:00:00+00:00", "context": {"model": "m"}}
{"step_id": "p1", "action": "llm_reply", "name": "reply", "input": {"prompt": "hi"}, "output": "ho", "success": true, "started_at": "2026-01\
-31T12:00:00+00:00", "duration_ms": null, "parent_id": null, "session_id": null, "trace_id": null, "phi": 0.5, "kuramoto_r": 0.75, "channel_\
coherence": null, "probe_call": null, "content_hash": "7ccda76cca0d351a3dd7b18f2ec0e82294d7465a857e497602b5ae71423707c6"}
{"step_id": "p2", "action": "tool_call", "name": "search", "input": null, "output": null, "success": false, "started_at": "2026-01-31T12:00:\
00+00:00", "duration_ms": 1.5, "parent_id": "p1", "session_id": null, "trace_id": null, "phi": null, "kuramoto_r": null, "channel_coherence"\
: null, "probe_call": null, "content_hash": "ae17063e6b5bb283c791abe3d632b5d50cfd01d3fcd2fb97644be6f9afa8abc8"}
{"step_id": "p3", "action": "training_step", "name": "step", "input": null, "output": null, "success": true, "started_at": "2026-01-31T12:00\
:00+00:00", "duration_ms": null, "parent_id": null, "session_id": null, "trace_id": null, "phi": 0.25, "kuramoto_r": null, "channel_coherenc\
e": {"a": 0.5}, "probe_call": null, "content_hash": "426c31554375d0808848df955a553e653ed6a4fdf9336507950263c3f2463204"}
"""


def chain_of(count: int) -> InteractionChain:
    chain = InteractionChain("c1", NOON, context={"model": "m"})
    for n in range(count):
        chain.record(ActionType.REWARD, f"step {n}", step_id=f"s{n}", parent_id=f"s{n - 1}" if n else None, output=n, phi=n / 100, started_at=NOON)
    return chain


def kinds(text: str | bytes) -> list[tuple[int, str]]:
    return [(problem.line, problem.kind) for problem in from_jsonl(text).problems]


def test_lines_give_the_chain_again() -> None:
    chain = chain_of(5)
    read = from_jsonl(chain.to_jsonl())
    assert read.chain.to_dict() == chain.to_dict() and read.problems == () and read.sealed
    assert read.chain.to_jsonl() == chain.to_jsonl()
    lines = [json.loads(line) for line in chain.to_jsonl().splitlines()]
    assert read.head == lines[-1]["content_hash"] and lines[0]["schema"] == SCHEMA
    assert [line["previous_hash"] for line in lines[1:]] == [line["content_hash"] for line in lines[:-1]]
    assert all(verify_step_content_hash(line) for line in lines)


def test_files_are_written_and_read(tmp_path: Path) -> None:
    write_chain(chain_of(4), tmp_path / "c.jsonl")
    read = read_chain(tmp_path / "c.jsonl")
    assert read.sealed and read.chain.to_dict() == chain_of(4).to_dict()
    for missing in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InvalidFile, match="cannot be read"):
            read_chain(missing)


# --- tampering


@given(st.integers(0, 5), st.integers(1, 9), st.data())
def test_any_change_of_a_line_shows(at: int, amount: int, data: st.DataObject) -> None:
    lines = chain_of(5).to_jsonl().splitlines()
    told = json.loads(lines[at])
    name = data.draw(st.sampled_from(sorted(told)))
    told[name] = data.draw(
        st.sampled_from([None, amount, str(amount), [amount], True]).filter(lambda value: value != told[name] or value is not told[name])
    )
    if data.draw(st.booleans()):
        del told[name]
    if told == json.loads(lines[at]):
        return
    lines[at] = json.dumps(told)
    read = from_jsonl("\n".join(lines) + "\n")
    assert not read.sealed and read.problems


@given(st.permutations(range(6)), st.integers(0, 6))
def test_lines_left_out_or_moved_show(order: list[int], count: int) -> None:
    lines = chain_of(5).to_jsonl().splitlines()
    chosen = [lines[n] for n in order[:count]]
    read = from_jsonl("\n".join(chosen) + "\n")
    if order[:count] == list(range(count)):
        # Lines missing at the end show against the head that was kept.
        assert (read.sealed or not count) and (read.head == from_jsonl(chain_of(5).to_jsonl()).head) == (count == 6)
    else:
        assert not read.sealed and read.problems


def test_the_line_that_was_changed_is_named() -> None:
    lines = chain_of(4).to_jsonl().splitlines()
    changed = lines[2].replace('"output": 1', '"output": 7')
    assert kinds("\n".join([*lines[:2], changed, *lines[3:]])) == [(3, "changed")]
    assert kinds("\n".join([*lines[:2], *lines[3:]])) == [(3, "changed"), (3, "parent")]
    bare = json.loads(lines[2])
    del bare["content_hash"]
    assert (3, "changed") in kinds("\n".join([*lines[:2], json.dumps(bare), *lines[3:]]))
    twice = lines[2].replace("{", '{"output": 1000, ', 1)
    assert (3, "broken") in kinds("\n".join([*lines[:2], twice, *lines[3:]]))
    assert from_jsonl("\n".join([*lines[:2], changed]), "log.jsonl").problems[0].text.startswith("log.jsonl:3: content_hash does not fit")


# --- broken files


def test_broken_lines_are_named_and_the_others_kept() -> None:
    lines = chain_of(6).to_jsonl().splitlines()
    lines[2] = "{broken"
    lines[4] = lines[4].replace('"phi": 0.03', '"phi": NaN')
    lines.insert(6, "[1, 2]")
    lines.append('{"loss": 2.5, "step": 3}')
    read = from_jsonl("\n".join(lines) + "\n\n  \n")
    assert [(one.line, one.kind) for one in read.problems] == [
        (3, "broken"),
        (4, "parent"),
        (5, "broken"),
        (6, "parent"),
        (7, "broken"),
        (9, "schema"),
    ]
    assert [one.name for one in read.chain] == ["step 0", "step 2", "step 4", "step 5"] and not read.sealed


def test_a_truncated_last_line_is_named() -> None:
    text = chain_of(3).to_jsonl()
    start = text.rindex("\n", 0, -1) + 1
    for cut in range(start + 1, len(text) - 1):
        read = from_jsonl(text[:cut])
        assert [(one.line, one.kind) for one in read.problems] == [(4, "truncated")] and len(read.chain) == 2
    assert from_jsonl(text[:-1]).sealed and from_jsonl(text[:start]).sealed


def test_steps_that_do_not_fit_are_named() -> None:
    lines = chain_of(2).to_jsonl().splitlines()
    told = json.loads(lines[2])
    for change in ({"action": "dance"}, {"phi": 3}, {"started_at": "noon"}, {"started_at": "2026-01-31T12:00:00"}, {"step_id": []}, {"name": None}):
        read = from_jsonl("\n".join([*lines[:2], json.dumps(told | change)]))
        assert {one.kind for one in read.problems} == {"step", "changed"} and len(read.chain) == 1
    assert (4, "duplicate") in kinds("\n".join([*lines, lines[2]]))
    assert (2, "parent") in kinds("\n".join([lines[0], lines[2]]))


def test_other_schemas_are_named() -> None:
    head = json.loads(chain_of(0).to_jsonl())
    for change in ({"schema": "ebmhw.chain/2"}, {"schema": 5}, {"chain_id": 3}, {"started_at": 7}, {"context": []}):
        assert kinds(json.dumps(head | change))[0] == (1, "schema")
    assert kinds('{"loss": 1}\n{"loss": 2}\n') == [(1, "schema"), (2, "schema")]
    assert kinds(chain_of(1).to_jsonl().splitlines()[1])[0] == (1, "schema")
    assert kinds(chain_of(0).to_jsonl() * 2) == [(2, "schema")]
    assert kinds("") == [] and not from_jsonl("").sealed and kinds("\ufeff" + chain_of(1).to_jsonl()) == []
    many = from_jsonl('{"loss": 1}\n' * (MAX_PROBLEMS + 10))
    assert len(many.problems) == MAX_PROBLEMS and many.n_problems == MAX_PROBLEMS + 10


@given(st.data())
def test_changed_bytes_never_raise(data: st.DataObject) -> None:
    raw = bytearray(chain_of(3).to_jsonl().encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read = from_jsonl(bytes(raw))
    assert len(read.chain) <= 4 and (read.sealed or read.problems or read.chain.steps == chain_of(3).steps or b"schema" not in raw)


def test_hostile_lines_end_soon(tmp_path: Path) -> None:
    head = chain_of(0).to_jsonl().encode()
    begun = time.perf_counter()
    for line in (b"[" * 1_000_000, b'{"a":' * 500_000, b"9" * 100_000, b'{"action": ' + b"9" * 6000 + b"}", b"\xff\xfe", b'"\\ud800"', b"null"):
        assert [kind for _, kind in kinds(head + line + b"\n")] == ["broken"]
    path = tmp_path / "long.jsonl"
    path.write_bytes(head + b"x" * (2 * MAX_LINE) + b"\n" + b'{"a": 1}\n')
    assert [(one.line, one.kind) for one in read_chain(path).problems] == [(2, "broken"), (3, "schema")]
    assert time.perf_counter() - begun < 5
    with pytest.raises(ValidationError, match="at most"):
        InteractionChain(context={str(n): "é" * 900_000 for n in range(5)}).to_jsonl()


# --- growth


def test_a_log_grows_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with ChainLog(path, chain_id="c9", context={"a": 1}, sync=True) as log:
        assert read_chain(path).sealed and len(read_chain(path).chain) == 0
        heads = [log.append(step) for step in chain_of(3)]
    read = read_chain(path)
    assert read.sealed and read.head == heads[-1] and read.chain.chain_id == "c9" and read.chain.context == {"a": 1}
    with ChainLog(path, chain_id="not this one") as log:
        with pytest.raises(ValidationError, match="'s1' is in"):
            log.append(chain_of(2).steps[1])
        log.append(Step(ActionType.GATE, "later", parent_id="s0"))
    read = read_chain(path)
    assert read.sealed and read.chain.chain_id == "c9" and [one.name for one in read.chain] == ["step 0", "step 1", "step 2", "later"]
    log.append(Step(ActionType.GATE, "after closing"))
    log.close()
    assert read_chain(path).sealed and len(read_chain(path).chain) == 5


def test_a_log_goes_on_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = chain_of(3).to_jsonl()
    start = whole.rindex("\n", 0, -1) + 1
    for cut in (start + 1, start + 40, len(whole) - 2):
        path.write_text(whole[:cut])
        with ChainLog(path) as log:
            log.append(Step(ActionType.GATE, "later"))
            log.append(Step(ActionType.GATE, "and later"))
        read = read_chain(path)
        assert [(one.line, one.kind) for one in read.problems] == [(4, "broken")] and [one.name for one in read.chain][2:] == ["later", "and later"]
    path.write_text(whole[:-1])  # only the newline is missing
    with ChainLog(path) as log:
        log.append(Step(ActionType.GATE, "later"))
    assert read_chain(path).sealed and len(read_chain(path).chain) == 4


def test_a_log_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    one, other = ChainLog(path), ChainLog(path)
    for n in range(6):
        (one, other)[n % 2].append(Step(ActionType.GATE, str(n)))
    assert read_chain(path).sealed and [step.name for step in read_chain(path).chain] == list("012345")
    write_chain(chain_of(2), path)  # another file in its place
    one.append(Step(ActionType.GATE, "x"))
    assert read_chain(path).sealed and len(read_chain(path).chain) == 3
    os.truncate(path, 0)
    other.append(Step(ActionType.GATE, "y"))
    assert read_chain(path).sealed and [step.name for step in read_chain(path).chain] == ["y"]
    path.unlink()
    one.append(Step(ActionType.GATE, "z"))
    assert read_chain(path).sealed and [step.name for step in read_chain(path).chain] == ["z"]
    one.close()
    other.close()
    with pytest.raises(InvalidFile, match="cannot be written"):
        ChainLog(tmp_path / "no" / "folder.jsonl")


def _write(path: str, writer: int, together: Any) -> None:
    with ChainLog(path) as log:
        together.wait(60)
        for n in range(100):
            log.append(Step(ActionType.TOOL_CALL, f"{writer}/{n}", input="x" * 500))


def test_several_processes_write_one_log(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    writers = [context.Process(target=_write, args=(str(path), n, together)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    read = read_chain(path)
    assert read.sealed and len(read.chain) == 300
    for writer in range(3):
        assert [step.name for step in read.chain if step.name.startswith(f"{writer}/")] == [f"{writer}/{n}" for n in range(100)]


# --- carl-core


def test_files_of_carl_core_are_read() -> None:
    read = from_jsonl(PEER)
    assert read.problems == () and not read.sealed
    assert read.chain.chain_id == "peer" and read.chain.context == {"model": "m"}
    assert [(one.action.value, one.name, one.phi, one.success) for one in read.chain] == [
        ("llm_reply", "reply", 0.5, True),
        ("tool_call", "search", None, False),
        ("training_step", "step", 0.25, True),
    ]
    assert read.chain.steps[1].parent_id == "p1" and read.chain.steps[0].input == {"prompt": "hi"}
    assert [kind for _, kind in kinds(PEER.replace("0.25", "0.75"))] == ["changed"]


def test_carl_core_reads_our_lines() -> None:
    peer = pytest.importorskip("carl_core.interaction")
    lines = [json.loads(line) for line in chain_of(4).to_jsonl().splitlines()]
    assert all(peer.verify_step_content_hash(line) for line in lines)
    theirs = peer.InteractionChain.from_dict(lines[0] | {"steps": lines[1:]})
    assert [(one.step_id, one.name, one.phi, one.output) for one in theirs.steps] == [(f"s{n}", f"step {n}", n / 100, n) for n in range(4)]
    ours: dict[str, Any] = from_jsonl(theirs.to_jsonl()).chain.to_dict()
    assert ours == chain_of(4).to_dict()


def test_more_steps_than_are_read_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ebmhw.coherence.chains.reading.MAX_STEPS", 3)
    read = from_jsonl(chain_of(5).to_jsonl())
    assert len(read.chain) == 3 and [(one.line, one.kind) for one in read.problems] == [(5, "step"), (6, "step")]
    write_chain(chain_of(5), tmp_path / "log.jsonl")
    with ChainLog(tmp_path / "log.jsonl") as log, pytest.raises(ValidationError, match="'s4' is in"):
        log.append(chain_of(5).steps[4])
