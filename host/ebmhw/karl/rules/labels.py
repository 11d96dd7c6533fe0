"""Labels: the skill and domain of a session, by a user's rules, or by what another system decided."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

from ebmhw.errors import ConfigError, shown
from ebmhw.karl.rules.events import INVOCATION, ROUTING, Event
from ebmhw.karl.rules.files import RULES_LIMIT, members_of, values_of
from ebmhw.karl.rules.patterns import TEXT_CHARS, BadPattern, Pattern, compiled
from ebmhw.karl.trajectory import GLOBAL, Trajectory

_KNOWN_TEXTS = 1 << 16
"""Texts whose labels are kept: paths and commands come again; some 30 MB at most."""


class Label(NamedTuple):
    """A label of a session.

    Attributes
    ----------
    skill : None where nothing gives one
    domain : "_global" where nothing gives one
    source : "routing", "invocation", "rules", or None where nothing matched
    """

    skill: str | None
    domain: str
    source: str | None


NONE = Label(None, GLOBAL, None)


class Rule(NamedTuple):
    """A pattern, and the label that its matches speak for; at least one of skill and domain is given."""

    pattern: str
    skill: str | None = None
    domain: str | None = None


@final
@dataclass(frozen=True)
class Rules:
    """Rules for labels.

    Every text of a session (each parameter of each call, the folder, the prompt) gives one point to each label (skill and domain) of whose rules one
    matches; the label with the most points wins, of several that with the first rule. Patterns are searched for anywhere, letter case ignored, in the
    first 500 characters; which ones are refused, so that none takes long, says `ebmhw.karl.rules.patterns`.

    Attributes
    ----------
    rules : in the order in which they were given

    Raises
    ------
    ConfigError : a rule cannot be used; the text names its number
    """

    rules: tuple[Rule, ...]
    _labels: tuple[Label, ...] = field(init=False, repr=False, compare=False)
    _patterns: tuple[tuple[Pattern, int], ...] = field(init=False, repr=False, compare=False)
    _seen: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.rules) > RULES_LIMIT:
            raise ConfigError(f"there are {len(self.rules)} rules; give {RULES_LIMIT} at most")
        labels: dict[Label, int] = {}
        patterns = []
        for number, rule in enumerate(self.rules, 1):
            label = Label(rule.skill, rule.domain or GLOBAL, "rules")
            try:
                patterns.append((compiled(rule.pattern), labels.setdefault(label, len(labels))))
            except BadPattern as error:
                raise ConfigError(f"rule {number}: pattern {shown(rule.pattern)} cannot be used: {error}", context={"rule": number}) from None
        object.__setattr__(self, "_labels", tuple(labels))
        object.__setattr__(self, "_patterns", tuple(patterns))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Rules:
        """Return the rules of a file: JSON where its name ends in ".json", else YAML.

        It holds a list of mappings with pattern, and skill, domain, or both; or a mapping with such a list as "rules".

        Raises
        ------
        ConfigError : the file or a rule cannot be used; the text starts with the path and names the rule by its number
        """
        data = values_of(path)
        try:
            return cls.of(data)
        except ConfigError as error:
            raise ConfigError(f"{os.fspath(path)}: {error}", context={**error.context, "path": os.fspath(path)}) from None

    @classmethod
    def of(cls, data: Any) -> Rules:
        """Return the rules of a list of mappings, as of `read`.

        Raises
        ------
        ConfigError : a rule cannot be used; the text names it by its number
        """
        return cls(tuple(Rule(*members) for members in members_of(data)))

    def label(self, trajectory: Trajectory) -> Label:
        """Return the label that the rules give a session; skill None and domain "_global" where none matches."""
        if not self._patterns:
            return NONE
        points = [0] * len(self._labels)
        for text in _texts(trajectory):
            found = self._seen.get(text)
            if found is None:
                found = self._matched(text)
            for place in found:
                points[place] += 1
        most = max(points)
        return self._labels[points.index(most)] if most else NONE

    def _matched(self, text: str) -> tuple[int, ...]:
        lowered = text.lower() if text.isascii() else None
        found: list[int] = []
        for pattern, place in self._patterns:
            if place in found:
                continue
            if lowered is not None and pattern.literals:
                for literal in pattern.literals:
                    if literal in lowered:
                        break
                else:
                    continue
            if pattern.matcher.search(text):
                found.append(place)
        if len(self._seen) >= _KNOWN_TEXTS:
            self._seen.clear()
        self._seen[text] = tuple(found)
        return self._seen[text]


def labelled(trajectory: Trajectory, rules: Rules | None = None, events: Iterable[Event] = ()) -> Trajectory:
    """Return a session with its label: of the last routing decision, else of the last invocation record, else of the rules, else as it is.

    A label that stands in the session already counts where it is of a source of more weight ("routing", "invocation", "rules", none).

    Parameters
    ----------
    trajectory : the session
    rules : of the user
    events : that `ebmhw.karl.rules.join` joined to it
    """
    label = _decided(events)
    rank = {"routing": 0, "invocation": 1, "rules": 2}
    own = rank.get(trajectory.label_source or "", 3)
    if label is None and rules is not None and own >= rank["rules"]:
        label = rules.label(trajectory)
    if label is None or label.source is None or rank[label.source] > own:
        return trajectory
    if label.source == "rules" and own == 3 and trajectory.domain is not None:
        # A source's own domain (a benchmark's) is no guess.
        return trajectory
    return trajectory.but(skill=label.skill, domain=None if label.domain == GLOBAL else label.domain, label_source=label.source)


def _decided(events: Iterable[Event]) -> Label | None:
    known = list(events)
    for kind, source in ((ROUTING, "routing"), (INVOCATION, "invocation")):
        told = [event for event in known if event.kind == kind and (event.skill or event.domain)]
        if told:
            # The last by its time; of those without one, the last given, before those with one.
            last = max(enumerate(told), key=lambda one: (one[1].ts is not None, one[1].ts or 0.0, one[0]))[1]
            return Label(last.skill, last.domain or GLOBAL, source)
    return None


def _texts(trajectory: Trajectory) -> Iterable[str]:
    for event in trajectory.events:
        for value in event.params.values():
            if value:
                yield value[:TEXT_CHARS]
    if trajectory.cwd:
        yield trajectory.cwd[:TEXT_CHARS]
    if trajectory.prompt:
        yield trajectory.prompt[:TEXT_CHARS]
