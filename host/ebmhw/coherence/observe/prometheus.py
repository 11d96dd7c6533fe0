"""Prometheus: a run in the text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable

from ebmhw.coherence.observe.health import LEVELS, health_of
from ebmhw.coherence.observe.phase import PHASES, phase_of
from ebmhw.coherence.observe.problems import KINDS
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.schema import ALIASES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PREFIX = "ebmhw_observe_"

_HELP = {
    "time": "Unix time of the last step, seconds",
    "phi": "mean phi = 1 - H / ln V of the tokens of a step, 0 to 1",
    "phi_std": "standard deviation of phi over the tokens of a step, 0 to 0.5",
    "entropy": "mean entropy of the tokens' distributions, nats",
    "surprisal": "mean surprisal of the chosen tokens, nats",
    "reward": "mean reward of the completions of a step, in the unit of the reward functions",
    "reward_std": "standard deviation of the reward over completions, in the unit of the reward functions",
    "zero_std": "share of the groups whose completions all have one reward, 0 to 1",
    "loss": "training loss of a step, in the unit of the trainer",
    "learning_rate": "learning rate of the optimizer, change of a weight per unit of its scaled gradient",
    "grad_norm": "Euclidean norm of the gradient before clipping, loss per unit of a weight",
    "kl": "divergence from the reference model, nats a token",
    "completion_length": "mean length of the completions, tokens",
    "clipped": "share of the completions that ended at the limit of their length, 0 to 1",
    "step_time": "duration of a step, seconds",
    "cloud_quality": "mean of phi times the probability of the chosen token, 0 to 1",
    "multiscale": "steadiness of phi: 1 less its mean standard deviation in blocks of 2^j tokens, weighted over j, 0 to 1",
    "discontinuity": "mean score of the jumps of phi from token to token, 0.2 to 0.8, 0.5 without any",
    "carl_reward": "mean composite reward of coherence, 0 to 1",
    "dispersion": "dispersion index, how far tokens follow from logits instead of noise, 0 to 1",
    "diversity": "how much the completions of a step differ, 0 to 1, 0 where they are all the same",
    "crystallizations": "rises of phi per 100 tokens",
    "meltings": "falls of phi per 100 tokens",
    "defect_density": "rises and falls of phi per token",
    "kuramoto_R": "Kuramoto order parameter, absolute value of the mean of exp(i pi phi), 0 to 1",
    "contraction_q": "factor by which the run's moves in (phi, cloud quality) become shorter from step to step, a ratio, below 1 where they do",
    "n_unknown": "tokens of a step whose phi is unknown",
    "n_tokens": "tokens of a trace",
    "cascade_stage": "stage of the cascade, 0 to 1: 0 before it opened, 1 since",
    "cascade_weight": "share of the coherence reward that the cascade lets through, 0 to 1",
    "cascade_fired_at": "number of the step at which the cascade opened",
    "gate_passed": "1 where the evaluation gate passed the run, 0 where it did not",
}
"""What each series measures, and in which unit or range."""

Sample = tuple[dict[str, str], float]


def render(run: Run) -> str:
    """Return the latest known values of a run, its phase and its health as text; what is unknown is left out.

    Every sample has the label ``run``; means of reward functions have ``function`` as well, and those of evaluations stand in metrics of
    their own.
    """
    label = {"run": run.name}
    lines: list[str] = []

    def metric(name: str, help_text: str, samples: Iterable[Sample], kind: str = "gauge") -> None:
        found = list(samples)
        if found:
            lines.append(f"# HELP {PREFIX}{name} {_escaped(help_text, quotes=False)}")
            lines.append(f"# TYPE {PREFIX}{name} {kind}")
            lines.extend(f"{PREFIX}{name}{{{_labels(labels)}}} {_number(value)}" for labels, value in found)

    if run.last_step is not None:
        metric("step", "number of the training step that was logged last", [(label, float(run.last_step))])
    metric("steps", "number of training steps that were read", [(label, float(len(run)))])
    for prefix, said in (("", ""), ("eval/", "in the last evaluation: ")):
        for name in ALIASES:
            value = run.latest(prefix + name)
            if value is not None:
                metric((prefix + name).replace("/", "_"), said + _HELP[name], [(label, value)])
        functions = [name for name in run.names if name.startswith(f"{prefix}reward/")]
        metric(
            f"{prefix.replace('/', '_')}reward_by_function",
            f"{said}mean of a reward function over the completions of a step, in its own unit",
            [({**label, "function": name.removeprefix(f"{prefix}reward/")}, value) for name in functions if (value := run.latest(name)) is not None],
        )
    phase, health = phase_of(run).name, health_of(run).level
    metric("phase", "1 for the phase that the run is in, 0 for the others", [({**label, "phase": name}, float(name == phase)) for name in PHASES])
    metric("health", "1 for how the run is, 0 for the others", [({**label, "level": name}, float(name == health)) for name in LEVELS])
    counts = run.problems.counts
    metric(
        "log_problems_total",
        "what of the log could not be used, by kind",
        [({**label, "kind": kind}, float(counts[kind])) for kind in KINDS if counts[kind]],
        "counter",
    )
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str, quotes: bool = True) -> str:
    # Lone surrogates, as names of files may have, are no UTF-8.
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
