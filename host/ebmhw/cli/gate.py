"""`ebmhw gate`: whether an adapter does its task, and coherently enough."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import terminal
from ebmhw.coherence.constants import SIGMA

if TYPE_CHECKING:
    from ebmhw.coherence.gates.report import Comparison, EvalReport, GateDecision
    from ebmhw.coherence.tasks.task import Task

_SHARE = click.FloatRange(0, 1)


@click.command()
@click.argument("adapter", required=False, type=click.Path())
@click.option("--task", "task_name", default="arithmetic", show_default=True, metavar="NAME|FILE", help="arithmetic, or a .jsonl file of prompts.")
@click.option("--base", metavar="NAME", help="Model of the adapter: smollm2, a folder, or a name on the hub.  [default: the one it names]")
@click.option("--threshold", type=_SHARE, default=0.5, show_default=True, help="The mean score that is to be reached.")
@click.option("--lower-bound", is_flag=True, help="The lower end of the score's 95 % interval is to reach it.")
@click.option("--phi-floor", type=_SHARE, default=SIGMA, show_default=True, help="The mean phi that is to be reached.")
@click.option("--discontinuity", type=(_SHARE, _SHARE), default=(0.3, 0.7), show_default=True, help="Band of the mean discontinuity score.")
@click.option("--examples", type=click.IntRange(1, 100_000), default=32, show_default=True, help="Examples to answer.")
@click.option("--least-examples", type=click.IntRange(1), default=10, show_default=True, help="Examples below which nothing passes.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Which of the task's examples.")
@click.option("--batch", type=click.IntRange(1, 1024), default=8, show_default=True, help="Examples answered at a time.")
@click.option("--max-tokens", type=click.IntRange(1, 65536), default=128, show_default=True, help="Tokens of an answer.")
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds after which the gate stays closed.")
@click.option("--compare", is_flag=True, help="Answer without the adapter too, and show the difference.")
@click.option("--base-only", is_flag=True, help="Judge the model of --base itself; give no ADAPTER.")
@click.option("--device", metavar="NAME", help="Where the model runs, such as cuda.  [default: the CPU]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with all answers.")
def gate(
    adapter: str | None,
    task_name: str,
    base: str | None,
    threshold: float,
    lower_bound: bool,
    phi_floor: float,
    discontinuity: tuple[float, float],
    examples: int,
    least_examples: int,
    seed: int,
    batch: int,
    max_tokens: int,
    time_limit: float | None,
    compare: bool,
    base_only: bool,
    device: str | None,
    as_json: bool,
) -> None:
    """Let ADAPTER, a folder that peft wrote, answer examples that no training saw, and judge answers and phi.

    Passed (status 0) is who reaches --threshold and --phi-floor with a discontinuity score within its band, over enough examples, all of them
    answered. Everything else is status 1, also a time limit that was hit or a model that broke off. Status 2: wrong use, or an adapter, model
    or task that cannot be loaded.
    """
    if base_only and (adapter is not None or compare):
        raise click.UsageError("--base-only judges the model of --base alone; leave ADAPTER and --compare out")
    if base_only and base is None:
        raise click.UsageError("--base-only needs --base NAME, the model that is to be judged")
    if not base_only and adapter is None:
        raise click.UsageError("name the adapter, a folder that peft wrote, or judge a model without one (--base NAME --base-only)")
    from ebmhw.coherence.gates.report import EvalGate
    from ebmhw.coherence.tasks import task_of

    judge = EvalGate(threshold, phi_floor, discontinuity, least_examples=least_examples, lower_bound=lower_bound)
    task = task_of(task_name)
    task.examples("eval", examples, seed)
    options = {"examples": examples, "seed": seed, "batch": batch, "max_tokens": max_tokens, "time_limit": time_limit}
    report, comparison = _answered(adapter, base, device, task, compare, options)
    decision = judge.check(report)
    if as_json:
        told = {"adapter": adapter, "base": base, "seed": seed, **decision.to_dict(), "report": report.to_dict()}
        terminal.echo_json(told | ({} if comparison is None else {"comparison": comparison.to_dict()}))
    else:
        _print(decision, report, comparison)
    if not decision.passed:
        sys.exit(1)


def _answered(
    adapter: str | None, base: str | None, device: str | None, task: Task, compare: bool, options: dict[str, Any]
) -> tuple[EvalReport, Comparison | None]:
    from ebmhw.coherence.gates import evaluation

    runs = 2 if compare else 1
    with click.progressbar(length=runs * options["examples"], label="answering", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        told = [0]

        def progress(done: int, _: int) -> None:
            if done < told[0]:  # the second run begins
                told[0] = 0
            bar.update(done - told[0])
            told[0] = done

        if compare and adapter is not None:
            return evaluation.compare(adapter, task, base=base, device=device, progress=progress, **options)
        return evaluation.evaluate_adapter(adapter, task, base=base, device=device, progress=progress, **options), None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _print(decision: GateDecision, report: EvalReport, comparison: Comparison | None) -> None:
    rows = [(one.name, _number(one.value), one.limit, "yes" if one.passed else "NO") for one in decision.criteria]
    click.echo(terminal.table(rows, ("criterion", "value", "limit", "passed")))
    click.echo()
    interval = report.interval
    between = "" if interval is None else f" (95 %: {interval.low:.3f} to {interval.high:.3f})"
    click.echo(f"{report.model} on {report.task}: metric {_number(report.metric)}{between}, {report.n_answered} examples in {report.seconds:.1f} s")
    if comparison is not None:
        said = "unknown"
        if comparison.difference is not None and comparison.interval is not None:
            said = f"{comparison.difference:+.4f} (95 %: {comparison.interval.low:+.3f} to {comparison.interval.high:+.3f})"
        alone = comparison.base
        click.echo(f"{alone.model} alone: metric {_number(alone.metric)}, phi_mean {_number(alone.phi_mean)}")
        click.echo(f"difference: {said}, better at {comparison.better} and worse at {comparison.worse} of {comparison.pairs}")
    click.echo("passed" if decision.passed else "not passed: " + "; ".join(decision.reasons))
