"""The phi unit from the words of its contract, in Python's integers and fractions: shares nothing with the golden model but the text."""

from __future__ import annotations

import functools
import math
import struct
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

NONE = 0xFFFFFFFF
EXCLUDED, CLIP_HI, CLIP_LO, EMPTY, NO_CHOICE, PARTIAL = (1 << bit for bit in range(6))


def root1024(number: int) -> int:
    """The integer part of the 1024th root: ten square roots, each of which may be cut to its integer part."""
    for _ in range(10):
        number = math.isqrt(number)
    return number


@functools.cache
def tables() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """WT and WU: round(w) is half of (the integer part of 2 w, plus 1)."""
    wt = tuple((root1024(2 ** (18 * 1024 + f)) + 1) // 2 for f in range(1024))
    wu = tuple((root1024((2**8 * f) ** 1024 * 2**f) + 1) // 2 for f in range(1024))
    return wt, wu


@functools.cache
def inverse(entries: int) -> int:
    with localcontext() as context:
        context.prec = 60
        return int((Decimal(2) ** 24 * Decimal(2).ln() / Decimal(entries).ln() + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR"))


def float32_of(x: float) -> float:
    """A float64 rounded to float32, to nearest even, by exact arithmetic."""
    if math.isnan(x) or math.isinf(x) or x == 0:
        return x
    exact = Fraction(x)
    exponent = max(-126, math.frexp(x)[1] - 1)
    unit = Fraction(2) ** (exponent - 23)
    rounded = round(exact / unit) * unit  # Python rounds fractions to even
    if abs(rounded) >= 2**128:
        return math.copysign(math.inf, x)
    return float(rounded)


def float_of(word: int, form: str) -> float:
    """The number that a word holds; float64's are rounded."""
    if form == "float64":
        return float32_of(struct.unpack("<d", struct.pack("<Q", word))[0])
    if form == "float16":
        return struct.unpack("<e", struct.pack("<H", word))[0]
    return struct.unpack("<f", struct.pack("<I", word << 16 if form == "bfloat16" else word))[0]


def quantised(x: float) -> tuple[int, int]:
    """xf of a finite number, and the flag of its clipping."""
    numerator, denominator = x.as_integer_ratio()
    xf = (2**15 * numerator + denominator) // (2 * denominator)
    if xf > 2**25 - 1:
        return 2**25 - 1, CLIP_HI
    if xf < -(2**25):
        return -(2**25), CLIP_LO
    return xf, 0


def exponent(xf: int) -> int:
    return (xf * 94548 + 2**19) // 2**20


def row(values: list[float], chosen: int = NONE, first_entry: int = 0, token_id: int = 0) -> dict[str, Any]:
    """What a shard comes to: a PARTIAL job's record, ``s`` and ``t`` lists of 64."""
    wt, wu = tables()
    masked = excluded = flags = 0
    z: dict[int, int] = {}
    for i, x in enumerate(values):
        if x == -math.inf:
            masked += 1
        elif math.isnan(x) or x == math.inf:
            excluded += 1
            flags |= EXCLUDED
        else:
            xf, clipped = quantised(x)
            flags |= clipped
            z[i] = exponent(xf)
    fields: dict[str, Any] = dict.fromkeys(("z1", "z2", "log2_z", "chosen_log2p", "entropy", "phi", "z_chosen", "kmax"), 0)
    fields |= {"job_id": token_id, "valid": len(z), "masked": masked, "excluded": excluded, "argmax": NONE, "chosen": NONE}
    fields |= {"s": [0] * 64, "t": [0] * 64}
    if not z:
        return fields | {"flags": flags | EMPTY | NO_CHOICE | PARTIAL}
    best = min(z, key=lambda i: (-values[i], i))
    kmax = max(z.values()) // 1024
    for number in z.values():
        k, f = divmod(number, 1024)
        if k > kmax - 64:
            fields["s"][kmax - k] += wt[f]
            fields["t"][kmax - k] += wu[f]
    fields |= {"argmax": best + first_entry, "z1": z[best], "kmax": kmax}
    fields["z2"] = max((number for i, number in z.items() if i != best), default=-(2**31))
    if chosen - first_entry in z:
        fields |= {"chosen": chosen, "z_chosen": z[chosen - first_entry]}
    else:
        flags |= NO_CHOICE
    return fields | {"flags": flags | PARTIAL}


def finished(fields: dict[str, Any], inverse_: int) -> dict[str, Any]:
    """The record of a row that `row` has seen all of."""
    record = {name: value for name, value in fields.items() if name not in ("s", "t", "kmax")}
    record["flags"] &= ~PARTIAL
    if not fields["valid"]:
        return record
    s, t, kmax = fields["s"], fields["t"], fields["kmax"]
    st = sum(s[d] * 2**20 // 2**d for d in range(64))
    ut = sum((t[d] - d * s[d]) * 2**20 // 2**d for d in range(64))
    top = st.bit_length() - 1
    assert top >= 37
    st, ut = st // 2 ** (top - 37), ut // 2 ** (top - 37)
    m, bits = st // 64, 0
    for _ in range(20):
        m = m * m // 2**31
        bit = m >= 2**32
        bits = 2 * bits + bit
        m = m // 2 if bit else m
    log2s = (top - 37) * 2**20 + bits
    entropy = max(0, log2s - ut * 2**20 // st)
    record["entropy"] = entropy
    record["phi"] = min(max(2**20 - entropy * inverse_ // 2**24, 0), 2**20)
    record["log2_z"] = kmax * 2**20 + log2s
    if not record["flags"] & NO_CHOICE:
        record["chosen_log2p"] = min(0, record["z_chosen"] * 1024 - record["log2_z"])
    return record


def merged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Two shards of one row: every bin by its own number, nothing dropped before the end."""
    result = dict(a)
    for name in ("valid", "masked", "excluded"):
        result[name] = a[name] + b[name]
    there = [part for part in (a, b) if part["valid"]]
    flags = (a["flags"] | b["flags"]) & (EXCLUDED | CLIP_HI | CLIP_LO) | PARTIAL
    with_choice = [part for part in (a, b) if not part["flags"] & NO_CHOICE]
    result["chosen"], result["z_chosen"] = (with_choice[0]["chosen"], with_choice[0]["z_chosen"]) if with_choice else (NONE, 0)
    result["flags"] = flags | (0 if there else EMPTY) | (0 if with_choice else NO_CHOICE)
    if not there:
        return result
    best = min(there, key=lambda part: (-part["z1"], part["argmax"]))
    result["argmax"], result["z1"] = best["argmax"], best["z1"]
    result["z2"] = sorted(z for part in there for z in (part["z1"], part["z2"]))[-2]
    result["kmax"] = kmax = max(part["kmax"] for part in there)
    for name in ("s", "t"):
        bins = {kmax - d: 0 for d in range(64)}
        for part in there:
            for d, amount in enumerate(part[name]):
                if part["kmax"] - d in bins:
                    bins[part["kmax"] - d] += amount
        result[name] = [bins[kmax - d] for d in range(64)]
    return result
