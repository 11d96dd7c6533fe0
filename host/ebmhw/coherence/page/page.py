"""Page: what was asked, the tokens of each completion coloured by phi, phi along them, and the measures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.coherence.order.index import MIN_TOKENS
from ebmhw.coherence.page.chart import chart
from ebmhw.coherence.page.style import STYLE
from ebmhw.coherence.page.tokens import STEPS, TOKEN_LIMIT, tokens_html
from ebmhw.coherence.page.words import CRYSTALLIZATION, MELTING
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace
from ebmhw.files import write_whole
from ebmhw.pages.frame import FOOT, head
from ebmhw.pages.words import UNKNOWN, counted, number, shown

SHEET_LIMIT = 64
"""Completions of one page."""

_PROMPT_LIMIT = 20_000


class Sheet(NamedTuple):
    """A completion on a page.

    Attributes
    ----------
    trace : of its tokens
    texts : what each token adds to the text (`ebmhw.coherence.capture.texts.token_texts`); "" for a part of a character
    prompt : what came before, None where that is not known
    name : its heading, None for none
    dispersion : its dispersion index, None where there is none
    regime : what it looks like, by `ebmhw.coherence.order.regime`; None where nobody asked
    """

    trace: CoherenceTrace
    texts: Sequence[str]
    prompt: str | None = None
    name: str | None = None
    dispersion: float | None = None
    regime: str | None = None


def write_page(path: str | os.PathLike[str], sheets: Sequence[Sheet], title: str, about: Sequence[str] = ()) -> None:
    """Write the page of one completion or several, whole or not at all; it needs no script and loads nothing.

    Parameters
    ----------
    title : its heading
    about : lines on how the completions were made

    Raises
    ------
    InvalidTrace
        where a completion has not as many texts as tokens.
    """
    for sheet in sheets:
        if len(sheet.texts) != sheet.trace.n_tokens:
            raise InvalidTrace(f"{len(sheet.texts)} texts do not belong to a trace of {counted(sheet.trace.n_tokens, 'token')}; give one a token")
    html = [
        _head(title, about, len(sheets)),
        *(_section(at, sheet) for at, sheet in enumerate(sheets[:SHEET_LIMIT])),
        FOOT,
    ]
    write_whole(path, lambda stream: stream.writelines(part.encode("utf-8") for part in html))


def _head(title: str, about: Sequence[str], count: int) -> str:
    notice = f'<p class="notice">This page shows {SHEET_LIMIT} of {count:,} completions.</p>' if count > SHEET_LIMIT else ""
    return head(f"{title}: phi", title, about, STYLE) + f"{notice}{_LEGEND}<main>\n"


def _legend() -> str:
    steps = "".join(f'<span class="t p{step}" title="phi {step / STEPS:g} to {(step + 1) / STEPS:g}"></span>' for step in range(STEPS))
    return (
        f'<p class="legend"><span class="ramp"><span>phi 0, uniform</span><span class="steps" aria-hidden="true">{steps}</span>'
        "<span>1, certain</span></span>"
        f'<span><b class="up">{CRYSTALLIZATION}</b> crystallization: phi rose by more than .03</span>'
        f'<span><b class="down">{MELTING}</b> melting: it fell by more</span>'
        '<span><span class="t pu">?</span> unknown</span><span><i class="half">◌</i> part of a character</span>'
        "<span>hover over a token, or go there with the Tab key, for its numbers</span></p>"
    )


_LEGEND = _legend()


def _section(at: int, sheet: Sheet) -> str:
    trace = sheet.trace
    heading = f"<h2>{shown(sheet.name, 200)}</h2>" if sheet.name is not None else ""
    prompt = ""
    if sheet.prompt is not None:
        text = shown(sheet.prompt, _PROMPT_LIMIT)
        prompt = f'<h3>Prompt</h3><div class="text prompt" dir="auto" tabindex="0" role="region" aria-label="prompt">{text}</div>'
    more = trace.n_tokens - TOKEN_LIMIT
    note = f'<p class="notice">{counted(more, "more token")} left out here; the measures count them.</p>' if more > 0 else ""
    body = tokens_html(trace, sheet.texts) or '<span class="none">no token</span>'
    drawing = (
        f'<h3>Phi along the tokens</h3><div class="scroll" tabindex="0" role="region" aria-label="phi along the tokens">{chart(trace)}</div>'
        if trace.n_tokens
        else ""
    )
    return (
        f'<section class="sheet">{heading}{prompt}<h3>Completion</h3><p class="skip"><a href="#after{at}">skip the tokens</a></p>'
        f'<div class="text tokens" dir="auto">{body}</div>{note}<div id="after{at}" class="after"></div>'
        f"{drawing}{_measures(sheet)}</section>\n"
    )


def _measures(sheet: Sheet) -> str:
    trace = sheet.trace
    cards = [
        ("tokens", f"{trace.n_tokens:,}"),
        ("mean phi", number(trace.phi_mean, 4)),
        ("mean entropy", number(trace.entropy_mean, 3, " nats")),
        ("mean surprisal", number(trace.surprisal_mean, 3, " nats")),
        (f"{CRYSTALLIZATION} crystallizations", f"{trace.n_crystallizations:,}"),
        (f"{MELTING} meltings", f"{trace.n_meltings:,}"),
        ("discontinuity score", number(trace.discontinuity_score, 3)),
        ("cloud quality", number(trace.cloud_quality, 3)),
        ("multiscale coherence", number(trace.multiscale_coherence, 3)),
        ("composite reward", number(trace.carl_reward(), 3)),
        ("dispersion index", number(sheet.dispersion, 3)) if sheet.dispersion is not None else (f"dispersion (needs {MIN_TOKENS} tokens)", UNKNOWN),
        *([("regime", shown(sheet.regime, 40))] if sheet.regime is not None else []),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cards)
    return f'<dl class="counts">{items}</dl>'
