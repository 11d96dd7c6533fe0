"""Page: counts, claims by kind, a filter that needs no script, and the records."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ebmhw.files import write_whole
from ebmhw.pages.frame import FOOT, head
from ebmhw.pages.words import counted, shown
from ebmhw.verify.batch.tally import VERDICTS, Tally
from ebmhw.verify.page.article import article
from ebmhw.verify.page.style import STYLE
from ebmhw.verify.page.words import SIGNS
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

RECORD_LIMIT = 10_000
"""Records of one page."""

PAGE_BYTES = 2**26
"""Bytes of all records of one page, which browsers still open in seconds."""

_FILTERS = ((VIOLATED, "violated"), ("ERROR", "error"), (UNKNOWN, "unknown"), (VERIFIED, "verified"))


class Batch(NamedTuple):
    """What a page is about.

    Attributes
    ----------
    name : of the input
    about : lines of plain text on how it was checked
    tally : counts over all records
    lines : pairs of the input; more than the tally's records where the run was ended early
    """

    name: str
    about: tuple[str, ...]
    tally: Tally
    lines: int


def write_page(path: str | os.PathLike[str], batch: Batch, records: Iterable[Mapping[str, Any]]) -> int:
    """Write the page of a batch, whole or not at all, and return how many records it shows.

    Of more records than it has room for it shows the VIOLATED first, then errors, UNKNOWN and VERIFIED; always in their order.
    """
    articles, shown_by = _articles(batch.tally, records)
    html = [_head(batch, len(articles), shown_by), *articles, FOOT]
    write_whole(path, lambda stream: stream.writelines(part.encode("utf-8") for part in html))
    return len(articles)


def _articles(tally: Tally, records: Iterable[Mapping[str, Any]]) -> tuple[list[str], Counter[str]]:
    """Return the articles that there is room for, and how many of them each filter shows."""
    room, left = {}, RECORD_LIMIT
    for name, count in _by_filter(tally).items():
        room[name] = min(count, left)
        left -= room[name]
    articles: list[str] = []
    shown_by: Counter[str] = Counter()
    size = 0
    for record in records:
        name = "error" if record["error"] is not None else record["verdict"].lower()
        if shown_by[name] < room[name] and size < PAGE_BYTES:
            articles.append(article(record))
            size += len(articles[-1])
            shown_by.update([name, "all", *(["repaired"] if record["repair"] and record["repair"]["repaired"] else [])])
    return articles, shown_by


def _by_filter(tally: Tally) -> dict[str, int]:
    """Return how many records each filter shows, in the order in which they get room."""
    errors = sum(tally.errors.values())
    return {
        "violated": tally.verdicts[VIOLATED],
        "error": errors,
        "unknown": tally.verdicts[UNKNOWN] - errors,
        "verified": tally.verdicts[VERIFIED],
    }


def _head(batch: Batch, shown_records: int, shown_by: Counter[str]) -> str:
    parts = (_notices(batch, shown_records), _counts(batch.tally), _kinds(batch.tally), _failures(batch.tally), _filter(shown_by))
    return head(f"{batch.name}: verdicts", batch.name, batch.about, f"{STYLE}{_filter_rules()}") + "".join(parts) + "<main>\n"


def _notices(batch: Batch, shown_records: int) -> str:
    said = []
    if batch.tally.records < batch.lines:
        said.append(f"The run was ended early: {batch.tally.records:,} of {counted(batch.lines, 'record')} are done, and counted here.")
    if shown_records < batch.tally.records:
        said.append(
            f"This page shows {counted(shown_records, 'record')} and leaves out {batch.tally.records - shown_records:,}, which are counted all the "
            "same; VIOLATED ones come first, then errors, UNKNOWN and VERIFIED. The file of records holds all."
        )
    return "".join(f'<p class="notice">{text}</p>' for text in said)


def _counts(tally: Tally) -> str:
    groups = _by_filter(tally)
    total = max(1, tally.records)
    cards = [("records", f"{tally.records:,}", ""), ("claims", f"{sum(tally.claims.values()):,}", "")]
    for name, key in _FILTERS:
        if key != "error" or groups[key]:
            sign = SIGNS.get(name, "!")
            cards.append((f"{sign} {name}", f"{groups[key]:,}", f" {100 * groups[key] / total:.1f} %"))
    if tally.repaired:
        cards.append(("repaired", f"{tally.repaired:,}", ""))
    items = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{share}</small></dd></div>" for name, value, share in cards)
    bars = "".join(f'<i class="{key}" style="flex:{groups[key]}"></i>' for _, key in reversed(_FILTERS) if groups[key])
    return f'<dl class="counts">{items}</dl><div class="bar" aria-hidden="true">{bars}</div>'


def _kinds(tally: Tally) -> str:
    if not tally.kinds:
        return '<p class="none">No claim was found that could be checked.</p>'
    names = "".join(f'<th scope="col" class="number">{SIGNS[verdict]} {verdict}</th>' for verdict in VERDICTS)
    rows = "".join(
        f'<tr><th scope="row"><b>{shown(domain, 80)}</b> {shown(kind, 80)}</th>' + "".join(_number(row[verdict]) for verdict in VERDICTS) + "</tr>"
        for (domain, kind), row in tally.kinds.items()
    )
    return (
        '<div class="scroll"><table><caption>Claims by kind</caption><thead><tr><th scope="col">domain and kind</th>'
        f"{names}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _failures(tally: Tally) -> str:
    rows = [("no verdict", code, count) for code, count in sorted(tally.errors.items())]
    rows += [(f"{domain} did not come to an end", code, count) for (domain, code), count in sorted(tally.degraded.items())]
    if not rows:
        return ""
    body = "".join(f"<tr><td>{shown(what, 100)}</td><td>{shown(code, 100)}</td>{_number(count)}</tr>" for what, code, count in rows)
    return (
        '<div class="scroll"><table><caption>Failures</caption><thead><tr><th scope="col">what</th><th scope="col">code</th>'
        f'<th scope="col" class="number">records</th></tr></thead><tbody>{body}</tbody></table></div>'
    )


def _number(count: int) -> str:
    return f'<td class="number{" zero" if not count else ""}">{count:,}</td>'


def _filter(shown_by: Counter[str]) -> str:
    choices = [("all", f"All {shown_by['all']:,}")]
    choices += [(key, f"{SIGNS.get(name, '!')} {name} {shown_by[key]:,}") for name, key in _FILTERS if shown_by[key]]
    choices += [("repaired", f"Repaired {shown_by['repaired']:,}")] if shown_by["repaired"] else []
    labels = "".join(
        f'<label><input type="radio" name="show" id="show-{key}"{" checked" if key == "all" else ""}><span>{text}</span></label>'
        for key, text in choices
    )
    return f"<fieldset><legend>Show</legend>{labels}</fieldset>"


def _filter_rules() -> str:
    return "".join(f"body:has(#show-{key}:checked) article:not(.{key}){{display:none}}" for key in (*(key for _, key in _FILTERS), "repaired"))
