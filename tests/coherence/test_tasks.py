"""Tasks: problems whose answers are right, splits that share nothing, a judge that reads what is stated, files whose lines are refused by number."""

from __future__ import annotations

import hashlib
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.tasks import ArithmeticTask, Example, FileTask, TaskReward, task_of
from ebmhw.coherence.tasks.answers import stated_number
from ebmhw.coherence.tasks.arithmetic import KINDS
from ebmhw.coherence.tasks.file import EVAL_SHARE, lines_for
from ebmhw.config.nearest import nearest, proposal
from ebmhw.errors import ConfigError, InvalidFile, ValidationError

KIND_LISTS = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True)


def parts(example: Example) -> tuple[int, str, int]:
    """Return the numbers and the operation of a problem, read from its text."""
    a, op, b = re.fullmatch(r"What is (\d+) ([-+*]) (\d+)\?.*", example.prompt[-1]["content"]).groups()  # type: ignore[union-attr]
    return int(a), op, int(b)


# --- arithmetic


@settings(max_examples=30, deadline=None)
@given(KIND_LISTS, st.integers(1, 40), st.integers(0, 2**32), st.sampled_from(["train", "eval"]))
def test_problems_are_of_their_kinds_and_their_answers_are_exact(kinds, count, seed, split):
    task = ArithmeticTask(kinds)
    try:
        found = task.examples(split, count, seed)
    except ValidationError:
        assert split == "eval" and len(task.examples("eval", 1, seed)) == 1 < count
        return
    assert len(found) == count and found == task.examples(split, count, seed)
    for example in found:
        a, op, b = parts(example)
        assert example.columns["answer"] == {"+": a + b, "-": a - b, "*": a * b}[op] >= 0
        kind = example.columns["kind"]
        assert kind in kinds and kind[-1] == op and str(len(str(a))) == kind[0] and str(len(str(b))) == kind[-2]
        assert task.score(example, f"{a} {op} {b} = {example.columns['answer']}") == 1
        assert task.score(example, f"{a} {op} {b} = {example.columns['answer'] + 1}") == 0


def test_splits_share_no_problem_even_turned_around():
    task = ArithmeticTask(sorted(KINDS))
    seen = {}
    for split, count in (("train", 9000), ("eval", 3000)):
        problems = {parts(example) for example in task.examples(split, count, 1)}
        seen[split] = problems | {(b, op, a) for a, op, b in problems if op in "+*"}
    assert len(seen["train"]) > 5000 and len(seen["eval"]) > 1500
    assert not seen["train"] & seen["eval"]
    # The check sees what is shared: a third of the problems of "train" is among themselves.
    assert seen["train"] & set(list(seen["train"])[::3])


def test_kinds_come_in_turn_and_training_goes_round_in_new_orders():
    task = ArithmeticTask(["1+", "1-"])
    found = task.examples("train", 400, 5)
    assert [example.columns["kind"] for example in found[:6]] == ["1+", "1-"] * 3
    distinct = len({example.prompt[-1]["content"] for example in found})
    assert distinct < 126 and found[:distinct] != found[distinct : 2 * distinct]
    assert len({example.prompt[-1]["content"] for example in found[:distinct]}) == distinct
    assert found[:100] == task.examples("train", 100, 5) != task.examples("train", 100, 6)


def test_examples_of_eval_are_each_asked_once():
    task = ArithmeticTask(["1-"])
    with pytest.raises(ValidationError, match="300 examples of the split 'eval' of task arithmetic are asked for, which has"):
        task.examples("eval", 300)
    for count in (0, -1, 2.5, True, "3", 10**7):
        with pytest.raises(ValidationError, match="number of examples is"):
            task.examples("train", count)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="split of a task is 'test'; give 'train' or 'eval'"):
        task.examples("test", 1)


def test_a_system_message_and_the_question_are_as_given():
    example = ArithmeticTask(["1+"], question="{problem} =", system="Be brief.").examples("train", 1)[0]
    assert example.prompt[0] == {"role": "system", "content": "Be brief."} and re.fullmatch(r"\d \+ \d =", example.prompt[1]["content"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kinds": ["1+", "3+"]}, "kind '3\\+' of the task arithmetic does not exist; give a list of some of 1\\+"),
        ({"kinds": []}, "kind \\[\\]|kind \\(\\)"),
        ({"kinds": "1+"}, "kinds of the task arithmetic is '1\\+'; give a list"),
        ({"kinds": [["1+"]]}, "does not exist; give a list"),
        ({"question": "What?"}, "question of the task arithmetic is 'What\\?'; give a text with {problem} in it"),
        ({"system": 3}, "system of the task arithmetic is 3; give a text, or nothing"),
        ({"kind": ["1+"]}, "option 'kind' of the task does not exist; did you mean kinds\\?$"),
        ({"colour": 3}, "option 'colour' of the task does not exist; there are kinds, question, system$"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        task_of({"name": "arithmetic", **options})


# --- the judge


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("7 + 5 = 12", 12),
        ("7 + 5 = 12. When adding those", 12),
        ("The answer is **12**.", 12),
        ("The answer is: 12", 12),
        ("$\\boxed{12}$", 12),
        ("It equals 12, not 13.", 12),
        ("Answer: 12", 12),
        ("30 + 50 = 80, 80 + 11 = 91", 91),
        ("8 - 5", 5),
        ("It is \N{MINUS SIGN}3.", -3),
        ("is 1,200.", 1200),
        ("is 12.0", 12),
        ("is 12.5", Fraction(25, 2)),
        ("10 11 12", 12),
        ("x12", None),
        ("twelve", None),
        ("", None),
        ("= " + "9" * 31, None),
    ],
)
def test_the_statement_counts(text, number):
    assert stated_number(text) == number


@settings(max_examples=200, deadline=1000)
@given(st.text(alphabet="0123456789,.=-is answerboxed{}\\*$ \n\N{MINUS SIGN}\N{ARABIC-INDIC DIGIT FIVE}", max_size=300))
def test_any_text_is_read(text):
    found = stated_number(text)
    assert found is None or isinstance(found, Fraction)


@pytest.mark.parametrize("text", ["=" * 200_000, "is " * 100_000, "1," * 100_000, "=" + " " * 200_000 + "1", "9" * 200_000])
def test_long_texts_take_no_time(text):
    import time

    start = time.perf_counter()
    stated_number(text)
    assert time.perf_counter() - start < 1


def test_listing_numbers_earns_nothing():
    task = ArithmeticTask(["1+"])
    example = task.examples("train", 1)[0]
    truth = example.columns["answer"]
    assert task.score(example, " ".join(map(str, range(200)))) == 0
    assert task.score(example, f"It is {truth}. It is {truth + 1}.") == 0 < task.score(example, f"It is {truth + 1}. It is {truth}.")


def test_the_reward_scores_by_columns_and_is_named():
    task = ArithmeticTask(["1+"])
    examples = task.examples("train", 3)
    (reward, weight) = task.rewards()[0]
    assert isinstance(reward, TaskReward) and reward.__name__ == "task_reward" and weight == 2
    said = [[{"role": "assistant", "content": f"= {example.columns['answer']}"}] for example in examples]
    columns = {name: [example.columns[name] for example in examples] for name in examples[0].columns}
    assert reward(completions=said, prompts=[example.prompt for example in examples], trainer_state=object(), **columns) == [1, 1, 1]
    columns["answer"] = columns["answer"][1:] + columns["answer"][:1]
    assert reward(completions=said, prompts=None, **columns) != [1, 1, 1]


def test_what_the_model_wrote_is_scored_not_what_a_tool_said_after_it():
    reward = TaskReward(ArithmeticTask(["1+"]))
    wrote, told = {"role": "assistant", "content": "= 12"}, {"role": "tool", "content": "= 13"}
    for said in ("= 12", [wrote], [wrote, told], [{"content": "= 12"}], [told, wrote, {"role": "assistant", "content": None}]):
        assert reward(completions=[said], answer=[12]) == [1] and reward(completions=[said], answer=[13]) == [0]
    assert reward(completions=[[told], []], answer=[13, 13]) == [0, 0]


def test_an_example_without_an_answer_is_no_example():
    with pytest.raises(ValidationError, match="column 'answer' of an example of the task arithmetic is None"):
        ArithmeticTask().score(Example([], {}), "1")


# --- files


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_file_gives_prompts_answers_and_further_columns(tmp_path):
    path = write(
        tmp_path / "geo.jsonl",
        {"prompt": "Capital of France?", "answer": "Paris", "split": "eval", "level": 1},
        "",
        {"prompt": [{"role": "user", "content": "2 + 2?"}], "answer": 4, "split": "train"},
    )
    task = task_of(str(path))
    assert isinstance(task, FileTask) and task.name == "geo"
    (asked,) = task.examples("eval", 1)
    assert asked.prompt == [{"role": "user", "content": "Capital of France?"}] and asked.columns["level"] == 1
    (trained,) = task.examples("train", 1)
    assert trained.columns.keys() == asked.columns.keys() and trained.columns["level"] is None
    assert [task.score(asked, said) for said in ("Paris", " paris. ", "It is Paris", "Rome")] == [1, 1, 0, 0]
    assert [task.score(trained, said) for said in ("4", "2 + 2 = 4.", "5", "four")] == [1, 1, 0, 0]
    contains = task_of({"file": str(path), "match": "contains"})
    assert contains.score(asked, "It is Paris, of course") == 1
    assert len(task.examples("train", 5)) == 5


def test_unknown_answers_have_no_score_and_tools_are_looked_for(tmp_path):
    path = write(tmp_path / "t.jsonl", {"prompt": "Read a.txt", "expected_tools": "read_file", "chain_length": 1, "split": "train"})
    task = FileTask(path)
    (example,) = task.examples("train", 1)
    assert example.columns["expected_tools"] == ["read_file"]
    called = '{"name": "read_file", "arguments": {"path": "a.txt"}}'
    assert task.score(example, called) == 1 and task.score(example, called.replace("read", "write")) == 0 == task.score(example, "no")
    assert task.score(Example([], {}), "anything") is None
    names = [getattr(reward, "__name__", "") for reward, _ in task.rewards()]
    assert names == ["tool_call_format_reward", "tool_selection_reward", "chain_completion_reward"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8).filter(str.strip), min_size=2, max_size=60))
def test_equal_prompts_are_of_one_split(tmp_path_factory, prompts):
    path = write(tmp_path_factory.mktemp("f") / "x.jsonl", *({"prompt": prompt, "answer": i} for i, prompt in enumerate(prompts)))
    task = FileTask(path)
    sides: dict[str, set[str]] = {}
    for split in ("train", "eval"):
        try:
            found = task.examples(split, 1)
        except ValidationError:
            continue
        count = 1
        while split == "eval" or count < len(prompts):
            try:
                found = task.examples(split, count)
            except ValidationError:
                break
            count += 1
        sides[split] = {example.prompt[0]["content"] for example in found}
    assert not sides.get("train", set()) & sides.get("eval", set())


@pytest.mark.parametrize("lines", [1, 5, 20])
def test_a_file_that_is_too_short_says_how_it_is_divided_and_what_would_do(tmp_path, lines):
    task = FileTask(write(tmp_path / "short.jsonl", *({"prompt": f"{i}?", "answer": i} for i in range(lines))))
    with pytest.raises(ValidationError) as caught:
        task.examples("eval", 32)
    there = sum(split == "eval" for split in map(side_of, range(lines)))
    said = str(caught.value)
    assert said.startswith("32 examples of the split 'eval' of task short are asked for; of ")
    assert (
        f"short.jsonl, {lines} line{'' if lines == 1 else 's'}, it has {there}. A line without 'split' is of 'eval' where a hash of its prompt"
        in said
    )
    assert f'1 in {EVAL_SHARE}, else of \'train\': give some {lines_for(32, 0.25)} lines in all, or write "split": "eval" into 32 of them' in said
    assert ("or ask for" in said) == (there > 0) and "gate.examples, 10 at least, and for none with gate: null" in said


def side_of(number: int) -> str:
    """Return the split of the prompt "number?", worked out anew."""
    return "eval" if hashlib.blake2b(f"user: {number}?".encode(), digest_size=1).digest()[0] % 4 == 0 else "train"


def test_a_file_without_a_line_to_train_on_says_so(tmp_path):
    number = next(i for i in range(100) if side_of(i) == "eval")
    task = FileTask(write(tmp_path / "one.jsonl", {"prompt": f"{number}?", "answer": 1}))
    with pytest.raises(ValidationError, match=r"^1 example of the split 'train' of task one is asked for; of .*one\.jsonl, 1 line, it has 0\."):
        task.examples("train", 3)


@pytest.mark.parametrize("wanted", [1, 10, 32, 100])
def test_the_lines_that_are_named_do(wanted):
    rng = np.random.default_rng(wanted)
    lines = lines_for(wanted, 1 / EVAL_SHARE)
    assert np.mean(rng.binomial(lines, 0.25, 20_000) >= wanted) > 0.97
    # Four times as many, the mean, are too few in half of all files.
    assert np.mean(rng.binomial(4 * wanted, 0.25, 20_000) >= wanted) < 0.75
    assert FileTask.__doc__ is not None and "EVAL_SHARE" in FileTask.__doc__


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("step", ["steps"]), ("Steps", ["steps"]), ("learning-rate", ["learning_rate"]), ("carl_reward", ["carl_composite_reward"]),
        ("max_tokens", ["max_prompt_tokens", "max_completion_tokens"]), ("num_generations", ["generations"]), ("source", []), ("", []), (3, []),
        ("x" * 10**6, []), (None, []),
    ],
)  # fmt: skip
def test_what_was_meant_by_a_name(name, meant):
    known = ["steps", "seed", "schedule", "learning_rate", "carl_composite_reward", "max_prompt_tokens", "max_completion_tokens", "generations"]
    assert nearest(name, known) == meant
    listed = f"there are {', '.join(known)}"
    assert proposal(name, known, "a.") == (f"did you mean {' or '.join('a.' + one for one in meant)}?" if meant else listed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", r":2: this is no JSON: .* at character 2"),
        ("[1]", ":2: the line is no JSON object; give one with 'prompt'"),
        ({"answer": 1}, ":2: 'prompt' is None; give a text, or a list of messages"),
        ({"prompt": " ", "answer": 1}, ":2: 'prompt' is ' '"),
        ({"prompt": [{"role": "robot", "content": "x"}], "answer": 1}, ":2: a message of 'prompt' is .*give 'role'"),
        ({"prompt": "x"}, ":2: neither 'answer' nor 'expected_tools' is there"),
        ({"prompt": "x", "answer": [1]}, r":2: 'answer' is \[1\]; give a text or a number"),
        ({"prompt": "x", "answer": True}, ":2: 'answer' is True; give a text or a number"),
        ({"prompt": "x", "expected_tools": [1]}, ":2: 'expected_tools' is"),
        ({"prompt": "x", "answer": 1, "chain_length": -1}, ":2: 'chain_length' is -1; give a whole number, 0 to 1000"),
        ({"prompt": "x", "answer": 1, "split": "test"}, ":2: 'split' is 'test'; give 'train' or 'eval'"),
        ({"prompt": "x", "answer": 1, "completions": 1}, ":2: 'completions' is a name that TRL or a training run uses itself"),
        ({"prompt": "x", "answer": 1, "traces": 1}, ":2: 'traces' is a name that TRL or a training run uses itself"),
        ('{"prompt": "x", "prompt": "y", "answer": 1}', ":2: member 'prompt' is there twice"),
        ('{"prompt": "x", "answer": ' + "9" * 5000 + "}", ":2: a number has thousands of digits"),
        ("[" * 100_000, ":2: the JSON is nested too deeply"),
        ('"' + "x" * 2**20 + '"', ":2: the line has more than 1048576 bytes"),
    ],
)
def test_lines_are_refused_by_their_number(tmp_path, line, said):
    path = write(tmp_path / "bad.jsonl", {"prompt": "x", "answer": 1}, line)
    with pytest.raises(InvalidFile, match=f"^{re.escape(str(path))}{said}"):
        FileTask(path)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(InvalidFile, match=r"nowhere\.jsonl: cannot be read: No such file"):
        task_of(str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(InvalidFile, match="the file holds no record"):
        FileTask(write(tmp_path / "empty.jsonl", "", "  "))
    (tmp_path / "bytes.jsonl").write_bytes(b'{"prompt": "\xff"}\n')
    with pytest.raises(InvalidFile, match=r"bytes\.jsonl:1: byte 12 of the line is no UTF-8"):
        FileTask(tmp_path / "bytes.jsonl")
    with pytest.raises(ConfigError, match="match of a task from a file is 'fuzzy'; give one of exact, contains"):
        task_of({"file": str(tmp_path / "x.jsonl"), "match": "fuzzy"})


@pytest.mark.parametrize(
    "spec", ["algebra", 3, None, {}, {"name": "algebra"}, {"name": "arithmetic", "file": "x"}, {"file": 3}, {"file": "x", "mach": 1}]
)
def test_what_names_no_task_is_refused(spec):
    with pytest.raises(ConfigError, match=r"give|did you mean match"):
        task_of(spec)


def test_a_task_is_itself():
    task = ArithmeticTask()
    assert task_of(task) is task and task_of("arithmetic").name == "arithmetic"


# --- answers and prompts that would be judged wrongly


def task_file(folder: Path, *lines: str, match: str = "exact") -> FileTask:
    path = folder / "task.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    return FileTask(path, match)


@given(st.text(st.sampled_from(list(".!\"'`* ?+-")), min_size=1, max_size=4).filter(str.strip), st.text(st.sampled_from(list("ab.!?* ")), max_size=9))
def test_answers_of_signs_are_compared_as_they_are(answer, completion):
    example = Example([], {"answer": answer})
    for match in ("exact", "contains"):
        task = FileTask.__new__(FileTask)
        task.path, task.match = "task.jsonl", match
        wanted, said = answer.strip(), completion.strip()
        assert task.score(example, completion) == (said == wanted if match == "exact" else wanted in said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "a", "answer": ""}', "'answer' is '', which every completion holds"),
        ('{"prompt": "a", "answer": " \\n"}', "which every completion holds; give a text that is not blank"),
        ('{"prompt": "a", "answer": NaN}', "'answer' is nan, which no completion can state"),
        ('{"prompt": "a", "answer": 1e999}', "'answer' is inf, which no completion can state"),
        ('{"prompt": "a\\ud800", "answer": "1"}', r"\\ud800 is half of a pair of UTF-16"),
        ('{"prompt": "a", "answer": "1", "\\uDFFF": 1}', r"\\udfff is half of a pair"),
        ('{"prompt": "a", "answer": "1", "x": [{"y": "\\ude00\\ud83d"}]}', r"\\ude00 is half of a pair"),
    ],
)
def test_lines_that_nothing_can_be_judged_by_are_refused(tmp_path, line, said):
    with pytest.raises(InvalidFile, match=rf"task\.jsonl:2: .*{said}"):
        task_file(tmp_path, '{"prompt": "b", "answer": "\\ud83d\\ude00 both halves"}', line)


def test_a_prompt_has_one_split(tmp_path):
    lines = ['{"prompt": "a", "answer": "1", "split": "train"}', '{"prompt": "b", "answer": "1", "split": "eval"}']
    with pytest.raises(InvalidFile, match=r"task\.jsonl:3: 'split' is 'eval', but line 1 has the same prompt \(blanks aside\) with 'train'"):
        task_file(tmp_path, *lines, '{"prompt": [{"role": "user", "content": " a\\n"}], "answer": "1", "split": "eval"}')
    # One that does not say follows the one that does.
    task = task_file(tmp_path, *lines, '{"prompt": "a ", "answer": "2"}', '{"prompt": "b  ", "answer": "2"}')
    assert [len(task.examples(split, 2)) for split in ("train", "eval")] == [2, 2]


@given(st.lists(st.text(st.sampled_from("abcdef"), min_size=1, max_size=5), min_size=2, max_size=5), st.lists(st.sampled_from([" ", "  ", "\n\t"])))
def test_blanks_do_not_part_prompts(tmp_path_factory, words, blanks):
    spaced = "".join(word + (blanks[i] if i < len(blanks) else " ") for i, word in enumerate(words))
    task = task_file(tmp_path_factory.mktemp("t"), *[json.dumps({"prompt": text, "answer": "1"}) for text in (" ".join(words), spaced)])
    assert sorted(map(len, task._by_split.values())) == [0, 2]


def test_completions_that_are_no_texts_are_refused(tmp_path):
    for task in (task_file(tmp_path, '{"prompt": "a", "answer": "1", "split": "eval"}'), ArithmeticTask()):
        example = task.examples("eval", 1)[0]
        for completion in (None, 3, b"1", ["1"]):
            with pytest.raises(ValidationError, match=r"a completion is .*; give its text"):
                task.score(example, completion)
        with pytest.raises(ValidationError, match="completions are None; give a list"):
            TaskReward(task)(None)


def test_paths_that_no_file_has_are_refused():
    with pytest.raises(ConfigError, match=r"'file' of the task is 'a\\x00b'; give the path"):
        task_of({"file": "a\0b"})
    for path in ("a\0b.jsonl", "\ud800.jsonl"):
        with pytest.raises(InvalidFile, match="no file can be called so"):
            task_of(path)
