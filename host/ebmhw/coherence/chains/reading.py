"""Reading the lines of a chain: what is good is kept, what is not is named by file and line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, final

from ebmhw.coherence.chains.chain import InteractionChain
from ebmhw.coherence.chains.lines import MAX_LINE, SCHEMA, parsed, verify_step_content_hash
from ebmhw.coherence.chains.step import Step, checked_id, time_of
from ebmhw.errors import EbmhwError, ValidationError, shown

MAX_PROBLEMS = 1000
"""Problems that a reading holds; further ones are counted."""

MAX_STEPS = 1_000_000
"""Steps that a reading holds; further ones are problems."""


@final
class Problem(NamedTuple):
    """Something wrong in a file.

    Attributes
    ----------
    line : from 1
    kind : "broken" (no JSON object), "truncated" (the same of a last line without its end), "schema" (no chain, or another one), "step" (a value
        that a step cannot have, or one step too many), "duplicate" (a step_id for the second time), "parent" (of no step of the file),
        "changed" (a hash does not fit)
    text : in words, with file and line
    """

    line: int
    kind: str
    text: str


@final
@dataclass(frozen=True)
class ChainReading:
    """What a file holds.

    Attributes
    ----------
    chain : of the good lines; steps with an unknown parent or a wrong hash are in it, and named among the problems
    problems : the first 1000
    n_problems : how many there are
    sealed : whether a header of ours and every step carry the hashes that they should, and there is no problem
    head : content_hash of the last line; kept elsewhere, it shows later that lines at the end are missing or that all were written anew
    """

    chain: InteractionChain
    problems: tuple[Problem, ...]
    n_problems: int
    sealed: bool
    head: str | None


@final
class LineReader:
    """Takes the lines of a file one after the other.

    Parameters
    ----------
    source : names the file in problems
    keep : whether steps are kept, or their ids only
    """

    def __init__(self, source: str, *, keep: bool = True) -> None:
        self.source = source
        self.keep = keep
        self.head: str | None = None
        self.ids: set[str] = set()
        self.header: tuple[str, datetime | None, dict[str, Any]] | None = None
        self._linked = False
        self._gap = False
        self._number = 0
        self._any = False
        self._steps: list[Step] = []
        self._parents: list[tuple[int, str]] = []
        self._problems: list[Problem] = []
        self._n_problems = 0

    def take(self, raw: bytes, *, ended: bool = True) -> None:
        """Take the next line; ``ended`` tells whether a newline ended it."""
        self._number += 1
        if not raw.strip():
            return
        try:
            if len(raw) > MAX_LINE:
                raise ValueError(f"it is longer than {MAX_LINE} bytes")
            told = parsed(raw.decode("utf-8-sig" if self._number == 1 else "utf-8"))
        except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ones
            self._gap = self._any = True
            kind = "broken" if ended else "truncated"
            self._note(kind, f"the line {'is no JSON' if ended else 'is cut off'} ({str(error)[:120]}); it is left out")
            return
        if not isinstance(told, dict):
            self._gap = True
            self._note("broken", f"the line is a {type(told).__name__}, not an object; it is left out")
        elif "action" in told:
            self._step(told)
        else:
            self._header(told)
        self._any = True

    def _header(self, told: dict[str, Any]) -> None:
        if self._any or "chain_id" not in told:
            self._gap = True
            self._note("schema", "the line is neither the header of a chain (chain_id, at the top) nor a step (action, name, ...); it is left out")
            return
        try:
            began = None if told.get("started_at") is None else time_of(told["started_at"], "started_at of a chain")
            context = told.get("context")
            if context is not None and not isinstance(context, dict):
                raise ValidationError(f"context of a chain is a {type(context).__name__}")
            self.header = checked_id(told["chain_id"], "chain_id"), began, context or {}
        except EbmhwError as error:
            self._note("schema", f"the header does not fit ({error}); it is left out")
        schema = told.get("schema")
        if schema is not None and schema != SCHEMA:
            self._note(
                "schema",
                f"the schema is {shown(schema) if isinstance(schema, str) else 'no text'}, not {SCHEMA!r}; steps are read as far as they fit",
            )
        self._linked = schema == SCHEMA
        self._sealed_by(told)

    def _step(self, told: dict[str, Any]) -> None:
        if not self._any:
            self._note("schema", "the file begins without a header (chain_id, started_at, context); the chain gets an id of its own")
        self._sealed_by(told)
        try:
            step = Step.from_dict(told)
        except EbmhwError as error:
            self._note("step", f"{error}; the line is left out")
            return
        if step.step_id in self.ids:
            self._note("duplicate", f"step_id {step.step_id!r} is there already; the line is left out")
            return
        if self.keep and len(self._steps) >= MAX_STEPS:
            self._note("step", f"the chain has more than {MAX_STEPS} steps; the line is left out")
            return
        self.ids.add(step.step_id)
        if step.parent_id is not None:
            self._parents.append((self._number, step.parent_id))
        if self.keep:
            self._steps.append(step)

    def _sealed_by(self, told: dict[str, Any]) -> None:
        """Compare the hashes of a line with its content and with the line before it."""
        first, stored = not self._any, told.get("content_hash")
        if stored is not None and not verify_step_content_hash(told):
            self._note("changed", "content_hash does not fit the rest of the line: it was changed")
        elif self._linked and stored is None:
            self._note("changed", "the line has no content_hash: it was changed, or added")
        elif self._linked and not first and told.get("previous_hash") != self.head and not self._gap:
            self._note("changed", "previous_hash is not the content_hash of the line before: one is missing, added or moved")
        self.head = stored if isinstance(stored, str) else None
        self._gap = False

    def _note(self, kind: str, text: str, line: int | None = None) -> None:
        self._n_problems += 1
        number = self._number if line is None else line
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(number, kind, f"{self.source}:{number}: {text}"))

    def reading(self) -> ChainReading:
        """Return what the lines so far hold."""
        before = len(self._problems), self._n_problems
        for line, parent in self._parents:
            if parent not in self.ids:
                self._note("parent", f"parent_id {parent!r} is no step of the chain; the step is kept", line)
        problems, count = tuple(sorted(self._problems, key=lambda one: one.line)), self._n_problems
        del self._problems[before[0] :]
        self._n_problems = before[1]
        chain_id, began, context = self.header or (None, None, {})
        return ChainReading(InteractionChain(chain_id, began, self._steps, context), problems, count, self._linked and not count, self.head)


def from_jsonl(text: str | bytes, source: str = "<text>") -> ChainReading:
    """Return what the lines of a chain hold; ``source`` names them in problems. Nothing in them raises."""
    reader = LineReader(source)
    # A lone surrogate cannot be UTF-8; it makes its line a broken one.
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    lines = raw.split(b"\n")
    for number, line in enumerate(lines, 1):
        ended = number < len(lines)
        if line or ended:
            reader.take(line, ended=ended)
    return reader.reading()
