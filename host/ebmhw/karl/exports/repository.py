"""Repository: what git says of a repository that nobody vouches for: no program of its own runs, and nothing is read without a limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple, final

from ebmhw.errors import ConfigError, InvalidFile, TimeLimitExceeded
from ebmhw.redaction import without_secrets

SECONDS = 20.0
"""That one call of git may take."""

LARGEST = 2**20
"""Bytes of a file that is diffed; larger ones count as binary."""

# What a repository's own configuration could start, and what git could fetch or ask for, is off: file monitors, hooks, signature checks, drivers of
# diffs, the helpers of remotes that a partial clone would ask for missing objects.
_OPTIONS = (
    *("--no-pager", "--literal-pathspecs", "--no-optional-locks", "--no-replace-objects"),
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "log.showSignature=false", "-c", "diff.external="),
    *(
        "-c",
        f"core.attributesFile={os.devnull}",
        "-c",
        "i18n.logOutputEncoding=UTF-8",
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.ignoreSubmodules=all",
    ),
    # A larger file is binary to git, which has it in memory several times for a diff: 497 MB for one of 42 MB, 11 MB with this.
    *("-c", f"core.bigFileThreshold={LARGEST}"),
    *("-c", "protocol.allow=never", "-c", "core.alternateRefsCommand=", "-c", "diff.renameLimit=400"),
)
_DIFF = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-color")
_ENVIRONMENT = {
    **{"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_ATTR_NOSYSTEM": "1", "GIT_PAGER": "cat"},
    **{"LC_ALL": "C", "LANGUAGE": "C", "GIT_ASKPASS": "", "SSH_ASKPASS": ""},
}


class Change(NamedTuple):
    """A file that a commit changes.

    Attributes
    ----------
    path : from the repository's root
    kind : "A" added, "M" changed, "D" removed, "R" renamed
    lines : added and removed together; None of a binary file
    """

    path: str
    kind: str
    lines: int | None


class Output(NamedTuple):
    """What a call of git wrote, and whether that was all."""

    data: bytes
    whole: bool


@final
class Repository:
    """A repository, read by the git that is installed.

    Parameters
    ----------
    path : a folder within it
    seconds : that one call of git may take

    Raises
    ------
    ConfigError : git is not installed
    InvalidFile : there is no repository, or git refuses it
    """

    def __init__(self, path: str | os.PathLike[str], seconds: float = SECONDS) -> None:
        self.path, self.seconds = Path(path), seconds
        found = shutil.which("git")
        if found is None:
            raise ConfigError("git is not installed, or not on the PATH; install it to make examples of commits")
        self._git = found
        if not self.path.is_dir():
            raise InvalidFile(f"{path}: there is no such folder; give one within a git repository")
        self._ask(["rev-parse", "--git-dir"], 2**16)

    def commits(self, count: int, since: float | None) -> list[tuple[str, str]]:
        """Return (hash, subject) of the latest commits, not before Unix seconds, that are no merges; [] where there is none yet."""
        if not self._ask(["rev-list", "--max-count=1", "--all"], 2**16).data.strip():
            return []
        # Each subject ends at 300 columns, so that the limit of the output suffices for all.
        asked = ["log", "--no-merges", "--no-show-signature", f"--max-count={count}", "--format=%H%x00%<(300,trunc)%s"]
        output = self._ask([*asked, *([] if since is None else [f"--max-age={max(0, int(since))}"]), "HEAD", "--"], 2000 * (count + 1))
        lines = output.data.decode("utf-8", "replace").split("\n")
        pairs = [line.split("\0", 1) for line in (lines if output.whole else lines[:-1])]
        return [(pair[0], pair[1].strip()) for pair in pairs if len(pair) == 2]

    def changes(self, commit: str, limit: int) -> list[Change] | None:
        """Return the files that a commit changes, links and submodules left out; None where their list takes more than ``limit`` bytes."""
        output = self._ask(["diff-tree", "--root", "--no-commit-id", "-r", "-M", "--raw", "--numstat", "-z", *_DIFF, commit, "--"], limit)
        if not output.whole:
            return None
        tokens = iter(output.data.decode("utf-8", "replace").split("\0"))
        kinds: dict[str, str] = {}
        lines: dict[str, int | None] = {}
        for token in tokens:
            if token.startswith(":"):
                before, after, *_, status = token[1:].split(" ")
                path = next(tokens, "")
                if status[:1] in ("R", "C"):
                    path = next(tokens, "")
                if {before, after} <= {"100644", "100755", "000000"}:
                    kinds[path] = status[:1]
            elif token.count("\t") >= 2:
                added, removed, path = token.split("\t", 2)
                if not path:
                    next(tokens, "")
                    path = next(tokens, "")
                lines[path] = None if "-" in (added, removed) else int(added) + int(removed)
        return [Change(path, kind, lines.get(path)) for path, kind in kinds.items()]

    def patch(self, commit: str, paths: list[str], limit: int) -> str | None:
        """Return the diff of some files in a commit; None where it takes more than ``limit`` bytes."""
        output = self._ask(["diff-tree", "--root", "--no-commit-id", "-r", "-p", "-M", "--unified=3", *_DIFF, commit, "--", *paths], limit)
        return output.data.decode("utf-8", "replace") if output.whole else None

    def _ask(self, arguments: list[str], limit: int) -> Output:
        """Return at most ``limit`` bytes of what git writes; it is ended where it writes more, or takes too long."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _ENVIRONMENT
        late = threading.Event()
        with subprocess.Popen(
            [self._git, *_OPTIONS, *arguments],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:

            def end() -> None:
                late.set()
                process.kill()

            errors: list[bytes] = []
            assert process.stdout is not None and process.stderr is not None
            stderr = process.stderr
            # Both pipes are emptied: a full one would stop git.
            reader = threading.Thread(target=lambda: errors.append(_read(stderr, 2**16, drain=True)), daemon=True)
            timer = threading.Timer(self.seconds, end)
            timer.start()
            reader.start()
            try:
                data = _read(process.stdout, limit + 1, drain=False)
                if len(data) > limit:
                    process.kill()
                process.wait()
                reader.join()
            except BaseException:
                process.kill()
                raise
            finally:
                timer.cancel()
        if late.is_set():
            raise TimeLimitExceeded(f"git {arguments[0]} in {self.path} took more than {self.seconds:g} s; give a longer time, or another repository")
        if len(data) > limit:
            return Output(data[:limit], False)
        if process.returncode:
            told = " ".join(errors[0].decode("utf-8", "replace").split())[:300] if errors else ""
            raise InvalidFile(f"{self.path}: git {arguments[0]} failed: {without_secrets(told) or f'status {process.returncode}'}")
        return Output(data, True)


def _read(stream: object, limit: int, drain: bool) -> bytes:
    """Return up to ``limit`` bytes of a pipe; ``drain``: what comes after is read and dropped."""
    parts: list[bytes] = []
    size = 0
    while size < limit or drain:
        part: bytes = stream.read1(2**16)  # type: ignore[attr-defined]  # typeshed's IO lacks what every buffered pipe has
        if not part:
            break
        if size < limit:
            parts.append(part[: limit - size])
        size += len(part)
    return b"".join(parts)
