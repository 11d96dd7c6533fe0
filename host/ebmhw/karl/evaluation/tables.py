"""Figures as tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ebmhw.karl.evaluation.figures import Estimate, Figures

_COLUMNS = ("", "sessions", "tasks", "good", "bad", "unknown", "NLL (95 %)", "NLL good", "NLL bad", "gap (95 %)", "within tasks (95 %)")
_TOOLS = ("", "steps", "model (95 %)", "most frequent", "repeat last", "bigram")


def figures_table(rows: Mapping[str, Figures]) -> str:
    """Return a row for each name, with "-" for what nothing is known of."""
    lines = [
        (
            name,
            *map(str, (one.sessions, one.tasks, one.good, one.bad, one.unknown)),
            estimate(one.nll),
            number(one.nll_good),
            number(one.nll_bad),
            estimate(one.gap),
            estimate(one.gap_within),
        )
        for name, one in rows.items()
    ]
    return aligned([_COLUMNS, *lines])


def tools_table(rows: Mapping[str, Figures]) -> str:
    """Return a row for each name: the share of next tools that the model names, and those that guesses without a model get right."""
    lines = [
        (
            name,
            "-" if one.next_tool is None else str(one.next_tool.size),
            estimate(one.next_tool),
            *(number(None if guess is None else guess.value) for guess in (one.most_frequent, one.repeat_last, one.bigram)),
        )
        for name, one in rows.items()
    ]
    return aligned([_TOOLS, *lines])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines, the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Return a number to three places, "-" for none."""
    return "-" if value is None else f"{value:.3f}"


def estimate(value: Estimate | None, sign: bool = False) -> str:
    """Return a figure with its interval, where it has one, and the number of tasks that carry it; "-" for none."""
    if value is None:
        return "-"
    form = "+.3f" if sign else ".3f"
    told = format(value.value, form)
    ends = "" if value.interval is None else f"{value.interval.low:{form}} to {value.interval.high:{form}}, "
    return f"{told} ({ends}n={value.tasks})"
