"""The style of what only this page has: its drawings."""

STYLE = """
.histogram rect { fill: var(--accent); opacity: .75; } .axis { stroke: var(--line); fill: none; } .mean { stroke: var(--ink); stroke-width: 1.5; }
.interval .range { stroke: var(--accent); stroke-width: 3; } .interval circle { fill: var(--accent); } .chance { stroke: var(--soft); }
.interval.plain .range { stroke: var(--warm); } .interval.plain circle { fill: var(--warm); }
.bar rect { fill: var(--accent); opacity: .75; }
.map { width: 100%; min-width: 40rem; height: auto; }
.map .good { fill: var(--accent); } .map .bad { stroke: var(--warm); stroke-width: 1.6; fill: none; } .map .open { stroke: var(--soft); fill: none; }
.map .chosen { stroke: var(--ink); stroke-width: 1.5; fill: var(--pale); }
"""
