"""`ebmhw karl`: every command from logs to a page, the figures of the library, and one line for whatever is wrong."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ebmhw.cli.main import main
from ebmhw.karl import Store, advantages, read_traces, score
from ebmhw.karl.baselines import skill_weights
from ebmhw.karl.exports import FORMATS
from ebmhw.karl.geometry import anticipation, call_states, correlation, fused, turn_states
from ebmhw.karl.rules import Rules, labelled
from ebmhw.karl.store import store as store_module

SIGNALS = ("outcome", "process", "efficiency", "verification", "consistency")
TOOLS = (("Bash", {"command": "pytest -q"}), ("Bash", {"command": "ls"}), ("Read", {"file_path": "/w/a.py"}), ("Edit", {"file_path": "/w/a.py"}))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.delenv("KARL_CANONICAL_WRITER", raising=False)
    monkeypatch.setenv("EBMHW_KARL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["karl", *map(str, arguments)])


def done(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    assert "Traceback" not in result.stderr
    return result.stdout


def no_constant(name: str) -> Any:
    raise AssertionError(f"JSON holds {name}")


def told(*arguments: object) -> Any:
    """Return the document that --json prints, which is all that it prints."""
    return json.loads(done(*arguments, "--json"), parse_constant=no_constant)


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), (result.output, result.exception)
    assert result.stdout == "" and "Traceback" not in result.stderr
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    assert result.stderr.splitlines()[-1] == said
    return said


def messages(task: str, trial: int, calls: int, reward: float | None, prompt: str = "please fix", seed: int = 0) -> dict[str, Any]:
    """Return a session as OpenAI-style messages."""
    draw = random.Random(f"{task}/{trial}/{seed}")
    said: list[dict[str, Any]] = [{"role": "user", "content": f"{prompt} {task}, way {trial}"}]
    for number in range(calls):
        name, arguments = draw.choice(TOOLS)
        function = {"name": name, "arguments": json.dumps(arguments)}
        said.append({"role": "assistant", "content": None, "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]})
        said.append({"role": "tool", "tool_call_id": f"c{number}", "content": draw.choice(["ok", "Error: no such file"])})
    said.append({"role": "assistant", "content": "Done."})
    return {"messages": said, "task_id": task, "trial": trial} | ({} if reward is None else {"reward": reward})


def write_logs(path: str = "logs.jsonl", tasks: int = 16, trials: int = 3, first: int = 0) -> Path:
    """Write sessions of which some have fewer than 2 calls, and about half went well."""
    lines = []
    for task, trial in itertools.product(range(tasks), range(trials)):
        draw = random.Random(f"{task}/{trial}")
        lines.append(messages(f"t{task}", trial, draw.choice([0, 1, 3, 5, 8]), draw.choice([0.0, 1.0])))
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines[first:]))
    return Path(path)


def write_transcript(path: str, session: str, calls: int) -> None:
    """Write a transcript of Claude Code."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    base = {"parentUuid": None, "isSidechain": False, "userType": "external", "cwd": "/w", "sessionId": session, "version": "2.0.1"}
    lines = [
        base
        | {"type": "user", "uuid": "u0", "timestamp": "2026-01-05T08:00:00.000Z", "message": {"role": "user", "content": "add a cache to the parser"}}
    ]
    for number in range(calls):
        name, arguments = TOOLS[number % len(TOOLS)]
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        at = f"2026-01-05T08:{number // 60:02}:{number % 60:02}"
        message = {"id": f"m{number}", "type": "message", "role": "assistant", "model": "x", "content": [block]}
        lines.append(base | {"type": "assistant", "uuid": f"a{number}", "timestamp": f"{at}.100Z", "message": message})
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "fine", "is_error": False}
        lines.append(
            base
            | {"type": "user", "uuid": f"r{number}", "timestamp": f"{at}.200Z", "message": {"role": "user", "content": [result]}}
            | {"toolUseResult": {"stdout": "fine", "stderr": "", "interrupted": False}}
        )
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def records() -> list[Any]:
    with Store(read_only=True) as store:
        return list(store)


def held() -> set[str]:
    with Store(read_only=True) as store:
        return {scored.trajectory.task_key for scored in store.trajectories(held_out=True)}


# --- ingest


def test_reading_twice_adds_nothing_and_a_session_that_went_on_replaces_its_record() -> None:
    write_logs("logs/a.jsonl" if Path("logs").mkdir() is None else "")
    write_transcript("logs/deep/b.jsonl", "5f6c7d8e-1111", 4)
    first = told("ingest", "logs")
    found = list(read_traces("logs"))
    assert first == {
        "sessions": 49,
        "calls": sum(one.total_tools for one in found),
        "verified": 48,
        "added": 49,
        "updated": 0,
        "same": 0,
        "problems": 0,
        "seconds": first["seconds"],
        "stored": 49,
        "held_out": 0,
    }
    again = told("ingest", "logs")
    assert (again["added"], again["updated"], again["same"], again["stored"]) == (0, 0, 49, 49)
    write_transcript("logs/deep/b.jsonl", "5f6c7d8e-1111", 6)
    longer = told("ingest", "logs")
    assert (longer["added"], longer["updated"], longer["same"], longer["stored"]) == (0, 1, 48, 49)
    rows = dict(line.rsplit(maxsplit=1) for line in done("ingest", "logs").splitlines())
    assert rows["sessions"] == rows["same"] == rows["stored"] == "49" and rows["held out"] == "0"


def test_what_the_taps_left_is_folded() -> None:
    from karl_hooks import bash, ended, prompt

    from ebmhw.karl.home import home
    from ebmhw.karl.tap import Tap

    def tapped(session: str, text: str, folds: bool = False) -> None:
        tap = Tap(home(), folds=folds)
        for event in (prompt(text, session), bash("pytest -q", "3 passed", session), bash("ls", "", session), ended(session)):
            tap.handle(event)

    tapped("s1", "make the web page blue")
    Path("rules.yaml").write_text(yaml.safe_dump([{"pattern": "web page", "domain": "web"}]))
    first = told("ingest", "--rules", "rules.yaml")
    assert {name: value for name, value in first.items() if name != "seconds"} == {
        **{"folded": 1, "annotated": 0, "empty": 0, "left": 0, "labelled": 1, "problems": 0, "stored": 1, "held_out": 0}
    }
    (record,) = records()
    assert (record.trajectory.prompt, record.trajectory.domain, record.trajectory.total_tools) == ("make the web page blue", "web", 2)
    assert told("ingest")["stored"] == 1
    # Another session of a task that is held out is held out, without any option.
    assert told("ingest", "--holdout", 0.9)["held_out"] in (0, 1)
    with Store() as store:
        store.hold_out(store.ids())
    tapped("s2", "make the web page blue")
    tapped("s3", "something else")
    assert (told("ingest")["stored"], len(held())) == (3, 1)
    with Store(read_only=True) as store:
        assert store.count(held_out=True) == 2
    # What the tap itself stores is held out before any ingest has marked it.
    tapped("s4", "make the web page blue", folds=True)
    with Store(read_only=True) as store:
        assert (len(store), store.count(held_out=True)) == (4, 2)
    assert sum(one["held_out"] for one in told("score")["sessions"]) == 3
    assert "there is only 1 session to choose from (3 more are held out)" in refused("select", "--size", 2, "--as", "prompts")


def test_tasks_are_held_out_as_a_whole_and_the_same_ones_whenever_they_come() -> None:
    logs = write_logs()
    assert told("ingest", logs, "--holdout", 0.4)["held_out"] > 0
    kept = held()
    assert 0 < len(kept) < 16
    tasks = Counter(one.trajectory.task_key for one in records())
    with Store(read_only=True) as store:
        by_task = Counter(scored.trajectory.task_key for scored in store.trajectories(held_out=True))
    assert all(by_task[task] == tasks[task] == 3 for task in kept)
    # In another order, in parts, with a smaller share first: the same ones.
    for number, (path, share) in enumerate([(write_logs("half.jsonl", first=30), 0.2), (write_logs("all.jsonl"), 0.4)]):
        assert told("ingest", path, "--holdout", share, "--store", "other.sqlite")["stored"] == (18, 48)[number]
    with Store("other.sqlite", read_only=True) as store:
        assert {scored.trajectory.task_key for scored in store.trajectories(held_out=True)} == kept
        assert store.count(held_out=True) == 3 * len(kept)
    # A fourth trial of all tasks: without the option, those of held-out tasks are held out.
    draw = write_logs("more.jsonl", trials=4)
    told("ingest", draw)
    with Store(read_only=True) as store:
        assert Counter(scored.trajectory.task_key for scored in store.trajectories(held_out=True)) == dict.fromkeys(kept, 4)
    # Given later, it holds out earlier sessions too: no task is on both sides.
    told("ingest", logs, "--store", "late.sqlite")
    assert told("ingest", write_logs("few.jsonl", tasks=1), "--holdout", 0.4, "--store", "late.sqlite")["held_out"] == 3 * len(kept)


def test_rules_label_what_is_read_and_what_is_stored() -> None:
    logs = write_logs(tasks=4)
    Path("rules.yaml").write_text(yaml.safe_dump([{"pattern": "fix t[12]", "domain": "web", "skill": "repair"}]))
    told("ingest", logs)
    assert "web" not in done("score")
    first = done("score", "--rules", "rules.yaml")
    assert [line.split()[:2] for line in first.splitlines()[2:5]] == [["_global", "6"], ["web", "6"], ["all", "12"]]
    # The store has the labels now.
    assert done("score").splitlines()[2:5] == first.splitlines()[2:5]
    assert Counter(one.trajectory.domain for one in records()) == {None: 6, "web": 6}
    told("ingest", logs, "--rules", "rules.yaml", "--store", "other.sqlite")
    with Store("other.sqlite", read_only=True) as store:
        assert store.count(domain="web", skill="repair") == 6
    read = told("score", "--traces", logs, "--rules", "rules.yaml")
    assert Counter(one["domain"] for one in read["sessions"]) == {"_global": 6, "web": 6}


def test_lines_that_cannot_be_read_are_named_and_the_others_kept() -> None:
    logs = write_logs(tasks=2)
    with logs.open("ab") as stream:
        stream.write(b'{"messages": [\n' * 30)
    result = call("ingest", logs)
    assert result.exit_code == 0
    warnings = result.stderr.splitlines()
    assert warnings[0].startswith("warning: logs.jsonl:7: ") and len(warnings) == 11
    assert warnings[-1] == "warning: 20 more problems; 1 file had some"
    assert dict(line.rsplit(maxsplit=1) for line in result.stdout.splitlines())["problems"] == "30"
    # Of several paths one may be nothing, as long as one is something.
    Path("empty.jsonl").write_bytes(b"")
    Path("bare").mkdir()
    mixed = call("ingest", "empty.jsonl", logs, "bare", "--json")
    assert mixed.exit_code == 0 and json.loads(mixed.stdout)["sessions"] == 6
    assert "warning: empty.jsonl: the file is empty" in mixed.stderr
    assert refused("ingest", "empty.jsonl").startswith("ebmhw: empty.jsonl: the file is empty")
    assert refused("ingest", "bare").startswith("ebmhw: bare: the folder holds no file to read")
    assert refused("ingest", "empty.jsonl", "bare").startswith("ebmhw: bare:")
    assert "Path 'nowhere' does not exist" in refused("ingest", "nowhere")


def test_escapes_of_a_terminal_do_not_reach_it() -> None:
    logs = Path("logs.jsonl")
    evil = "\x1b[2J\u202e</script>"
    logs.write_text("".join(json.dumps(messages(f"t{i}{evil}", i, 3, float(i % 2), evil)) + "\n" for i in range(6)))
    Path("rules.yaml").write_text(yaml.safe_dump([{"pattern": "way [123]", "domain": "web\u202e\x85"}], allow_unicode=False))
    for arguments in (("score", "--each"), ("score", "--json"), ("select", "--size", 1), ("select", "--size", 1, "--compare")):
        result = call(*arguments, "--traces", logs, "--rules", "rules.yaml")
        assert result.exit_code == 0, result.output
        assert not set(result.output) & set("\x1b\u202e\x85")
    done("report", "page.html", "--traces", logs, "--rules", "rules.yaml")
    assert not set(Path("page.html").read_text(encoding="utf-8")) & set("\x1b\u202e\x85")


# --- score


def test_scores_are_those_of_the_library_and_are_kept() -> None:
    logs = write_logs()
    told("ingest", logs, "--holdout", 0.3)
    document = told("score")
    assert set(document) == {"sessions", "ablation", "separation", "suspicions", "renewal", "skills", "geometry"}
    trajectories = [one.trajectory for one in records()]
    rewards = [score(one) for one in trajectories]
    out = {one.id for one in trajectories if one.task_key in held()}
    expected = advantages(trajectories, rewards, exclude=out)
    for one, trajectory, reward, advantage in zip(document["sessions"], trajectories, rewards, expected, strict=True):
        assert one == {
            "id": trajectory.id,
            "domain": "_global",
            "held_out": trajectory.id in out,
            "reward": reward._asdict(),
            "advantage": pytest.approx(float(advantage)),
        }
    assert [(one.reward, one.advantage) for one in records()] == list(zip(rewards, map(float, expected), strict=True))
    lines = done("score", "--each").splitlines()
    each = lines[lines.index(next(line for line in lines if line.startswith("session "))) + 2 :]
    assert [line.split()[0] for line in each] == [trajectories[i].id for i in sorted(range(len(expected)), key=lambda i: -expected[i])]
    assert "fewer tool calls" in "\n".join(lines)
    for options in (("--half-life", 30), ("--per-user",)):
        assert len(told("score", *options)["sessions"]) == 48


def test_what_compares_with_the_paper_is_not_kept() -> None:
    told("ingest", write_logs())
    ours = told("score")
    before = records()
    paper = told("score", "--paper-compat")
    assert paper["sessions"] != ours["sessions"]
    assert [one["reward"]["total"] for one in paper["sessions"]] == [score(one.trajectory, paper_compat=True).total for one in before]
    assert records() == before and told("score") == ours


def test_logs_are_scored_without_a_store() -> None:
    logs = write_logs()
    document = told("score", "--traces", logs)
    assert len(document["sessions"]) == 48 and not Path("home").exists()
    # The same log twice is the same sessions once.
    Path("copy.jsonl").write_bytes(logs.read_bytes())
    assert told("score", "--traces", logs, "--traces", "copy.jsonl") == document
    told("ingest", logs)
    stored = told("score")
    assert [one["reward"] for one in stored["sessions"]] == [one["reward"] for one in document["sessions"]]


def test_sessions_that_failed_throughout_are_scored_and_kept() -> None:
    lines = []
    for count in range(1, 80):
        line = messages(f"t{count}", 0, count, 0.0)
        for said in line["messages"]:
            if said["role"] == "tool":
                said["content"] = "Error: no such file"
        lines.append(json.dumps(line))
    Path("logs.jsonl").write_text("\n".join(lines))
    told("ingest", "logs.jsonl")
    assert len(told("score")["sessions"]) == 79
    assert all(min(one.reward) >= 0 for one in records())


def test_one_session_and_nothing_verified() -> None:
    Path("one.jsonl").write_text(json.dumps(messages("t", 0, 3, None)) + "\n")
    for arguments in (("score",), ("score", "--each")):
        assert "_global" in done(*arguments, "--traces", "one.jsonl")
    document = told("score", "--traces", "one.jsonl")
    assert len(document["sessions"]) == 1
    done("report", "page.html", "--traces", "one.jsonl")
    assert "no sessions" in refused("select", "--size", 1, "--traces", "one.jsonl")


def test_a_reason_to_train_anew_is_told_by_what_was_trained_on() -> None:
    logs = write_logs()
    assert "train" not in done("score", "--traces", logs).splitlines()[-1] and told("score", "--traces", logs)["renewal"] is None
    told("ingest", logs)
    first = done("score").splitlines()[-1]
    assert first == "train: domain _global has 48 sessions and none in the training set (limit 5); no adapter has been trained"
    with Store() as store:
        store.mark_trained(store.ids()[:20], time.time() - 3600)
        store.mark_trained(store.ids()[:2], time.time() - 7200)
    assert done("score").splitlines()[-1] == "no reason to train"
    found = told("score")["renewal"]
    assert (found["retrain"], found["untrained"], found["new"]) == (False, {}, 28) and found["age_hours"] == pytest.approx(1, abs=0.1)
    told("ingest", write_logs("more.jsonl", trials=5))
    assert done("score").splitlines()[-1] == "train: there are 60 new sessions (limit 50)"
    with Store() as store:
        store.mark_trained(store.ids(), time.time() - 100 * 3600)
    assert done("score").splitlines()[-1] == "train: the adapter is 100 hours old (limit 72)"
    with Store() as store:
        store.mark_trained(store.ids())
    assert done("score").splitlines()[-1] == "no reason to train"
    # What had begun when it was trained, and was left out of the set, is not new.
    write_transcript("claude.jsonl", "5f6c7d8e-2222", 4)
    told("ingest", "claude.jsonl")
    assert told("score")["renewal"]["new"] == 0


def test_weights_of_skills_are_those_of_the_library() -> None:
    logs = write_logs()
    assert "no session has a skill" in done("score", "--traces", logs, "--skills")
    Path("rules.yaml").write_text(yaml.safe_dump([{"pattern": "fix t1", "skill": "css"}, {"pattern": "fix t[2-5]", "skill": "torch\u202e"}]))
    document = told("score", "--traces", logs, "--rules", "rules.yaml")
    rules = Rules.read("rules.yaml")
    trajectories = [labelled(one, rules) for one in read_traces(logs)]
    expected = skill_weights([one for one in trajectories if one.skill]).weights
    assert document["skills"] == pytest.approx(dict(expected)) and len(expected) == 2
    lines = done("score", "--traces", logs, "--rules", "rules.yaml", "--skills").splitlines()
    sizes = Counter(one.skill for one in trajectories)
    for skill, weight in expected.items():
        (row,) = (line.split() for line in lines if line.startswith(skill[:5]))
        assert (row[1], row[3]) == (str(sizes[skill]), f"{weight:.3f}")
    assert not set("".join(lines)) & set("\u202e")
    assert not any(line.startswith("css") for line in done("score", "--traces", logs, "--rules", "rules.yaml").splitlines())


def test_geometry_stands_beside_the_signals() -> None:
    logs = write_logs()
    plain = done("score", "--traces", logs)
    assert "tp_std" not in plain and told("score", "--traces", logs)["geometry"] is None
    document = told("score", "--traces", logs, "--geometry")
    names = [row["score"] for row in document["separation"]["rows"]]
    more = [f"{name} of {of}" for of in ("turns", "calls") for name in ("tp_std", "tp_positive_ratio", "commitment", "recovery")]
    more = [*more[:4], "total fused with turns", *more[4:], "total fused with calls"]
    assert names[7:] == [*more, "fewer tool calls"]
    trajectories = list(read_traces(logs))
    rewards = [score(one) for one in trajectories]
    for of, states in (("turns", turn_states), ("calls", call_states)):
        shapes = [anticipation(states(one)) for one in trajectories]
        for trajectory, reward, shape in zip(trajectories, rewards, shapes, strict=True):
            own = document["geometry"]["sessions"][trajectory.id]
            assert own[f"tp_std of {of}"] == shape.tp_std and own[f"recovery of {of}"] == shape.recovery_mean
            assert own[f"total fused with {of}"] == fused(reward.total, shape)
        found = [row._asdict() for row in correlation(rewards, shapes)]
        assert document["geometry"]["correlations"][of] == found
    assert any(one["tp_std of calls"] is not None for one in document["geometry"]["sessions"].values())
    text = done("score", "--traces", logs, "--geometry")
    assert all(sum(line.startswith(f"{name} ") for line in text.splitlines()) >= 1 for name in more)
    for options, there in (((), False), (("--geometry",), True)):
        done("report", "page.html", "--traces", logs, *options)
        page = Path("page.html").read_text(encoding="utf-8")
        assert (f'<th scope="row">{more[-1]}</th>' in page and f'<th scope="row">{more[-2]}</th>' in page) is there


# --- events of another system


def test_events_reach_the_sessions_that_they_are_about() -> None:
    write_transcript("logs.jsonl", "5f6c7d8e-1111", 4)
    lines = [
        {"session_id": "5f6c7d8e-1111", "kind": "correction", "time": "2026-01-05T08:03:00Z"},
        {"session_id": "5f6c7d8e-1111", "type": "routing_decision", "ts": "2026-01-05T08:00:01Z", "skill": "parser", "domain": "compilers"},
        {"session_id": "5f6c7d8e-1111", "kind": "redo", "time": "2026-01-05T09:00:00Z"},
        {"session_id": "nobody", "kind": "redo"},
    ]
    bad = ["{", '{"session_id": "a", "kind": "chat"}', "7", '{"session_id": "a", "kind": "redo", "time": "soon"}']
    Path("events.jsonl").write_text("".join(f"{line}\n" for line in [*map(json.dumps, lines), *bad]))
    before = told("ingest", "logs.jsonl")
    (first,) = records()
    result = call("ingest", "--events", "events.jsonl", "--json")
    counts = json.loads(result.stdout)
    assert result.exit_code == 0 and {
        name: counts[name] for name in ("events", "events_without_session", "sessions_changed", "problems", "stored")
    } == {**{"events": 4, "events_without_session": 2, "sessions_changed": 1, "problems": 4, "stored": 1}}
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [f"events.jsonl:{number}" for number in (5, 6, 7, 8)]
    (second,) = records()
    assert (second.trajectory.skill, second.trajectory.domain, second.trajectory.label_source) == ("parser", "compilers", "routing")
    assert second.trajectory.outcome == first.trajectory.outcome._replace(correction=True, corrections=1)
    assert second.reward == score(second.trajectory) and second.reward.total < first.reward.total
    # With the logs, before or again, it comes to the same.
    again = told("ingest", "logs.jsonl", "--events", "events.jsonl")
    assert (again["sessions_changed"], again["same"]) == (0, 1) and records() == [second]
    told("ingest", "logs.jsonl", "--events", "events.jsonl", "--store", "other.sqlite")
    with Store("other.sqlite", read_only=True) as store:
        assert list(store) == [second]
    assert "events without session" in done("ingest", "--events", "events.jsonl") and "events" not in before


def test_files_without_any_event_are_refused_before_anything_is_stored() -> None:
    logs = write_logs(tasks=2)
    Path("none.jsonl").write_text("{}\n")
    assert refused("ingest", logs, "--events", "none.jsonl").startswith("Error: --events none.jsonl holds no event; give lines such as {")
    Path("empty.jsonl").write_text("")
    assert "--events empty.jsonl holds no event" in refused("ingest", "--events", "empty.jsonl")
    assert "'nowhere' does not exist" in refused("ingest", "--events", "nowhere")
    assert not Path("home").exists()


# --- select and export


def test_a_set_of_the_size_asked_for_becomes_as_many_examples() -> None:
    told("ingest", write_logs(), "--holdout", 0.4)
    with Store(read_only=True) as store:
        kept_out = store.held_out()
    for form in FORMATS:
        result = call("select", "--size", 8, "--as", form, "--seed", 3, "--output", "chosen.json")
        assert result.exit_code == 0 and result.stderr == ""
        chosen = json.loads(Path("chosen.json").read_text())
        assert len(set(chosen["ids"])) == 8 and not set(chosen["ids"]) & kept_out
        written = told("export", f"out-{form}", "--as", form, "--chosen", "chosen.json")
        # A pair is of two sessions of a task: one that is chosen without the other makes none.
        assert written["counts"]["sessions"] == written["counts"]["examples"] + sum(written["left_out"].values()) == 8
        assert form == "dpo" or written["left_out"] == {}
        assert json.loads(Path(f"out-{form}", "manifest.json").read_text())["format"] == form
    assert "sessions to choose from" not in done("select", "--size", 8)
    limit = refused("select", "--size", 48)
    assert limit.startswith("Error: --size 48: there are only ") and limit.endswith("choose fewer, or take --as any")
    assert f"{len(kept_out)} more are held out" in limit and "have fewer than 2 calls" in limit and "have no advantage above 0" in limit
    # The limit that it names is one.
    number = int(limit.split("there are only ")[1].split()[0])
    assert len(done("select", "--size", number).split()) == number
    refused("select", "--size", number + 1)
    # Among all, some make no example, and the export says so.
    done("select", "--size", 48 - len(kept_out), "--as", "any", "--method", "uniform", "--output", "any.json")
    result = call("export", "out-any", "--chosen", "any.json")
    assert result.exit_code == 0
    assert (
        result.stderr
        == f"warning: {number} of the {48 - len(kept_out)} chosen sessions make an example; `ebmhw karl select --as messages` chooses only such\n"
    )
    assert f"examples of them                     {number}\n" in result.stdout


def test_a_seed_given_or_drawn_gives_the_same_again() -> None:
    logs = write_logs()
    for method in ("uniform", "qubo"):
        drawn = call("select", "--traces", logs, "--size", 5, "--method", method)
        ids = drawn.stdout.split()
        assert len(ids) == 5 and drawn.stderr.splitlines()[0].startswith(f"Selection({method}, 5 sessions")
        seed = drawn.stderr.split("seed ")[1].strip()
        again = told("select", "--traces", logs, "--size", 5, "--method", method, "--seed", seed)
        assert again["ids"] == ids and again["info"]["seed"] == int(seed) and again["method"] == method


def test_a_comparison_is_of_the_set_that_is_written_and_is_on_the_page() -> None:
    logs = write_logs()
    printed = done("select", "--traces", logs, "--size", 6, "--compare", "--method", "advantage", "--output", "chosen.json")
    document = json.loads(Path("chosen.json").read_text(), parse_constant=no_constant)
    by_method = {row["method"]: row for row in document["comparison"]}
    assert set(by_method) == {"uniform", "balanced", "advantage", "top-k", "greedy", "qubo"}
    for name in ("objective", "coverage", "effective_size"):
        assert by_method["advantage"][name] == document[name]
    for method, row in by_method.items():
        assert any(line.split()[:3] == [method, "6", f"{row['objective']:.4f}"] for line in printed.splitlines())
    listed = told("select", "--traces", logs, "--size", 6, "--compare", "--seed", document["info"]["seed"], "--method", "advantage")
    assert listed["ids"] == document["ids"] and len(listed["comparison"]) == 6
    assert done("report", "page.html", "--traces", logs, "--chosen", "chosen.json") == "page.html\n"
    page = Path("page.html").read_text(encoding="utf-8")
    assert all(f'<th scope="row">{method}</th>' in page and f"{row['objective']:.3f}" in page for method, row in by_method.items())
    # Without the comparison, the page has the one that chose.
    done("select", "--traces", logs, "--size", 6, "--method", "greedy", "--output", "chosen.json")
    done("report", "page.html", "--traces", logs, "--chosen", "chosen.json")
    page = Path("page.html").read_text(encoding="utf-8")
    assert '<th scope="row">greedy</th>' in page and '<th scope="row">top-k</th>' not in page


def test_quotas() -> None:
    logs = write_logs()
    Path("rules.yaml").write_text(yaml.safe_dump([{"pattern": "fix t1", "domain": "web"}, {"pattern": "fix t[2-5]", "domain": "ml"}]))
    common = ("select", "--traces", logs, "--rules", "rules.yaml", "--as", "any")
    ids = done(*common, "--size", 9, "--quota", "web=3:4", "--quota", "ml=:1", "--quota", "_global=1:").split()
    domains = {one["id"]: one["domain"] for one in told("score", "--traces", logs, "--rules", "rules.yaml")["sessions"]}
    found = Counter(domains[name] for name in ids)
    assert 3 <= found["web"] <= 4 and found["ml"] <= 1 and found["_global"] >= 1 and found.total() == 9
    assert "of the domain 'webb'; did you mean web?" in refused(*common, "--size", 3, "--quota", "webb=:2")
    for wrong in ("web", "web=3", "=1:2", "web=a:b", "web=-1:2", "web=²:3", "web=1:2:3x", f"web=:{10**10}"):
        refused(*common, "--size", 3, "--quota", wrong)
    assert "two quotas" in refused(*common, "--size", 3, "--quota", "web=1:", "--quota", "web=:2")
    assert "the quotas ask for 4 sessions together" in refused(*common, "--size", 3, "--quota", "web=2:", "--quota", "ml=2:")
    assert "the lower number first" in refused(*common, "--size", 3, "--quota", "web=2:1")


def test_exports_have_the_weights_of_the_selection() -> None:
    logs = write_logs()
    done("select", "--traces", logs, "--size", 8, "--output", "chosen.json")
    done("export", "all.jsonl", "--traces", logs, "--chosen", "chosen.json")
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    weights = json.loads(Path("chosen.json").read_text())["weights"]
    assert sorted(row["weight"] for row in rows) == pytest.approx(sorted(weights))
    # One file is written again like a folder.
    done("export", "all.jsonl", "--traces", logs)
    first = told("export", "folder", "--traces", logs, "--valid", 0.5, "--seed", 4)
    before = Path("folder/train.jsonl").read_bytes()
    assert first["counts"]["train"] + first["counts"]["valid"] == first["counts"]["examples"] and first["counts"]["valid"] > 1
    assert told("export", "folder", "--traces", logs, "--valid", 0.5, "--seed", 4) == first and Path("folder/train.jsonl").read_bytes() == before
    assert told("export", "other", "--traces", logs, "--valid", 0.5, "--seed", 5)["counts"]["examples"] == first["counts"]["examples"]
    assert Path("other/train.jsonl").read_bytes() != before
    table = dict(line.rsplit(maxsplit=1) for line in done("export", "folder", "--traces", logs).splitlines() if not line.startswith("written"))
    assert table["sessions"] == "48" and int(table["examples of them"]) == first["counts"]["examples"]
    assert int(table["left out: have fewer than 2 calls"]) == first["left_out"]["have fewer than 2 calls"]


def test_questions_of_commits_join() -> None:
    logs = write_logs()
    environment = {**os.environ, **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull)}
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "init", "-q", "repo"], check=True, env=environment)
    for number in range(3):
        Path("repo/a.py").write_text("".join(f"def f{i}():\n    return {i}\n" for i in range(5 * number + 5)))
        subprocess.run(["git", "-C", "repo", "add", "a.py"], check=True, env=environment)
        subprocess.run(
            ["git", "-C", "repo", *who, "commit", "-q", "-m", f"Give the parser its function number {number}"], check=True, env=environment
        )
    written = told("export", "out", "--traces", logs, "--git", "repo")
    assert written["counts"]["extra"] > 0
    assert written["counts"]["train"] + written["counts"]["valid"] == written["counts"]["examples"] + written["counts"]["extra"]
    assert "extra is for the formats messages, completions, oversampled, not for dpo" in refused(
        "export", "pairs", "--traces", logs, "--git", "repo", "--as", "dpo"
    )
    Path("bare").mkdir()
    assert "bare" in refused("export", "other", "--traces", logs, "--git", "bare")


# --- wrong use and input


READING = (("score",), ("select", "--size", 3), ("export", "out"), ("report", "page.html"))


@pytest.mark.parametrize("arguments", READING)
def test_a_store_that_is_not_there_or_empty(arguments: tuple[Any, ...]) -> None:
    said = refused(*arguments)
    assert said.startswith("Error: there is no store ") and "trajectories.sqlite; `ebmhw karl ingest PATH` makes one" in said
    assert not Path("home").exists() and not Path("out").exists() and not Path("page.html").exists()
    assert "there is no store other.sqlite" in refused(*arguments, "--store", "other.sqlite")
    done("ingest")
    assert "there are no sessions in the store " in refused(*arguments)
    Path("bare.sqlite").touch()
    assert "bare.sqlite: the store is empty or of an earlier version; write to it once (`ebmhw karl ingest`" in refused(
        *arguments, "--store", "bare.sqlite"
    )
    Path("text.sqlite").write_text("no database at all, but long enough to be looked at " * 3)
    assert refused(*arguments, "--store", "text.sqlite").startswith("ebmhw: text.sqlite: this is no store of trajectories")
    assert Path("text.sqlite").read_text().startswith("no database")


@pytest.mark.parametrize("arguments", READING)
def test_wrong_sources(arguments: tuple[Any, ...]) -> None:
    logs = write_logs(tasks=4)
    assert "--store and --traces exclude each other" in refused(*arguments, "--store", "a.sqlite", "--traces", logs)
    assert "--format openai is that of logs" in refused(*arguments, "--format", "openai")
    assert "format 'opnai' does not exist; did you mean openai?" in refused(*arguments, "--traces", logs, "--format", "opnai")
    Path("bare").mkdir()
    assert refused(*arguments, "--traces", "bare").startswith("ebmhw: bare: the folder holds no file to read")
    Path("rules.yaml").write_text("- {pattern: '(', domain: web}\n")
    assert refused(*arguments, "--traces", logs, "--rules", "rules.yaml").startswith("ebmhw: rules.yaml")
    assert "half_life_days is nan" in refused(*arguments, "--traces", logs, "--half-life", "nan")
    assert "0.0 is not in the range" in refused(*arguments, "--traces", logs, "--half-life", 0)


def test_rules_are_checked_before_anything_is_read() -> None:
    logs = write_logs(tasks=2)
    Path("rules.yaml").write_text("- {patern: a, domain: web}\n")
    assert "rule 1: the key 'patern' does not exist; did you mean pattern?" in refused("ingest", logs, "--rules", "rules.yaml")
    assert not Path("home").exists()
    assert "nan is no share" in refused("ingest", logs, "--holdout", "nan")
    assert "--format openai is that of logs" in refused("ingest", "--format", "openai")


def test_outputs_are_checked_before_the_work() -> None:
    told("ingest", write_logs(tasks=4))
    Path("file").write_text("x")
    assert "--output none/c.json cannot be written" in refused("select", "--size", 2, "--output", "none/c.json")
    assert "FILE.html none/p.html cannot be written" in refused("report", "none/p.html")
    assert "FOLDER file cannot be written" in refused("export", "file")
    assert "FOLDER file/deep cannot be written" in refused("export", "file/deep")
    assert "FOLDER none/a.jsonl cannot be written" in refused("export", "none/a.jsonl")
    assert Path("file").read_text() == "x"
    assert "valid is 0.5, but everything goes into one file" in refused("export", "a.jsonl", "--valid", 0.5)


def test_no_output_overwrites_what_is_read() -> None:
    logs = write_logs("train.jsonl", tasks=4)
    told("ingest", logs)
    done("select", "--size", 2, "--output", "chosen.json")
    before = {path: Path(path).read_bytes() for path in ("train.jsonl", "chosen.json", "home/trajectories.sqlite")}
    for arguments in (
        ("report", "home/trajectories.sqlite"),
        ("report", "train.jsonl", "--traces", "train.jsonl"),
        ("report", "chosen.json", "--chosen", "chosen.json"),
        ("select", "--size", 2, "--output", "home/trajectories.sqlite"),
        ("select", "--size", 2, "--output", "./train.jsonl", "--traces", "train.jsonl"),
        ("export", ".", "--traces", "train.jsonl"),
        ("export", ".", "--traces", "."),
        ("export", "train.jsonl", "--traces", "train.jsonl"),
    ):
        assert "which would be overwritten" in refused(*arguments)
    assert {path: Path(path).read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "7",
        '"ids"',
        "{}",
        '{"ids": ["a"], "weights": 3}',
        '{"ids": "a", "weights": [1]}',
        '{"ids": ["a", "a"], "weights": [1, 1]}',
        '{"ids": [], "weights": []}',
        '{"ids": ["a"], "weights": [NaN]}',
        '{"ids": ["a"], "weights": [-1]}',
        '{"ids": ["a"], "weights": [true]}',
        '{"ids": ["a"], "weights": [1, 2]}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_file_that_holds_no_selection(content: str) -> None:
    logs = write_logs(tasks=4)
    Path("chosen.json").write_text(content)
    for arguments in (("export", "out"), ("report", "page.html")):
        said = refused(*arguments, "--traces", logs, "--chosen", "chosen.json")
        assert said == "Error: --chosen chosen.json holds no selection; give a file that `ebmhw karl select --output` wrote"


def test_a_selection_of_other_sessions() -> None:
    logs, others = write_logs(tasks=8), write_logs("others.jsonl", tasks=20, first=24)
    done("select", "--traces", others, "--size", 4, "--output", "chosen.json")
    for arguments in (("export", "out"), ("report", "page.html")):
        said = refused(*arguments, "--traces", logs, "--chosen", "chosen.json")
        assert said.startswith("Error: --chosen chosen.json: 4 of its 4 sessions are not here, such as traj_")
        assert said.endswith("give the store or the logs that they were chosen from, or select anew")
    done("select", "--traces", logs, "--size", 3, "--output", "chosen.json")
    changed = json.loads(Path("chosen.json").read_text())
    changed["ids"][0] = "traj_\x1b[2J"
    Path("chosen.json").write_text(json.dumps(changed))
    assert "1 of its 3 sessions are not here, such as traj_<U+001B>[2J" in refused("report", "p.html", "--traces", logs, "--chosen", "chosen.json")


def test_a_selection_may_say_what_it_likes_about_itself() -> None:
    logs = write_logs(tasks=8)
    done("select", "--traces", logs, "--size", 3, "--output", "chosen.json")
    chosen = json.loads(Path("chosen.json").read_text())
    for more in ({"comparison": 7}, {"comparison": [1, {"method": ["<b>"], "objective": "x"}]}, {"method": None, "objective": float("nan")}):
        Path("chosen.json").write_text(json.dumps(chosen | more))
        done("report", "page.html", "--traces", logs, "--chosen", "chosen.json")
        assert "<b>" not in Path("page.html").read_text(encoding="utf-8")


# --- interruptions


def test_an_interrupted_ingest_keeps_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = write_logs(tasks=150)
    whole, calls = store_module.put_batches, []

    def cut(*arguments: Any) -> Iterator[Any]:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(store_module, "put_batches", cut)
    result = call("ingest", logs, "--holdout", 0.5)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "stopped; 400 sessions are stored: the same command does the rest\n"
    assert len(records()) == 400
    tasks = held()
    assert all((one.trajectory.task_key in tasks) == (one.trajectory.id in _held_ids()) for one in records()[:5])
    assert told("ingest", logs, "--holdout", 0.5)["added"] == 50


def _held_ids() -> frozenset[str]:
    with Store(read_only=True) as store:
        return store.held_out()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs signals of a terminal")
def test_ctrl_c_of_a_terminal() -> None:
    write_logs(tasks=3000)
    process = subprocess.Popen(
        [sys.executable, "-m", "ebmhw", "karl", "ingest", "logs.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stored, end = 0, time.monotonic() + 60
    while process.poll() is None and not stored and time.monotonic() < end:
        time.sleep(0.01)
        if Path("home/trajectories.sqlite").exists():
            try:
                with Store(read_only=True) as store:
                    stored = len(store)
            except Exception:  # it is being made
                continue
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and "Traceback" not in err, err
    kept = len(records())
    assert 0 < kept < 9000 and kept % 200 == 0
    with Store() as store:
        assert store.check() == ()


# --- help


def test_help_loads_nothing_that_other_commands_do_not() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom ebmhw.cli.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "before = set(sys.modules)\n"
        "assert CliRunner().invoke(main, ['karl', '--help']).exit_code == 0\n"
        "print(sorted(set(sys.modules) - before), [name for name in ('numpy', 'scipy', 'dimod', 'torch', 'sqlite3') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout.strip(), ran.stderr) == ("['ebmhw.cli.karl'] []", "")


@pytest.mark.parametrize("command", ["ingest", "score", "select", "export", "train", "eval", "report"])
def test_every_command_has_help(command: str) -> None:
    page = done(command, "--help")
    assert page.startswith("Usage: ")
    assert command in done("--help")
    assert "--json" in page or command == "report"


def test_an_example_of_a_configuration_is_printed() -> None:
    from ebmhw.karl.training import KarlConfig

    assert KarlConfig.from_dict(yaml.safe_load(done("train", "--example"))).model == "smollm2"


def test_what_was_verified_as_failed_is_kept_on_request_only() -> None:
    write_logs()
    done("ingest", "logs.jsonl")
    verified = {one.trajectory.id: one.trajectory.outcome.verified for one in records()}
    for options, failed in (((), False), (("--keep-failed",), True)):
        folder = f"set{len(options)}"
        done("export", folder, "--valid", 0, *options)
        ids = json.loads(Path(folder, "manifest.json").read_text())["ids"]["train"]
        assert any(verified[one] == 0 for one in ids) is failed and ids


def test_a_held_out_prompt_is_held_out_whatever_its_task() -> None:
    prompt = "please mend the parser of dates, it reads 3/4 as April"
    logs = [messages(f"t{task}", 0, 3, 1.0, seed=task) for task in range(6)]
    for log in logs:
        log["messages"][0]["content"] = prompt
    Path("same.jsonl").write_text("\n".join(map(json.dumps, logs)))
    done("ingest", "same.jsonl", "--holdout", 0.5)
    assert len(held()) in (0, 6)
    done("ingest", "same.jsonl", "--holdout", 0.9)
    assert len(held()) == 6
