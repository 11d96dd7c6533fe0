"""Names of tools, and the parameters that are kept of a call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.karl.tools import PARAM_CHARS, canonical, category, cut, key_params


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


def test_work_on_a_long_text_is_bounded() -> None:
    assert len(cut("ab " * 10_000_000, 200)) == 200
