"""The style of a page: light and dark, from a telephone to a wide screen, and on paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --paper: #ffffff; --ink: #1c2128; --soft: #57606a; --line: #d5dae1; --accent: #0b5cad;
  --verified: #14692f; --verified-ground: #e3f5e7; --violated: #b3202c; --violated-ground: #fde7e7;
  --unknown: #7a5300; --unknown-ground: #fbf0d2; --error: #6639ba; --error-ground: #efe7fb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --paper: #171c23; --ink: #e4e9ef; --soft: #9aa6b2; --line: #313a45; --accent: #74b3f5;
    --verified: #6fd58a; --verified-ground: #16301e; --violated: #ff9a94; --violated-ground: #401b1e;
    --unknown: #e8bf62; --unknown-ground: #362b10; --error: #c9a8f8; --error-ground: #2c2142;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.wrap { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2, h3 { margin: 0; }
.about, .note { color: var(--soft); font-size: .875rem; }
.about { margin: 0 0 1.25rem; overflow-wrap: anywhere; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--unknown); background: var(--paper); padding: .6rem .9rem; border-radius: 6px; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.25rem, 1fr)); gap: .6rem; margin: 0 0 .75rem; padding: 0; }
.counts div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; }
.counts dt { font-size: .8rem; color: var(--soft); }
.counts dd { margin: 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; }
.counts small { font-size: .8rem; font-weight: 400; color: var(--soft); }
.bar { display: flex; height: 10px; border-radius: 5px; overflow: hidden; margin: 0 0 1.5rem; gap: 2px; }
.bar i { display: block; min-width: 3px; }
.bar .verified { background: var(--verified); } .bar .violated { background: var(--violated); }
.bar .unknown { background: var(--unknown); } .bar .error { background: var(--error); }
.scroll { overflow-x: auto; margin: 0 0 1.5rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .6rem .9rem .2rem; font-weight: 600; }
tbody th { font-weight: 400; } tbody th b { font-weight: 600; }
th, td { padding: .35rem .9rem; text-align: left; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .8rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.zero { color: var(--soft); }
fieldset { position: sticky; top: 0; z-index: 2; border: 0; border-bottom: 1px solid var(--line); margin: 0 0 1rem; padding: .6rem 0;
  background: var(--ground); display: flex; flex-wrap: wrap; gap: .4rem; }
legend { float: left; padding: .2rem .5rem .2rem 0; color: var(--soft); font-size: .875rem; }
fieldset label { position: relative; cursor: pointer; font-size: .875rem; }
fieldset input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
fieldset span { display: block; padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 99px; background: var(--paper); }
fieldset input:checked + span { background: var(--ink); color: var(--paper); border-color: var(--ink); font-weight: 600; }
fieldset input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px; }
article { background: var(--paper); border: 1px solid var(--line); border-left: 5px solid var(--unknown); border-radius: 8px;
  padding: .9rem 1.1rem; margin: 0 0 1rem; content-visibility: auto; contain-intrinsic-size: auto 16rem; scroll-margin-top: 4rem; }
article.verified { border-left-color: var(--verified); } article.violated { border-left-color: var(--violated); }
article.error { border-left-color: var(--error); }
article header { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem; }
article h2 { font-size: 1rem; } article h2 a { color: inherit; text-decoration: none; } article h2 a:hover { text-decoration: underline; }
.id { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.verdicts { margin-left: auto; }
.arrow { color: var(--soft); font-size: .8rem; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: 4px; font-size: .75rem; font-weight: 650; letter-spacing: .02em;
  white-space: nowrap; }
.badge.verified { color: var(--verified); background: var(--verified-ground); } .badge.violated { color: var(--violated);
  background: var(--violated-ground); }
.badge.unknown { color: var(--unknown); background: var(--unknown-ground); } .badge.error { color: var(--error); background: var(--error-ground); }
.reason { margin: .35rem 0 .75rem; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
article h3 { font-size: .75rem; font-weight: 600; color: var(--soft); margin: .6rem 0 .15rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; max-height: 32rem; overflow-y: auto;
  padding-bottom: .3em; }
.beside { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; }
.beside section + section { border-left: 1px solid var(--line); padding-left: 1.5rem; }
mark { color: inherit; padding: .05em .1em; border-radius: 3px; text-decoration-line: underline; text-underline-offset: .22em;
  text-decoration-thickness: 2px; }
mark.verified { background: var(--verified-ground); text-decoration-color: var(--verified); text-decoration-thickness: 1px; }
mark.violated { background: var(--violated-ground); text-decoration-color: var(--violated); text-decoration-style: wavy;
  text-decoration-thickness: 1.5px; }
mark.unknown { background: var(--unknown-ground); text-decoration-color: var(--unknown); text-decoration-style: dotted; }
sup { font-size: .7em; line-height: 0; font-weight: 650; margin: 0 .15em; } sup a { text-decoration: none; }
sup .verified { color: var(--verified); } sup .violated { color: var(--violated); } sup .unknown { color: var(--unknown); }
del { text-decoration: line-through; text-decoration-thickness: 2px; text-decoration-color: var(--violated); }
ins { text-decoration: none; color: var(--verified); background: var(--verified-ground); border-bottom: 2px solid var(--verified);
  padding: 0 .15em; font-weight: 600; }
details { margin: .7rem 0 0; border-top: 1px solid var(--line); padding-top: .5rem; }
details + details { margin-top: .3rem; }
summary { cursor: pointer; font-size: .875rem; color: var(--soft); }
.claims { margin: .5rem 0 0; padding-left: 2.6rem; } .claims li { margin: 0 0 .6rem; scroll-margin-top: 4rem; overflow-wrap: anywhere; }
.claims li::marker { color: var(--soft); font-size: .875rem; font-variant-numeric: tabular-nums; }
.claims li:target { background: var(--ground); box-shadow: 0 0 0 .4rem var(--ground); border-radius: 4px; }
.claims p { margin: 0; } .claims .why, .claims .fix { font-size: .9rem; } .claims q { font-weight: 600; }
.kind { color: var(--soft); font-size: .8rem; white-space: nowrap; }
.rest { margin: .75rem 0 0; padding-left: 1.2rem; font-size: .875rem; color: var(--soft); overflow-wrap: anywhere; }
.note { display: block; margin-top: .4rem; font-style: italic; }
.none { color: var(--soft); }
@media (max-width: 40rem) {
  .wrap { padding: 1.25rem .75rem 3rem; }
  .beside { grid-template-columns: 1fr; }
  .beside section + section { border-left: 0; padding-left: 0; }
  .verdicts { margin-left: 0; width: 100%; }
  fieldset { position: static; }
  th, td { padding: .35rem .5rem; } table { font-size: .8rem; } thead th { font-size: .7rem; }
  article { padding: .8rem .8rem; }
}
@media print { fieldset { display: none; } article { content-visibility: visible; break-inside: avoid; } .text { max-height: none; } }
"""
