"""Knowledge: a user's own facts, from a file of subjects, relations and values.

    aliases:                        # other names of one thing
      United States: [USA, US]
    relations:                      # what the name of a relation does not say by itself
      boiling point: {phrases: ["{subject} boils at {value}"], tolerance: 1 °C}
      located in: {contains: true}
    facts:
      - {subject: France, relation: capital, value: Paris}
      - {subject: Mars, relation: moons, value: [Phobos, Deimos], closed: true}

JSON of the same form will do, and so will the list of facts alone. A single value is the only one; of a list others may be true as well, unless it is
closed. A relation that contains is one of places: what lies in Paris lies in France if Paris does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, final

from ebmhw.errors import ExtractionError, shown
from ebmhw.verify.facts.names import key_of
from ebmhw.verify.facts.tree import Node, Tree, bare
from ebmhw.verify.facts.values import Name, Number, Value, parse_value

FACTS_LIMIT = 1_000_000
SIZE_LIMIT = 2**28
"""Characters of a knowledge file."""

WORDS_LIMIT = 16
"""Words of the name of a subject, relation or phrase."""

CONTAINING = frozenset({"located in", "location", "part of", "in", "lies in"})
"""Relations that contain unless the file says otherwise."""

_ENTRY_KEYS = ("subject", "relation", "value", "closed", "tolerance", "aliases")
_RELATION_KEYS = ("phrases", "tolerance", "closed", "contains")
_TOP_KEYS = ("aliases", "relations", "facts")


@final
class Relation(NamedTuple):
    """A relation and how it is said.

    Attributes
    ----------
    name : as the file has it
    key : its words
    phrases : further ways to say it, with "{subject}" and "{value}"
    contains : whether it is one of places, so that a larger place is right as well
    """

    name: str
    key: tuple[str, ...]
    phrases: tuple[str, ...]
    contains: bool


@final
class Fact(NamedTuple):
    """What the file says of a subject.

    Attributes
    ----------
    subject, relation : names
    values : parsed, in order
    texts : the same as the file writes them
    several : whether the file gives a list
    closed : whether the list is complete
    tolerance : how far a number may be off; None for not at all
    """

    subject: str
    relation: Relation
    values: tuple[Value, ...]
    texts: tuple[str, ...]
    several: bool
    closed: bool
    tolerance: Number | None


@final
class Knowledge:
    """The facts of a knowledge file.

    Parameters
    ----------
    text : the file, YAML or JSON
    name : of the file, for messages

    Raises
    ------
    ExtractionError
        for a file that cannot be read, naming its line.
    """

    def __init__(self, text: str, name: str = "knowledge") -> None:
        if not isinstance(text, str):
            raise ExtractionError(f"the knowledge is {shown(text)}; give the text of a file, or Knowledge.read(path)")
        self.text, self.name = text, name
        self._aliases: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._names: dict[tuple[str, ...], str] = {}
        self.relations: dict[str, Relation] = {}
        self._options: dict[str, dict[str, Any]] = {}
        self._facts: dict[tuple[tuple[str, ...], str], Fact] = {}
        self._load()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Knowledge:
        """Return the knowledge of a file. ExtractionError where it cannot be read."""
        try:
            if os.path.getsize(path) > 4 * SIZE_LIMIT:
                raise ExtractionError(f"{os.fspath(path)}: larger than {4 * SIZE_LIMIT} bytes; split it")
            text = Path(path).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise ExtractionError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ExtractionError(f"{os.fspath(path)}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
        return cls(text, os.fspath(path))

    @classmethod
    def from_text(cls, text: str) -> Knowledge:
        """Return the knowledge of the text of a file."""
        return cls(text)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts, in the order of the file."""
        return tuple(self._facts.values())

    def canonical(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the key of the one name that stands for all of its aliases."""
        return self._aliases.get(key, key)

    def fact(self, subject: tuple[str, ...], relation: str) -> Fact | None:
        """Return what the file says of a subject, given by the key of any of its names."""
        return self._facts.get((self.canonical(subject), relation))

    def subjects(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Yield every name of every subject, as its key and the key that stands for it."""
        known = {subject for subject, _ in self._facts}
        for subject in known:
            yield subject, subject
        for alias, subject in self._aliases.items():
            if subject in known and alias != subject:
                yield alias, subject

    @cached_property
    def by_subject(self) -> dict[tuple[str, ...], tuple[Fact, ...]]:
        """The facts of each subject by its key."""
        found: dict[tuple[str, ...], list[Fact]] = {}
        for (subject, _), fact in self._facts.items():
            found.setdefault(subject, []).append(fact)
        return {subject: tuple(facts) for subject, facts in found.items()}

    @cached_property
    def known_names(self) -> frozenset[tuple[str, ...]]:
        """Keys of everything that the file names, as a subject, a value or an alias."""
        values = {self.canonical(value.key) for fact in self._facts.values() for value in fact.values if isinstance(value, Name)}
        return frozenset(values | {subject for subject, _ in self._facts} | set(self._aliases))

    def containers(self, place: tuple[str, ...], relation: str) -> set[tuple[str, ...]]:
        """Return the keys of all places that a place lies in, by a relation that contains."""
        found: set[tuple[str, ...]] = set()
        open_places = [self.canonical(place)]
        while open_places:
            fact = self._facts.get((open_places.pop(), relation))
            for value in fact.values if fact is not None else ():
                if isinstance(value, Name) and (key := self.canonical(value.key)) not in found:
                    found.add(key)
                    open_places.append(key)
        return found

    # --- the file

    def _load(self) -> None:
        if len(self.text) > SIZE_LIMIT:
            raise self._error(1, f"{len(self.text)} characters; up to {SIZE_LIMIT} are read: split the file")
        root = Tree(self.text, self._error).root
        if root is None:
            raise self._error(1, "the file is empty; give a list of facts such as {subject: France, relation: capital, value: Paris}")
        if isinstance(root.value, dict):
            self._no_others(root, _TOP_KEYS, "the file")
            self._read_aliases(root.value.get("aliases"))
            self._read_relations(root.value.get("relations"))
            entries = root.value.get("facts")
        else:
            entries = root
        if entries is None or not isinstance(entries.value, list) or not entries.value:
            raise self._error((entries or root).line, "there is no list of facts; give facts: with one entry a line")
        if len(entries.value) > FACTS_LIMIT:
            raise self._error(entries.line, f"{len(entries.value)} facts; up to {FACTS_LIMIT} are read")
        for entry in entries.value:
            self._alias_of_entry(entry)
        for entry in entries.value:
            self._read_fact(entry)

    def _error(self, line: int, what: str) -> ExtractionError:
        return ExtractionError(f"{self.name}:{line}: {what}")

    def _no_others(self, node: Node, allowed: tuple[str, ...], of: str) -> None:
        for key, value in node.value.items():
            if key not in allowed:
                raise self._error(value.line, f"{of} has no key {shown(key)}; there are {', '.join(allowed)}")

    def _words(self, node: Node | None, what: str, line: int) -> str:
        if node is None:
            raise self._error(line, f"{what} is missing")
        if not isinstance(node.value, str) or not node.value.strip():
            raise self._error(node.line, f"{what} is {shown(bare(node))}; give a text or a number")
        text = " ".join(node.value.split())
        if len(text) > 400:
            raise self._error(node.line, f"{what} has {len(text)} characters; up to 400 are read")
        return text

    def _name(self, node: Node | None, what: str, line: int) -> str:
        text = self._words(node, what, line)
        if not 1 <= len(key_of(text)) <= WORDS_LIMIT:
            raise self._error(line if node is None else node.line, f"{what} is {shown(text)}; give a name of 1 to {WORDS_LIMIT} words")
        return text

    def _list(self, node: Node) -> list[Node]:
        return node.value if isinstance(node.value, list) else [node]

    def _truth(self, node: Node | None, what: str) -> bool:
        if node is None:
            return False
        if node.value not in ("true", "false", "True", "False", "yes", "no"):
            raise self._error(node.line, f"{what} is {shown(bare(node))}; give true or false")
        return node.value in ("true", "True", "yes")

    def _tolerance(self, node: Node | None) -> Number | None:
        if node is None:
            return None
        value = parse_value(self._words(node, "tolerance", node.line))
        if not isinstance(value, Number) or value.value < 0:
            raise self._error(node.line, f"tolerance is {shown(bare(node))}; give a number such as 5, 1 °C or 2 %")
        return value

    def _alias(self, name: str, other: str, line: int) -> None:
        key, alias = key_of(name), key_of(other)
        standing = self._aliases.get(key, key)
        if self._aliases.get(alias, standing) != standing:
            raise self._error(
                line, f"{shown(other)} is another name of both {shown(name)} and {' '.join(self._aliases[alias])!r}; one name stands for one thing"
            )
        if alias != standing:
            self._aliases[alias] = standing

    def _read_aliases(self, node: Node | None) -> None:
        if node is None:
            return
        if not isinstance(node.value, dict):
            raise self._error(node.line, "aliases is no mapping; give lines such as United States: [USA, US]")
        for name, others in node.value.items():
            for other in self._list(others):
                self._alias(name, self._name(other, "an alias", other.line), other.line)

    def _read_relations(self, node: Node | None) -> None:
        if node is None:
            return
        if not isinstance(node.value, dict):
            raise self._error(node.line, "relations is no mapping; give lines such as located in: {contains: true}")
        for name, options in node.value.items():
            if not isinstance(options.value, dict):
                raise self._error(options.line, f"relation {shown(name)} is {shown(bare(options))}; give a mapping with {', '.join(_RELATION_KEYS)}")
            self._no_others(options, _RELATION_KEYS, f"relation {shown(name)}")
            phrases = []
            for phrase in self._list(options.value["phrases"]) if "phrases" in options.value else []:
                text = self._words(phrase, "a phrase", phrase.line)
                if text.count("{subject}") != 1 or text.count("{value}") != 1 or text.count("{") != 2 or len(text.split()) > WORDS_LIMIT:
                    raise self._error(
                        phrase.line, f"phrase {shown(text)} does not hold {{subject}} and {{value}} once each, in up to {WORDS_LIMIT} words"
                    )
                if not text.replace("{subject}", "").replace("{value}", "").strip(" .,"):
                    raise self._error(phrase.line, f"phrase {shown(text)} has no word of its own")
                phrases.append(text)
            contains = self._truth(options.value["contains"], "contains") if "contains" in options.value else name.lower() in CONTAINING
            self.relations[name] = Relation(name, self._relation_key(name, options.line), tuple(phrases), contains)
            self._options[name] = {
                "tolerance": self._tolerance(options.value.get("tolerance")),
                "closed": self._truth(options.value.get("closed"), "closed"),
            }

    def _relation_key(self, name: str, line: int) -> tuple[str, ...]:
        key = key_of(name)
        if not 1 <= len(key) <= WORDS_LIMIT:
            raise self._error(line, f"relation {shown(name)} is no name of 1 to {WORDS_LIMIT} words")
        return key

    def _alias_of_entry(self, entry: Node) -> None:
        if not isinstance(entry.value, dict):
            raise self._error(
                entry.line, f"a fact is {shown(bare(entry))}; give a mapping such as {{subject: France, relation: capital, value: Paris}}"
            )
        self._no_others(entry, _ENTRY_KEYS, "a fact")
        subject = self._name(entry.value.get("subject"), "subject", entry.line)
        for other in self._list(entry.value["aliases"]) if "aliases" in entry.value else []:
            self._alias(subject, self._name(other, "an alias", other.line), other.line)

    def _read_fact(self, entry: Node) -> None:
        subject = self._name(entry.value["subject"], "subject", entry.line)
        name = self._name(entry.value.get("relation"), "relation", entry.line)
        if name not in self.relations:
            self.relations[name] = Relation(name, self._relation_key(name, entry.line), (), name.lower() in CONTAINING)
        options = self._options.get(name, {})
        node = entry.value.get("value")
        if node is None:
            raise self._error(entry.line, f"value of {shown(subject)}, {shown(name)} is missing")
        texts = [self._words(part, "value", part.line) for part in self._list(node)]
        if not texts:
            raise self._error(node.line, f"value of {shown(subject)}, {shown(name)} is an empty list; leave the fact out")
        key = (self.canonical(key_of(subject)), name)
        if key in self._facts:
            raise self._error(entry.line, f"{shown(subject)} has a second entry for {shown(name)}; give all values in one list")
        self._facts[key] = Fact(
            subject,
            self.relations[name],
            tuple(parse_value(text) for text in texts),
            tuple(texts),
            isinstance(node.value, list),
            self._truth(entry.value["closed"], "closed") if "closed" in entry.value else options.get("closed", False),
            self._tolerance(entry.value["tolerance"]) if "tolerance" in entry.value else options.get("tolerance"),
        )
