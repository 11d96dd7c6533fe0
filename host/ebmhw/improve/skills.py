"""SkillFolder: what a loop has learned, as files that people and agents read.

    FOLDER/incumbent.py                 the best code so far
    FOLDER/rounds.jsonl                 every round, in order
    FOLDER/loop.json                    what the loop is of; written once
    FOLDER/lessons.md                   what fails and what works, each kind once
    FOLDER/skills/NAME-ROUND/SKILL.md   a candidate that passed all gates: what it is for, how much better it is, what was claimed and holds
    FOLDER/skills/NAME-ROUND/candidate.py

Each file is written whole. A round counts once its line is in rounds.jsonl, which is written last; what a killed loop left of a round without a
line is written over by the next.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from ebmhw.errors import ConfigError, InvalidFile, shown
from ebmhw.files import write_whole
from ebmhw.improve.lessons import Lesson, lessons
from ebmhw.improve.proposal import digest_of
from ebmhw.improve.round import Round
from ebmhw.verify.verdict import VERIFIED

_BYTE_LIMIT = 2**28


@final
class SkillFolder:
    """The folder of one loop.

    Parameters
    ----------
    path : need not be there yet

    Raises
    ------
    InvalidFile
        for a folder whose files are damaged; they are left as they are.
    ConfigError
        where it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._rounds, self._loop = self.path / "rounds.jsonl", self.path / "loop.json"

    def open(self, loop: dict[str, Any], baseline: str) -> tuple[str, list[dict[str, Any]]]:
        """Return the incumbent's code and the records of the rounds that were done; both of a new folder where there is none.

        Raises
        ------
        ConfigError
            where the folder is of another loop; the text names the first member that differs.
        """
        if os.path.lexists(self._loop):
            before = _read_json(self._loop)
            differs = next((name for name in {**before, **loop} if before.get(name) != loop.get(name)), None)
            if differs is not None:
                raise ConfigError(
                    f"{self.path} holds a loop whose {differs} is {shown(before.get(differs))}, not {shown(loop.get(differs))}; "
                    "go on with the same, or name another folder"
                )
        elif os.path.lexists(self._rounds):
            raise InvalidFile(f"{self._loop} is missing, so that nobody knows what the rounds beside it are of; restore it, or name another folder")
        else:
            _write(self._loop, json.dumps(loop, indent=1, sort_keys=True) + "\n")
        records = self.records()
        self._tidy()
        accepted = next((record for record in reversed(records) if record["accepted"]), None)
        code = baseline if accepted is None else accepted["proposal"]["code"]
        _write(self.path / "incumbent.py", code)
        return code, records

    def keep(self, done: Round, objective: str, records: list[dict[str, Any]]) -> None:
        """Write a round and append it to the records: its skill where it was accepted, the lessons so far, and last its line."""
        if done.accepted and done.proposal is not None:
            self._learn(done, objective)
            _write(self.path / "incumbent.py", done.proposal.code)
        records.append(done.to_json())
        _write(self.path / "lessons.md", _lessons_page(lessons(records)))
        _write(self._rounds, "".join(json.dumps(record) + "\n" for record in records))

    def _learn(self, done: Round, objective: str) -> None:
        assert done.proposal is not None and done.gates is not None
        name = f"{re.sub(r'[^a-z0-9]+', '-', objective.lower()).strip('-') or 'skill'}-{done.number}"
        folder = self.path / "skills" / name
        _write(folder / "candidate.py", done.proposal.code)
        held = [claim for claim in done.claims if claim.verdict == VERIFIED]
        lines = [
            "---",
            f"name: {name}",
            f"description: {json.dumps(f'Code for {objective} that passed all gates in round {done.number}: {done.reason}')}",
            "---",
            "",
            f"# {name}",
            "",
            f"[candidate.py](candidate.py), proposed by {_cell(done.proposal.by)}, SHA-256 `{done.proposal.digest}`.",
            "",
            "| gate | |",
            "|---|---|",
            *(f"| {gate.name} | {_cell(gate.reason)} |" for gate in done.gates.answers),
            "",
            "Claimed, and found to hold:",
            "",
            *(f"- {_cell(claim.text)} ({_cell(claim.reason)})" for claim in held),
            "",
        ]
        _write(folder / "SKILL.md", "\n".join(lines))

    def _tidy(self) -> None:
        """Remove what a killed loop had begun to write."""
        for name in ("incumbent.py", "rounds.jsonl", "loop.json", "lessons.md"):
            for left in self.path.glob(f".{name}.*"):
                left.unlink(missing_ok=True)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the rounds, in order, as `ebmhw.improve.round.Round.to_json` gives them."""
        if not os.path.lexists(self._rounds):
            return []
        records = []
        for number, line in enumerate(_read_text(self._rounds).removesuffix("\n").split("\n"), 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not _is_round(record, number):
                raise InvalidFile(f"{self._rounds}:{number}: this is no round of a loop; restore the file, or name another folder")
            records.append(record)
        return records


def _is_round(record: Any, number: int) -> bool:
    """Return whether a value is the record of a round, in all that a loop reads of it."""
    if not isinstance(record, dict) or type(record.get("round")) is not int or record["round"] != number or type(record.get("accepted")) is not bool:
        return False
    gates, proposal = record.get("gates"), record.get("proposal")
    if proposal is not None and not _is_proposal(proposal):
        return False
    if gates is None:
        return isinstance(record.get("error"), str) and not record["accepted"]
    return proposal is not None and isinstance(gates, list) and bool(gates) and all(map(_is_gate, gates))


def _is_proposal(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("code"), str) and digest_of(value["code"]) == value.get("digest")


def _is_gate(gate: Any) -> bool:
    return isinstance(gate, dict) and type(gate.get("passed")) is bool and all(isinstance(gate.get(name), str) for name in ("name", "reason"))


def _lessons_page(learned: Sequence[Lesson]) -> str:
    rows = [f"| {lesson.rounds} | {lesson.gate} | {_cell(lesson.text)} |" for lesson in learned]
    return "\n".join(["# Lessons", "", "| rounds | gate | latest reason |", "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda stream: stream.write(content))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}; earlier rounds are kept: make room, or give the right to write, and call it again"
        ) from None


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise InvalidFile(f"{path} is no regular file; restore it, or name another folder")
        with path.open("rb") as stream:
            raw = stream.read(_BYTE_LIMIT + 1)
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror or error}") from None
    if len(raw) > _BYTE_LIMIT:
        raise InvalidFile(f"{path} has more than {_BYTE_LIMIT} bytes; one of a loop has no more")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"{path} is damaged at byte {error.start}; restore it, or name another folder") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read_text(path))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidFile(f"{path} is no JSON object; restore it, or name another folder")
    return value
