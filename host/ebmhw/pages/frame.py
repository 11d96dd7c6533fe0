"""The frame of a page: a head that lets nothing load, the style, the title."""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.pages.words import shown

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script, no font, no picture from anywhere, whatever stands in the texts."""

BASE = """
:root { color-scheme: light dark;
  --ground: #f6f7f9; --paper: #ffffff; --ink: #1c2128; --soft: #57606a; --line: #d5dae1; --accent: #0b5cad; --warm: #a63603; --pale: #dbe8f5; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0f1318; --paper: #171c23; --ink: #eef2f6; --soft: #9aa6b2; --line: #313a45; --accent: #74b3f5; --warm: #ffb27a; --pale: #1e3550; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.wrap { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .35rem; }
p { max-width: 46rem; margin: .35rem 0 .75rem; }
.about, .note { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--warm); background: var(--paper); padding: .6rem .9rem; border-radius: 6px; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .6rem; margin: 1rem 0; padding: 0; }
.counts div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; }
.counts dt { font-size: .8rem; color: var(--soft); }
.counts dd { margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); margin: 0 0 .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .9rem; text-align: left; border-top: 1px solid var(--line); vertical-align: middle; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .8rem; white-space: nowrap; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 7.5rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.words { overflow-wrap: anywhere; min-width: 14rem; }
.name { overflow-wrap: anywhere; min-width: 5rem; }
.soft { color: var(--soft); }
svg { display: block; }
svg text { font-size: 11px; fill: var(--soft); }
@media (max-width: 40rem) { .wrap { padding: 1.25rem .75rem 3rem; } th, td { padding: .35rem .5rem; } table { font-size: .8rem; } }
@media print { .scroll { overflow: visible; } svg { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


def head(title: str, heading: str, about: Sequence[str], style: str) -> str:
    """Return the head of a page and the beginning of its body, up to what `FOOT` closes but for ``<main>``.

    Parameters
    ----------
    title : plain text, for the window
    heading, about : plain text, what the page is called and how it came about
    style : all of it
    """
    lines = " · ".join(shown(line, 300) for line in about)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{shown(title, 240)}</title><style>{style}</style></head>\n"
        f'<body><div class="wrap"><h1>{shown(heading, 200)}</h1><p class="about">{lines}</p>'
    )


FOOT = "</main></div></body></html>\n"


def cards(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names with their values, which are HTML, as a row of cards."""
    return '<dl class="counts">' + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs) + "</dl>\n"


def scrolled(name: str, content: str) -> str:
    """Return HTML that may be wider than its place; keyboards scroll it too, and screen readers call it by its name, plain text."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(name)}">{content}</div>\n'


def table(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], kinds: str) -> str:
    """Return a table.

    Parameters
    ----------
    name : plain text
    header, rows : HTML
    kinds : a letter a column: "h" heads its row, "n" is a number, "w" words, "s" a short name, "p" a picture
    """
    classes = {"n": ' class="number"', "w": ' class="words"', "s": ' class="name"'}

    def cell(kind: str, text: str) -> str:
        return f'<th scope="row">{text}</th>' if kind == "h" else f"<td{classes.get(kind, '')}>{text}</td>"

    head = "".join(f'<th scope="col"{classes["n"] if kind == "n" else ""}>{text}</th>' for kind, text in zip(kinds, header, strict=True))
    lines = "".join("<tr>" + "".join(cell(kind, text) for kind, text in zip(kinds, row, strict=True)) + "</tr>\n" for row in rows)
    return scrolled(name, f"<table><thead><tr>{head}</tr></thead><tbody>\n{lines}</tbody></table>")
