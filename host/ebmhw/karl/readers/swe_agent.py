"""SWE-agent: .traj files of all its versions, and mini-swe-agent's; a session is a file, its calls are commands of SWE-agent's own interface."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.karl.readers.beside import beside
from ebmhw.karl.readers.decoding import decoded
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import items, mapping, name, text, verified
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.readers.steps_of_swe_agent import StepsOfSweAgent
from ebmhw.karl.trajectory import Trajectory

_RESULTS = ("results.json", "report.json")
_PASSED = ("resolved", "resolved_ids")


@final
class SweAgentReader(DocumentReader):
    """SWE-agent's and mini-swe-agent's trajectories; see `DocumentReader`.

    Success is taken from what SWE-agent's own commands say. Of shell commands it is known only where they were refused, timed out, or could not be
    run: a traceback does not count as a failure, for reproducing a bug is meant to end in one.
    """

    name = "swe-agent"

    def __init__(self) -> None:
        self._flat: StepsOfSweAgent | None = None
        self._hash = hashlib.sha256()

    def started(self) -> SweAgentReader:
        """Return a reader of one file: mini-swe-agent's first versions wrote a list of messages, which is one session."""
        return SweAgentReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object has the members of a trajectory of SWE-agent or mini-swe-agent."""
        found = first_members(head)
        if "role" in found and "content" in found:
            return b"```mswea_bash_command" in head
        if "trajectory_format" in found or ("messages" in found and '"exit_status"' in found.get("info", "")):
            return found.get("trajectory_format", '"mini-swe').startswith('"mini-swe')
        if "instance_id" in found and "test_result" in found:
            return False
        steps = found.get("trajectory", "")
        if steps.startswith("["):
            return re.match(r"\[\s*\{\s*\"(?:action|observation|response|thought|execution_time|state|query|messages)\"", steps) is not None or (
                steps.startswith("[]") and "history" in found
            )
        if "trajectory" not in found and '"role"' in found.get("history", ""):
            return "message_type" in found["history"] or path.suffix == ".traj" or '"agent"' in found["history"]
        return path.suffix == ".traj" and bool({"environment", "replay_config"} & set(found))

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the session of a trajectory."""
        value = mapping(document.value)
        steps, history, messages = value.get("trajectory"), value.get("history"), value.get("messages")
        if value.get("role") in ("system", "user", "assistant") and messages is None:
            self._hash.update(document.digest().encode())
            if self._flat is None:
                self._flat = StepsOfSweAgent(SessionBuilder("", self.name, path=source.path, report=source.tell))
            self._flat.mini(value)
            return
        if not any(isinstance(found, list) for found in (steps, history, messages)):
            source.problem(document, 'it has neither "trajectory" nor "history" nor "messages"; it is skipped')
            return
        info = mapping(value.get("info"))
        config = mapping(decoded(value.get("replay_config")))
        task = _task(value, info, config, source, document)
        builder = SessionBuilder(f"{task}-{document.digest()}", self.name, path=source.path, report=source.tell)
        builder.task = task
        model = mapping(mapping(config.get("agent")).get("model")) or mapping(mapping(info.get("config")).get("model"))
        builder.model = text(model.get("name")) or text(model.get("model_name"))
        builder.verified = source.verified(value, info)
        if builder.verified is None:
            builder.verified = _verified_beside(source.path, task)
        session = StepsOfSweAgent(builder)
        if isinstance(steps, list) and (steps or not isinstance(history, list)):
            for message in items(history) or _query(steps):
                if not session.before(message):
                    break
            bad = sum(not session.step(step) for step in steps)
        elif isinstance(history, list):
            bad = sum(not session.message(message) for message in history)
        else:
            bad = sum(not session.mini(message) for message in items(messages))
        session.finish()
        if bad:
            source.problem(document, f"{bad} of its steps are no objects with texts, and are left out")
        if builder.empty:
            source.problem(document, "it holds no step; it is skipped")
            return
        yield source.unique(builder).build()

    def between(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that an array of messages is: the next array is another one."""
        yield from self.rest(source)
        self._flat, self._hash = None, hashlib.sha256()

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that a list of messages is."""
        if self._flat is not None:
            self._flat.finish()
            builder = self._flat.builder
            builder.task = _stem(source)
            builder.session_id = f"{builder.task}-{self._hash.hexdigest()[:12]}"
            if not builder.empty:
                yield source.unique(builder).build()


def _query(steps: list[Any]) -> list[Any]:
    """Return the messages that were sent first, where "history" is left out."""
    return items(mapping(steps[0]).get("query")) if steps else []


def _task(value: Mapping[str, Any], info: Mapping[str, Any], config: Mapping[str, Any], source: Source, document: Document) -> str:
    for place, member in ((value, "instance_id"), (info, "instance_id"), (mapping(config.get("problem_statement")), "id")):
        found = name(place.get(member))
        if found is not None:
            return found
    stem = _stem(source)
    return stem if source.whole or document.number == 1 else f"{stem}-{document.number}"


def _stem(source: Source) -> str:
    """Return the name of the file without its endings, which is that of the task."""
    return source.path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".traj")


def _verified_beside(path: Path, task: str) -> float | None:
    """Return what a benchmark's report beside the file, or in the folder above, says of the task; None where there is none."""
    for folder in (path.parent, path.parent.parent, path.parent / "results"):
        for file in _RESULTS:
            found = _verified_in(beside(folder / file), task)
            if found is not None:
                return found
    return None


def _verified_in(report: Mapping[str, Any], task: str) -> float | None:
    own = report.get(task)
    if isinstance(own, Mapping):
        return verified(own)
    if any(task in items(report.get(member)) for member in _PASSED):
        return 1.0
    return 0.0 if any(task in found for found in report.values() if isinstance(found, list)) else None
