"""DIMACS files of clauses: ``p cnf``, ``p wcnf``, and the weighted form of 2022 that has no ``p`` line.

As in `table`, a fast way reads what is right and a slow one, clause by clause, is the only one to name an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.model import SPIN_LIMIT
from ebmhw.problems.table import INTEGER, chunks, integers, parse_integer
from ebmhw.problems.text import Text, show

WEIGHT_LIMIT = 2**64 - 1
"""Largest weight of the MaxSAT evaluations' rules."""

CLAUSES_LIMIT = 2**40
"""Clauses of one formula, far more than fit in memory."""

_HARD = -(2**32)
"""Stands for ``h`` among the integers: below every literal, and no weight is negative."""

_COMMENT = re.compile(rb"(?m)^[ \t]*c[^\n]*")


class Header(NamedTuple):
    """The ``p`` line: where clauses start, and what it says; all None but the start in the form of 2022."""

    position: int
    line: int
    weighted: bool
    num_variables: int | None
    num_clauses: int | None
    top: int | None


class Clauses(NamedTuple):
    """Clauses on end: literals int32 (sum of lengths,), lengths int64 (m,), weights float64 (m,), infinite for hard ones, or None."""

    num_variables: int
    literals: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64] | None


def read_clauses(text: Text) -> Clauses:
    """Return the clauses of a loaded file.

    Raises
    ------
    InvalidFile
        naming the line, for a token that is no integer, a literal or weight out of range, a last clause without its 0, another number of
        clauses than the ``p`` line says.
    """
    header = read_header(text)
    return _fast(text, header) or _slow(text, header)


def line_of_clause(text: Text, number: int) -> int:
    """Return the line on which a clause (counted from 0) of a readable file begins."""
    for index, (line, _, _) in enumerate(_scan(text, read_header(text))):
        if index == number:
            return line
    return text.last_line


def read_header(text: Text) -> Header:
    """Return what the ``p`` line says, or that there is none."""
    start = 0
    for line, position, content in text.lines():
        tokens = content.split()
        if not tokens or tokens[0].startswith(b"c"):
            start = position
            continue
        if tokens[0] != b"p":
            return Header(start, line, True, None, None, None)
        weighted = tokens[1:2] == [b"wcnf"]
        if not weighted and tokens[1:2] != [b"cnf"]:
            raise text.error(line, f"{show(content.strip())} begins no formula; give 'p cnf' or 'p wcnf'")
        if len(tokens) != 4 and not (weighted and len(tokens) == 5):
            raise text.error(line, f"{show(content.strip())} has {len(tokens) - 2} numbers; give variables and clauses (and the top weight for wcnf)")
        return Header(
            position,
            line + 1,
            weighted,
            parse_integer(text, line, tokens[2], "number of variables", 1, SPIN_LIMIT),
            parse_integer(text, line, tokens[3], "number of clauses", 0, CLAUSES_LIMIT),
            parse_integer(text, line, tokens[4], "top weight", 1, WEIGHT_LIMIT) if len(tokens) == 5 else None,
        )
    raise text.error(None, "only comments; a formula begins with 'p cnf', 'p wcnf' or a weighted clause")


def _fast(text: Text, header: Header) -> Clauses | None:
    body = text.data[header.position :]
    if b"c" in body:
        body = _COMMENT.sub(b"", body)
    cut = body.find(b"%")
    if cut >= 0:
        # SATLIB ends its files with a line of % and one of 0.
        if body[body.rfind(b"\n", 0, cut) + 1 : cut].strip() or body[cut + 1 :].split() not in ([], [b"0"]):
            return None
        body = body[:cut]
    if b"h" in body:
        if header.num_variables is not None or str(_HARD).encode() in body:
            return None
        body = body.replace(b"h", str(_HARD).encode())
    parts: list[npt.NDArray[np.signedinteger]] = []
    for start, end in chunks(body):
        part: npt.NDArray[np.signedinteger] | None = integers(body[start:end])
        if part is None:
            return None
        if not header.weighted:
            # Half the memory for the common kind; what does not fit is out of range anyway.
            if part.size and (part.min() < -SPIN_LIMIT or part.max() > SPIN_LIMIT):
                return None
            part = part.astype(np.int32)
        parts.append(part)
    values = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    ends = np.flatnonzero(values == 0)
    if values.size and (not ends.size or ends[-1] != values.size - 1):
        return None
    if header.num_clauses is not None and ends.size != header.num_clauses:
        return None
    starts = np.concatenate([np.zeros(1, dtype=ends.dtype), ends[:-1] + 1])[: ends.size]
    kept = values != 0
    weights = None
    lengths = ends - starts
    if header.weighted:
        if (lengths == 0).any() or (ends.size == 0 and header.num_clauses is None):
            return None
        kept[starts] = False
        lengths = lengths - 1
        found = values[starts]
        least_hard = np.inf if header.top is None else header.top
        hard = found == _HARD if header.num_variables is None else found >= least_hard
        if ((found < 1) & ~hard).any():
            return None
        weights = np.where(hard, np.inf, found.astype(np.float64))
    literals = values[kept]
    largest = int(np.abs(literals).max()) if literals.size else 0
    n = max(largest, 1) if header.num_variables is None else header.num_variables
    if largest > min(n, SPIN_LIMIT):
        return None
    return Clauses(n, literals.astype(np.int32), lengths.astype(np.int64), weights)


def _slow(text: Text, header: Header) -> Clauses:
    literals: list[int] = []
    lengths: list[int] = []
    weights: list[float] = []
    for _, weight, clause in _scan(text, header):
        literals += clause
        lengths.append(len(clause))
        weights.append(weight)
    found = header.num_variables
    n = max([abs(literal) for literal in literals], default=1) if found is None else found
    return Clauses(
        n,
        np.array(literals, dtype=np.int32),
        np.array(lengths, dtype=np.int64),
        np.array(weights, dtype=np.float64) if header.weighted else None,
    )


def _scan(text: Text, header: Header) -> Iterator[tuple[int, float, list[int]]]:
    """Yield (first line, weight, literals) of each clause and raise what is wrong, at its line."""
    limit = SPIN_LIMIT if header.num_variables is None else header.num_variables
    clause: list[int] = []
    weight: float | None = None if header.weighted else 1.0
    begun, count = 0, 0
    for line, token in _tokens(text, header):
        begun = begun or line
        if weight is None:
            if token == b"h" and header.num_variables is None:
                weight = float("inf")
                continue
            value = parse_integer(text, line, token, "weight" if header.num_variables is not None else "weight (or h)", 1, WEIGHT_LIMIT)
            weight = float("inf") if header.top is not None and value >= header.top else float(value)
            continue
        if not INTEGER.fullmatch(token):
            raise text.error(line, f"{show(token)} is no literal; give integers in -{limit} .. {limit}, 0 to end a clause")
        literal = parse_integer(text, line, token, "literal", -limit, limit)
        if literal:
            clause.append(literal)
            continue
        if header.num_clauses is not None and count == header.num_clauses:
            raise text.error(begun, f"a clause beyond the {count} that the p line says; correct the p line or drop the clause")
        yield begun, weight, clause
        clause, weight, begun, count = [], None if header.weighted else 1.0, 0, count + 1
    if begun:
        raise text.error(text.last_line, f"the clause begun on line {begun} has no 0 at its end; add it, or fetch the file again if it was cut short")
    if header.num_clauses is None and count == 0:
        raise text.error(text.last_line, "no clause; a formula has a 'p cnf' or 'p wcnf' line, or weighted clauses")
    if header.num_clauses is not None and count < header.num_clauses:
        raise text.error(text.last_line, f"the file ends after {count} of the {header.num_clauses} clauses that its p line says; fetch it again")


def _tokens(text: Text, header: Header) -> Iterator[tuple[int, bytes]]:
    ended = 0
    for line, _, content in text.lines(header.position, header.line):
        stripped = content.strip()
        if not stripped or stripped.startswith(b"c"):
            continue
        if ended:
            if stripped != b"0" or ended > 1:
                raise text.error(line, f"{show(stripped)} after the line of % that ends the clauses; only a 0 may follow, drop the rest")
            ended += 1
        elif stripped.startswith(b"%"):
            rest = stripped[1:].split()
            if rest not in ([], [b"0"]):
                raise text.error(line, f"{show(stripped)} is no clause; a % ends the clauses, only a 0 may follow")
            ended = 1 + len(rest)
        else:
            for token in stripped.split():
                yield line, token
