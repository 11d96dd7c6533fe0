"""Values between processes: exact built-in and standard types as JSON, without pickle and without code.

A value is a JSON tree: null, true, false, strings, integers up to 2^53, finite floats and arrays (lists) stand for themselves; all else is an
object of one member, its type: {"tuple": [1, 2]}, {"dict": [[key, value], ...]}, {"int": "0x..."}, {"float": "nan"}. Types are exact: an instance
of a subclass is no value and goes to ``other``. A mutable container that is there twice is written once and then as {"ref": number}, numbers in
order of first appearance, so that two names of one list stay two names of one list. A value that contains itself is refused. Of a defaultdict the
factory is kept where it is a type of Python such as int, and dropped otherwise.

This module runs inside the sandbox as well: it needs the standard library only and imports nothing of this package.
"""

from __future__ import annotations

import builtins
import datetime
import json
import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Containers within one another."""
MAX_NODES = 1_000_000
"""Values within a value, one that is shared counted as often as it is there."""
MAX_BITS = 2**22
"""Of an integer: 1.2 million digits."""
MAX_BYTES = 2**25
"""Of a value as JSON."""
_EXACT = 2**53
_COLLISIONS = 64

Other = Callable[[Any], Any]
"""What an encoder does with a value of another type, or a decoder with a tagged tree: returns the tree or value, or raises Refused."""


class Refused(ValueError):
    """A value that cannot be passed on, or a tree that stands for none; the text says why."""


_PURE = (
    "abs all any ascii bin bool bytes bytearray callable chr complex dict divmod enumerate filter float format frozenset hash hex "
    "int isinstance issubclass iter len list map max min next object oct ord pow range repr reversed round set slice sorted str "
    "sum tuple type zip "
)
CALLABLES = frozenset(_PURE.split())
"""Functions and types of Python that are values by their names; none of them reaches files, code or another's attributes."""

_EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and name == kind.__name__ and "Group" not in name
}
_NAMED = (
    {name: getattr(builtins, name) for name in CALLABLES} | _EXCEPTIONS | {"NoneType": type(None), "Ellipsis": ..., "NotImplemented": NotImplemented}
)
_NAME_OF = {id(value): name for name, value in _NAMED.items()}
_DICTS: dict[str, type[Any]] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
_FACTORIES = ("int", "list", "dict", "set", "str", "float", "tuple", "bool")
_MUTABLE = frozenset([list, dict, set, bytearray, deque, OrderedDict, Counter, defaultdict])


def refuse(value: Any) -> NoReturn:
    """Refuse a value of a type that is not one of those above."""
    raise Refused(f"a {type(value).__name__} is no value that can be passed on")


def _refuse_tag(tree: Any) -> NoReturn:
    raise Refused(f"{next(iter(tree))!r:.40} is no type of value")


class Encoder:
    """Writes values as trees that share their numbers of mutable containers.

    Parameters
    ----------
    known : mutable containers that the other side has, in order of their numbers; those met are added
    other : what becomes of a value of another type
    """

    def __init__(self, known: list[Any] | None = None, other: Other = refuse) -> None:
        self.known: list[Any] = [] if known is None else known
        self._numbers = {id(value): number for number, value in enumerate(self.known)}
        self.other = other
        self._nodes = 0
        self._open: set[int] = set()

    def encode(self, value: Any) -> Any:
        """Return the tree of a value. Refused where there is none."""
        return self._write(value, 0)

    def state(self, value: Any) -> Any:
        """Return what a known mutable container holds now, those known within it as their numbers."""
        return self._contents(value, 0)

    def _write(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool or (kind is int and -_EXACT <= value <= _EXACT):
            return self._counted(value)
        if kind is str:
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                return self._counted({"str": value.encode("utf-32-be", "surrogatepass").hex()})
            return self._counted(value)
        if kind is float:
            return self._counted(value if math.isfinite(value) else {"float": repr(value)})
        if depth >= MAX_DEPTH:
            raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
        if kind in _MUTABLE:
            key = id(value)
            if key in self._open:
                raise Refused("the value contains itself")
            if key in self._numbers:
                return self._counted({"ref": self._numbers[key]})
            self._numbers[key] = len(self.known)
            self.known.append(value)
            return self._contents(value, depth)
        writer = _WRITERS.get(kind)
        if writer is not None:
            self._counted(None)
            return {kind.__name__: writer(self, value, depth + 1)}
        if id(value) in _NAME_OF:
            return self._counted({"named": _NAME_OF[id(value)]})
        if kind in _EXCEPTION_TYPES:
            return {"exception": [kind.__name__, self.items(value.args, depth + 1)]}
        return self._counted(self.other(value))

    def _contents(self, value: Any, depth: int) -> Any:
        kind = type(value)
        self._counted(None)
        self._open.add(id(value))
        try:
            if kind is list:
                return self.items(value, depth + 1)
            if kind is bytearray:
                return {"bytearray": value.hex()}
            if kind is set:
                return {"set": self.ordered(value, depth + 1)}
            if kind is deque:
                return {"deque": [value.maxlen, self.items(value, depth + 1)]}
            pairs = [[self._write(key, depth + 1), self._write(held, depth + 1)] for key, held in dict.items(value)]
            if kind is defaultdict:
                name = _NAME_OF.get(id(value.default_factory))
                return {"defaultdict": [name if name in _FACTORIES else None, pairs]}
            return {kind.__name__: pairs}
        finally:
            self._open.discard(id(value))

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return the trees of several values."""
        return [self._write(value, depth) for value in values]

    def ordered(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return the trees of a set's members in an order of their own: that of a set changes from process to process."""
        return sorted(self.items(values, depth), key=lambda tree: json.dumps(tree, sort_keys=True))

    def _counted(self, tree: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Refused(f"the value holds more than {MAX_NODES} others")
        return tree


def _int_text(value: int) -> str:
    if value.bit_length() > MAX_BITS:
        raise Refused(f"the integer has {value.bit_length()} bits, more than {MAX_BITS}")
    return hex(value)


def _offset(zone: Any) -> int | None:
    if zone is None:
        return None
    if (
        type(zone) is not datetime.timezone
        or zone != datetime.timezone(zone.utcoffset(None))
        or str(zone) != str(datetime.timezone(zone.utcoffset(None)))
    ):
        raise Refused("the time has a time zone that is no plain offset")
    offset: datetime.timedelta = zone.utcoffset(None)
    return (offset.days * 86400 + offset.seconds) * 1_000_000 + offset.microseconds


def _time_parts(value: Any) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold, _offset(value.tzinfo)]


_WRITERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    int: lambda encoder, value, depth: _int_text(value),
    complex: lambda encoder, value, depth: [repr(value.real), repr(value.imag)],
    bytes: lambda encoder, value, depth: value.hex(),
    tuple: lambda encoder, value, depth: encoder.items(value, depth),
    frozenset: lambda encoder, value, depth: encoder.ordered(value, depth),
    range: lambda encoder, value, depth: [_int_text(value.start), _int_text(value.stop), _int_text(value.step)],
    slice: lambda encoder, value, depth: encoder.items((value.start, value.stop, value.step), depth),
    Fraction: lambda encoder, value, depth: [_int_text(value.numerator), _int_text(value.denominator)],
    Decimal: lambda encoder, value, depth: str(value),
    datetime.date: lambda encoder, value, depth: [value.year, value.month, value.day],
    datetime.time: lambda encoder, value, depth: _time_parts(value),
    datetime.datetime: lambda encoder, value, depth: [value.year, value.month, value.day, *_time_parts(value)],
    datetime.timedelta: lambda encoder, value, depth: [value.days, value.seconds, value.microseconds],
}
_EXCEPTION_TYPES = frozenset(_EXCEPTIONS.values())


class Decoder:
    """Reads trees that share their numbers of mutable containers; whatever a hostile side writes, it ends soon, with a value or with Refused.

    Parameters
    ----------
    known : mutable containers in order of their numbers; those read are added
    other : what becomes of an object whose one member names no type of value
    """

    def __init__(self, known: list[Any] | None = None, other: Other = _refuse_tag) -> None:
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
                changed.append((target, fresh))
        # All are read before one is changed: a hostile state must not leave half of them changed.
        before = [(target, target.copy()) for target, _ in changed]
        for target, fresh in changed:
            _become(target, fresh)
        try:
            self._weigh(self.known)
        except Refused:
            for target, earlier in before:
                _become(target, earlier)
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
            if not -_EXACT <= tree <= _EXACT:
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
            return self.known[_natural(body)]
        if tag in _CONTAINERS:
            return self._container(tree, depth)
        reader = _READERS.get(tag)
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
            return self._kept(bytearray(_unhex(body)))
        if tag == "set":
            made: set[Any] = self._kept(set())
            made.update(_hashable(self.items(_listed(body), depth + 1)))
            return made
        if tag == "deque":
            maxlen, items = _listed(body, 2)
            queue: deque[Any] = self._kept(deque(maxlen=None if maxlen is None else _natural(maxlen)))
            if queue.maxlen is not None and len(_listed(items)) > queue.maxlen:
                raise Refused("a deque holds more than its maxlen")
            queue.extend(self.items(_listed(items), depth + 1))
            return queue
        if tag == "defaultdict":
            factory, body = _listed(body, 2)
            if factory is not None and factory not in _FACTORIES:
                raise Refused("a defaultdict has a factory that is not allowed")
            return self._mapping(defaultdict(None if factory is None else _NAMED[factory]), body, depth)
        if tag not in _DICTS:
            raise Refused(f"{tag!r:.40} is no mutable container")
        return self._mapping(_DICTS[tag](), body, depth)

    def _mapping(self, made: Any, body: Any, depth: int) -> Any:
        self._kept(made)
        pairs = [self.items(_listed(pair, 2), depth + 1) for pair in _listed(body)]
        _hashable([key for key, _ in pairs])
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
            if not done and (key in weights or not _holds(value)):
                continue
            if not done:
                if key in opened:
                    raise Refused("the value contains itself")
                opened.add(key)
                if len(opened) > MAX_DEPTH:
                    raise Refused(f"the value is nested more than {MAX_DEPTH} deep")
                stack.append((value, True))
                stack.extend((held, False) for held in _held(value) if _holds(held) and id(held) not in weights)
                if any(id(held) in opened for held in _held(value) if _holds(held)):
                    raise Refused("the value contains itself")
                continue
            opened.discard(key)
            weights[key] = 1 + sum(weights.get(id(held), 1) for held in _held(value))
            if weights[key] > MAX_NODES:
                raise Refused(f"the value holds more than {MAX_NODES} others")


def _holds(value: Any) -> bool:
    return type(value) in _HOLDERS


_HOLDERS = frozenset([list, dict, set, frozenset, tuple, deque, OrderedDict, Counter, defaultdict, slice, *_EXCEPTIONS.values()])


def _held(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if type(value) is slice:
        return [value.start, value.stop, value.step]
    if isinstance(value, BaseException):
        return list(value.args)
    return list(value)


def _become(target: Any, fresh: Any) -> None:
    """Give a mutable container, in place, what another of its type holds."""
    if isinstance(target, (list, bytearray)):
        target[:] = fresh
        return
    target.clear()
    if isinstance(target, deque):
        target.extend(fresh)
    elif isinstance(target, set):
        target.update(fresh)
    else:
        for key, value in fresh.items():
            target[key] = value


def _natural(tree: Any) -> int:
    if type(tree) is not int or tree < 0:
        raise Refused("a count is no integer of at least 0")
    return tree


def _listed(tree: Any, length: int | None = None) -> list[Any]:
    if type(tree) is not list or (length is not None and len(tree) != length):
        raise Refused("a part of a value is no array of its length")
    return tree


def _text(tree: Any) -> str:
    if type(tree) is not str:
        raise Refused("a part of a value is no text")
    return tree


def _unhex(tree: Any) -> bytes:
    return bytes.fromhex(_text(tree))


def _integer(tree: Any) -> int:
    text = _text(tree)
    if len(text) > MAX_BITS // 4 + 4:
        raise Refused(f"an integer has more than {MAX_BITS} bits")
    value = int(text, 16)
    if hex(value) != text:
        raise Refused("an integer is not written as hex() does")
    return value


def _hashable(values: list[Any]) -> list[Any]:
    """Return values; Refused where many share a hash: a set of those takes time in the square of their number."""
    if len(values) > _COLLISIONS and max(Counter(map(hash, values)).values()) > _COLLISIONS:
        raise Refused(f"more than {_COLLISIONS} members of a set or dict share their hash")
    return values


def _float(tree: Any) -> float:
    value = float(_text(tree))
    if repr(value) != tree:
        raise Refused("a float is not written as repr() does")
    return value


def _decimal(tree: Any) -> Decimal:
    if len(_text(tree)) > 100_000:
        raise Refused("a Decimal has more than 100000 digits")
    value = Decimal(tree)
    if str(value) != tree:
        raise Refused("a Decimal is not written as str() does")
    return value


def _fraction(tree: Any) -> Fraction:
    numerator, denominator = (_integer(part) for part in _listed(tree, 2))
    value = Fraction(numerator, denominator)
    if value.denominator != denominator:
        raise Refused("a Fraction is not in lowest terms")
    return value


def _zone(tree: Any) -> datetime.timezone | None:
    return None if tree is None else datetime.timezone(datetime.timedelta(microseconds=tree))


def _time(tree: Any) -> datetime.time:
    hour, minute, second, microsecond, fold, offset = _listed(tree, 6)
    return datetime.time(hour, minute, second, microsecond, _zone(offset), fold=fold)


def _datetime(tree: Any) -> datetime.datetime:
    year, month, day, hour, minute, second, microsecond, fold, offset = _listed(tree, 9)
    return datetime.datetime(year, month, day, hour, minute, second, microsecond, _zone(offset), fold=fold)


def _surrogates(tree: Any) -> str:
    text = _unhex(tree).decode("utf-32-be", "surrogatepass")
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused("a text without surrogates is not written as it is")
    return text


def _non_finite(tree: Any) -> float:
    if tree not in ("nan", "inf", "-inf"):
        raise Refused("a finite float is written as text")
    return float(tree)


def _named(tree: Any) -> Any:
    if _text(tree) not in _NAMED:
        raise Refused(f"{tree!r:.40} is no name of a value")
    return _NAMED[tree]


def _exception(decoder: Decoder, tree: Any, depth: int) -> BaseException:
    name, arguments = _listed(tree, 2)
    if _text(name) not in _EXCEPTIONS or _EXCEPTIONS[name].__name__ != name:
        raise Refused(f"{name!r:.40} is no exception of Python")
    given = decoder.items(_listed(arguments), depth)
    kind = _EXCEPTIONS[name]
    made = kind(*given)
    if type(made) is not kind:  # OSError(2, "") makes a FileNotFoundError
        made = kind.__new__(kind)
        made.args = tuple(given)
    return made


_READERS: dict[str, Callable[[Decoder, Any, int], Any]] = {
    "int": lambda decoder, body, depth: _large(_integer(body)),
    "str": lambda decoder, body, depth: _surrogates(body),
    "float": lambda decoder, body, depth: _non_finite(body),
    "complex": lambda decoder, body, depth: complex(*(_float(part) for part in _listed(body, 2))),
    "bytes": lambda decoder, body, depth: _unhex(body),
    "tuple": lambda decoder, body, depth: tuple(decoder.items(_listed(body), depth)),
    "frozenset": lambda decoder, body, depth: frozenset(_hashable(decoder.items(_listed(body), depth))),
    "range": lambda decoder, body, depth: range(*(_integer(part) for part in _listed(body, 3))),
    "slice": lambda decoder, body, depth: slice(*decoder.items(_listed(body, 3), depth)),
    "Fraction": lambda decoder, body, depth: _fraction(body),
    "Decimal": lambda decoder, body, depth: _decimal(body),
    "date": lambda decoder, body, depth: datetime.date(*_listed(body, 3)),
    "time": lambda decoder, body, depth: _time(body),
    "datetime": lambda decoder, body, depth: _datetime(body),
    "timedelta": lambda decoder, body, depth: datetime.timedelta(*_listed(body, 3)),
    "named": lambda decoder, body, depth: _named(body),
    "exception": _exception,
}
_CONTAINERS = frozenset(["bytearray", "set", "deque", "defaultdict", *_DICTS])


def _large(value: int) -> int:
    if -_EXACT <= value <= _EXACT:
        raise Refused("an integer up to 2^53 is written in hexadecimal")
    return value


def encode(value: Any) -> Any:
    """Return the tree of a value that shares nothing with others. Refused where there is none."""
    return Encoder().encode(value)


def decode(tree: Any) -> Any:
    """Return the value of a tree that shares nothing with others. Refused where it stands for none."""
    return Decoder().decode(tree)


def written(tree: Any) -> bytes:
    """Return a tree as JSON. Refused where it is too long."""
    raw = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    if len(raw) > MAX_BYTES:
        raise Refused(f"the value takes {len(raw)} bytes as JSON, more than {MAX_BYTES}")
    return raw


def _short_int(text: str) -> int:
    if len(text) > 17:
        raise Refused("an integer beyond 2^53 is not written in hexadecimal")
    return int(text)


def _short_float(text: str) -> float:
    if len(text) > 32:
        raise Refused("a float is not written as repr() does")
    return float(text)


def _no_constant(text: str) -> NoReturn:
    raise Refused(f"{text} is no JSON")


def parsed(raw: bytes) -> Any:
    """Return the tree of JSON that another process wrote. Refused for what is none."""
    if len(raw) > MAX_BYTES:
        raise Refused(f"a message has {len(raw)} bytes, more than {MAX_BYTES}")
    try:
        return json.loads(raw, parse_int=_short_int, parse_float=_short_float, parse_constant=_no_constant)
    except Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise Refused(f"a message is no JSON: {type(error).__name__}") from None
