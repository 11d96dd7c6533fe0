"""Names of tools, and the parameters that are kept of a call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.karl.tools import PARAM_CHARS, canonical, category, cut, key_params, session_name


@pytest.mark.parametrize(
    ("names", "ours"),
    [
        (("exec_command", "shell_command", "run_shell_command", "Bash"), "Bash"),
        (("apply_patch", "apply_diff", "replace", "Edit", "MultiEdit"), "Edit"),
        (("read_file", "Read"), "Read"),
        (("list_files", "list_directory", "glob", "Glob"), "Glob"),
        (("search_files", "grep_search", "Grep"), "Grep"),
        (("write_file", "create_file", "Write"), "Write"),
        (("mcp__db__query",), "mcp__db__query"),
        (("", None, 3), "unknown"),
    ],
)
def test_names(names: tuple[Any, ...], ours: str) -> None:
    assert {canonical(name) for name in names} == {ours}


def test_categories() -> None:
    assert "".join(category(tool) for tool in ("Read", "Grep", "Edit", "Write", "NotebookEdit", "Bash", "think")) == "RRMMMXO"


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=400), st.integers(), st.none(), st.lists(st.text(max_size=5), max_size=3))))
def test_parameters_are_few_and_short(arguments: dict[str, Any]) -> None:
    kept = key_params(arguments)
    assert set(kept) <= {"file_path", "command", "pattern", "query", "url", "description"}
    assert all(isinstance(value, str) and 0 < len(value) <= PARAM_CHARS for value in kept.values())


def test_parameters_by_their_other_names() -> None:
    assert key_params({"path": "a.py", "cmd": ["bash", "-lc", "make test"], "regex": "x", "uri": "http://a"}) == {
        "file_path": "a.py",
        "command": "make test",
        "pattern": "x",
        "url": "http://a",
    }
    assert key_params({"command": ["git", "status"], "content": "long", "old_string": "x"}) == {"command": "git status"}
    assert key_params("ls") == {} == key_params(None)


@given(st.integers(0, PARAM_CHARS + 50))
def test_no_part_of_a_secret_is_kept_where_the_text_is_cut(place: int) -> None:
    secret = "sk-" + "abcdefghij" * 4
    kept = key_params({"command": "x" * place + " " + secret})["command"]
    assert not any(secret[:size] in kept for size in range(8, len(secret)))


@pytest.mark.parametrize("secret", ["ghp_" + "Q1" * 18, "https://bob:Q1secretpassword@host/x", "eyJQ1" + "a" * 9 + ".Q1" + "b" * 9 + ".Q1" + "c" * 9])
@pytest.mark.parametrize("end", ["", " and so on " * 9])
def test_half_a_secret_is_not_kept_where_what_stands_before_it_becomes_short(secret: str, end: str) -> None:
    for before in range(3900, 4001):
        text = "password=" + "z" * (before - 9) + " " + secret + end
        assert "Q1" not in cut(text, 200), before
    for before in range(7940, 8001):
        assert "Q1" not in cut("password=" + "z" * 3900 + " password=" + "y" * (before - 3919) + " " + secret + end, 4000), before
    assert cut("password=" + "z" * 9000, 200) == "password=[redacted]" or "z" not in cut("password=" + "z" * 9000, 200)


def test_names_of_sessions_stay_apart() -> None:
    names = ["a", "a/b", "é", "x" * 500, *("x" * 600 + letter for letter in "ab"), *(f"token=hunter2{letter}" for letter in "ab"), "ghp_" + "a1" * 16]
    kept = [session_name(name) for name in names]
    assert kept[:4] == names[:4] and len(set(kept)) == len(names)
    assert not any("hunter2" in name or "ghp_" in name for name in kept) and max(map(len, kept)) <= 500
    assert [session_name(name) for name in kept] == kept and session_name("\ud800") != session_name("\ud801")


def test_work_on_a_long_text_is_bounded() -> None:
    assert len(cut("ab " * 10_000_000, 200)) == 200
