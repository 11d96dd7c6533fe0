"""Learned energies: rows learned from a second, the likelihood of digits never learned from, and couplings for formulas never learned from.

The formulas: weights of products of one, two and three literals are learned from near-solutions of six formulas of 200 variables (seeds 1000 to
1005), beginning at 0; judged on others of 1,000 and 2,000 (seeds from 3000), each annealed by the same number of sweeps and reads with the learned
and with the hand-written weights. Majority-literal and WalkSAT stand beside them.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ebmhw.bench.harness import Case, Measure, Peer
from ebmhw.bench.sat import RATIO, compile_walksat, run_walksat, write_cnf

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ebmhw.energy.learning.digits import Digits
    from ebmhw.problems import Formula

FORMULAS, TRAINING, TRAINING_VARIABLES = 5, 6, 200

BETAS = (1.4, 25.0)
"""Per clause: the best of a grid of 0.7 to 5.6 by 8 to 40 for the hand-written weights, on three formulas of 1,000 variables (seeds 2000 to 2002)."""

SWEEPS, READS, WALKSAT_SECONDS = 300, 64, 1.0

_CHUNK = 100
_HIDDEN = 64


def cases(quick: bool) -> list[Case]:
    """Return the cases; ``quick`` leaves out those that learn for a minute."""
    speed = Case(
        name=f"energy/RBM 64+{_HIDDEN} rows learned",
        measures=f"rows of the digits learned from by CD-1 in batches of {_CHUNK}, both phases on the CPU backend, one thread",
        unit="rows/s",
        setup=_digits,
        ours=_steps,
        peers=(Peer("scikit-learn BernoulliRBM", _their_steps),),
        per_cpu_second=True,
    )
    return [speed] if quick else [speed, _likelihood(), *(_formulas(size) for size in (1000, 2000))]


def _digits(stack: ExitStack) -> Digits:
    from ebmhw.energy.learning.digits import load

    return load()


def _steps(digits: Digits) -> Measure:
    from ebmhw.energy.learning import LearningConfig, Likelihood, Structure, learn, start

    structure = Structure.bipartite(64, _HIDDEN)
    objective, first = Likelihood(structure, digits.train), start(structure, digits.train)

    def measure(number: int) -> float:
        config = LearningConfig(steps=100, batch=_CHUNK, seed=number + 1)
        return float(learn(objective, config, first, backend=_one_thread()).steps * _CHUNK)

    return measure


def _one_thread() -> Any:
    from ebmhw.backends import get_backend

    return get_backend("cpu", threads=1)


def _their_steps(digits: Digits) -> Measure:
    from sklearn.neural_network import BernoulliRBM

    bits = (digits.train > 0).astype(float)

    def measure(number: int) -> float:
        machine = BernoulliRBM(n_components=_HIDDEN, batch_size=_CHUNK, n_iter=10, random_state=number + 1)
        machine.fit(bits)
        return float(10 * len(bits))

    return measure


def _likelihood() -> Case:
    return Case(
        name=f"energy/digits RBM 64+{_HIDDEN} held-out",
        measures="mean log-likelihood of 360 digits never learned from, log Z by annealed importance sampling; PCD-5 on the CPU backend, 4,000 steps",
        unit="nats",
        setup=_digits,
        ours=_learned_digits,
        peers=(
            Peer("scikit-learn BernoulliRBM", _their_digits),
            Peer("mixture of Bernoullis", lambda digits: _density(digits, 65)),
            Peer("independent pixels", lambda digits: _density(digits, 1)),
        ),
        goal=-17.0,
        ratio=False,
        max_rounds=1,
        warm_up=False,
    )


def _learned_digits(digits: Digits) -> Measure:
    from ebmhw.energy.learning import digits as example

    def measure(number: int) -> float:
        structure, learned = example.train(digits, _HIDDEN)
        drawn = example.samples(structure, learned, 200)
        return example.measure(example.rounded_machine(structure, learned.parameters), digits, drawn).held_out

    return measure


def _their_digits(digits: Digits) -> Measure:
    from ebmhw.energy.learning import Structure, annealed_importance, start
    from ebmhw.energy.learning.digits import scikit_learn_machine

    def measure(number: int) -> float:
        machine = scikit_learn_machine(digits, _HIDDEN)
        base = start(Structure(digits.train.shape[1]), digits.train)
        return float(machine.log_weights(digits.held_out).mean()) - annealed_importance(machine, 200, 5000, 1, base).log_z

    return measure


def _density(digits: Digits, components: int) -> Measure:
    from ebmhw.energy.learning.baselines import BernoulliMixture

    return lambda number: float(BernoulliMixture.fitted(digits.train, components, max(number, 0)).log_probabilities(digits.held_out).mean())


@final
@dataclass(frozen=True, eq=False)
class Ready:
    """Formulas to be judged on, the weights learned from others, and a folder with the former's files."""

    formulas: list[Formula]
    learned: npt.NDArray[np.float64]
    folder: Path

    def pick(self, number: int) -> int:
        """Return which formula a round takes; all sides the same one."""
        return max(number, 0) % len(self.formulas)


def _formulas(variables: int) -> Case:
    return Case(
        name=f"energy/3-SAT n={variables} learned couplings",
        measures=f"share of clauses satisfied by the best of {READS} reads of {SWEEPS} sweeps, {FORMULAS} formulas in turn, weights learned from "
        f"{TRAINING} others of {TRAINING_VARIABLES} variables; WalkSAT has {WALKSAT_SECONDS:g} s",
        unit="%",
        setup=lambda stack: _ready(stack, variables),
        ours=lambda ready: _annealed(ready, ready.learned),
        peers=(
            Peer("hand-written weights", _hand_written),
            Peer("WalkSAT in C", _walksat),
            Peer("majority literal", _majority),
        ),
        ratio=False,
        warm_up=False,
    )


def learned_weights() -> npt.NDArray[np.float64]:
    """Return the weights (3,) of products of 1, 2 and 3 literals, learned from the training formulas alone, at mean size 1."""
    from ebmhw.energy.learning import LearningConfig, SharedLikelihood, clause_features, hand_written, learn
    from ebmhw.energy.learning.sat import annealed, at_unit
    from ebmhw.problems import Formula

    backend = _one_thread()
    instances = [clause_features(Formula.random(TRAINING_VARIABLES, RATIO, 1000 + seed)) for seed in range(TRAINING)]
    data = [annealed(instance, hand_written(), BETAS, 2000, READS, 1, backend) for instance in instances]
    config = LearningConfig(k=5, steps=300, batch=READS, learning_rate=20.0, final_learning_rate=1.0, weight_limit=60.0)
    return at_unit(learn(SharedLikelihood(instances, data), config, backend=backend).parameters)


def _ready(stack: ExitStack, variables: int) -> Ready:
    from ebmhw.problems import Formula

    formulas = [Formula.random(variables, RATIO, 3000 + seed) for seed in range(FORMULAS)]
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ebmhw-bench-")))
    for number, formula in enumerate(formulas):
        write_cnf(formula, folder / f"{number}.cnf")
    return Ready(formulas, learned_weights(), folder)


def _share(formula: Formula, spins: npt.NDArray[Any]) -> float:
    return 100.0 * (1.0 - float(formula.unsatisfied(spins).min()) / formula.num_clauses)


def _annealed(ready: Ready, weights: npt.NDArray[np.float64]) -> Measure:
    from ebmhw.energy.learning import clause_features
    from ebmhw.energy.learning.sat import annealed

    backend = _one_thread()

    def measure(number: int) -> float:
        formula = ready.formulas[ready.pick(number)]
        return _share(formula, annealed(clause_features(formula), weights, BETAS, SWEEPS, READS, number + 2, backend))

    return measure


def _hand_written(ready: Ready) -> Measure:
    import numpy as np

    return _annealed(ready, np.ones(3))


def _walksat(ready: Ready) -> Measure:
    import numpy as np

    program = compile_walksat(ready.folder)

    def measure(number: int) -> float:
        at = ready.pick(number)
        return _share(ready.formulas[at], np.sign(run_walksat(program, ready.folder / f"{at}.cnf", number + 1, WALKSAT_SECONDS)))

    return measure


def _majority(ready: Ready) -> Measure:
    import numpy as np

    def measure(number: int) -> float:
        formula = ready.formulas[ready.pick(number)]
        literals = np.array(formula.clauses).ravel()
        balance = np.bincount(np.abs(literals) - 1, np.sign(literals), formula.num_variables)
        return _share(formula, np.where(balance >= 0, 1, -1))

    return measure
