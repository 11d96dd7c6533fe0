"""A restricted Boltzmann machine of scikit-learn's digits: learned on a backend, measured beside simpler densities, and drawn.

``python -m ebmhw.energy.learning.digits --png digits.png`` does it all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.energy.learning.baselines import BernoulliMixture
from ebmhw.energy.learning.config import LearningConfig
from ebmhw.energy.learning.importance import Partition, annealed_importance
from ebmhw.energy.learning.objective import Likelihood
from ebmhw.energy.learning.phases import Phases
from ebmhw.energy.learning.restricted import Restricted
from ebmhw.energy.learning.starting import start
from ebmhw.energy.learning.structure import FloatArray, Structure
from ebmhw.energy.learning.training import Learned, learn
from ebmhw.errors import MissingExtra
from ebmhw.streams import random_states

SIDE = 8
"""Pixels of a digit's side."""

THRESHOLD = 8.0
"""A pixel of 0 .. 16 is +1 from here on."""

CONFIG = LearningConfig(
    method="pcd",
    k=5,
    steps=4000,
    batch=100,
    chains=500,
    learning_rate=0.03,
    final_learning_rate=0.0005,
    momentum=0.5,
    weight_decay=0.001,
    averaged_steps=500,
)
"""About a minute on two cores."""

SpinRows = npt.NDArray[np.int8]


@final
@dataclass(frozen=True, eq=False)
class Digits:
    """The digits, thresholded: four fifths to learn from, a fifth held out; which is fixed.

    Attributes
    ----------
    train, held_out : int8 (1437, 64), (360, 64), of -1 and +1
    train_labels, held_out_labels : int64, 0 .. 9
    """

    train: SpinRows
    held_out: SpinRows
    train_labels: npt.NDArray[np.int64]
    held_out_labels: npt.NDArray[np.int64]


def load() -> Digits:
    """Return scikit-learn's digits (1,797 of the UCI set, 8 x 8 pixels); MissingExtra where it is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("the digits come with scikit-learn, which is missing: pip install scikit-learn") from error
    data, labels = load_digits(return_X_y=True)
    rows = np.where(data >= THRESHOLD, 1, -1).astype(np.int8)
    order = np.argsort(random_states(0, np.arange(len(rows), dtype=np.uint32))[:, 0], kind="stable")
    train, held = order[: len(rows) * 4 // 5], order[len(rows) * 4 // 5 :]
    return Digits(rows[train], rows[held], labels[train], labels[held])


def train(digits: Digits, hidden: int = 64, config: LearningConfig = CONFIG, **arguments: Any) -> tuple[Structure, Learned]:
    """Return the structure and what is learned of the training digits; ``arguments`` are those of `learn`."""
    structure = Structure.bipartite(digits.train.shape[1], hidden)
    first = None if arguments.get("resume") is not None else start(structure, digits.train)
    return structure, learn(Likelihood(structure, digits.train), config, first, **arguments)


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """How a machine does on digits, in nats a digit.

    Attributes
    ----------
    held_out, train : mean log-likelihoods by the estimate of log Z from below: too high, if anything
    low : held_out by the estimate of log Z from above, from samples of a long chain: too low, if those are the machine's
    error : standard error of ``held_out`` over the digits
    forward, backward : the estimates of log Z
    """

    held_out: float
    train: float
    low: float
    error: float
    forward: Partition
    backward: Partition


def rounded_machine(structure: Structure, parameters: FloatArray, coupling_bits: int = CONFIG.coupling_bits) -> Restricted:
    """Return the machine that backends sample: the parameters as a program holds them."""
    program = structure.program(parameters, coupling_bits)
    return Restricted.of(structure, structure.parameters(program.weights) / program.scale)


def samples(structure: Structure, learned: Learned, count: int = 500, sweeps: int = 2000, backend: SamplerBackend | str | None = None) -> SpinRows:
    """Return visible states (count, visible) drawn on a backend, ``sweeps`` sweeps after random ones."""
    sampler = backend if isinstance(backend, SamplerBackend) else get_backend(backend)
    program = structure.program(learned.parameters, learned.state.config.coupling_bits)
    phases = Phases(sampler, learned.state.config.seed)
    first = np.zeros((count, 0), dtype=np.int8)
    return phases.clamped(program, [], first, sweeps, learned.state.step, "samples")[:, structure.visible]


def measure(machine: Restricted, digits: Digits, drawn: SpinRows, steps: int = 5000, chains: int = 200) -> Measured:
    """Return a machine's log-likelihoods; ``drawn`` are samples of it, (chains or more, visible)."""
    base = start(Structure(digits.train.shape[1]), digits.train)
    forward = annealed_importance(machine, chains, steps, 1, base)
    backward = annealed_importance(machine, chains, steps, 2, base, samples=drawn[:chains])
    held = machine.log_weights(digits.held_out)
    return Measured(
        held_out=float(held.mean()) - forward.log_z,
        train=float(machine.log_weights(digits.train).mean()) - forward.log_z,
        low=float(held.mean()) - backward.log_z,
        error=float(held.std(ddof=1) / np.sqrt(len(held))),
        forward=forward,
        backward=backward,
    )


def mixture(digits: Digits, hidden: int) -> BernoulliMixture:
    """Return the mixture of independent pixels with about as many parameters as a machine of so many hidden spins."""
    v = digits.train.shape[1]
    return BernoulliMixture.fitted(digits.train, max(1, round((v * hidden + v + hidden + 1) / (v + 1))))


def scikit_learn_machine(digits: Digits, hidden: int, rounds: int = 300, seed: int = 0) -> Restricted:
    """Return scikit-learn's BernoulliRBM (persistent contrastive divergence) of as many hidden units, in spins of -1 and +1.

    Its learning rate is the best of 0.005 to 0.1 for the held-out digits: with 64 units -17.9 nats, where 0.02 gives -18.4 and 0.05 -25.
    """
    from sklearn.neural_network import BernoulliRBM

    bits = (digits.train > 0).astype(np.float64)
    made = BernoulliRBM(n_components=hidden, learning_rate=0.005, batch_size=10, n_iter=rounds, random_state=seed).fit(bits)
    # x = (1 + s) / 2 on both sides: x W h is a quarter of W times (1 + s)(1 + t).
    weights = made.components_.T / 4
    return Restricted(weights, made.intercept_visible_ / 2 + weights.sum(axis=1), made.intercept_hidden_ / 2 + weights.sum(axis=0))


def label_shares(digits: Digits, drawn: SpinRows) -> FloatArray:
    """Return the share of samples that a nearest-neighbour classifier of the training digits takes for 0 .. 9, float64 (10,)."""
    agreement = drawn.astype(np.float64) @ digits.train.T.astype(np.float64)
    return np.bincount(digits.train_labels[agreement.argmax(axis=1)], minlength=10) / len(drawn)


def report(digits: Digits, structure: Structure, learned: Learned, backend: SamplerBackend | str | None, say: Callable[[str], None]) -> SpinRows:
    """Say how a machine does beside the baselines, line by line, and return its samples (500, 64)."""
    from ebmhw.energy.learning.quality import sample_quality

    drawn = samples(structure, learned, backend=backend)
    found = measure(rounded_machine(structure, learned.parameters, learned.state.config.coupling_bits), digits, drawn)
    hidden = structure.hidden.size
    say(f"log-likelihood of {len(digits.held_out)} digits never learned from, nats a digit")
    say(f"  machine of {hidden} hidden spins   {found.held_out:8.2f} (log Z from below; {found.low:.2f} from above; error {found.error:.2f};")
    say(f"                               {found.train:8.2f} of the training digits)")
    others = scikit_learn_machine(digits, hidden)
    base = start(Structure(digits.train.shape[1]), digits.train)
    theirs = float(others.log_weights(digits.held_out).mean()) - annealed_importance(others, 200, 5000, 1, base).log_z
    say(f"  scikit-learn's BernoulliRBM  {theirs:8.2f}")
    mixed = mixture(digits, hidden)
    say(f"  mixture of {mixed.shares.size} Bernoullis     {mixed.log_probabilities(digits.held_out).mean():8.2f}")
    alone = BernoulliMixture.fitted(digits.train)
    say(f"  independent pixels           {alone.log_probabilities(digits.held_out).mean():8.2f}")
    say("samples beside the held-out digits: root mean square error of means, of pairs; pixels to the nearest digit; share of digits covered")
    rng = np.random.default_rng(0)
    independent = np.where(rng.random((len(drawn), digits.train.shape[1])) < alone.probabilities[0], 1, -1)
    for name, rows in (("machine", drawn), ("training digits", digits.train[: len(drawn)]), ("independent pixels", independent)):
        q = sample_quality(rows, digits.held_out)
        say(f"  {name:<20} {q.mean_error:.3f}  {q.pair_error:.3f}  {q.nearest:5.2f}  {q.coverage:.2f} (radius {q.radius})")
    say("share of samples nearest to a 0 .. 9: " + " ".join(f"{share:.2f}" for share in label_shares(digits, drawn)))
    return drawn


def main() -> None:
    """Learn, measure and draw, as ``python -m ebmhw.energy.learning.digits``."""
    from ebmhw.energy.learning.digits_command import command

    command()


if __name__ == "__main__":
    main()
