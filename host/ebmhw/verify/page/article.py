"""Article: one record of a batch as HTML, its claims marked in the text and listed below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ebmhw.pages.words import counted, shown
from ebmhw.verify.marking import marked
from ebmhw.verify.page.differences import changes
from ebmhw.verify.page.words import SIGNS, badge
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

TEXT_LIMIT = 6000
"""Characters of a text that are shown."""

CLAIM_LIMIT = 60
"""Claims of a record that are listed and marked."""

_WORDS_LIMIT, _REASON_LIMIT = 300, 1500

_SCROLLED = 800
"""Bytes of HTML that fill the box of a text on a telephone."""

_WORST_FIRST = (VIOLATED, UNKNOWN, VERIFIED)


def article(record: Mapping[str, Any]) -> str:
    """Return a record as an HTML article; its classes are what the page's filter goes by."""
    line, repair, error = int(record["line"]), record["repair"], record["error"]
    classes = ["error"] if error is not None else [str(record["verdict"]).lower()]
    classes += ["repaired"] if repair and repair["repaired"] else []
    name = "" if record["id"] is None else f'<span class="id">{shown(str(record["id"]), 80)}</span>'
    verdict = badge(record["verdict"]) if error is None else '<span class="badge error"><span aria-hidden="true">!</span> ERROR</span>'
    if repair and repair["attempts"]:
        verdict += f' <span class="arrow">after repair</span> {badge(record["final_verdict"])}'
    parts = [
        f'<article id="l{line}" class="{" ".join(classes)}">',
        f'<header><h2><a href="#l{line}">Line {line}</a></h2>{name}<span class="verdicts">{verdict}</span></header>',
        f'<p class="reason">{shown(record["reason"], _REASON_LIMIT)}</p>',
    ]
    if record["question"]:
        parts.append(_block("Question", _plain(record["question"])))
    if record["response"] is not None:
        parts.append(_answers(line, record))
    parts += [_claims(line, record["claims"]), _rest(record), "</article>\n"]
    return "".join(parts)


def _answers(line: int, record: Mapping[str, Any]) -> str:
    """Return the answer, and beside it the repaired one where there is one."""
    response, repair = record["response"], record["repair"]
    if not repair or repair["final_answer"] == response:
        return _block("Answer", _with_claims(line, response, record["claims"], []))
    final = repair["final_answer"]
    removed, added = _spans(response, final)
    before = _block("Answer", _with_claims(line, response, record["claims"], removed))
    after = _block(f"{'Repaired' if repair['repaired'] else 'Best'} answer", _with_edits(final, added))
    return f'<div class="beside">{before}{after}</div>'


def _spans(before: str, after: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return what was taken out of the one text and what was put into the other; only of the part that is shown."""
    removed, added, i, j = [], [], 0, 0
    for change in changes(before[: 2 * TEXT_LIMIT], after[: 2 * TEXT_LIMIT]):
        if change.before != change.after:
            removed.append((i, i + len(change.before)))
            added.append((j, j + len(change.after)))
        i, j = i + len(change.before), j + len(change.after)
    return removed, added


def _block(title: str, content: str) -> str:
    # What may be taller than its box is scrolled, with the keyboard too.
    scrolled = f' tabindex="0" role="region" aria-label="{title}"' if len(content) > _SCROLLED else ""
    return f'<section><h3>{title}</h3><div class="text" dir="auto"{scrolled}>{content}</div></section>'


def _plain(text: str) -> str:
    return shown(text[:TEXT_LIMIT]) + _left_out(text)


def _left_out(text: str, claims: int = 0) -> str:
    more = len(text) - TEXT_LIMIT
    if more <= 0:
        return ""
    within = f", with {counted(claims, 'claim')} in them" if claims else ""
    return f'<span class="note">… {counted(more, "more character")} left out here{within}</span>'


def _with_edits(text: str, added: Sequence[tuple[int, int]]) -> str:
    pieces = marked(text[:TEXT_LIMIT], added)
    return "".join(f"<ins>{shown(piece.text)}</ins>" if piece.spans else shown(piece.text) for piece in pieces) + _left_out(text)


def _with_claims(line: int, text: str, claims: Sequence[Mapping[str, Any]], removed: Sequence[tuple[int, int]]) -> str:
    """Return a text with its claims marked, each with its number and sign at its end, and with what a repair took out struck through."""
    numbers = sorted(_listed(claims))
    spans = [(claims[i]["span"][0], claims[i]["span"][1]) for i in numbers]
    parts, at = [], 0
    for piece in marked(text[:TEXT_LIMIT], [*spans, *removed]):
        at += len(piece.text)
        inside = [numbers[k] for k in piece.spans if k < len(numbers)]
        html = shown(piece.text)
        if any(k >= len(numbers) for k in piece.spans):
            html = f"<del>{html}</del>"
        if inside:
            worst = next(verdict for verdict in _WORST_FIRST if any(claims[i]["verdict"] == verdict for i in inside))
            title = "\n".join(f"{claims[i]['verdict']}: {claims[i]['reason']}" for i in inside)
            html = f'<mark class="{worst.lower()}" title="{shown(title, _REASON_LIMIT)}">{html}</mark>'
        ends = [i for i in inside if min(claims[i]["span"][1], TEXT_LIMIT) == at]
        parts.append(html + "".join(_reference(line, i, claims[i]["verdict"]) for i in ends))
    hidden = sum(claim["span"][0] >= TEXT_LIMIT for claim in claims)
    return "".join(parts) + _left_out(text, hidden)


def _reference(line: int, i: int, verdict: str) -> str:
    return f'<sup><a class="{verdict.lower()}" href="#l{line}c{i + 1}" aria-label="claim {i + 1}, {verdict}">{SIGNS[verdict]}{i + 1}</a></sup>'


def _listed(claims: Sequence[Mapping[str, Any]]) -> set[int]:
    """Return the indices of the claims that are listed: all, or of too many the worst."""
    order = sorted(range(len(claims)), key=lambda i: (_WORST_FIRST.index(claims[i]["verdict"]), i))
    return set(order[:CLAIM_LIMIT])


def _claims(line: int, claims: Sequence[Mapping[str, Any]]) -> str:
    """Return the list of what does not hold or is not known, open, and that of what holds, to be opened."""
    listed = _listed(claims)
    parts = []
    for verdicts, opened in (((VIOLATED, UNKNOWN), " open"), ((VERIFIED,), "")):
        counts = [(verdict, sum(claim["verdict"] == verdict for claim in claims)) for verdict in verdicts]
        total = sum(count for _, count in counts)
        if not total:
            continue
        summary = ", ".join(f"{count:,} {verdict}" for verdict, count in counts if count) + (" claim" if total == 1 else " claims")
        chosen = [i for i in sorted(listed) if claims[i]["verdict"] in verdicts]
        more = total - len(chosen)
        note = f'<p class="note">… {counted(more, "more claim")} left out here</p>' if more else ""
        items = "".join(_claim(line, i, claims[i]) for i in chosen)
        parts.append(f'<details{opened}><summary>{summary}</summary><ol class="claims">{items}</ol>{note}</details>')
    return "".join(parts)


def _claim(line: int, i: int, claim: Mapping[str, Any]) -> str:
    fix = "" if claim["fix"] is None else f'<p class="fix">Fix: <ins dir="auto">{shown(claim["fix"], _WORDS_LIMIT)}</ins></p>'
    return (
        f'<li id="l{line}c{i + 1}" value="{i + 1}"><p>{badge(claim["verdict"])} <q dir="auto">{shown(claim["text"], _WORDS_LIMIT)}</q> '
        f'<span class="kind">{shown(claim["domain"], 80)} · {shown(claim["kind"], 80)}</span></p>'
        f'<p class="why">{shown(claim["reason"], _REASON_LIMIT)}</p>{fix}</li>'
    )


def _rest(record: Mapping[str, Any]) -> str:
    """Return what is to be said beside the claims: attempts at a repair, and the certificate; the rest is in the record's reason."""
    said = []
    repair = record["repair"]
    for number, attempt in enumerate(repair["attempts"] if repair else (), 1):
        said_of_it = shown(attempt["reason"], _REASON_LIMIT)
        outcome = said_of_it if attempt["response"] is None else f"{badge(attempt['verdict'])} {said_of_it}"
        said.append(f"Repair {number}, {shown(attempt['method'], 80)}: {outcome}")
    if record["certificate"] is not None:
        said.append(f"Certificate: <code>{shown(record['certificate'], 200)}</code>")
    return f'<ul class="rest">{"".join(f"<li>{item}</li>" for item in said)}</ul>' if said else ""
