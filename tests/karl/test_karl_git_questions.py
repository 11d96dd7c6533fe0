"""git_questions: examples of commits, and repositories that mean harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ebmhw.errors import ConfigError, InvalidFile, TimeLimitExceeded, ValidationError
from ebmhw.karl.exports import export, git_questions, read_plan
from ebmhw.karl.exports.repository import Repository

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

SECRET = "sk-abcdefghijklmnopqrstuvwx"
Git = Callable[..., str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    return path


def git(path: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A"), ("EMAIL", "a@b.c"))}
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **names}
    return subprocess.run(["git", *arguments], cwd=path, env=environment, check=True, capture_output=True, text=True, timeout=30).stdout


def commit(path: Path, subject: str, files: dict[str, str | bytes | None], *arguments: str) -> None:
    for name, content in files.items():
        target = path / name
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(path, "add", "-A")
    git(path, "commit", "-q", "--allow-empty", "-m", subject, *arguments)


def text(count: int, word: str = "line") -> str:
    return "".join(f"{word} {i}\n" for i in range(count))


def plans(path: Path, **options: object) -> dict[str, str]:
    return {one["messages"][1]["content"]: one["messages"][2]["content"] for one in git_questions(path, **options)}  # type: ignore[arg-type]  # as given


def test_commits_become_questions_and_plans(repo: Path) -> None:
    commit(repo, "Add the first parser", {"src/a.py": text(5)})
    commit(repo, "fix(parser): handle the empty line (#12)", {"src/a.py": text(9), "tests/test_a.py": text(4)})
    commit(repo, "Rename the parser module", {"src/a.py": None, "src/b c.py": text(9) + "more\nand more\nand more\n"})
    assert plans(repo) == {
        "Rename the parser module": "1. [?] Read src/b c.py\n2. [?] Edit src/b c.py",
        "handle the empty line": "1. [?] Read src/a.py\n2. [?] Edit src/a.py\n3. [?] Write tests/test_a.py",
        "Add the first parser": "1. [?] Write src/a.py",
    }
    assert list(plans(repo, limit=1)) == ["Rename the parser module"] and not plans(repo, limit=0)
    assert [step.tool for step in read_plan(plans(repo)["handle the empty line"])] == ["Read", "Edit", "Write"]
    hashes = {one["commit"] for one in git_questions(repo)}
    assert hashes == set(git(repo, "rev-list", "HEAD").split())
    diff = plans(repo, answer="diff")["handle the empty line"]
    assert diff.startswith("```diff\ndiff --git a/src/a.py b/src/a.py\n") and "+line 8" in diff and diff.endswith("\n```")


def test_what_asks_nothing_or_is_nobodys_work_is_left_out_and_reported(repo: Path) -> None:
    commit(repo, "Write the reader of files", {"a.py": text(9)})
    commit(repo, "wip", {"a.py": text(19)})
    commit(repo, "Revert the reader of files", {"a.py": text(9)})
    commit(repo, "Update the lock of packages", {"poetry.lock": text(50), "package-lock.json": text(50)})
    commit(repo, "Add the pictures of it", {"x.png": bytes(range(256)) * 9})
    commit(repo, "Add one long list here", {"long.txt": text(2000)})
    commit(repo, "Touch many files at once", {f"f{i}.py": text(5) for i in range(12)})
    commit(repo, "Drop the old reader file", {"a.py": None})
    reported: list[str] = []
    assert plans(repo, report=reported.append) == {"Write the reader of files": "1. [?] Write a.py"}
    assert [line.partition(": ")[2] for line in reported] == [
        "it only removes files",
        "it changes more than 10 files",
        "it changes 2000 lines; 400 are the most",
        "it changes 0 lines of text that somebody wrote; 3 are the least",
        "it changes 0 lines of text that somebody wrote; 3 are the least",
        "its subject asks nothing",
        "its subject asks nothing",
    ]


def test_secrets_do_not_leave_the_repository(repo: Path) -> None:
    commit(repo, f"Use the key {SECRET} everywhere", {"a.py": text(5) + f"key = '{SECRET}'\npassword = 'hunter2222'\n", f"{SECRET}.txt": text(4)})
    for answer in ("plan", "diff"):
        (one,) = git_questions(repo, answer=answer)
        assert SECRET not in str(one) and "hunter2222" not in str(one) and "[redacted]" in str(one)


def test_they_join_an_export_with_their_weight(repo: Path, tmp_path: Path) -> None:
    commit(repo, "Add the first parser", {"src/a.py": text(5)})
    made = export([], tmp_path / "out.jsonl", extra=git_questions(repo))
    assert made.counts == {"sessions": 0, "examples": 0, "extra": 1, "train": 1, "valid": 0}


def test_since_and_an_empty_repository(repo: Path) -> None:
    assert not plans(repo)
    commit(repo, "Add the old parser here", {"a.py": text(5)})
    assert plans(repo, since="2000-01-01") and plans(repo, since=1.0) and not plans(repo, since="2500-01-01")


# --- repositories that mean harm


def test_no_program_that_a_repository_names_is_started(repo: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\ntouch {proof}\nexit 0\n")
    script.chmod(0o755)
    (repo / ".gitattributes").write_text("* diff=evil filter=evil\n")
    commit(repo, "Add the first parser", {"a.py": text(5)})
    settings = ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "filter.evil.smudge")
    for name in (
        *settings,
        "gpg.program",
        "core.sshCommand",
        "core.editor",
        "core.askPass",
        "core.alternateRefsCommand",
        "pager.log",
        "pager.diff-tree",
    ):
        git(repo, "config", name, str(script))
    git(repo, "config", "log.showSignature", "true")
    git(repo, "config", "alias.diff-tree", f"!{script}")
    git(repo, "config", "core.hooksPath", str(tmp_path))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* diff=evil\n")
    # The trap is live: what is asked of git here without care runs it.
    subprocess.run(["git", "--no-pager", "log", "-p", "--ext-diff"], cwd=repo, capture_output=True, timeout=30, check=False)
    assert proof.exists()
    proof.unlink()
    for answer in ("plan", "diff"):
        assert len(plans(repo, answer=answer)) == 1
    assert not proof.exists()


def test_missing_objects_are_not_fetched(repo: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    commit(repo, "Add the first parser", {"a.py": text(5)})
    blob = git(repo, "rev-parse", "HEAD:a.py").strip()
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    # Git takes a file from the work tree where it knows it to be the object.
    (repo / "a.py").unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::sh -c touch% {proof}",
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
    }.items():
        git(repo, "config", name, value)
    subprocess.run(["git", "--no-pager", "log", "-p"], cwd=repo, capture_output=True, timeout=30, check=False)
    assert proof.exists()
    proof.unlink()
    reported: list[str] = []
    assert not plans(repo, report=reported.append) and "git diff-tree failed" in reported[0]
    assert not proof.exists()


def test_variables_of_git_are_not_passed_on(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "Add the first parser", {"a.py": text(5)})
    proof = tmp_path / "proof"
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\ntouch {proof}\n")
    script.chmod(0o755)
    for name, value in {"GIT_DIR": "/nowhere", "GIT_EXTERNAL_DIFF": str(script), "GIT_PAGER": str(script), "GIT_TRACE": "1"}.items():
        monkeypatch.setenv(name, value)
    assert len(plans(repo, answer="diff")) == 1 and not proof.exists()


def test_links_submodules_and_odd_names_are_no_work(repo: Path) -> None:
    commit(repo, "Add the first parser", {"a.py": text(5)})
    os.symlink("/etc/passwd", repo / "link.py")
    git(repo, "add", "-A")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    names = {"-rf": text(4), ":(exclude)*": text(4), "two\nlines.py": text(4), 'quo"te\t.py': text(4)}
    for name, content in names.items():
        (repo / name).write_text(content)
    git(repo, "--literal-pathspecs", "add", "--", *names)
    git(repo, "commit", "-q", "-m", "Add the oddest of names")
    plan = plans(repo, limit=1)["Add the oddest of names"]
    assert "link.py" not in plan and "sub" not in plan and "passwd" not in plan
    paths = {step.params["file_path"] for step in read_plan(plan)}
    assert paths == {"-rf", ":(exclude)*", "two lines.py", 'quo"te .py'}
    assert "link.py" not in plans(repo, limit=1, answer="diff")["Add the oddest of names"]


def test_huge_commits_end_at_a_limit(repo: Path) -> None:
    commit(repo, "Add the small parser first", {"a.py": text(5)})
    commit(repo, "Make every line very long", {"a.py": "".join("x" * 50_000 + "\n" for _ in range(20))})
    reported: list[str] = []
    assert list(plans(repo, answer="diff", report=reported.append)) == ["Add the small parser first"]
    assert reported and "bytes" in reported[0]
    commit(repo, "A " + "long " * 20_000, {"a.py": text(6)})
    assert max(len(question) for question in plans(repo)) <= 320


def test_large_files_are_not_diffed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "Add a large table of numbers", {"big.txt": text(200_000), "a.py": text(5)})
    commit(repo, "Change the large table twice", {"big.txt": text(200_000).replace("line 77\n", "x\ny\nz\nx\n")})
    started: list[list[str]] = []
    popen = subprocess.Popen

    def start(arguments: list[str], **options: object) -> subprocess.Popen[bytes]:
        started.append(arguments)
        return popen(arguments, **options)  # type: ignore[call-overload,no-any-return]  # as given

    monkeypatch.setattr("ebmhw.karl.exports.repository.subprocess.Popen", start)
    reported: list[str] = []
    assert plans(repo, report=reported.append) == {"Add a large table of numbers": "1. [?] Write a.py"}
    assert len(reported) == 1 and "it changes 0 lines of text" in reported[0]
    assert started and all(
        ("-c", "core.bigFileThreshold=1048576") in pairwise(one)
        and one.index("core.bigFileThreshold=1048576") < min(one.index(name) for name in one if name in ("rev-parse", "rev-list", "log", "diff-tree"))
        for one in started
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for git")
def test_a_git_that_hangs_is_ended(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "Add the first parser", {"a.py": text(5)})
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(TimeLimitExceeded, match=r"git rev-parse in .* took more than 0\.3 s"):
        git_questions(repo, seconds=0.3)


def test_an_endless_output_is_ended(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo, "Add the first parser", {"a.py": text(5)})
    made = Repository(repo)
    assert made.changes(git(repo, "rev-parse", "HEAD").strip(), 10) is None
    assert len(made.commits(1, None)) == 1


# --- wrong arguments


def test_what_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(InvalidFile, match="there is no such folder"):
        git_questions(tmp_path / "none")
    with pytest.raises(InvalidFile, match=r"git rev-parse failed: fatal: not a git repository"):
        git_questions(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="git is not installed"):
        git_questions(tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"limit": -1}, "limit is -1"),
        ({"limit": True}, "limit is True"),
        ({"since": "soon"}, "since is 'soon'; give a time such as"),
        ({"answer": "poem"}, "answer is 'poem'; give one of plan, diff"),
        ({"seconds": 0}, "seconds is 0"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        git_questions(tmp_path, **options)  # type: ignore[arg-type]  # what is tested
