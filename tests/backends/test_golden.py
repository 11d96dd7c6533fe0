"""The golden model under both array libraries, against the reference and against itself."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from conformance import VECTORS, Case, Conformance, assert_equal_draws, assert_reads_as_reference, judge, schedule_of_words

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.contract import tables
from ebmhw.model import Model
from ebmhw.program import Program
from ebmhw.schedule import Schedule


class TestGoldenNumpy(Conformance):
    examples = 40
    structured_reads = 3
    structured_sweeps = 3

    def make(self) -> SamplerBackend:
        return get_backend("golden", arrays="numpy")


def test_tables_of_the_reference_are_those_of_the_contract() -> None:
    assert tuple(reference.HI) == tables.HI and tuple(reference.LO) == tables.LO


# Under jax every shape of a program is compiled anew, a second each; the suites of other backends use it as their judge besides.


@pytest.mark.parametrize("number", [0, 2])
def test_jax_gives_the_contract_vectors(number: int) -> None:
    pytest.importorskip("jax")
    v = VECTORS[number]
    program = Program.from_rows(v["n"], [(i, b, tuple((w, tuple(o)) for w, o in terms)) for i, b, terms in v["rows"]])
    words = [(word, 1) for word, sweeps in v["schedule"] for _ in range(sweeps)]
    clamps = {int(i): s for i, s in v["clamps"].items()}
    draws = judge("jax").run(
        program, schedule_of_words(words), seed=v["seed"], rule=v["rule"], first_read=v["read"], initial=v["initial"], clamps=clamps,
        keep_every=1,
    )  # fmt: skip
    assert draws.kept is not None and draws.kept[0].tolist() == v["states"] and draws.flips.tolist() == [v["flips"]]


@pytest.mark.parametrize("rule", ["gibbs", "metropolis"])
def test_jax_equals_numpy_and_the_reference(rule: str) -> None:
    pytest.importorskip("jax")
    rng = np.random.default_rng(4)
    terms = {tuple(rng.choice(12, size=k, replace=False).tolist()): int(rng.integers(1, 9)) - 10 for k in (2, 2, 3, 4, 6) * 4}
    program = Model(12, rng.integers(-9, 9, size=12).tolist(), terms).compile()
    schedule = Schedule.custom([0.01, 0.2], [2, 2])
    options = {"reads": 33, "seed": 2**64 - 1, "rule": rule, "first_read": 2**30 - 33, "keep_every": 2, "clamps": {3: 1}}
    draws = judge("jax").run(program, schedule, **options)
    assert_equal_draws(draws, judge("numpy").run(program, schedule, **options))
    assert_reads_as_reference(draws, Case(program, list(program.rows), schedule, options, "jax"), list(range(33)))
    head = judge("jax").run(program, Schedule.constant(0.01, 2), **options)
    assert_equal_draws(judge("jax").run(program, Schedule.constant(0.2, 2), resume=head), draws)
