"""Merging partials, in NumPy: exact, whatever the order and the tree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import BINS, ENTRIES_LIMIT, NO_POSITION, NO_Z
from ebmhw.errors import InvalidLogits
from ebmhw.phi.layout import FLAG, PARTIAL

_DEPTH = np.arange(BINS)
_GIVEN = FLAG["excluded"] | FLAG["clip_hi"] | FLAG["clip_lo"] | FLAG["partial"]
"""Flags that a row has as soon as one of its shards has them."""

_ONCE = "merge each shard once, with its own first_entry"

Partials = npt.NDArray[np.void]


def merged(a: Partials, b: Partials) -> Partials:
    """Return the partials (...) of two shards each.

    Raises
    ------
    InvalidLogits
        for different tokens, a token that both chose, a largest entry that both have, or more entries than a vocabulary has: the shards overlap.
    """
    _refuse(a["job_id"] != b["job_id"], a, lambda at: f"token ids are {a['job_id'][at]} and {b['job_id'][at]}; merge shards of the same rows")
    has = [part["flags"] & FLAG["no_choice"] == 0 for part in (a, b)]
    _refuse(has[0] & has[1], a, lambda at: f"both have a chosen entry, {a['chosen'][at]} and {b['chosen'][at]}; {_ONCE}")
    same = (a["argmax"] == b["argmax"]) & (a["argmax"] != NO_POSITION)
    _refuse(same, a, lambda at: f"the largest entry of both is at {a['argmax'][at]}; {_ONCE}")
    result = np.zeros(a.shape, dtype=PARTIAL)
    entries = np.zeros(a.shape, dtype=np.int64)
    for name in ("valid", "masked", "excluded"):
        count = a[name].astype(np.int64) + b[name]
        entries = entries + count
        # Beyond 32 bits only where the sum is refused below.
        result[name] = count & 0xFFFFFFFF
    _refuse(entries > ENTRIES_LIMIT, a, lambda at: f"they make {entries[at]} entries, more than {ENTRIES_LIMIT}; {_ONCE}")

    empty = [part["valid"] == 0 for part in (a, b)]
    both = empty[0] & empty[1]
    top = [np.where(none, NO_Z, part["z1"]) for part, none in zip((a, b), empty, strict=True)]
    second = [np.where(none, NO_Z, part["z2"]) for part, none in zip((a, b), empty, strict=True)]
    # NO_POSITION, of a shard without entries, is above all positions, but its z1 loses before.
    first = (top[0] > top[1]) | ((top[0] == top[1]) & (a["argmax"] <= b["argmax"]))
    result["argmax"] = np.where(first, a["argmax"], b["argmax"])
    result["z1"] = np.where(both, 0, np.maximum(top[0], top[1]))
    result["z2"] = np.where(both, 0, np.maximum(np.minimum(top[0], top[1]), np.maximum(second[0], second[1])))
    result["job_id"] = a["job_id"]
    result["flags"] = ((a["flags"] | b["flags"]) & _GIVEN) | np.where(both, FLAG["empty"], 0) | np.where(has[0] | has[1], 0, FLAG["no_choice"])
    result["chosen"] = np.where(has[0], a["chosen"], np.where(has[1], b["chosen"], NO_POSITION))
    result["z_chosen"] = np.where(has[0], a["z_chosen"], np.where(has[1], b["z_chosen"], 0))

    kmax = [np.where(none, NO_Z, part["kmax"]).astype(np.int64) for part, none in zip((a, b), empty, strict=True)]
    largest = np.maximum(kmax[0], kmax[1])
    result["kmax"] = np.where(both, 0, largest)
    for part, k in zip((a, b), kmax, strict=True):
        # Bins of k at or below the new kmax - 64 carry no weight any more.
        source = _DEPTH - (largest - k)[..., None]
        inside = source >= 0
        moved = np.take_along_axis(part["sums"], np.where(inside, source, 0)[..., None], axis=-2)
        result["sums"] += np.where(inside[..., None], moved, 0)
    return result


def _refuse(bad: npt.NDArray[np.bool_], shards: Partials, say: Callable[[tuple[int, ...]], str]) -> None:
    """Raise InvalidLogits for the first row that is bad."""
    if np.any(bad):
        at = tuple(int(i) for i in np.argwhere(bad)[0]) if shards.shape else ()
        place = f" of row {at if len(at) > 1 else at[0]}" if at else ""
        raise InvalidLogits(f"the shards{place} do not fit together: {say(at)}")
