"""`ebmhw karl select`: a training set chosen among the sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal
from ebmhw.cli.karl import source
from ebmhw.cli.karl.examples import ANY, FORMATS, failed_option, makes_examples
from ebmhw.files import write_whole

if TYPE_CHECKING:
    from ebmhw.karl.selection.result import Selection

METHODS = ("qubo", "greedy", "top-k", "advantage", "balanced", "uniform")


def _quotas(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, tuple[int | None, int | None]]:
    found: dict[str, tuple[int | None, int | None]] = {}
    for value in values:
        domain, mark, limits = value.rpartition("=")
        least, colon, most = limits.partition(":")
        if not mark or not domain or not colon or not all(part == "" or (part.isascii() and part.isdecimal()) for part in (least, most)):
            raise click.BadParameter(
                f"{value!r} is no quota; write DOMAIN=LEAST:MOST, such as web=2:10, either end may be left out", context, parameter
            )
        if max(len(least), len(most)) > 9:
            raise click.BadParameter(f"{value!r} holds a number above 999999999; give fewer sessions", context, parameter)
        if domain in found:
            raise click.BadParameter(f"domain {domain!r} has two quotas; give one", context, parameter)
        found[domain] = (int(least) if least else None, int(most) if most else None)
    return found


@click.command()
@click.option("--size", type=click.IntRange(1), required=True, help="Sessions to choose.")
@click.option("--method", type=click.Choice(METHODS), default="qubo", show_default=True, help="How.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the ids as JSON, for `export --chosen` and `report --chosen`.")
@click.option(
    "--as",
    "form",
    type=click.Choice([*FORMATS, ANY]),
    default="messages",
    show_default=True,
    help="Choose among sessions that `export --as` makes an example of; any: among all.",
)
@failed_option
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@source.half_life_option
@source.per_user_option
@click.option(
    "--quota", "quotas", multiple=True, callback=_quotas, metavar="DOMAIN=LEAST:MOST", help="Sessions of a domain; may be given more than once."
)
@click.option(
    "--diversity", type=click.FloatRange(0), default=1.0, show_default=True, metavar="D", help="Weight of redundancy: 1 weighs as advantage, 0 none."
)
@options.backend_option
@options.seed_option
@click.option("--compare", "as_comparison", is_flag=True, help="Choose by every method, print them side by side; FILE gets the table too.")
@click.option("--json", "as_json", is_flag=True, help="Print the selection as one JSON document.")
def select(
    size: int,
    method: str,
    output: str | None,
    form: str,
    failed: bool,
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str,
    rules: Path | None,
    half_life: float | None,
    per_user: bool,
    quotas: dict[str, tuple[int | None, int | None]],
    diversity: float,
    backend: str | None,
    seed: int | None,
    as_comparison: bool,
    as_json: bool,
) -> None:
    """Choose sessions to train on: many advantages, few repetitions; held-out sessions are left out.

    qubo lets a backend of the sampler maximise the sum of advantages less lambda times the similarities of chosen pairs.

    So that --size sessions become as many examples, only those are chosen from which the export makes one: by default those with an advantage above
    0, a prompt and 2 calls or more. --as dpo and kto take both sides of the advantage, --as any takes all.
    """
    from ebmhw.karl import selection

    terminal.check_writable("--output", output)
    source.check_apart("--output", output, None if traces else source.store_path(store), rules, *traces)
    sessions = source.sessions_of(store, traces, format_name, rules)
    advantages = sessions.advantages(half_life, per_user)
    possible = makes_examples(sessions, advantages, form, failed)
    possible.check(size, form)
    _check_domains(quotas, {one.domain_or_global for one in sessions.trajectories if one.id in possible.ids})
    given: dict[str, Any] = {
        "advantages": advantages,
        "rewards": sessions.rewards,
        "backend": backend,
        "quotas": quotas or None,
        "seed": seed,
        "exclude": {one.id for one in sessions.trajectories} - possible.ids,
        "diversity": diversity,
    }
    if as_comparison:
        table = selection.compare(sessions.trajectories, size, **given)
        chosen = next(one for one in table if one.method == method)
    else:
        chosen = selection.select(sessions.trajectories, size, method, **given)
    ids = [one.id for one in chosen.of(sessions.trajectories)]
    told = {"ids": ids, "as": form, **{name: value for name, value in vars(chosen).items() if name != "indices"}}
    if as_comparison:
        told["comparison"] = [_numbers(one) for one in table]
    if output is not None:
        text = json.dumps(terminal.plain(told), indent=1, allow_nan=False) + "\n"
        write_whole(output, lambda stream: stream.write(text.encode()))
    if as_json:
        terminal.echo_json(told)
        return
    # What is printed for the next program to read is ids alone.
    listed = output is None and not as_comparison
    click.echo(f"{table}" if as_comparison else f"{chosen}", err=listed)
    click.echo(f"of {len(possible.ids):,} sessions{possible.said()}; seed {chosen.info['seed']}", err=listed)
    for name in ids if listed else ():
        click.echo(name)


def _check_domains(quotas: dict[str, tuple[int | None, int | None]], domains: set[str]) -> None:
    from ebmhw.config.nearest import proposal

    for domain in quotas:
        if domain not in domains:
            raise click.UsageError(f"--quota: no session to choose from is of the domain {domain!r}; {proposal(domain, sorted(domains))}")


def _numbers(one: Selection) -> dict[str, Any]:
    return {
        "method": one.method,
        "sessions": len(one),
        "objective": one.objective,
        "coverage": one.coverage,
        "domains": one.domains,
        "effective_size": one.effective_size,
        "redundancy": one.info["redundancy"],
        "seconds": one.seconds,
        "exact": one.exact,
    }
