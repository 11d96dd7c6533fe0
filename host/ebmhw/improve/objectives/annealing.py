"""AnnealingSchedule: betas for a spin glass, judged by the energies that the sampler then reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ebmhw.errors import VerificationError, shown
from ebmhw.improve.objective import Instance, Objective
from ebmhw.model import Model
from ebmhw.schedule import Schedule

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.program import Program

MOST_BETA = 1e300
"""Inverse temperature at most; long before it every step that costs energy is refused."""

_BASELINE = '''def betas(spins, degree, sweeps):
    """Return `sweeps` inverse temperatures, from hot to cold in equal steps."""
    return [0.1 + (5.0 - 0.1) * k / max(1, sweeps - 1) for k in range(sweeps)]
'''


@final
class AnnealingSchedule(Objective):
    """Inverse temperatures for +-1 spin glasses on random regular graphs; the energy is the mean of the reads' last states, a spin.

    Parameters
    ----------
    spins, degree : of the graphs; spins times degree is even
    sweeps : of one anneal
    reads : anneals an instance, all counted
    backend : where they run, a name of `get_backend` or a backend; every one gives the same energies
    """

    def __init__(self, spins: int = 128, degree: int = 3, sweeps: int = 64, reads: int = 32, backend: str | SamplerBackend = "cpu") -> None:
        if not 4 <= spins <= 4096 or not 1 <= degree < spins or spins * degree % 2:
            raise VerificationError(f"there is no graph of {spins} spins of degree {degree}; give 4 to 4,096 spins, and an even product")
        if not 1 <= sweeps <= 65_536 or not 1 <= reads <= 4096:
            raise VerificationError(f"{sweeps} sweeps of {reads} reads are outside the limits; give up to 65,536 sweeps and 4,096 reads")
        self.spins, self.degree, self.sweeps, self.reads = spins, degree, sweeps, reads
        self._backend = backend

    @property
    def name(self) -> str:
        """It says the size and the reads: energies of others do not compare."""
        return f"annealing-schedule-{self.spins}-{self.degree}-{self.sweeps}-{self.reads}"

    @property
    def description(self) -> str:
        """The task in words."""
        return (
            "Write a Python function betas(spins, degree, sweeps) that returns a list of `sweeps` inverse temperatures, floats of at least 0, for "
            "simulated annealing by Metropolis sweeps of an Ising spin glass with couplings +1 and -1 on a random graph of "
            f"{self.spins} spins, each with {self.degree} neighbours. {self.sweeps} sweeps are made. The lower the final energies, the better."
        )

    @property
    def entry_point(self) -> str:
        """``betas``."""
        return "betas"

    @property
    def baseline(self) -> str:
        """A linear ramp."""
        return _BASELINE

    def instances(self, first: int, count: int) -> Sequence[Instance]:
        """Return graphs number ``first`` on."""
        return [Instance((self.spins, self.degree, self.sweeps), (number, self._program(number))) for number in range(first, first + count)]

    def energy(self, instance: Instance, answer: Any) -> float:
        """Return the mean energy a spin of the final states."""
        if not isinstance(answer, (list, tuple)) or len(answer) != self.sweeps:
            size = f"{len(answer)} values" if isinstance(answer, (list, tuple)) else shown(answer)
            raise VerificationError(f"betas returned {size}; a list of {self.sweeps} numbers is needed")
        strange = next((beta for beta in answer if type(beta) not in (int, float) or not 0 <= beta <= MOST_BETA), None)
        if strange is not None:
            raise VerificationError(f"betas returned {shown(strange)} among its values; each is a number from 0 to {MOST_BETA:g}")
        from ebmhw.backends import get_backend

        backend = get_backend(self._backend) if isinstance(self._backend, str) else self._backend
        number, program = instance.about
        schedule = Schedule.custom([float(beta) for beta in answer]).divided(program.scale)
        draws = backend.run(program, schedule, reads=self.reads, seed=number, rule="metropolis")
        return float(np.mean(draws.energy) * program.scale / self.spins)

    def _program(self, number: int) -> Program:
        """Return the spin glass of an instance: a random regular graph by the pairing model, drawn again until it is simple."""
        random = np.random.default_rng([number, self.spins, self.degree])
        ends = np.repeat(np.arange(self.spins), self.degree)
        edges: set[tuple[int, int]] = set()
        free = list(ends)
        while free:
            random.shuffle(free)
            left = []
            for one, other in zip(free[::2], free[1::2], strict=True):
                edge = (min(int(one), int(other)), max(int(one), int(other)))
                if edge[0] == edge[1] or edge in edges:
                    left += [one, other]
                else:
                    edges.add(edge)
            if len(left) == len(free):
                # Only loops and double edges are left: begin again.
                edges, left = set(), list(ends)
            free = left
        order = sorted(edges)
        signs: list[int] = (1 - 2 * random.integers(0, 2, len(order))).tolist()
        return Model(self.spins, None, list(zip(order, map(float, signs), strict=True))).compile(scale=1)
