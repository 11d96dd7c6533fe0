"""SessionMemory in files: many processes, copies, damage, later versions, hostile packs, secrets, and what is recalled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.errors import InvalidFile, NewerRecord, VerificationError
from ebmhw.verify import Claim, Deadline, Domain, Judgement, Statement, VerifyRepairPipeline, check_certificate
from ebmhw.verify.memory import Count, SessionMemory
from ebmhw.verify.memory import session as session_module
from ebmhw.verify.memory.pack import _digest

QUESTION = "What is 97 + 86?"
SECRET = "hf_abcdefghijklmnopqrstuvwxyz0123"

NOTING = """
import sys
from ebmhw.verify.memory import SessionMemory
memory = SessionMemory(sys.argv[1])
for _ in range(20):
    memory.note("property", "sorted", 2, 1)
    memory.save()
"""


@pytest.fixture
def pipeline() -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=["arithmetic"])


def full(path: Path) -> SessionMemory:
    with SessionMemory(path) as memory:
        memory.note("property", "sorted", 3, 1)
        memory.record(VerifyRepairPipeline(domains=["arithmetic"]).verify(QUESTION, "The answer is 173."))
    return memory


def changed(path: Path, change: dict[str, Any]) -> bytes:
    """Return the file with members changed, by paths such as "checks/0/at", and a digest that fits."""
    content = json.loads(path.read_text())
    for place, value in change.items():
        *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
        at = content
        for part in way:
            at = at[part]
        at[last] = value
    content["digest"] = _digest(content)
    return json.dumps(content).encode()


def test_processes_that_write_one_file_at_once_lose_no_count(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    running = [subprocess.Popen([sys.executable, "-c", NOTING, str(path)]) for _ in range(3)]
    assert [one.wait(300) for one in running] == [0, 0, 0]
    assert SessionMemory(path).counts("property", "sorted") == Count(120, 60)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["memory.json", "memory.json.lock"]


def test_two_memories_of_one_file_see_each_other_once_they_save(tmp_path: Path) -> None:
    first, second = SessionMemory(tmp_path / "m.json"), SessionMemory(tmp_path / "m.json")
    first.note("property", "sorted", 3, 1)
    second.note("property", "sorted", 4, 0)
    first.save()
    second.save()
    first.save()
    assert first.counts("property", "sorted") == second.counts("property", "sorted") == (7, 1)


def test_a_copied_file_counts_on_as_a_source_of_its_own(tmp_path: Path) -> None:
    full(tmp_path / "one.json")
    (tmp_path / "two.json").write_bytes((tmp_path / "one.json").read_bytes())
    for name in ("one", "two"):
        with SessionMemory(tmp_path / f"{name}.json") as memory:
            memory.note("property", "sorted", 10, 5)
    with SessionMemory(tmp_path / "one.json") as memory:
        change = memory.import_(tmp_path / "two.json")
        assert memory.counts("property", "sorted") == (3 + 10 + 10, 1 + 5 + 5)
        assert change.conflicts == ()
        assert memory.import_(tmp_path / "two.json")[2:] == ((), (), (), ())


def test_a_dry_run_tells_what_a_run_then_does(tmp_path: Path) -> None:
    full(tmp_path / "pack.json")
    memory = SessionMemory(tmp_path / "m.json")
    memory.note("property", "sorted", 2, 0)
    memory.save()
    before = (tmp_path / "m.json").read_bytes()
    told = memory.import_(tmp_path / "pack.json", dry_run=True)
    assert (tmp_path / "m.json").read_bytes() == before
    assert memory.counts("property", "sorted") == (2, 0)
    done = memory.import_(tmp_path / "pack.json")
    assert done == told._replace(dry_run=False)
    counts = f"{len(told.added)} added, {len(told.removed)} removed, {len(told.changed)} changed, {len(told.conflicts)} conflicts)"
    assert repr(told) == f"Change({told.how}, dry run: {counts}"
    assert repr(done) == f"Change({told.how}: {counts}"
    assert [(item.name, item.before, item.after) for item in done.changed] == [("property/sorted", (2, 0), (5, 1))]
    assert memory.counts("property", "sorted") == SessionMemory(tmp_path / "m.json").counts("property", "sorted") == (5, 1)


def test_replacing_leaves_nothing_of_what_was_there_and_counts_under_a_new_source(tmp_path: Path) -> None:
    full(tmp_path / "pack.json")
    memory = SessionMemory(tmp_path / "m.json")
    memory.note("strategy", "loops", 9, 9)
    change = memory.import_(tmp_path / "pack.json", how="replace")
    assert [item.name for item in change.removed] == ["strategy/loops"]
    assert memory.counts("strategy", "loops") == (0, 0)
    memory.note("property", "sorted", 1, 0)
    memory.save()
    memory.import_(tmp_path / "pack.json")
    assert memory.counts("property", "sorted") == (4, 1)


def test_conflicts_are_named(tmp_path: Path) -> None:
    full(tmp_path / "m.json")
    (tmp_path / "older.json").write_bytes(
        changed(tmp_path / "m.json", {"counters/1/tried": 2, "counters/1/caught": 2, "checks/0/verdict": "VERIFIED"})
    )
    found = SessionMemory(tmp_path / "m.json").diff(tmp_path / "older.json")
    assert [(item.what, item.before, item.after) for item in found.conflicts] == [("count", (3, 1), (2, 2)), ("check", "VIOLATED", "VERIFIED")]
    assert SessionMemory(tmp_path / "m.json").diff(tmp_path / "m.json").same


def test_an_earlier_verdict_names_the_certificate_that_proves_it(pipeline: VerifyRepairPipeline) -> None:
    memory = SessionMemory()
    report = pipeline.verify(QUESTION, "The answer is 183.")
    memory.record(report)
    (found,) = memory.recall(QUESTION, "The answer is 183.")
    assert (found.verdict, found.certificate) == ("VERIFIED", report.certificate["digest"])
    assert check_certificate(report.certificate, QUESTION, "The answer is 183.") == "VERIFIED"
    assert memory.recall(QUESTION, "The answer is 183") == ()
    assert not hasattr(found, "verified")


def test_what_repaired_a_response_is_remembered(pipeline: VerifyRepairPipeline) -> None:
    memory = SessionMemory()
    check = memory.record(pipeline.verify_and_repair(QUESTION, "The answer is 173."))
    assert check.verdict == "VIOLATED"
    assert check.violated == (("arithmetic", "answer"),)
    assert check.fix is not None
    assert (check.fix.method, check.fix.verdict) == ("exact", "VERIFIED")
    assert memory.names("repair") == {"exact": (1, 1)}
    assert [one.verdict for one in memory.recall(QUESTION, "The answer is 183.")] == ["VERIFIED"]


def test_similar_questions_differ_in_numbers_only(pipeline: VerifyRepairPipeline) -> None:
    memory = SessionMemory()
    memory.record(pipeline.verify(QUESTION, "The answer is 173."))
    assert len(memory.similar("what is  1,200 + 4.5?")) == 1
    assert memory.similar("What is 97 - 86?") == ()


def test_texts_are_hashed_and_kept_only_where_asked_for_and_then_without_secrets(tmp_path: Path, pipeline: VerifyRepairPipeline) -> None:
    response = f"The answer is 183. My token: {SECRET}"
    for keep in (False, True):
        with SessionMemory(tmp_path / f"{keep}.json", keep_texts=keep) as memory:
            memory.record(pipeline.verify(QUESTION, response))
        raw = (tmp_path / f"{keep}.json").read_text()
        assert SECRET not in raw
        assert (QUESTION in raw) == keep
        assert len(memory.recall(QUESTION, response)) == 1


class Strange(Domain):
    """A domain of somebody else's, with names as no memory holds them."""

    @property
    def name(self) -> str:
        return "strange\n" + "x" * 300

    def read(self, text: str, source: str, deadline: Deadline) -> list[Statement]:
        return [Statement(self.name, f"token={SECRET}", source, (0, len(text)), text, {})] if source == "response" else []

    def judge(self, question: Any, response: Any, prover: Any, deadline: Deadline) -> Judgement:
        return Judgement(tuple(Claim(statement, "VIOLATED", "so") for statement in response))


def test_names_and_texts_of_others_are_made_to_fit(tmp_path: Path) -> None:
    with SessionMemory(tmp_path / "m.json", keep_texts=True) as memory:
        memory.record(VerifyRepairPipeline(domains=[Strange()]).verify("\ud800", "y" * 200_000))
    found = SessionMemory(tmp_path / "m.json")
    assert len(found) == 1
    assert SECRET not in (tmp_path / "m.json").read_text()
    assert found.names("claim") == {("strange" + "x" * 300)[:200]: (1, 1)}


@pytest.mark.parametrize("now", [-1e9, 0.5, 1e30])
def test_a_wrong_clock_makes_no_file_that_cannot_be_read(
    tmp_path: Path, pipeline: VerifyRepairPipeline, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    monkeypatch.setattr(session_module.time, "time", lambda: now)
    report = pipeline.verify(QUESTION, "The answer is 173.")
    with SessionMemory(tmp_path / "m.json") as memory:
        memory.record(report)
    assert len(SessionMemory(tmp_path / "m.json")) == 1


INTERRUPTED = """
import os, signal, sys
from ebmhw.verify.memory import SessionMemory, session
write = session.write_pack
def written(*arguments):
    write(*arguments)
    session.write_pack = write
    os.kill(os.getpid(), signal.SIGINT)
session.write_pack = written
try:
    with SessionMemory(sys.argv[1]) as memory:
        memory.note("property", "sorted", 3, 1)
        memory.save()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_while_it_is_saved_counts_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED, str(path)], capture_output=True, text=True, timeout=300)
    assert ended.stdout == "interrupted\n", ended.stderr
    assert SessionMemory(path).counts("property", "sorted") == (3, 1)


def test_a_secret_is_no_name() -> None:
    with pytest.raises(VerificationError, match="looks like a secret"):
        SessionMemory().note("property", SECRET, 1, 0)


@pytest.mark.parametrize("arguments", [("", "x", 1, 0), ("k", "x" * 201, 1, 0), ("k", "a\nb", 1, 0), ("k", 3, 1, 0)])
def test_names_are_short_and_printable(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(VerificationError, match="give a printable text of 1 to 200 characters"):
        SessionMemory().note(*arguments)


@pytest.mark.parametrize("numbers", [(1, 2), (-1, -1), (1.0, 0), (True, False), ("1", 0), (2**53, 0), (float("nan"), 0)])
def test_counts_are_whole_numbers(numbers: tuple[Any, Any]) -> None:
    with pytest.raises(VerificationError, match="give whole numbers, 0 <= caught <= tried"):
        SessionMemory().note("property", "sorted", *numbers)


def test_a_full_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "COUNTERS", 2)
    memory = SessionMemory()
    for name in ("a", "b", "a"):
        memory.note("property", name)
    with pytest.raises(VerificationError, match="holds 2 counters, the most that it may"):
        memory.note("property", "c")


def test_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    memory = full(path)
    path.write_bytes(changed(path, {"version": 2}))
    before = path.read_bytes()
    for deed in (memory.save, lambda: SessionMemory(path), lambda: memory.import_(path)):
        with pytest.raises(NewerRecord, match="version 2 of a memory is later than 1"):
            deed()
    assert path.read_bytes() == before


def test_damage_is_found_and_the_file_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    memory = full(path)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole.replace(b'"tried":3', b'"tried":4'), b"", b"\x00" * 100):
        path.write_bytes(damaged)
        with pytest.raises(InvalidFile, match=r"m\.json"):
            memory.save()
        assert path.read_bytes() == damaged
    path.write_bytes(whole)
    memory.save()


HOSTILE = {
    "counters/0/tried": [1.0, -1, True, "3", None, 2**53, float("nan"), float("inf"), [], 10**400],
    "counters/0/caught": [99, -1],
    "counters/0/source": ["x", "A" * 32, None, 0],
    "counters/0/kind": ["", "a\nb", 5, "x" * 201],
    "counters/0": [[], None, {}, {"kind": "a"}],
    "counters": [{}, None, [0], [[]]],
    "checks": [{}, "x", [[]], [None]],
    "checks/0/question": ["", "0" * 63, None, "G" * 64],
    "checks/0/verdict": ["verified", True, None, []],
    "checks/0/violated": [[["a"]], [["a", "b", "c"]], ["ab"], [[1, 2]], {}],
    "checks/0/fix": [{}, [], {"method": "magic", "response": "0" * 64, "verdict": "VERIFIED"}],
    "checks/0/at": [-1, 1.5, "now"],
    "checks/0/texts": [["a"], ["a", "x" * 100_001], [1, 2], "ab"],
    "checks/0/domains": ["arithmetic", [1], [["x"]]],
    "source": [5, "x"],
    "home": ["x"],
    "version": [0, -1, "1", 1.0, True, None],
    "schema": ["carnot.session_memory_pack.v1", None, 1],
    "ebmhw": [1, "x" * 201],
}


@pytest.mark.parametrize(
    ("place", "value"), [(place, value) for place, values in HOSTILE.items() for value in values], ids=lambda value: repr(value)[:20]
)
def test_what_no_memory_holds_is_refused_by_its_place(tmp_path: Path, place: str, value: Any) -> None:
    path = tmp_path / "m.json"
    full(path)
    path.write_bytes(changed(path, {place: value}))
    with pytest.raises(InvalidFile, match=re.escape(place.split("/")[0])):
        SessionMemory(path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"schema":1,"schema":2}', "there twice"),
        (b"\xff\xfe{}", "no UTF-8"),
        (b'{"a":' + b"1" * 5000 + b"}", "thousands of digits"),
        (b"[]", "must be an object"),
        (b"{}", "schema is None"),
        (b'{"schema":"ebmhw-session-memory","version":1}', "missing"),
        (b'{"schema":"ebmhw-session-memory","version":1' + b',"a":1' + b"}", "members are"),
    ],
)
def test_a_bomb_or_nonsense_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "m.json").write_bytes(raw)
    with pytest.raises(InvalidFile, match=said):
        SessionMemory(tmp_path / "m.json")


@settings(max_examples=60)
@given(st.data())
def test_a_pack_with_any_byte_changed_is_read_as_it_was_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("pack")
    memory = SessionMemory()
    memory.note("property", "sorted", 3, 1)
    memory.export(folder / "pack.json")
    raw = bytearray((folder / "pack.json").read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (folder / "pack.json").write_bytes(raw)
    other = SessionMemory()
    try:
        other.import_(folder / "pack.json")
    except (InvalidFile, NewerRecord):
        assert other.names("property") == {}
    else:
        assert other.names("property") == {"sorted": (3, 1)}


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InvalidFile, match="no regular file"):
            SessionMemory(path)
    with pytest.raises(InvalidFile, match="cannot be read: No such file"):
        SessionMemory().import_(tmp_path / "nowhere")
    (tmp_path / "link.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VerificationError, match="cannot be written"):
        SessionMemory(tmp_path / "link.json").save()
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_not_allowed_is_said(tmp_path: Path) -> None:
    memory = full(tmp_path / "m.json")
    with pytest.raises(VerificationError, match="give 'merge' or 'replace'"):
        memory.import_(tmp_path / "m.json", how="add")  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="the memory's own file"):
        memory.export(tmp_path / "m.json")
    with pytest.raises(VerificationError, match="has no file"):
        SessionMemory().save()
    with pytest.raises(VerificationError, match="is no report"):
        memory.record("VERIFIED")  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="is no path"):
        SessionMemory(5)  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="cannot be written"):
        memory.export(tmp_path / "no folder" / "pack.json")
