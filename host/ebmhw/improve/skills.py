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
        if self._loop.exists():
            before = _read_json(self._loop)
            differs = next((name for name in {**before, **loop} if before.get(name) != loop.get(name)), None)
            if differs is not None:
                raise ConfigError(
                    f"{self.path} holds a loop whose {differs} is {shown(before.get(differs))}, not {shown(loop.get(differs))}; "
                    "go on with the same, or name another folder"
                )
        else:
            self.path.mkdir(parents=True, exist_ok=True)
            _write(self._loop, json.dumps(loop, indent=1, sort_keys=True) + "\n")
        records = self._records()
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
        folder.mkdir(parents=True, exist_ok=True)
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
            f"[candidate.py](candidate.py), proposed by {done.proposal.by}, SHA-256 `{done.proposal.digest}`.",
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

    def _records(self) -> list[dict[str, Any]]:
        if not self._rounds.exists():
            return []
        records = []
        for number, line in enumerate(_read_text(self._rounds).splitlines(), 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not _is_round(record, number):
                raise InvalidFile(f"{self._rounds}:{number}: this is no round of a loop; restore the file, or name another folder")
            records.append(record)
        return records


def _is_round(record: Any, number: int) -> bool:
    if not isinstance(record, dict) or record.get("round") != number or not isinstance(record.get("accepted"), bool):
        return False
    gates, proposal = record.get("gates"), record.get("proposal")
    if record["accepted"] and not (isinstance(proposal, dict) and isinstance(proposal.get("code"), str) and gates):
        return False
    if gates is None:
        return isinstance(record.get("error"), str)
    return isinstance(gates, list) and all(isinstance(gate, dict) and {"name", "passed", "reason"} <= set(gate) for gate in gates)


def _lessons_page(learned: Sequence[Lesson]) -> str:
    rows = [f"| {lesson.rounds} | {lesson.gate} | {_cell(lesson.text)} |" for lesson in learned]
    return "\n".join(["# Lessons", "", "| rounds | gate | latest reason |", "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    write_whole(path, lambda stream: stream.write(content))


def _read_text(path: Path) -> str:
    size = path.stat().st_size
    if size > _BYTE_LIMIT:
        raise InvalidFile(f"{path} has {size} bytes; one of a loop has at most {_BYTE_LIMIT}")
    return path.read_bytes().decode("utf-8", "surrogatepass")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read_text(path))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidFile(f"{path} is no JSON object; restore it, or name another folder")
    return value
