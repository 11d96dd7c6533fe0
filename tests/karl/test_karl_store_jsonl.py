"""JSONL in and out: our records and the paper's, bad lines by number, later versions left, a full disk in the midst."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from karl_stores import by_calls, plain

from ebmhw.errors import InvalidFile, StoreError
from ebmhw.karl.readers import UnreadLines
from ebmhw.karl.readers.reader import Problem
from ebmhw.karl.record import VERSION, from_record, to_record
from ebmhw.karl.reward import SIGNALS, score
from ebmhw.karl.store import Imported, Store
from ebmhw.karl.trajectory import Outcome, ToolEvent, Turn


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "karl.sqlite", scorer=by_calls, timeout=10) as opened:
        yield opened


def published(number: int) -> dict[str, Any]:
    """A record as the paper's store has them."""
    return {
        "id": f"traj_p{number}",
        "session_id": f"p{number}",
        "skill": {"domain": "Web"},
        "trajectory": {
            "tool_sequence": ["Bash", "Read"],
            "tool_counts": {"Bash": 1, "Read": 1},
            "total_tools": 2,
            "successes": 2,
            "failures": 0,
            "bash_errors": 1,
            "events": [{"tool_name": "Bash", "success": True, "exit_code": None}, {"tool_name": "Read", "success": True, "exit_code": None}],
        },
        "context": {"git_repo": None},
        "timing": {"num_prompts": 1, "first": "2026-03-01T10:00:00Z", "last": "2026-03-01T10:05:00Z"},
        "outcome": {"reward_score": 0.61, "signals": {"outcome": 0.5}, "advantage": 0.1},
    }


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_bad_lines_are_told_by_number_and_the_others_are_read(store: Store, tmp_path: Path) -> None:
    good = [to_record(plain(f"traj_{number}", session_id=f"s{number}"), by_calls(plain()), 0.25) for number in range(3)]
    later = {**good[1], "ebmhw": {"version": VERSION + 1, "mood": "calm"}}
    path = written(
        tmp_path / "in.jsonl",
        good[0],  # 1
        "\n",  # 2, nothing
        "{broken\n",  # 3
        later,  # 4
        {**good[1], "channel": "radio"},  # 5
        "[1, 2]\n",  # 6
        good[1],  # 7
        good[0],  # 8, again
        {**good[2], "ebmhw": {"version": 1, "held_out": "yes"}},  # 9
        "[" * 100_000 + "\n",  # 10
        published(1),  # 11
        {"id": "traj_x"},  # 12
        json.dumps(good[2])[:-30],  # 13, cut short
    )
    before = path.read_bytes()
    problems: list[Problem] = []
    assert store.import_jsonl(path, on_problem=problems.append) == Imported(added=3, updated=0, same=1, failed=8, newer=1)
    assert [problem.line for problem in problems] == [3, 4, 5, 6, 9, 10, 12, 13]
    assert {problem.path for problem in problems} == {str(path)}
    assert f"version {VERSION + 1}" in problems[1].text and "channel is 'radio'" in problems[2].text
    assert store.ids() == ["traj_0", "traj_1", "traj_p1"]
    assert store.get("traj_0")[1:] == (by_calls(plain()), 0.25)
    assert path.read_bytes() == before


def test_records_of_the_paper_are_scored_anew(store: Store, tmp_path: Path) -> None:
    assert store.import_jsonl(written(tmp_path / "p.jsonl", *map(published, range(5)))).added == 5
    scored = store.get("traj_p3")
    assert scored.trajectory.domain == "Web" and scored.trajectory.duration_s == 300
    assert scored.reward == by_calls(scored.trajectory) and scored.advantage is None
    assert not store.check()


SECRET = "ghp_" + "Q1" * 20


def claiming(scores: dict[str, float | None], advantage: float | None = None) -> dict[str, Any]:
    """A record of a session that went badly, with the scores of scoring but for those that are given."""
    events = (ToolEvent("Bash", {"command": "make"}, False, 1), ToolEvent("Edit", {"file_path": "a"}, False))
    bad = plain(events=events, outcome=Outcome(correction=True, redo=True))
    record = to_record(bad, score(bad), advantage)
    record["outcome"] |= {f"{name}_score": value for name, value in scores.items()}
    return record


@pytest.mark.parametrize(
    ("scores", "advantage", "kept", "told"),
    [
        ({}, 0.5, 0.5, None),
        ({"reward": 0.0, "outcome": None}, 9.0, None, "claims the advantage 9.0 and no scores; it is left out"),
        (dict.fromkeys(("reward", *SIGNALS), 1.0), 9.0, None, "traj_1 claims 1 (outcome 1, process 1"),
        ({"reward": 0.99}, 0.5, None, "traj_1 claims 0.99 ("),
        ({"outcome": 0.9}, 0.5, None, "(outcome 0.9, "),
        ({}, 51.0, None, "claims the advantage 51.0, beyond 50; it is left out"),
        ({}, -1e9, None, "beyond 50"),
    ],
)
def test_claims_of_scores_are_kept_only_if_they_are_those_of_scoring(
    tmp_path: Path, scores: dict[str, float | None], advantage: float, kept: float | None, told: str | None
) -> None:
    path = written(tmp_path / "in.jsonl", claiming(scores, advantage))
    problems: list[Problem] = []
    with Store(tmp_path / "karl.sqlite") as store:
        assert store.import_jsonl(path, on_problem=problems.append) == Imported(1, 0, 0, 0, 0)
        (scored,) = store
        assert scored.reward == score(scored.trajectory) and scored.reward.total < 0.5 and scored.advantage == kept
        assert [problem.line for problem in problems] == ([1] if told else [])
        assert told is None or told in problems[0].text
        # What the store was told by its user is not taken back by a file that says the same.
        problems.clear()
        claimed = from_record(claiming(scores, advantage))
        if claimed.reward is not None:
            store.put_scores([("traj_1", claimed.reward, claimed.advantage)])
            assert store.import_jsonl(path, on_problem=problems.append) == Imported(0, 0, 1, 0, 0) and not problems
            assert store.get("traj_1")[1:] == claimed[1:]


def test_ids_of_other_sessions_are_told_and_skipped(store: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", *(to_record(plain(calls=calls, session_id=name)) for calls, name in ((2, "s1"), (99, "other"), (3, "s1"))))
    problems: list[Problem] = []
    assert store.import_jsonl(path, on_problem=problems.append) == Imported(1, 1, 0, 1, 0)
    assert [(problem.path, problem.line) for problem in problems] == [(str(path), 2)] and "'other'" in problems[0].text and "'s1'" in problems[0].text
    assert [scored.trajectory for scored in store] == [plain(calls=3)]


@pytest.mark.parametrize("ours", [True, False])
def test_no_text_of_an_imported_record_holds_secrets(store: Store, tmp_path: Path, ours: bool) -> None:
    events = (ToolEvent("Bash", {"command": f"make {SECRET}", "zzz": "Q1"}), ToolEvent(f"run {SECRET}", {SECRET: "Q1", "url": f"a://b:Q1{SECRET}@c"}))
    texts = dict.fromkeys(("skill", "domain", "label_source", "cwd", "git_repo", "user", "agent", "model", "task"), f"/x/{SECRET}")
    secret = plain(session_id=f"s {SECRET}", events=events, turns=(Turn("user", "password: Q1abc"),), prompt="DB_PASSWORD=Q1hunter", **texts)
    record = to_record(secret)
    if not ours:
        del record["ebmhw"]
    path = written(tmp_path / "in.jsonl", record)
    assert "Q1" in path.read_text()
    assert store.import_jsonl(path).added == 1
    store.export_jsonl(tmp_path / "out.jsonl")
    assert "Q1" not in (tmp_path / "out.jsonl").read_text() and "Q1" not in repr(list(store)) and SECRET.encode() not in store.path.read_bytes()
    (scored,) = store
    assert scored.trajectory.events[0].params == {"command": "make [redacted]"} and scored.trajectory.total_tools == 2
    assert store.import_jsonl(tmp_path / "out.jsonl").same == 1
    assert store.import_jsonl(written(tmp_path / "in.jsonl", to_record(plain(f"traj_ {SECRET}")))).added == 1
    assert not any("Q1" in identity for identity in store.ids())


def test_times_that_no_calendar_knows_are_refused(store: Store, tmp_path: Path) -> None:
    record = to_record(plain())
    record["timing"]["started_at"] = "9999-12-31T23:59:59-23:59"
    problems: list[Problem] = []
    assert store.import_jsonl(written(tmp_path / "in.jsonl", record), on_problem=problems.append).failed == 1
    assert "timing.started_at is '9999-12-31T23:59:59-23:59'" in problems[0].text
    store.put(plain(started_at=1e15, ended_at=-1e15))
    assert not store.check()


def test_versions_of_a_session_in_one_file(store: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "v.jsonl", *(to_record(plain(calls=calls)) for calls in (3, 9, 5)))
    assert store.import_jsonl(path) == Imported(1, 1, 1, 0, 0)
    assert store.get("traj_1").trajectory == plain(calls=9)


def test_problems_are_warned_of_where_nobody_takes_them(store: Store, tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", *["{\n"] * 25)
    with pytest.warns(UnreadLines) as caught:
        assert store.import_jsonl(path).failed == 25
    assert len(caught) == 11
    assert f"{path}:10: " in str(caught[9].message) and "15 more problems" in str(caught[10].message)


def test_compressed_and_missing_files(store: Store, tmp_path: Path) -> None:
    packed = tmp_path / "in.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(to_record(plain())).encode()))
    assert store.import_jsonl(packed).added == 1
    for wrong in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InvalidFile, match=str(wrong)):
            store.import_jsonl(wrong)
    with pytest.raises(InvalidFile, match="3: this is no path"):
        store.import_jsonl(3)  # type: ignore[arg-type]
    assert store.import_jsonl(written(tmp_path / "empty.jsonl")) == (0, 0, 0, 0, 0)


def test_a_disk_that_fills_up_in_the_midst(store: Store, tmp_path: Path) -> None:
    records = [plain(f"traj_{number}", session_id=f"s{number}", prompt=f"{number}" * 100) for number in range(700)]
    path = written(tmp_path / "in.jsonl", *map(to_record, records))
    connection = store._database._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 60")
    told = rf"disk is full.*of {path}, \d+ records were stored before; import it again"
    with pytest.raises(StoreError, match=told) as caught:
        store.import_jsonl(path)
    stored = len(store)
    assert 0 < stored < 700 and f", {stored} records" in str(caught.value)
    assert [scored.trajectory for scored in store] == records[:stored]
    connection.execute("PRAGMA max_page_count = 100000")
    assert store.import_jsonl(path) == Imported(700 - stored, 0, stored, 0, 0)
    assert [scored.trajectory for scored in store] == records
    assert not store.check()


def test_an_export_is_whole_or_not_there(store: Store, tmp_path: Path) -> None:
    store.put_many(plain(f"traj_{number}", session_id=f"s{number}", domain="ml" if number % 2 else "web") for number in range(6))
    out = tmp_path / "out.jsonl"
    assert store.export_jsonl(out, domain="ml") == 3
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["traj_1", "traj_3", "traj_5"]
    before = out.read_bytes()
    store._database._connection.execute("UPDATE record SET body = x'00' WHERE id = 'traj_3'")
    with pytest.raises(StoreError, match="'traj_3' is damaged"):
        store.export_jsonl(out)
    assert out.read_bytes() == before and [path.name for path in tmp_path.glob(".*")] == []
    problems: list[Problem] = []
    assert store.export_jsonl(out, on_problem=problems.append) == 5 and len(problems) == 1


def test_a_record_as_large_as_they_come(store: Store, tmp_path: Path) -> None:
    large = plain(turns=tuple(Turn("user", "\U0001f600" * 4000) for _ in range(2000)))
    store.put(large)
    store.export_jsonl(tmp_path / "large.jsonl")
    with Store(tmp_path / "copy.sqlite", scorer=by_calls) as copy:
        assert copy.import_jsonl(tmp_path / "large.jsonl").added == 1
        assert copy.get("traj_1").trajectory == large
