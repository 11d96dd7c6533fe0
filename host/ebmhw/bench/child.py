"""What the cases of `ebmhw.bench.startup` run in a fresh interpreter: from a G-set file to the first sample, and what that took.

    python -m ebmhw.bench.child ours|vectors|loop FILE

prints one JSON object: cpu_s and peak_mb of the whole process, and the energy of the sample.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

BETA = 1.0


def ours(path: str) -> float:
    """Read, compile and sample with this package."""
    import ebmhw

    problem = ebmhw.read(path)
    program = problem.model.compile()
    draws = ebmhw.get_backend("cpu", threads=1).run(program, ebmhw.Schedule.constant(BETA, 1), reads=1, seed=1)
    return float(draws.energy[0])


def vectors(path: str) -> float:
    """Read with numpy.fromfile, the fastest of NumPy's readers, hand dimod the arrays and sample with dwave-samplers."""
    import dimod
    import numpy as np

    with open(path) as file:
        n, m = map(int, file.readline().split())
        table = np.fromfile(file, dtype=np.int64, sep=" ").reshape(m, 3)
    biases = table[:, 2].astype(np.float64)
    return _dwave(dimod.BinaryQuadraticModel.from_numpy_vectors(np.zeros(n), (table[:, 0] - 1, table[:, 1] - 1, biases), 0.0, dimod.SPIN))


def loop(path: str) -> float:
    """Read line by line into dimod, as its examples do, and sample with dwave-samplers."""
    import dimod

    bqm = dimod.BinaryQuadraticModel(dimod.SPIN)
    with open(path) as file:
        n, _ = map(int, file.readline().split())
        for vertex in range(n):
            bqm.add_variable(vertex)
        for line in file:
            first, second, weight = line.split()
            bqm.add_interaction(int(first) - 1, int(second) - 1, int(weight))
    return _dwave(bqm)


def _dwave(bqm: object) -> float:
    from dwave.samplers import SimulatedAnnealingSampler

    found = SimulatedAnnealingSampler().sample(bqm, beta_range=[BETA, BETA], num_reads=1, num_sweeps=1, seed=1)
    return float(found.record.energy[0])


def peak_mb() -> float | None:
    """Return the most memory that this process has had, in MB; None where the system does not tell.

    Linux passes ru_maxrss on through fork and exec, so that a child of a large process would look large; VmHWM begins anew.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main(side: str, path: str) -> None:
    """Run one side and print what it took."""
    try:
        energy = {"ours": ours, "vectors": vectors, "loop": loop}[side](path)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    print(json.dumps({"cpu_s": time.process_time(), "peak_mb": peak_mb(), "energy": energy}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
