"""The style of a page: light and dark, from a telephone to a wide screen, and on paper."""

from __future__ import annotations

LIGHT = ("#f7a35c", "#f9b47a", "#fbc594", "#fcd5b0", "#fde4cb", "#fdf0e2", "#f1f4f8", "#e0ebf6", "#cfe2f4", "#bcd8f2")
DARK = ("#843a00", "#7a3a08", "#69350f", "#573016", "#45291a", "#33241d", "#232a33", "#1c3044", "#173753", "#123f63")
"""From orange (uniform) over the paper's own shade to blue (certain); ink on each has a contrast of 7 and more, for colour-blind eyes too."""


def _ramp(colours: tuple[str, ...]) -> str:
    return " ".join(f"--p{step}: {colour};" for step, colour in enumerate(colours))


STYLE = (
    f":root {{ {_ramp(LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_ramp(DARK)} }} }}\n"
    + "".join(f".p{step} {{ background: var(--p{step}); }}\n" for step in range(len(LIGHT)))
    + """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --paper: #ffffff; --ink: #1c2128; --soft: #57606a; --line: #d5dae1; --accent: #0b5cad; --up: #0b5cad; --down: #a63603;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1318; --paper: #171c23; --ink: #eef2f6; --soft: #9aa6b2; --line: #313a45; --accent: #74b3f5; --up: #8cc2fb; --down: #ffb27a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.wrap { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 6rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; border-radius: 3px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: .8rem; font-weight: 600; color: var(--soft); margin: 1rem 0 .3rem; }
.about { color: var(--soft); font-size: .875rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--down); background: var(--paper); padding: .6rem .9rem; border-radius: 6px; }
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; font-size: .8rem; color: var(--soft); margin: 0 0 1rem; align-items: center; }
.ramp { display: inline-flex; align-items: center; gap: .5rem; }
.steps { display: inline-flex; border: 1px solid var(--line); border-radius: 3px; overflow: hidden; }
.legend .pu { padding: .1em .45em; }
.steps .t { width: 1.1rem; height: .9rem; }
.sheet { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem 1.2rem; margin: 0 0 1.25rem; }
.sheet > h3:first-child { margin-top: 0; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
.prompt { color: var(--soft); max-height: 14rem; overflow-y: auto; border-left: 3px solid var(--line); padding-left: .8rem; }
.tokens { line-height: 2; font-size: 1.05rem; }
.t { padding: .12em 0; border-radius: 2px; box-shadow: inset -1px 0 0 var(--paper); -webkit-box-decoration-break: clone;
  box-decoration-break: clone; }
.pu { outline: 1px dotted var(--soft); outline-offset: -1px; }
.t:hover, .t:focus { outline: 2px solid var(--ink); outline-offset: 0; }
.up { color: var(--up); fill: var(--up); } .down { color: var(--down); fill: var(--down); }
.t > b { font-size: .55em; vertical-align: super; line-height: 0; margin: 0 .1em 0 .05em; user-select: none; }
.half, .break { font-style: normal; color: var(--soft); user-select: none; } .break { font-size: .8em; }
.tip { display: none; position: fixed; left: 0; right: 0; bottom: 0; z-index: 3; background: var(--ink); color: var(--paper); font-size: .9rem;
  line-height: 1.5; padding: .6rem 1.25rem; min-height: 3.4rem; user-select: none; white-space: normal; font-variant-numeric: tabular-nums;
  unicode-bidi: isolate; direction: ltr; }
.tip > span { display: inline-block; margin-right: 1.25rem; white-space: pre; unicode-bidi: isolate; max-width: 100%; overflow: hidden;
  text-overflow: ellipsis; vertical-align: bottom; }
.t:focus > .tip { display: block; } .t:hover > .tip { display: block; z-index: 4; }
.skip { margin: 0; font-size: .8rem; height: 0; overflow: hidden; } .skip:focus-within { height: auto; }
.after { height: 0; }
.scroll { overflow-x: auto; width: fit-content; max-width: 100%; border: 1px solid var(--line); border-radius: 8px; }
.chart { display: block; }
.chart .grid { stroke: var(--line); fill: none; } .chart .line { stroke: var(--ink); stroke-width: 1.5; stroke-linejoin: round;
  stroke-linecap: round; fill: none; } .chart .dot { stroke-width: 4; }
.chart text { font-size: 11px; fill: var(--soft); } .chart .scale { text-anchor: end; } .chart .at { text-anchor: middle; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1rem 0 0; padding: 0; }
.counts div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; }
.counts dt { font-size: .8rem; color: var(--soft); }
.counts dd { margin: 0; font-size: 1.15rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.none { color: var(--soft); }
@media (max-width: 40rem) { .wrap { padding: 1.25rem .75rem 8rem; } .sheet { padding: .8rem; } .tip { padding: .6rem .75rem; } }
@media print { .legend span:last-child, .skip { display: none; } .tip { display: none !important; } .prompt { max-height: none; }
  .t, .steps { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
)
