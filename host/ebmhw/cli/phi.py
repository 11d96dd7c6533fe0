"""`ebmhw phi`: how certain a model is, along the rows of a file of logits or along the tokens of an answer as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ebmhw.cli import options, terminal

_OF_FILES = ("key", "bfloat16", "chosen", "chosen_key", "mask", "mask_key", "vocab_size")
_OF_PROMPTS = ("model", "adapter", "system", "no_chat", "max_tokens", "temperature", "seed")


@click.command()
@click.argument("file", type=click.Path(), required=False)
@options.backend_option
@options.threads_option
@click.option("--key", metavar="NAME", help="Array of a .npz or .safetensors file.  [default: logits, else the only one]")
@click.option("--bfloat16", is_flag=True, help="16-bit words of FILE are bfloat16, which .npy files do not know.")
@click.option("--chosen", type=click.Path(), metavar="FILE", help="Token ids, integers, one a row; -100 for none.")
@click.option("--chosen-key", metavar="NAME", help="Array of that file.  [default: chosen, else the only one]")
@click.option("--mask", type=click.Path(), metavar="FILE", help="True or 1: measure the row, False or 0: leave it out; one a row.")
@click.option("--mask-key", metavar="NAME", help="Array of that file.  [default: mask, else the only one]")
@click.option("--vocab-size", type=click.IntRange(2), metavar="V", help="Entries that count; columns beyond are padding.  [default: all]")
@click.option("--model", metavar="NAME", help="smollm2, a folder, or a name on the hub that is cached: answers --prompt.")
@click.option("--prompt", metavar="TEXT", help="What the model is to answer.")
@click.option("--adapter", type=click.Path(), metavar="FOLDER", help="LoRA adapter of the model, as peft writes it.")
@click.option("--system", metavar="TEXT", help="What stands before the conversation.")
@click.option("--no-chat", is_flag=True, help="Let the model continue the prompt as it is, without its chat template.")
@click.option("--max-tokens", type=click.IntRange(1), default=256, show_default=True, help="Tokens of the answer.")
@click.option("--temperature", type=float, default=0.0, help="0 always takes the likeliest token, up to 10 draws.  [default: 0]")
@options.seed_option
@click.option("--limit", type=click.IntRange(0), metavar="ROWS", help="Rows to list.  [default: 20 of FILE, none of an answer, all as JSON]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="PNG", help="Write phi along the rows as a picture (needs ebmhw[plots]).")
@click.option("--html", type=click.Path(dir_okay=False), metavar="PAGE", help="Write a page: tokens coloured by phi, phi along them.")
@click.pass_context
def phi(
    context: click.Context,
    /,
    file: str | None,
    prompt: str | None,
    backend: str | None,
    threads: int | None,
    limit: int | None,
    as_json: bool,
    plot: str | None,
    html: str | None,
    **asked: Any,
) -> None:
    """Measure the rows of FILE, logits (..., tokens, vocabulary) in a .npy, .npz or .safetensors file, or the answer of --model to --prompt.

    phi is 1 - H / log2 V: 0 for a uniform distribution, 1 for certainty. Of an answer it is that of the model's own distribution before each
    token, whatever the temperature; tokens appear as they come, coloured by phi where the terminal has colours, and Ctrl-C ends them.

    \b
    ebmhw phi logits.npy --chosen ids.npy
    ebmhw phi --model smollm2 --prompt "What is the capital of France?" --html page.html

    --json of a file prints "file", "shape" (of the rows), how they were measured, "means", "shown" (rows listed, where --limit cuts) and arrays
    over the rows in C order: phi, entropy_bits, log_z, margin and chosen_logprob (nats), argmax, chosen, z1 and z2 (base-2 exponents, 10 fraction
    bits) are null where a row has none; the integers behind the floats (_q20, 20 fraction bits) are 0 there; valid, masked and excluded count
    entries; flags are bits, flag_names their names; mask is false for rows that --mask left out. Of an answer it prints how it was made, "text",
    "finish" (stop, length, interrupt), the measures, "dispersion_index" (null below 16 tokens), "regime", and arrays over its tokens: tokens (texts),
    token_ids, phi, entropy (nats), selected_prob.
    """
    _check_subject(context, file, prompt, asked)
    _check_outputs(plot, html)
    if file is not None:
        from ebmhw.cli.phi_file import FileOptions, measure_file

        measure_file(file, FileOptions(**{name: asked[name] for name in _OF_FILES}), backend, threads, limit, as_json, plot, html)
    else:
        from ebmhw.cli.phi_prompt import PromptOptions, answer_prompt

        given = PromptOptions(prompt or "", **{name: asked[name] for name in _OF_PROMPTS})
        answer_prompt(given, backend, threads, limit, as_json, plot, html)


def _check_subject(context: click.Context, file: str | None, prompt: str | None, asked: dict[str, Any]) -> None:
    """Refuse both subjects, none, and options of the other one."""
    if file is not None and prompt is not None:
        raise click.UsageError("FILE and --prompt are two things to measure; give one of them")
    if file is None and prompt is None:
        what = "--model answers a prompt; give --prompt TEXT" if asked["model"] is not None else "give FILE, or --model and --prompt"
        raise click.UsageError(f"there is nothing to measure: {what}")
    for name in _OF_PROMPTS if file is not None else _OF_FILES:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            one, other = ("--prompt", "FILE") if file is not None else ("FILE", "--prompt")
            raise click.UsageError(f"--{name.replace('_', '-')} is about {one}; leave it out with {other}")
    if prompt is None:
        return
    if asked["model"] is None:
        raise click.UsageError("--prompt needs a model that answers it; give --model, such as --model smollm2")
    if not prompt:
        raise click.UsageError("--prompt is empty; give a text")
    if asked["system"] is not None and asked["no_chat"]:
        raise click.UsageError("--system is a turn of a chat, which --no-chat does without; give one of them")


def _check_outputs(plot: str | None, html: str | None) -> None:
    if plot is not None:
        if Path(plot).suffix.lower() != ".png":
            raise click.UsageError(f"--plot {plot} does not end in .png; pictures are PNG, give a name that says so")
        terminal.figure_class()
    terminal.check_writable("--plot", plot)
    terminal.check_writable("--html", html)
