"""Tokens of a completion as HTML, coloured by phi, with what is known of each on hover and focus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ebmhw.coherence import events
from ebmhw.coherence.page.words import CRYSTALLIZATION, MELTING, probability
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.pages.words import number, shown

STEPS = 10
"""Classes of colour, a tenth of phi each."""

TOKEN_LIMIT = 10_000
"""Tokens that a page shows of one completion."""

_TEXT_LIMIT = 400


def tokens_html(trace: CoherenceTrace, texts: Sequence[str]) -> str:
    """Return the first `TOKEN_LIMIT` tokens (texts as of `ebmhw.coherence.capture.texts`) as spans that can be reached with the keyboard."""
    signs = signs_of(trace)
    columns = zip(trace.phi.tolist(), trace.entropy.tolist(), trace.selected_prob.tolist(), strict=True)
    parts = []
    for at, (phi, entropy, prob) in enumerate(columns):
        if at == TOKEN_LIMIT:
            break
        known = phi == phi
        kind = f"p{min(STEPS - 1, max(0, int(phi * STEPS)))}" if known else "pu"
        sign = signs.get(at, "")
        mark = f'<b class="{_CLASSES[sign]}" aria-hidden="true">{sign}</b>' if sign else ""
        blank, word = _split(texts[at])
        told = [f"token {at}", f"“{_label(texts[at])}”", f"phi {number(phi, 4)}", f"entropy {number(entropy, 3, ' nats')}"]
        told += [f"probability {probability(prob)}"]
        told += [f"id {int(trace.token_ids[at])}"] if trace.token_ids is not None else []
        told += [f"{sign} {_NAMES[sign]}"] if sign else []
        tip = f'<span class="tip"><span>{"</span> <span>".join(told)}</span></span>'
        parts.append(f'<span class="t {kind}" tabindex="0">{blank}{mark}{_body(word, texts[at])}{tip}</span>')
    return "".join(parts)


_NAMES = {CRYSTALLIZATION: "crystallization", MELTING: "melting"}
_CLASSES = {CRYSTALLIZATION: "up", MELTING: "down"}


def signs_of(trace: CoherenceTrace) -> dict[int, str]:
    """Return {token: sign} for the tokens at which phi has changed by more than the threshold since the one before."""
    ahead = trace.n_tokens - len(trace.delta_phi)
    found = {}
    for which, sign in ((events.crystallizations(trace.delta_phi), CRYSTALLIZATION), (events.meltings(trace.delta_phi), MELTING)):
        places: npt.NDArray[np.intp] = np.flatnonzero(which)
        found.update(dict.fromkeys((places + ahead).tolist(), sign))
    return found


def _split(text: str) -> tuple[str, str]:
    """Return the blanks before a word, behind which its sign stands, and the rest; a text of blanks alone is the rest."""
    word = text.lstrip(" ")
    return (text[: len(text) - len(word)], word) if word else ("", text)


def _body(word: str, text: str) -> str:
    """Return a token's word as it stands in the text, its line breaks with a sign; a dotted circle where the token has no text of its own."""
    if not text:
        return '<i class="half" aria-hidden="true">◌</i>'
    return shown(word, _TEXT_LIMIT).replace("\n", '<i class="break" aria-hidden="true">↵</i>\n')


def _label(text: str) -> str:
    return shown(text, 60).replace("\n", "↵").replace("\t", "⇥") if text else "part of a character"
