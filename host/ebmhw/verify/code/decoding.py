"""Decoder: reads trees of JSON that another process wrote (see `ebmhw.verify.code.values`).

This module runs inside the sandbox as well: it needs the standard library and its neighbours only.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.arrays import check_refill, is_array, read_array
from ebmhw.verify.code.kinds import DICTS, EXACT, EXCEPTIONS, FACTORIES, MAX_DEPTH, MAX_NODES, NAMED, Other, Refused, refuse_tag
from ebmhw.verify.code.readers import CONTAINERS, READERS, hashable, listed, natural, unhex


class Decoder:
    """Reads trees that share their numbers of mutable containers; whatever a hostile side writes, it ends soon, with a value or with Refused.

    Parameters
    ----------
    known : mutable containers in order of their numbers; those read are added
    other : what becomes of an object whose one member names no type of value
    """

    def __init__(self, known: list[Any] | None = None, other: Other = refuse_tag) -> None:
        self.known: list[Any] = [] if known is None else known
        self.other = other
        self._nodes = 0
        self._refers = False
        self._unnumbered = False

    def decode(self, tree: Any) -> Any:
        """Return the value of a tree. Refused where it stands for none, or for one that contains itself or is too large."""
        value = self._safely(self._read, tree, 0)
        self._weigh([value])
        return value

    def restate(self, states: Any) -> None:
        """Give known containers, in place, what trees of `Encoder.state` say that they hold; null leaves one as it is."""
        if type(states) is not list or len(states) > len(self.known):
            raise Refused("the states are not one for each container")
        changed = []
        for target, tree in zip(list(self.known), states, strict=False):
            if tree is not None:
                self._unnumbered = True
                fresh = self._safely(self._container, tree, 0)
                if type(fresh) is not type(target) or (type(fresh) is deque and fresh.maxlen != target.maxlen):
                    raise Refused(f"a {type(target).__name__} cannot become a {type(fresh).__name__}")
                if is_array(target):
                    check_refill(target, fresh)
                changed.append((target, fresh))
        # All are read before one is changed: a hostile state must not leave half of them changed.
        before = [(target, target.copy()) for target, _ in changed]
        for target, fresh in changed:
            become(target, fresh)
        try:
            self._weigh(self.known)
        except Refused:
            for target, earlier in before:
                become(target, earlier)
            raise

    def _safely(self, read: Callable[[Any, int], Any], tree: Any, depth: int) -> Any:
        try:
            return read(tree, depth)
        except Refused:
            raise
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError) as error:
            raise Refused(f"the value is written wrongly: {type(error).__name__}") from None

    def _read(self, tree: Any, depth: int) -> Any:
        self._count()
        kind = type(tree)
        if tree is None or kind is bool:
            return tree
        if kind is str:
            return tree
        if kind is int:
            if not -EXACT <= tree <= EXACT:
                raise Refused("an integer beyond 2^53 is not written in hexadecimal")
            return tree
        if kind is float:
            if not math.isfinite(tree):
                raise Refused("a float that is not finite is not written as text")
            return tree
        if kind is list:
            return self._container(tree, depth)
        if kind is not dict or len(tree) != 1:
            raise Refused("an object of a value must have one member")
        tag, body = next(iter(tree.items()))
        if tag == "ref":
            self._refers = True
            return self.known[natural(body)]
        if tag in CONTAINERS:
            return self._container(tree, depth)
        reader = READERS.get(tag)
        if reader is None:
            return self.other(tree)
        if depth >= MAX_DEPTH:
            raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
        return reader(self, body, depth + 1)

    def _container(self, tree: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
        if type(tree) is list:
            items: list[Any] = self._kept([])
            items.extend(self.items(tree, depth + 1))
            return items
        tag, body = next(iter(tree.items()))
        if tag == "bytearray":
            return self._kept(bytearray(unhex(body)))
        if tag == "ndarray":
            return self._kept(read_array(tag, body))
        if tag == "set":
            made: set[Any] = self._kept(set())
            made.update(hashable(self.items(listed(body), depth + 1)))
            return made
        if tag == "deque":
            maxlen, items = listed(body, 2)
            queue: deque[Any] = self._kept(deque(maxlen=None if maxlen is None else natural(maxlen)))
            if queue.maxlen is not None and len(listed(items)) > queue.maxlen:
                raise Refused("a deque holds more than its maxlen")
            queue.extend(self.items(listed(items), depth + 1))
            return queue
        if tag == "defaultdict":
            factory, body = listed(body, 2)
            if factory is not None and factory not in FACTORIES:
                raise Refused("a defaultdict has a factory that is not allowed")
            return self._mapping(defaultdict(None if factory is None else NAMED[factory]), body, depth)
        if tag not in DICTS:
            raise Refused(f"{tag!r:.40} is no mutable container")
        return self._mapping(DICTS[tag](), body, depth)

    def _mapping(self, made: Any, body: Any, depth: int) -> Any:
        self._kept(made)
        pairs = [self.items(listed(pair, 2), depth + 1) for pair in listed(body)]
        hashable([key for key, _ in pairs])
        for key, value in pairs:
            made[key] = value
        return made

    def items(self, trees: list[Any], depth: int) -> list[Any]:
        """Return the values of several trees."""
        return [self._read(tree, depth) for tree in trees]

    def _kept(self, made: Any) -> Any:
        if self._unnumbered:  # what a known container holds now stands in for it, and has its number
            self._unnumbered = False
        else:
            self.known.append(made)
        return made

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Refused(f"the value holds more than {MAX_NODES} others")

    def _weigh(self, roots: list[Any]) -> None:
        """Refuse what contains itself, or is larger than allowed once what is shared is counted each time."""
        if not self._refers:
            return
        weights: dict[int, int] = {}
        # By hand rather than by recursion: refs nest containers deeper than their trees.
        stack: list[tuple[Any, bool]] = [(root, False) for root in roots]
        opened: set[int] = set()
        while stack:
            value, done = stack.pop()
            key = id(value)
            if not done and (key in weights or not holds(value)):
                continue
            if not done:
                if key in opened:
                    raise Refused("the value contains itself")
                opened.add(key)
                if len(opened) > MAX_DEPTH:
                    raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
                stack.append((value, True))
                stack.extend((held, False) for held in held_by(value) if holds(held) and id(held) not in weights)
                if any(id(held) in opened for held in held_by(value) if holds(held)):
                    raise Refused("the value contains itself")
                continue
            opened.discard(key)
            weights[key] = 1 + sum(weights.get(id(held), 1) for held in held_by(value))
            if weights[key] > MAX_NODES:
                raise Refused(f"the value holds more than {MAX_NODES} others")


def holds(value: Any) -> bool:
    return type(value) in _HOLDERS


_HOLDERS = frozenset([list, dict, set, frozenset, tuple, deque, OrderedDict, Counter, defaultdict, slice, *EXCEPTIONS.values()])


def held_by(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if type(value) is slice:
        return [value.start, value.stop, value.step]
    if isinstance(value, BaseException):
        return list(value.args)
    return list(value)


def become(target: Any, fresh: Any) -> None:
    """Give a mutable container, in place, what another of its type holds."""
    if isinstance(target, (list, bytearray)):
        target[:] = fresh
        return
    if is_array(target):
        target[...] = fresh
        return
    target.clear()
    if isinstance(target, deque):
        target.extend(fresh)
    elif isinstance(target, set):
        target.update(fresh)
    else:
        for key, value in fresh.items():
            target[key] = value


def decode(tree: Any) -> Any:
    """Return the value of a tree that shares nothing with others. Refused where it stands for none."""
    return Decoder().decode(tree)
