"""What definitions of registers and packets share: their names and values are checked, their digests made, in one way."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import keyword
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, SupportsIndex, TypeVar

from ebmhw.errors import ContractError

_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_C_WORDS = """
alignas alignof and asm auto bool break case catch char class compl const constexpr continue default delete do double else
enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not nullptr
operator or private protected public register restrict return short signed sizeof static struct switch template this
throw true try typedef typeid typename typeof union unsigned using virtual void volatile while xor
"""

# Verilator and Yosys read plain .v files with SystemVerilog's words reserved too.
_VERILOG_WORDS = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const constraint
context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge else end endcase
endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive
endprogram endproperty endsequence endspecify endtable endtask enum event eventually expect export extends extern final
first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone
ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance int integer
interconnect interface intersect join join_any join_none large let liblist library local localparam logic longint
macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1
null or output package packed parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown
pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on
release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with
scalared sequence shortint shortreal showcancelled signed small soft solve specify specparam static string strong strong0
strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time timeprecision
timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until
until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard wire with
within wor xnor xor
"""

# Python's own are there because names become keyword arguments and attributes.
RESERVED_WORDS: Final = frozenset((*_C_WORDS.split(), *_VERILOG_WORDS.split(), *map(str.lower, keyword.kwlist)))
"""Names that a map, register, field, packet or enumerator must not have."""

_Named = TypeVar("_Named", bound=Any)


def identifier(name: str, subject: str) -> str:
    """Return ``name`` if it can be used in C, Verilog and Python; ``subject`` says what bears it.

    Raises
    ------
    ContractError
        The name is not lower_snake, or it is a reserved word.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ContractError(
            f"{name!r} cannot name a {subject}: names are lower_snake, letters a-z, digits and single underscores, "
            f"starting with a letter; rename it (try 'row_count')"
        )
    if name in RESERVED_WORDS:
        raise ContractError(f"{name!r} cannot name a {subject}: it is a reserved word of C, C++, Verilog or Python; rename it (try '{name}_value')")
    return name


def ranged(value: SupportsIndex, subject: str, low: int, high: int, remedy: str) -> int:
    """Return ``value`` as a plain int between ``low`` and ``high``, both included.

    Raises
    ------
    ContractError
        The value is not an integer, or it lies outside.
    """
    try:
        number = int(operator.index(value))
    except TypeError:
        raise ContractError(f"{subject} is {value!r}, which is not an integer; give one in {low}..{high}") from None
    if not low <= number <= high:
        raise ContractError(f"{subject} is {number}, outside {low}..{high}; {remedy}")
    return number


def text(value: str, subject: str) -> str:
    """Return a documentation text, refusing what is not a string."""
    if not isinstance(value, str):
        raise ContractError(f"{subject} is {value!r}, which is not a string; give a text or leave it out")
    return value


def unique(names: Iterable[str], what: str, owner: str) -> None:
    """Refuse two equal names among the ``what`` of ``owner``."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ContractError(f"{owner} has two {what} named '{name}'; names are unique, rename one of them")
        seen.add(name)


def members(things: Iterable[_Named], kind: type[_Named], owner: str) -> tuple[_Named, ...]:
    """Return ``things`` as a tuple, refusing anything that is not a ``kind``."""
    if isinstance(things, (str, bytes)) or not isinstance(things, Iterable):
        raise ContractError(f"{owner} was given {things!r}; give a tuple of {kind.__name__}")
    made = tuple(things)
    for thing in made:
        if not isinstance(thing, kind):
            raise ContractError(f"{owner} holds {thing!r}, which is not a {kind.__name__}; make it one")
    return made


def find(things: Iterable[_Named], name: str, what: str, owner: str) -> _Named:
    """Return the thing called ``name``; the error lists what there is."""
    made = tuple(things)
    for thing in made:
        if thing.name == name:
            return thing
    raise ContractError(f"{owner} has no {what} {name!r}; it has {', '.join(thing.name for thing in made) or 'none'}")


def as_data(thing: object, *, docs: bool) -> Any:
    """Return dataclasses as dicts and tuples as lists, ready for JSON, with or without every ``doc``."""
    if dataclasses.is_dataclass(thing):
        shown = (field.name for field in dataclasses.fields(thing) if docs or field.name != "doc")
        return {name: as_data(getattr(thing, name), docs=docs) for name in shown}
    if isinstance(thing, tuple):
        return [as_data(part, docs=docs) for part in thing]
    return dict(thing) if isinstance(thing, Mapping) else thing


def digest_of(data: object) -> str:
    """Return the SHA-256 (hex) of ``data`` as canonical JSON: sorted keys, no spaces, ASCII."""
    line = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(line.encode("ascii")).hexdigest()


def store(thing: object, **values: object) -> None:
    """Write normalised values into a frozen dataclass that is being made."""
    for name, value in values.items():
        object.__setattr__(thing, name, value)
