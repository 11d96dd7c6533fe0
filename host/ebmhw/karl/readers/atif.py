"""ATIF: the Agent Trajectory Interchange Format of Harbor, versions 1.0 to 1.7; a document is a session, those of its subagents are others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.agent_tools import arguments, tool_of
from ebmhw.karl.readers.beside import beside
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.ends import exit_code_in, success_of
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import fraction, items, mapping, name, number, said, text, whole
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.tools import BASH
from ebmhw.karl.trajectory import Trajectory

_ROLES: Mapping[str, str] = {"user": "user", "agent": "assistant", "assistant": "assistant", "system": "system"}
_SUBAGENTS = 1000
"""Of a document, that are read."""


@final
class AtifReader(DocumentReader):
    """Trajectories in ATIF; see `DocumentReader`."""

    name = "atif"

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object names a version of ATIF, or has its agent and steps."""
        found = first_members(head)
        return found.get("schema_version", "").upper().startswith('"ATIF') or (
            "steps" in found and found.get("agent", "").startswith("{") and b'"step_id"' in head
        )

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the session of a document, and those of the subagents that it holds."""
        left = [document.value]
        count = 0
        while left:
            value = left.pop(0)
            count += 1
            if not isinstance(value, Mapping) or not isinstance(value.get("steps"), list):
                source.problem(document, "it has no list of steps; it is skipped" if count == 1 else "a subagent's trajectory has no list of steps")
                continue
            subagents = items(value.get("subagent_trajectories"))
            left.extend(subagents[: max(_SUBAGENTS - count - len(left), 0)])
            yield from self._session(Document(document.number, document.line, value), value, source, count == 1)

    def _session(self, document: Document, value: Mapping[str, Any], source: Source, first: bool) -> Iterator[Trajectory]:
        agent, extra = mapping(value.get("agent")), mapping(value.get("extra"))
        trial = _trial(source.path) if first else {}
        own, inner = name(value.get("session_id")), name(value.get("trajectory_id"))
        session_id = "/".join(dict.fromkeys(part for part in (own, inner) if part is not None))
        session_id = session_id or f"atif-{document.digest()}"
        builder = SessionBuilder(session_id, text(agent.get("name")) or self.name, path=source.path, report=source.tell)
        builder.model = text(agent.get("model_name"))
        git = mapping(mapping(agent.get("extra")).get("git"))
        builder.cwd = text(mapping(agent.get("extra")).get("cwd")) or text(extra.get("cwd"))
        builder.git_repo = text(git.get("repository_url"))
        builder.task = name(extra.get("task_id")) or name(extra.get("task")) or name(trial.get("task_name"))
        builder.verified = source.verified(extra, mapping(trial.get("rewards")), mapping(mapping(trial.get("verifier_result")).get("rewards")))
        bad = 0
        for place, step in enumerate(value["steps"]):
            bad += not _step(builder, place, step)
        if bad:
            source.problem(document, f"{bad} of its {len(value['steps'])} steps have no source that is known, and are left out")
        if builder.empty:
            source.problem(document, "it holds no step; it is skipped")
            return
        yield source.unique(builder).build()


def _step(builder: SessionBuilder, place: int, step: Any) -> bool:
    """Add a step; return False for what is none."""
    found = mapping(step)
    source = found.get("source")
    role = _ROLES.get(source) if isinstance(source, str) else None
    if role is None:
        return False
    ts = moment(found.get("timestamp"))
    # What a continued trajectory repeats of the one before it happened once.
    if found.get("is_copied_context") is True:
        return True
    if builder.model is None and role == "assistant":
        builder.model = text(found.get("model_name"))
    turn = builder.turn(role, said(found.get("message")), ts)
    tools: dict[str, str] = {}
    keys: list[tuple[str | None, str]] = []
    for number_of_call, call in enumerate(items(found.get("tool_calls"))):
        given = arguments(mapping(call).get("arguments"))
        tool = tool_of(mapping(call).get("function_name"), given)
        # Ids are those of their step: agents count from one again.
        key = f"{place}/{number_of_call}"
        keys.append((name(mapping(call).get("tool_call_id")), key))
        tools[key] = tool
        command = given.get("keystrokes") if tool == BASH and "command" not in given else None
        builder.call(key, tool, given, ts, turn, command if isinstance(command, str) else None)
    flagged = mapping(found.get("extra"))
    results = items(mapping(found.get("observation")).get("results"))
    by_id: dict[str, list[str]] = {}
    for call_id, key in reversed(keys):
        if call_id is not None:
            by_id.setdefault(call_id, []).append(key)
    unnamed = [key for _, key in reversed(keys)]
    for result in results:
        given = mapping(result)
        call_id = name(given.get("source_call_id"))
        if call_id is not None:
            waiting = by_id.get(call_id)
            chosen = waiting.pop() if waiting else None
        else:
            # Results without a call's name come in the order of the calls; agents with a single terminal name none.
            chosen = unnamed.pop() if unnamed else None
        if chosen is not None:
            _result(builder, chosen, tools[chosen], given, flagged if len(keys) == 1 else {})
    return True


def _result(builder: SessionBuilder, key: str, tool: str, result: Mapping[str, Any], of_step: Mapping[str, Any]) -> None:
    output = said(result.get("content"))
    extra = mapping(result.get("extra"))
    flag = code = None
    inner = (mapping(extra.get("metadata")), *(mapping(of_step.get(member)) for member in ("tool_result_metadata", "tool_metadata")))
    for place in (result, extra, of_step, *inner):
        for member in ("is_error", "tool_result_is_error", "error"):
            found = place.get(member)
            flag = not found if flag is None and isinstance(found, bool) else flag
        for member in ("exit_code", "returncode", "return_code"):
            found = place.get(member)
            code = whole(found) if code is None else code
    if code is None and tool == BASH:
        code = exit_code_in(output)
    # A step has one time: how long its calls took is known only where their results have times of their own.
    ended = moment(extra.get("timestamp"))
    builder.result(key, output, success_of(tool, output, flag, code), code, ended, duration_s=number(extra.get("duration_s")))


def _trial(path: Path) -> Mapping[str, Any]:
    """Return what Harbor writes of the trial that a trajectory is of: beside it, or in the folder above."""
    for folder in (path.parent, path.parent.parent):
        found = beside(folder / "result.json")
        if "verifier_result" in found or "task_name" in found:
            return found
    reward = fraction(beside(path.parent.parent / "verifier" / "reward.json").get("reward"))
    return {} if reward is None else {"rewards": {"reward": reward}}
