"""A measurement, cut into exchanges with phi units and put together again."""

from __future__ import annotations

import numpy as np

from ebmhw.backends.fleet import EXCHANGE_WORDS, Fleet
from ebmhw.backends.phi_answers import TYPES, Answers
from ebmhw.backends.phi_driver import PhiDriver
from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.errors import DoesNotFit
from ebmhw.phi.request import PhiRequest


def measure(units: Fleet[PhiDriver], request: PhiRequest, backend: str) -> Answers:
    """Return the records (or, of a request that is partial, the partials) of a request, RECORD or PARTIAL (count,).

    Where the request's stop says so, it returns early; rows that are not done are 0.

    Raises
    ------
    DoesNotFit
        A row reaches beyond what the units hold; ``backend`` is named.
    """
    shape = units.drivers[0].shape
    last = request.first_entry + request.entries
    if last > shape.entries_max:
        raise DoesNotFit(
            f"logits have {request.entries} entries a row, which end at position {last} of the vocabulary; backend {backend!r} takes "
            f"{shape.entries_max}; use get_backend('cpu'), whose records are the same"
        )
    words, cycles = units.drivers[0].cost(request.entries, request.format)
    found = np.zeros(request.count, dtype=TYPES["partial" if request.partial else "record"])
    chosen, ids = request.chosen, request.token_ids

    def work(driver: PhiDriver, part: TokenRows, seconds: float) -> Answers:
        if request.partial:
            return driver.partials(part, request.first_entry, seconds)
        return driver.records(part, request.inverse, seconds)

    done = exchanges = 0
    with units.workers() as workers:
        while done < request.count and not request.stop.now:
            each = max(1, int(min(units.aim(request.stop) / cycles, EXCHANGE_WORDS / words)))
            stop = min(request.count, done + each * len(units.drivers))
            rows = TokenRows(request.bits(done, stop), request.format, chosen[done:stop], ids[done:stop])
            parts = [rows.part(share) for share in units.shares(stop - done)]
            found[done:stop] = np.concatenate(units.exchange(workers, parts, cycles * len(parts[0].token_ids), work))
            done, exchanges = stop, exchanges + 1
    request.info.update(units=len(units.drivers), build=f"{shape.build:#010x}", exchanges=exchanges)
    return found
