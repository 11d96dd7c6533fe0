"""`ebmhw phi --model NAME --prompt TEXT`: an answer as it comes, coloured by phi, and its measures."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebmhw.cli import options, terminal
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from ebmhw.coherence.capture.captured import TokenPhi
    from ebmhw.coherence.capture.streaming import Generation

_COLOURS = ((0.3, 160), (0.5, 166), (0.7, 136), (0.9, 64))
"""Of 256: up to that phi red, orange, ochre, olive, which can be read on black and on white; the rest is as the terminal writes."""

_ENDS = {"stop": "ended by the model", "length": "cut at its length", "interrupt": "interrupted"}

INTERRUPTED = 130

_ARRAYS = ("token_ids", "phi", "entropy", "selected_prob", "delta_phi")


class PromptOptions(NamedTuple):
    """What is asked of a model; see `ebmhw phi --help`."""

    prompt: str
    model: str
    adapter: str | None
    system: str | None
    no_chat: bool
    max_tokens: int
    temperature: float
    seed: int | None


class Order(NamedTuple):
    """What an answer looks like.

    Attributes
    ----------
    dispersion : its dispersion index, None where it is unknown
    regime : one of `ebmhw.coherence.order.REGIMES`
    """

    dispersion: float | None
    regime: str


def answer_prompt(
    asked: PromptOptions, backend: str | None, threads: int | None, limit: int | None, as_json: bool, plot: str | None, html: str | None
) -> None:
    """Generate an answer, print it as it comes, and print and write what is asked for of what there is, also after Ctrl-C."""
    from ebmhw.coherence.capture.loading import load_causal_lm
    from ebmhw.coherence.capture.streaming import generate, prompt_tokens
    from ebmhw.coherence.order import dispersion_index, regime

    meter = options.backend_of(backend, threads)
    loaded = load_causal_lm(asked.model, asked.adapter)
    prompt_ids = prompt_tokens(loaded, asked.prompt, asked.system, False if asked.no_chat else None)
    colours = has_colours()
    if colours and not as_json:
        click.echo(_legend(), color=True)
    special = set(getattr(loaded.tokenizer, "all_special_ids", ()))

    told = 0

    def hear(token: TokenPhi, text: str) -> None:
        nonlocal told
        told += len(text)
        if not as_json and token.token_id not in special:
            click.echo(_painted(visible(text), token.phi) if colours else visible(text), nl=False, color=colours)
            sys.stdout.flush()

    began = time.perf_counter()
    made = generate(loaded, prompt_ids, max_tokens=asked.max_tokens, temperature=asked.temperature, seed=asked.seed, on_token=hear, backend=meter)
    seconds = time.perf_counter() - began
    order = Order(dispersion_index(made.trace), regime(made.trace))
    if as_json:
        terminal.echo_json(_document(asked, loaded.name, made, order, seconds, meter.name, limit))
    else:
        # Bytes at the end that are no whole character have waited for the rest of it.
        click.echo(visible(made.text[told:]) + "\n")
        _print(loaded.name, made, order, seconds, meter.name, limit or 0)
    _write(asked, loaded.name, made, order, plot, html)
    if made.finish == "interrupt":
        sys.exit(INTERRUPTED)


def has_colours() -> bool:
    """Return whether standard output is a terminal that shows colours, and nobody has asked for none (NO_COLOR)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"


def _painted(text: str, phi: float | None) -> str:
    colour = None if phi is None else next((code for most, code in _COLOURS if phi < most), None)
    return click.style(text, fg=colour) if colour is not None else text


def _legend() -> str:
    bounds = [0.0, *(most for most, _ in _COLOURS)]
    return "phi " + "  ".join(_painted(f"{low:.1f}", low) for low in bounds) + "  to 1"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def _print(name: str, made: Generation, order: Order, seconds: float, backend: str, limit: int) -> None:
    """Print the table where rows are asked for, phi and its changes along the tokens, and the summary."""
    trace = made.trace
    if limit and trace.n_tokens:
        click.echo(terminal.table(_rows(made, limit), ("token", "phi", "entropy nats", "probability", "id", "event", "text")))
        more = trace.n_tokens - limit
        click.echo((f"... {more} more token{'' if more == 1 else 's'}\n" if more > 0 else "") or "")
    if trace.n_tokens > 1:
        width = max(10, shutil.get_terminal_size().columns - 9)
        click.echo(f"phi      {trace.sparkline(width)}".rstrip())
        # Each change stands below the token that it led to.
        click.echo(f"changes  {' ' if trace.n_tokens <= width else ''}{trace.defect_map(width)}".rstrip())
        click.echo("         + crystallization, - melting: phi rose or fell by more than .03\n")
    measures = [
        f"mean phi {_number(trace.phi_mean, 4)}",
        f"mean entropy {_number(trace.entropy_mean, 3)} nats",
        f"mean surprisal {_number(trace.surprisal_mean, 3)} nats",
        _counted(trace.n_crystallizations, "crystallization"),
        _counted(trace.n_meltings, "melting"),
        _dispersion(order),
    ]
    click.echo(f"{name}: {_counted(trace.n_tokens, 'token')}, {', '.join(measures)}")
    drawn = [f"seed {made.seed}"] if made.seed is not None else []
    rate = f"{trace.n_tokens / seconds:.3g} tokens/s" if seconds > 0 else "0 s"
    click.echo(", ".join([_ENDS[made.finish], *drawn, f"{seconds:.3g} s, {rate}", f"measured on {backend}"]))


def _dispersion(order: Order) -> str:
    from ebmhw.coherence.order.index import MIN_TOKENS

    if order.dispersion is None:
        return f"dispersion: unknown (needs {MIN_TOKENS} tokens)"
    return f"dispersion index {order.dispersion:.3f} ({order.regime})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _rows(made: Generation, limit: int) -> list[tuple[str, ...]]:
    from ebmhw.coherence.page.tokens import signs_of
    from ebmhw.coherence.page.words import CRYSTALLIZATION

    trace, signs = made.trace, signs_of(made.trace)
    names = {at: "crystallization" if sign == CRYSTALLIZATION else "melting" for at, sign in signs.items()}
    return [
        (
            str(at),
            _number(float(trace.phi[at]), 4),
            _number(float(trace.entropy[at]), 3),
            _number(float(trace.selected_prob[at]), 4),
            str(made.token_ids[at]),
            names.get(at, ""),
            repr(visible(made.texts[at]))[1:-1] or "◌",
        )
        for at in range(min(limit, trace.n_tokens))
    ]


def _document(asked: PromptOptions, name: str, made: Generation, order: Order, seconds: float, backend: str, limit: int | None) -> dict[str, Any]:
    """Return what --json prints; arrays over the tokens, as far as --limit lets them."""
    told = made.trace.to_dict()
    count = made.trace.n_tokens if limit is None else min(limit, made.trace.n_tokens)
    arrays: dict[str, Any] = {
        "tokens": made.texts,
        **{key: told.pop(key) for key in ("token_ids", "phi", "entropy", "selected_prob", "delta_phi") if key in told},
    }
    return {
        "model": name,
        "adapter": asked.adapter,
        "prompt": asked.prompt,
        "system": asked.system,
        "prompt_tokens": len(made.prompt_ids),
        "temperature": asked.temperature,
        "seed": made.seed,
        "text": made.text,
        "finish": made.finish,
        "backend": backend,
        "seconds": seconds,
        **told,
        "dispersion_index": order.dispersion,
        "regime": order.regime,
        **({"shown": count} if count < made.trace.n_tokens else {}),
        **{key: values[:count] for key, values in arrays.items()},
    }


def _write(asked: PromptOptions, name: str, made: Generation, order: Order, plot: str | None, html: str | None) -> None:
    if plot is not None:
        from ebmhw.coherence.pictures import write_picture

        write_picture(plot, made.trace, made.texts, f"{name}: {asked.prompt}")
        click.echo(f"wrote {plot}", err=True)
    if html is not None:
        from ebmhw.coherence.page import Sheet, write_page

        drawn = "the likeliest token each time" if made.seed is None else f"temperature {asked.temperature:g}, seed {made.seed}"
        about = [f"{len(made.prompt_ids)} tokens of prompt", drawn, _ENDS[made.finish]]
        prompt = asked.prompt if asked.system is None else f"{asked.system}\n\n{asked.prompt}"
        write_page(html, [Sheet(made.trace, made.texts, prompt, None, order.dispersion, order.regime)], name, about)
        click.echo(f"wrote {html}", err=True)
