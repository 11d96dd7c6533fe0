"""Satisfiability: the share of clauses of random 3-SAT that a second and ten seconds of one core satisfy, no ancilla spins.

Five formulas of 5,000 variables and 21,000 clauses (ratio 4.2, where most can be satisfied but hardly), one a round. Beside two others:
the assignment that gives each variable its commoner sign, which needs no time at all, and WalkSAT, compiled from the C file next to this
one. WalkSAT is made for this problem and the better choice for it; our rows show what native cubic terms are worth to a sampler that
takes any energy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from ebmhw.bench.harness import Case, Measure, Peer, PeerMissing
from ebmhw.bench.sampling import checked

if TYPE_CHECKING:
    from ebmhw.problems import Formula

VARIABLES, RATIO, FORMULAS = 5000, 4.2, 5

HOT, COLD = 2.8, 14.4
"""Betas per clause, searched once over the five formulas: geometric, Metropolis. To begin at 5.6 leaves twice as many clauses."""

READS = 32
"""One group of lanes: fewer would leave lanes idle, more would shorten the anneal."""

NOISE = 0.55
"""Of WalkSAT: it solves more of the five formulas in 10 s than with 0.5 or 0.567."""

_PIECES, _FIRST = 25, 20
"""The anneal is run in pieces, each resuming the one before, so that it ends on time at any speed of the machine; sweeps of the first."""

_USED = 0.97
"""Share of the time that is planned for; the last piece is a twenty-fifth, and may take half as long again."""


@final
@dataclass(frozen=True, eq=False)
class Ready:
    """The formulas, and a folder with their files."""

    formulas: list[Formula]
    folder: Path

    def pick(self, number: int) -> int:
        """Return which formula a round takes; all sides the same one."""
        return max(number, 0) % len(self.formulas)


def cases(quick: bool) -> list[Case]:
    """Return the cases of 1 and 10 CPU seconds; ``quick`` leaves out the second."""
    return [_case(seconds, goal) for seconds, goal in ((1, 99.8), (10, 99.95)) if not (quick and seconds > 1)]


def _case(seconds: int, goal: float) -> Case:
    return Case(
        name=f"sat/3-SAT n={VARIABLES} ratio {RATIO} {seconds} s",
        measures=f"share of clauses satisfied in {seconds} CPU s, {FORMULAS} formulas in turn, no ancillas; compilation counted; "
        "WalkSAT ends when all clauses hold",
        unit="%",
        setup=_setup,
        ours=lambda ready: _ours(ready, seconds),
        peers=(
            Peer("WalkSAT in C", lambda ready: _walksat(ready, seconds)),
            Peer("majority literal", _majority),
        ),
        goal=goal,
        cpu_limit=float(seconds),
        ratio=False,
        max_rounds=None if seconds == 1 else FORMULAS,
        warm_up=False,
    )


def _setup(stack: ExitStack) -> Ready:
    from ebmhw.problems import Formula

    formulas = [Formula.random(VARIABLES, RATIO, seed) for seed in range(FORMULAS)]
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ebmhw-bench-")))
    for number, formula in enumerate(formulas):
        assert formula.model  # made here, so that it is not measured
        write_cnf(formula, folder / f"{number}.cnf")
    return Ready(formulas, folder)


def write_cnf(formula: Formula, path: Path) -> None:
    """Write a formula as a DIMACS file."""
    lines = [f"p cnf {formula.num_variables} {formula.num_clauses}", *(" ".join(map(str, clause)) + " 0" for clause in formula.clauses)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _share(formula: Formula, unsatisfied: int) -> float:
    return 100.0 * (1.0 - unsatisfied / formula.num_clauses)


def _ours(ready: Ready, seconds: float) -> Measure:
    from ebmhw.backends import get_backend
    from ebmhw.schedule import Schedule

    backend = get_backend("cpu", threads=1)

    def measure(number: int) -> float:
        began = time.process_time()
        formula = ready.formulas[ready.pick(number)]
        program = formula.model.compile()
        # A clause is `unit` of the model's energy and `unit * scale` of the program's.
        hot, cold = (beta / (formula.unit * program.scale) for beta in (HOT, COLD))
        draws, sweeps = None, _FIRST
        for piece in range(_PIECES):
            # Geometric from hot to cold over all pieces, however many sweeps each of them has.
            ends = [hot * (cold / hot) ** (share / _PIECES) for share in (piece, piece + 1)]
            before = time.process_time()
            schedule, seed = Schedule.geometric(ends[0], ends[1], sweeps), number + 1
            draws = checked(backend.run(program, schedule, reads=READS, seed=seed, rule="metropolis", resume=draws))
            now = time.process_time()
            left = began + seconds * _USED - now
            sweeps = max(1, int(left / max(1, _PIECES - piece - 1) * sweeps / max(now - before, 1e-6)))
        assert draws is not None
        return _share(formula, int(formula.unsatisfied(draws.best_spins[draws.best_energy.argmin()])))

    return measure


def _majority(ready: Ready) -> Measure:
    import numpy as np

    def measure(number: int) -> float:
        formula = ready.formulas[ready.pick(number)]
        literals = np.array(formula.clauses).ravel()
        balance = np.bincount(np.abs(literals) - 1, np.sign(literals), formula.num_variables)
        return _share(formula, int(formula.unsatisfied(np.where(balance >= 0, 1, -1))))

    return measure


def compile_walksat(folder: Path) -> Path:
    """Compile WalkSAT with the C compiler of $CC or cc and return the program; PeerMissing says what went wrong."""
    asked = os.environ.get("CC", "").split() or ["cc"]
    if shutil.which(asked[0]) is None:
        raise PeerMissing(f"peer WalkSAT not compiled: there is no C compiler {asked[0]!r}; install one or name it in CC")
    program = folder / "walksat"
    command = [*asked, "-std=c11", "-O3", "-o", str(program), str(Path(__file__).with_name("walksat.c"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerMissing(f"peer WalkSAT not compiled: {' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return program


def run_walksat(program: Path, formula: Path, seed: int, seconds: float, noise: float = NOISE) -> list[int]:
    """Run WalkSAT and return the literals of its best assignment, one a variable."""
    command = [str(program), str(formula), str(noise), str(seed), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"walksat ended with {done.returncode}: {done.stderr.strip()}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("v "))
    return [int(word) for word in line.split()[1:-1]]


def _walksat(ready: Ready, seconds: float) -> Measure:
    import numpy as np

    program = compile_walksat(ready.folder)

    def measure(number: int) -> float:
        at = ready.pick(number)
        literals = run_walksat(program, ready.folder / f"{at}.cnf", number + 1, seconds)
        # Counted by us, not by what it says of itself.
        return _share(ready.formulas[at], int(ready.formulas[at].unsatisfied(np.sign(literals))))

    return measure
