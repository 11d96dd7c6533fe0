"""git_questions: questions and answers made of a repository's commits, to mix into what is trained on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from ebmhw.errors import InvalidFile, TimeLimitExceeded, ValidationError, shown
from ebmhw.karl.exports.examples import SYSTEM
from ebmhw.karl.exports.plans import PLAN_EVENTS, plan_of
from ebmhw.karl.exports.repository import SECONDS, Change, Repository
from ebmhw.karl.moments import moment
from ebmhw.karl.tools import EDIT, READ, WRITE
from ebmhw.karl.trajectory import ToolEvent
from ebmhw.numbers import whole
from ebmhw.redaction import without_secrets

FILES_LIMIT = 10
"""Files that a commit may change: a plan of more is none that the subject tells."""

LINES = (3, 400)
"""Lines that a commit changes: fewer teach nothing, more are not told by a subject."""

PATCH_BYTES = 2**14
"""Of a diff as an answer."""

SCAN_FACTOR = 20
"""Commits that are looked at for an example, at most."""

ANSWERS = ("plan", "diff")

DIFF_SYSTEM = "You are an expert programmer. Answer with the change as a unified diff."

_LIST_BYTES = 2**18
_KIND = re.compile(r"(?:feat|fix|refactor|chore|docs?|tests?|ci|build|perf|style)(?:\([^()]{0,60}\))?!?:\s{0,4}", re.IGNORECASE)
_NUMBER = re.compile(r"\s{0,4}\(#\d{1,9}\)\s{0,4}\Z")
_EMPTY = re.compile(r"(?:merge|revert|wip|bump|release|version|update changelog|fixup!|squash!|v?\d+\.\d+)\b", re.IGNORECASE)
_MADE = re.compile(
    r"(?:\A|/)(?:node_modules|vendor|third_party|dist|build|\.next|__pycache__|__snapshots__)/|(?:\A|/)[^/]{0,80}[.-]lock(?:\.[a-z]{1,5})?\Z"
    r"|\.(?:min\.js|min\.css|map|svg|snap|lock|sum|pb\.go|ipynb|csv|tsv|jsonl)\Z|(?:\A|/)(?:package-lock\.json|go\.sum)\Z"
)


def git_questions(
    repo: str | os.PathLike[str],
    *,
    limit: int = 100,
    since: str | float | None = None,
    answer: str = "plan",
    seconds: float = SECONDS,
    report: Callable[[str], object] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield {"messages": [...], "commit": hash} of the latest commits, without secrets, for the ``extra`` of `ebmhw.karl.exports.export`.

    The question is a commit's subject. The answer "plan": the files it changes, first those to read and edit, then those to write, marked as not
    known to succeed, for no call was made; "diff": the change itself. Left out, each reported: merges, subjects that ask nothing, more than 10 files
    or 400 lines, fewer than 3 lines, files that are binary, above a mebibyte, generated or vendored, commits that git cannot read.

    The repository may be anybody's: git is started without a shell, without programs that its configuration names, without network, and with limits
    of time and output.

    Parameters
    ----------
    repo : a folder within it
    limit : examples, at most
    since : ISO 8601 or Unix seconds; None for all
    answer : see above
    seconds : that one call of git may take; a commit that takes longer is left out
    report : given, in words, each commit that is left out

    Raises
    ------
    ValidationError : an argument is not allowed
    ConfigError, InvalidFile : git is not installed; there is no repository, or git refuses it
    """
    count = whole(limit)
    if count is None or not 0 <= count <= 10**6:
        raise ValidationError(f"limit is {shown(limit)}; give how many examples to make, 0 to a million")
    if answer not in ANSWERS:
        raise ValidationError(f"answer is {shown(answer)}; give one of {', '.join(ANSWERS)}")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= 86_400:
        raise ValidationError(f"seconds is {shown(seconds)}; give how long one call of git may take, above 0, at most a day")
    start = None
    if since is not None:
        start = moment(since)
        if start is None:
            raise ValidationError(f"since is {shown(since)}; give a time such as 2026-01-31, or Unix seconds")
    # Checked at once, not when the first example is asked for.
    return _examples(Repository(repo, seconds), count, start, answer, report or (lambda _: None))


def _examples(repository: Repository, limit: int, since: float | None, answer: str, report: Callable[[str], object]) -> Iterator[dict[str, Any]]:
    made = 0
    for commit, subject in repository.commits(SCAN_FACTOR * limit, since) if limit else []:
        try:
            found = _example(repository, commit, subject, answer)
        except (TimeLimitExceeded, InvalidFile) as error:  # one damaged commit is no reason to lose the others
            found = str(error)
        if isinstance(found, str):
            report(f"{commit[:12]}: {found}")
            continue
        yield found
        made += 1
        if made == limit:
            return


def _example(repository: Repository, commit: str, subject: str, answer: str) -> dict[str, Any] | str:
    """Return the example of a commit, or why there is none."""
    question = _question(subject)
    if question is None:
        return "its subject asks nothing"
    changes = repository.changes(commit, _LIST_BYTES)
    if changes is None or len(changes) > FILES_LIMIT:
        return f"it changes more than {FILES_LIMIT} files"
    useful = [change for change in changes if change.lines is not None and change.lines > 0 and not _MADE.search(change.path)]
    lines = sum(change.lines or 0 for change in useful)
    if lines < LINES[0]:
        return f"it changes {lines} lines of text that somebody wrote; {LINES[0]} are the least"
    if lines > LINES[1]:
        return f"it changes {lines} lines; {LINES[1]} are the most"
    if answer == "plan":
        plan = plan_of(_calls(useful))
        if not plan:
            return "it only removes files"
        return _made(SYSTEM, question, plan, commit)
    patch = repository.patch(commit, [change.path for change in useful], PATCH_BYTES)
    if patch is None:
        return f"its diff has more than {PATCH_BYTES} bytes"
    return _made(DIFF_SYSTEM, question, f"```diff\n{without_secrets(patch).rstrip()}\n```", commit)


def _question(subject: str) -> str | None:
    asked = _NUMBER.sub("", _KIND.sub("", subject.strip(), count=1)).strip()
    if _EMPTY.match(asked) or len(asked.split()) < 3:
        return None
    return without_secrets(asked)


def _calls(changes: list[Change]) -> list[ToolEvent]:
    edited = [change.path for change in changes if change.kind in ("M", "R")]
    written = [change.path for change in changes if change.kind == "A"]
    calls = [ToolEvent(tool, {"file_path": path}) for path in edited for tool in (READ, EDIT)]
    return [*calls, *(ToolEvent(WRITE, {"file_path": path}) for path in written)][:PLAN_EVENTS]


def _made(system: str, question: str, answer: str, commit: str) -> dict[str, Any]:
    told = (("system", system), ("user", question), ("assistant", answer))
    return {"messages": [{"role": role, "content": content} for role, content in told], "commit": commit}
