"""InteractionChain: steps in their order, and what they say together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, final

from ebmhw.coherence.chains.actions import PROBED, ActionType
from ebmhw.coherence.chains.lines import SCHEMA, line_of
from ebmhw.coherence.chains.step import Step, checked_id, in_utc, new_id, now, time_of
from ebmhw.coherence.chains.values import plain
from ebmhw.errors import ValidationError, shown

_MEASURES = ("phi", "kuramoto_r", "channel_coherence")


@final
class InteractionChain:
    """A chain of steps; it only grows.

    Parameters
    ----------
    chain_id : 1 to 128 printable characters; a random one where None
    started_at : a time with a zone; now where None
    steps : those it begins with
    context : what holds for all steps, by name
    """

    def __init__(
        self,
        chain_id: str | None = None,
        started_at: datetime | None = None,
        steps: Iterable[Step] = (),
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.chain_id = new_id() if chain_id is None else checked_id(chain_id, "chain_id")
        self.started_at = now() if started_at is None else in_utc(started_at, "started_at of a chain")
        if context is not None and not isinstance(context, Mapping):
            raise ValidationError(f"context of a chain is a {type(context).__name__}; give a dict")
        self.context: dict[str, Any] = dict(context or {})
        self._steps: dict[str, Step] = {}
        self._probe: Callable[..., Any] | None = None
        for step in steps:
            self.append(step)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, oldest first."""
        return tuple(self._steps.values())

    # --- coherence

    def register_coherence_probe(self, probe: Callable[..., Any] | None) -> None:
        """Ask ``probe(action=, name=, input=, output=)`` for the coherence of what `record` adds; None asks nobody.

        It is asked for the kinds of `PROBED`, where no coherence was given, and returns None or a dict with any of phi, kuramoto_r and
        channel_coherence. Where it fails, or returns anything else, the step is recorded without, and its probe_call holds the error.
        """
        if probe is not None and not callable(probe):
            raise ValidationError(f"a coherence probe is a {type(probe).__name__}; give a callable, or None")
        self._probe = probe

    def clear_coherence_probe(self) -> None:
        """Ask nobody."""
        self._probe = None

    # --- growth

    def append(self, step: Step, result: Any = None) -> Step:
        """Add a step and return it, with ``result`` as its output where that is not None; ValidationError where its step_id is taken."""
        if not isinstance(step, Step):
            raise ValidationError(f"a step to append is a {type(step).__name__}; give a Step, or call record()")
        if step.step_id in self._steps:
            raise ValidationError(f"step_id {step.step_id!r} is in chain {self.chain_id!r} already; give another, or leave it out")
        kept = step if result is None else replace(step, output=result)
        self._steps[kept.step_id] = kept
        return kept

    def record(self, action: ActionType, name: str, **members: Any) -> Step:
        """Make a step of these members (see `Step`), asked of the coherence probe where there is one, add it and return it."""
        step = Step(action, name, **members)
        asked = self._probe is not None and step.action in PROBED and all(getattr(step, measure) is None for measure in _MEASURES)
        return self.append(self._probed(step) if asked else step)

    def _probed(self, step: Step) -> Step:
        probe = self._probe
        assert probe is not None
        call: dict[str, Any] = {
            "probe_name": str(getattr(probe, "__name__", type(probe).__name__)),
            "inputs_sha256": _digest([step.action.value, step.name, step.input, step.output]),
        }
        try:
            told = probe(action=step.action, name=step.name, input=step.input, output=step.output)
            if told is None:
                return step
            if not isinstance(told, Mapping):
                raise ValidationError(f"a coherence probe returned a {type(told).__name__}; it returns a dict, or None")
            measures = {measure: told[measure] for measure in _MEASURES if told.get(measure) is not None}
            call |= {"output_sha256": _digest(told), "populated": list(measures)}
            return replace(step, probe_call=call, **measures)
        except Exception as error:  # a probe is anybody's code, and what it observes goes on without it
            return replace(step, probe_call=call | {"populated": [], "error": f"{type(error).__name__}: {error}"})

    # --- what it says

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def last(self) -> Step | None:
        """Return the latest step, None where there is none."""
        return next(reversed(self._steps.values()), None)

    def by_action(self, action: ActionType) -> list[Step]:
        """Return the steps of one kind."""
        return [step for step in self._steps.values() if step.action == action]

    def success_rate(self) -> float | None:
        """Return the share of steps that worked, None without any."""
        return sum(step.success for step in self._steps.values()) / len(self._steps) if self._steps else None

    def coherence_trajectory(self) -> list[tuple[str, float | None]]:
        """Return (time, phi) of every step, the time in ISO 8601, phi None where it is unknown."""
        return [(step.started_at.isoformat(), step.phi) for step in self._steps.values()]

    def orphans(self) -> list[Step]:
        """Return the steps whose parent is not in the chain; a parent may come after its children."""
        return [step for step in self._steps.values() if step.parent_id is not None and step.parent_id not in self._steps]

    # --- dicts and lines

    def header(self) -> dict[str, Any]:
        """Return what the first line of a file tells."""
        told = {"chain_id": self.chain_id, "started_at": self.started_at.isoformat(), "context": plain(self.context), "schema": SCHEMA}
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return the chain as JSON can hold it, without secrets."""
        return {name: value for name, value in self.header().items() if name != "schema"} | {"steps": [step.to_dict() for step in self]}

    @classmethod
    def from_dict(cls, d: Any) -> InteractionChain:
        """Return the chain that `to_dict` told; ValidationError where something is not what it has to be."""
        if not isinstance(d, Mapping) or "chain_id" not in d or not isinstance(d.get("steps", []), (list, tuple)):
            raise ValidationError(
                f"a chain is {shown(d) if d is None else f'a {type(d).__name__}'} without chain_id or steps; give what to_dict() told"
            )
        began = None if d.get("started_at") is None else time_of(d["started_at"], "started_at of a chain")
        return cls(d["chain_id"], began, (Step.from_dict(step) for step in d.get("steps", [])), d.get("context"))

    def to_jsonl(self) -> str:
        """Return the chain as lines: a header, then a step each; see `ebmhw.coherence.chains.lines`."""
        line, digest = line_of(self.header())
        lines = [line]
        for step in self:
            line, digest = line_of(step.to_dict(), digest)
            lines.append(line)
        return "".join(lines)

    def __repr__(self) -> str:
        return f"InteractionChain({self.chain_id!r}, {len(self)} steps)"


def _digest(value: Any) -> str:
    """Return 12 hexadecimal digits of the SHA-256 of a value without its secrets."""
    return hashlib.sha256(json.dumps(plain(value), sort_keys=True).encode()).hexdigest()[:12]
