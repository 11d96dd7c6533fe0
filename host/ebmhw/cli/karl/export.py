"""`ebmhw karl export`: a training set as files."""

from __future__ import annotations

from pathlib import Path

import click

from ebmhw.cli import terminal
from ebmhw.cli.karl import source
from ebmhw.cli.karl.examples import FORMATS, failed_option, reason

COUNTS = {
    "sessions": "sessions",
    "examples": "examples of them",
    "extra": "examples of commits",
    "train": "lines to train on",
    "valid": "lines to validate",
}
FILES = ("train.jsonl", "valid.jsonl", "manifest.json")


@click.command()
@click.argument("output", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("--as", "form", type=click.Choice(FORMATS), default="messages", show_default=True, help="What the lines are.")
@click.option("--chosen", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="Only the ids that `select` wrote.")
@click.option(
    "--git",
    "repositories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Add questions made of a repository's commits.",
)
@click.option("--valid", type=click.FloatRange(0, 0.5), help="Share of examples for validation, by task.  [default: 0.1, of a FILE.jsonl 0]")
@failed_option
@source.store_option
@source.traces_option
@source.format_option
@source.rules_option
@source.half_life_option
@source.per_user_option
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Of the split, and of the order of copies.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON document.")
def export(
    output: Path,
    form: str,
    chosen: Path | None,
    repositories: tuple[Path, ...],
    valid: float | None,
    failed: bool,
    store: Path | None,
    traces: tuple[Path, ...],
    format_name: str,
    rules: Path | None,
    half_life: float | None,
    per_user: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Write train.jsonl, valid.jsonl and manifest.json into FOLDER, in forms that TRL's trainers take as they are.

    Where FOLDER is a FILE.jsonl, all goes into that file. Held-out sessions are left out, and those that make no example are counted: without a
    prompt, with fewer than 2 calls, for messages, completions and oversampled without an advantage above 0 or verified as failed. Splitting is by
    task and comes before oversampling, so no copy of an example is in both files.
    """
    from ebmhw.karl import exports

    if output.suffix == ".jsonl":
        terminal.check_writable("FOLDER", f"{output}")
        files = [output, output.with_suffix(".manifest.json")]
    else:
        source.check_folder("FOLDER", output)
        files = [output / name for name in FILES]
    for file in files:
        source.check_apart("FOLDER", file, None if traces else source.store_path(store), chosen, rules, *traces)
    sessions = source.sessions_of(store, traces, format_name, rules)
    found = sessions.advantages(half_life, per_user)
    selection = None if chosen is None else source.chosen_of(chosen, sessions)
    given = None if selection is None else dict(zip(selection["ids"], selection["weights"], strict=True))
    kept = [i for i, one in enumerate(sessions.trajectories) if given is None or one.id in given]
    extra = [example for repository in repositories for example in exports.git_questions(repository)]
    done = exports.export(
        [sessions.trajectories[i] for i in kept],
        output,
        form,
        advantages=found[kept],
        rewards=[sessions.rewards[i] for i in kept],
        weights=None if given is None else [given[sessions.trajectories[i].id] for i in kept],
        valid=valid,
        seed=seed,
        exclude=sessions.held_out,
        extra=extra,
        failed=failed,
    )
    if given is not None and done.counts["examples"] < len(given):
        some = f"{done.counts['examples']} of the {len(given)} chosen sessions make an example"
        click.echo(f"warning: {some}; `ebmhw karl select --as {form}` chooses only such", err=True)
    left_out = {reason(why): count for why, count in done.left_out.items()}
    if as_json:
        terminal.echo_json({"paths": {name: str(path) for name, path in done.paths.items()}, "counts": done.counts, "left_out": left_out})
        return
    rows = [(COUNTS[name], f"{count:,}") for name, count in done.counts.items()]
    rows[1:1] = [(f"left out: {why}", f"{count:,}") for why, count in left_out.items()]
    click.echo(terminal.table([*rows, *(("written", str(path)) for path in done.paths.values())]))
