"""What every backend must do: subclass `Conformance`, give it a backend, and its tests are those of the contract.

Draws are judged twice: all of them by the golden model, some reads of every run by `reference`, which shares nothing with it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ebmhw.backends import Draws, SamplerBackend, get_backend
from ebmhw.errors import DoesNotFit
from ebmhw.model import Model
from ebmhw.problems import Formula
from ebmhw.program import Program
from ebmhw.schedule import Schedule, beta_word, effective_beta

RULES = ("gibbs", "metropolis")
FIELD_LIMIT = 2**17 - 1
READ_LIMIT = 2**30
LAST_WORD = 2**26 - 1
EXAMPLES = int(os.environ.get("EBMHW_TEST_EXAMPLES", "0"))
"""Random programs of each test; 0 takes the default of the suite."""

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "contract_vectors.json").read_text())["ising"]


class Tally:
    """Updates compared so far, by judge."""

    def __init__(self) -> None:
        self.golden = self.reference = 0

    def report(self, what: str) -> None:
        print(f"{what}: {self.golden:,} updates compared with the golden model, {self.reference:,} with the reference")


@functools.cache
def judge(arrays: str = "numpy") -> SamplerBackend:
    """The golden model, one of a kind: jax compiles once a shape."""
    return get_backend("golden", arrays=arrays)


def schedule_of_words(words: list[tuple[int, int]]) -> Schedule:
    """Return the schedule with exactly these (B, sweeps)."""
    schedule = Schedule.custom([effective_beta(word) for word, _ in words], [sweeps for _, sweeps in words])
    assert schedule.beta_words == words
    return schedule


def assert_equal_draws(got: Draws, wanted: Draws, what: str = "") -> None:
    """Every field of two runs, types and shapes included."""
    for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random", "kept"):
        a, b = getattr(got, name), getattr(wanted, name)
        if a is None or b is None:
            assert a is b, f"{what} {name}"
            continue
        assert a.dtype == b.dtype and a.shape == b.shape, f"{what} {name}: {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
        assert np.array_equal(a, b), f"{what} {name} differs first at {np.argwhere(a != b)[0]}:\n{a}\nnot\n{b}"
    assert got.sweeps == wanted.sweeps and got.identity == wanted.identity, what


def assert_types(draws: Draws, program: Program, reads: int, kept: int | None) -> None:
    n = program.n
    for name, kind, shape in (
        ("spins", np.int8, (reads, n)),
        ("energy", np.int64, (reads,)),
        ("best_spins", np.int8, (reads, n)),
        ("best_energy", np.int64, (reads,)),
        ("best_sweep", np.int64, (reads,)),
        ("flips", np.int64, (reads,)),
        ("random", np.uint32, (reads, 4)),
    ):
        array = getattr(draws, name)
        assert array.dtype == kind and array.shape == shape, name
    if kept is None:
        assert draws.kept is None
    else:
        assert draws.kept is not None and draws.kept.dtype == np.int8 and draws.kept.shape == (reads, kept, n)
    assert np.isin(draws.spins, (-1, 1)).all() and np.isin(draws.best_spins, (-1, 1)).all()


@dataclass
class Case:
    """One run, with the rows it was made from."""

    program: Program
    rows: list[Any]
    schedule: Schedule
    options: dict[str, Any]
    label: str = field(default="")

    @property
    def words(self) -> list[int]:
        return [word for word, sweeps in self.schedule.beta_words for _ in range(sweeps)]

    def reference_read(self, r: int) -> reference.Read:
        """Read ``r`` of the run (counted from first_read) by the reference."""
        o = self.options
        initial = o.get("initial")
        if initial is not None:
            initial = np.broadcast_to(initial, (o["reads"], self.program.n))[r].tolist()
        clamps = {spin: int(np.broadcast_to(value, (o["reads"],))[r]) for spin, value in (o.get("clamps") or {}).items()}
        keep = {"burn_in": o.get("burn_in") or 0, "keep_every": o.get("keep_every") or 0}
        return reference.run_read(self.rows, self.words, o["rule"], o["seed"], o["first_read"] + r, initial, clamps, **keep)


def assert_reads_as_reference(draws: Draws, case: Case, reads: list[int]) -> int:
    """Compare every field of the reads named; return the updates compared."""
    updates = 0
    for r in reads:
        want = case.reference_read(r)
        got = {
            "spins": draws.spins[r].tolist(),
            "energy": int(draws.energy[r]),
            "best_spins": draws.best_spins[r].tolist(),
            "best_energy": int(draws.best_energy[r]),
            "best_sweep": int(draws.best_sweep[r]),
            "flips": int(draws.flips[r]),
            "random": draws.random[r].tolist(),
            "kept": None if draws.kept is None else draws.kept[r].tolist(),
        }
        assert got == {
            "spins": want.states[-1],
            "energy": want.energies[-1],
            "best_spins": want.best,
            "best_energy": want.best_energy,
            "best_sweep": want.best_sweep,
            "flips": want.flips,
            "random": want.random,
            "kept": want.kept if case.options.get("keep_every") else None,
        }, f"read {r} of {case.label}"
        updates += want.updates
    return updates


# --- random programs -----------------------------------------------------------------------------------------------------------

REGIMES = (
    "minus", "minus-high", "plus", "signs", "small", "eight", "ten", "eighteen", "common", "bias", "empty", "dense-signs", "dense-eight",
    "near", "mixed",
)  # fmt: skip
"""Kinds of weights; between them they reach every kind of row of the CPU kernel and every width of a field."""

NEAR = (30, 31, 32, 33, 62, 63, 64, 65, 126, 127, 128, 252, 253, 254, 255, 256, 300, FIELD_LIMIT - 1, FIELD_LIMIT)


def _pick_terms(rng: np.random.Generator, n: int, orders: list[int], count: int, dense: bool) -> list[tuple[int, ...]]:
    if dense:
        return list(combinations(range(n), 2))
    usable = [k for k in orders if k <= n]
    if not usable:
        return []
    return sorted({tuple(sorted(rng.choice(n, size=int(rng.choice(usable)), replace=False).tolist())) for _ in range(count)})


def random_weights(rng: np.random.Generator, regime: str, n: int, orders: list[int]) -> tuple[list[int], dict[tuple[int, ...], int], int]:
    """Return (bias, terms, coupling bits) of one regime."""
    orders = [2] if regime == "minus" else orders
    count = 0 if regime == "empty" else int(rng.integers(0, 3 * n + 1))
    members = _pick_terms(rng, n, orders, count, regime.startswith("dense"))
    degree = max(1, *(sum(i in t for t in members) for i in range(n))) if members else 1
    largest = {"small": 5, "common": 6, "eight": 127, "dense-eight": 127, "ten": 511, "eighteen": FIELD_LIMIT}.get(regime, 1)
    # Half of the limit for the couplings leaves room for biases.
    largest = max(1, min(largest, FIELD_LIMIT // 2 // degree if degree > 1 else FIELD_LIMIT))
    if regime in ("minus", "minus-high"):
        weights = [-1] * len(members)
    elif regime in ("plus", "near"):
        weights = [1] * len(members)
    elif largest == 1:
        weights = rng.choice([-1, 1], size=len(members)).tolist()
    else:
        weights = [int(w) or largest for w in rng.integers(-largest, largest + 1, size=len(members))]
    if regime == "mixed":
        weights = [int(w) or 1 for w in rng.choice([1, -1, 3, -127, 100, 128, -4000], size=len(members))]
        weights = [max(-(FIELD_LIMIT // 2 // degree), min(FIELD_LIMIT // 2 // degree, w)) for w in weights]
    terms = dict(zip(members, weights, strict=True))
    total = [sum(abs(w) for t, w in terms.items() if i in t) for i in range(n)]
    room = [FIELD_LIMIT - t for t in total]
    signs = rng.choice([-1, 1], size=n)
    if regime == "near":
        goals = rng.choice(NEAR, size=n)
        bias = [int(s * max(0, g - t)) for s, g, t in zip(signs, goals, total, strict=True)]
    elif regime in ("bias", "empty"):
        bias = [int(s * rng.integers(0, r + 1)) if rng.random() < 0.7 else int(s * r) for s, r in zip(signs, room, strict=True)]
    else:
        bias = [0] * n if rng.random() < 0.4 else [int(s * min(rng.integers(0, 2 * largest + 2), r)) for s, r in zip(signs, room, strict=True)]
    if regime == "common":
        most = max(1, *(abs(b) + t for b, t in zip(bias, total, strict=True)))
        factor = int(rng.choice([2, 3, 7, 12, 18, 21, max(1, FIELD_LIMIT // most)]))
        factor = min(factor, FIELD_LIMIT // most)
        terms, bias = {t: w * factor for t, w in terms.items()}, [b * factor for b in bias]
    widest = max((abs(w) for w in terms.values()), default=1)
    return bias, terms, max(8, widest.bit_length() + 1)


def rows_of(bias: list[int], terms: dict[tuple[int, ...], int], order: list[int]) -> list[Any]:
    """Return the rows of a program in a given order."""
    return [(i, bias[i], tuple((w, tuple(j for j in t if j != i)) for t, w in terms.items() if i in t)) for i in order]


@st.composite
def programs(draw: st.DrawFn, most_spins: int = 40, most_bits: int = 18) -> tuple[Program, list[Any], str]:
    """(program, rows, regime); half of them compiled, half from rows in a random visiting order."""
    regime = draw(st.sampled_from(REGIMES))
    n = draw(st.integers(1, most_spins))
    orders = draw(st.sampled_from([[2], [2], [3], [2, 3], [2, 3, 4], [4, 5, 6], [2, 3, 4, 5, 6]]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bias, terms, bits = random_weights(rng, regime, n, orders)
    if bits > most_bits:
        bias, terms, bits = random_weights(rng, "eight", n, orders)
    if draw(st.booleans()):
        program = Model(n, bias, terms).compile(coupling_bits=bits, scale=1)
        return program, list(program.rows), regime
    rows = rows_of(bias, terms, rng.permutation(n).tolist())
    return Program.from_rows(n, rows, coupling_bits=min(most_bits, 18) if bits > 8 else 8), rows, regime


def field_bound(program: Program) -> int:
    return max(1, int(program.weights.local_field_bound().max()))


@st.composite
def schedules(draw: st.DrawFn, bound: int, most_sweeps: int = 8) -> Schedule:
    """A few entries: beta 0, tiny, clipped and around 1 / field, 0 sweeps among them."""
    beta = st.one_of(
        st.sampled_from([0.0, 1e-12, 1e-7, 3e-7, 11.08, 11.1, 1e9]),
        st.floats(0.02, 40.0).map(lambda x: x / bound),
        st.floats(0.02, 3.0),
    )
    betas = draw(st.one_of(st.lists(beta, min_size=2, max_size=4), st.lists(beta, max_size=4)))
    sweeps, left = [], most_sweeps
    for _ in betas:
        sweeps.append(min(left, draw(st.sampled_from([1, 2, 3, 4, 0]))))
        left -= sweeps[-1]
    return Schedule.custom(betas, sweeps)


@st.composite
def cases(draw: st.DrawFn, most_spins: int = 40, most_reads: int = 100, most_sweeps: int = 8, most_bits: int = 18) -> Case:
    """Whole runs: a program, a schedule and every argument that decides bits."""
    program, rows, regime = draw(programs(most_spins, most_bits))
    n = program.n
    schedule = draw(schedules(field_bound(program), most_sweeps))
    reads = draw(st.one_of(st.sampled_from([r for r in (1, 2, 3, 31, 32, 33, 64, 65, 96, 97, 100) if r <= most_reads]), st.integers(1, most_reads)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def spins(*shape: int) -> np.ndarray:
        return rng.choice(np.array([-1, 1], dtype=np.int8), size=shape)

    options: dict[str, Any] = {
        "reads": reads,
        "seed": draw(st.one_of(st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))),
        "rule": draw(st.sampled_from(RULES)),
        "first_read": draw(st.one_of(st.sampled_from([0, 1, READ_LIMIT - reads]), st.integers(0, READ_LIMIT - reads))),
    }
    start = draw(st.sampled_from(["drawn", "one", "each"]))
    if start != "drawn":
        options["initial"] = spins(n) if start == "one" else spins(reads, n)
    clamped = draw(st.sampled_from(["none", "none", "some", "each", "all", "all-each"]))
    if clamped != "none":
        which = range(n) if clamped.startswith("all") else rng.choice(n, size=int(rng.integers(0, n + 1)), replace=False).tolist()
        options["clamps"] = {i: spins(reads) if clamped.endswith("each") and rng.random() < 0.7 else int(spins(1)[0]) for i in which}
    if draw(st.booleans()):
        options["burn_in"], options["keep_every"] = draw(st.integers(0, 5)), draw(st.integers(1, 4))
    event(regime)
    label = f"{regime} n={n} {schedule.beta_words} {options}"
    return Case(program, rows, schedule, options, label)


def split_everywhere(schedule: Schedule) -> list[tuple[Schedule, Schedule]]:
    """Return the schedule cut after every sweep, ends included."""
    betas = np.repeat(schedule.betas, schedule.sweeps)
    return [(Schedule.custom(betas[:k]), Schedule.custom(betas[k:])) for k in range(len(betas) + 1)]


def state_that_draws(u: int, rng: np.random.Generator) -> list[int]:
    """Return a random state whose next draw is ``u``: rotl(s0 + s3, 7) + s0 = u solved for s3."""
    s0, s1, s2 = (int(x) for x in rng.integers(1, 2**32, size=3))
    rotated = (u - s0) % 2**32
    return [s0, s1, s2, ((rotated >> 7 | rotated << 25) - s0) % 2**32]


# --- structured programs -------------------------------------------------------------------------------------------------------


def regular_program() -> Program:
    """300 spins of degree 48, couplings -1: the density of a G-set graph."""
    return Model(300, None, {tuple(sorted((i, (i + k) % 300))): -1 for i in range(300) for k in range(1, 25)}).compile(scale=1)


def dense_program() -> Program:
    """100 spins, all couplings, 8 bits."""
    rng = np.random.default_rng(7)
    terms = {pair: int(w) or 1 for pair, w in zip(combinations(range(100), 2), rng.integers(-127, 128, size=4950), strict=True)}
    return Model(100, rng.integers(-200, 200, size=100).tolist(), terms).compile(scale=1)


def formula_program() -> Program:
    """A random 3-SAT formula of 200 variables at ratio 4.2: terms of one to three spins."""
    return Formula.random(200, 4.2, seed=5).model.compile()


STRUCTURED: dict[str, tuple[Callable[[], Program], float, float]] = {
    "regular": (regular_program, 0.02, 3.0),
    "dense": (dense_program, 1e-4, 6e-2),
    "formula": (formula_program, 0.05, 2.0),
}
"""Programs with a hot and a cold beta, program units."""


@functools.cache
def structured_judgement(kind: str, entry: tuple[int, int], options: tuple[tuple[str, Any], ...]) -> Draws:
    """The golden model's draws of a structured program, once for all backends."""
    return judge("jax").run(STRUCTURED[kind][0](), schedule_of_words([entry]), **dict(options))


class Conformance(ABC):
    """Tests of a backend; sizes are class attributes, so that a slow one can take smaller ones."""

    examples = 60
    most_spins = 40
    most_reads = 100
    most_sweeps = 8
    reference_updates = 3000
    """Updates of each random run that the reference is asked about: it takes some 5 us for each."""
    structured_reads = 64
    structured_sweeps = 8

    @abstractmethod
    def make(self) -> SamplerBackend:
        """Return a backend to test; asked once a class."""

    @pytest.fixture
    def backend(self) -> SamplerBackend:
        cls = type(self)
        if "_backend" not in vars(cls):
            cls._backend = self.make()  # type: ignore[attr-defined]
        return cls._backend  # type: ignore[attr-defined,no-any-return]

    def over(self, strategy: st.SearchStrategy[Any], test: Callable[[Any], None], examples: int | None = None) -> None:
        """Run a test over examples of a strategy."""

        @settings(max_examples=EXAMPLES or examples or self.examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def each(example: Any) -> None:
            test(example)

        each()

    def cases(self, backend: SamplerBackend, most_sweeps: int | None = None) -> st.SearchStrategy[Case]:
        can = backend.capabilities
        spins = min(self.most_spins, can.max_spins)
        return cases(spins, self.most_reads, most_sweeps or self.most_sweeps, can.coupling_bits)

    def some_reads(self, case: Case) -> list[int]:
        """Return the last read and a few before it, as many as the reference has time for."""
        reads, each = case.options["reads"], max(1, case.program.n * len(case.words))
        count = min(reads, max(1, self.reference_updates // each))
        return sorted({reads - 1, *np.linspace(0, reads - 1, count).astype(int).tolist()})

    # --- the contract's vectors

    @pytest.mark.parametrize("number", range(len(VECTORS)))
    def test_contract_vector(self, backend: SamplerBackend, number: int) -> None:
        v = VECTORS[number]
        rows = [(i, b, tuple((w, tuple(others)) for w, others in terms)) for i, b, terms in v["rows"]]
        program = Program.from_rows(v["n"], rows, coupling_bits=18 if any(abs(w) > 127 for _, _, t in rows for w, _ in t) else 8)
        words = [(word, 1) for word, sweeps in v["schedule"] for _ in range(sweeps)]
        options = {
            "seed": v["seed"], "rule": v["rule"], "first_read": v["read"], "initial": v["initial"], "burn_in": 0, "keep_every": 1,
            "clamps": {int(i): s for i, s in v["clamps"].items()},
        }  # fmt: skip
        draws = backend.run(program, schedule_of_words(words), **options)
        assert draws.kept is not None
        assert draws.kept[0].tolist() == v["states"]
        assert program.energy(draws.kept[0]).tolist() == v["energies"]
        assert draws.flips.tolist() == [v["flips"]]
        same = backend.run(program, schedule_of_words([tuple(entry) for entry in v["schedule"]]), **options)
        assert_equal_draws(same, draws)
        case = Case(program, rows, schedule_of_words(words), {"reads": 1, **options}, f"vector {number}")
        assert_reads_as_reference(draws, case, [0])

    # --- random programs

    def test_random_runs(self, backend: SamplerBackend) -> None:
        tally = Tally()

        def agree(case: Case) -> None:
            draws = backend.run(case.program, case.schedule, **case.options)
            kept = None
            if "keep_every" in case.options:
                kept = max(0, len(case.words) - case.options["burn_in"]) // case.options["keep_every"]
            assert_types(draws, case.program, case.options["reads"], kept)
            assert (draws.info["updates"], draws.info["stopped_by"]) == (
                case.options["reads"] * len(case.words) * (case.program.n - len(case.options.get("clamps") or {})), None,
            )  # fmt: skip
            tally.reference += assert_reads_as_reference(draws, case, self.some_reads(case))
            if backend.name != "golden":
                assert_equal_draws(draws, judge().run(case.program, case.schedule, **case.options), case.label)
                tally.golden += draws.info["updates"]

        self.over(self.cases(backend), agree)
        tally.report(f"random runs on {backend!r}")

    def test_a_read_does_not_depend_on_the_others(self, backend: SamplerBackend) -> None:
        def agree(case: Case) -> None:
            o = case.options
            draws = backend.run(case.program, case.schedule, **o)
            for r in {0, o["reads"] // 2, o["reads"] - 1}:
                one = {**o, "reads": 1, "first_read": o["first_read"] + r}
                if np.ndim(o.get("initial")) == 2:
                    one["initial"] = o["initial"][r : r + 1]
                if o.get("clamps"):
                    one["clamps"] = {i: v if np.ndim(v) == 0 else v[r : r + 1] for i, v in o["clamps"].items()}
                alone = backend.run(case.program, case.schedule, **one)
                for name in ("spins", "energy", "best_spins", "best_energy", "best_sweep", "flips", "random"):
                    assert np.array_equal(getattr(alone, name)[0], getattr(draws, name)[r]), name
                if draws.kept is not None:
                    assert np.array_equal(alone.kept[0], draws.kept[r])

        self.over(self.cases(backend), agree, examples=max(10, self.examples // 3))

    def test_resume_at_every_split_equals_one_run(self, backend: SamplerBackend) -> None:
        def agree(case: Case) -> None:
            whole = backend.run(case.program, case.schedule, **case.options)
            again = {k: v for k, v in case.options.items() if k != "initial"}
            for k, (first, second) in enumerate(split_everywhere(case.schedule)):
                head = backend.run(case.program, first, **case.options)
                before = dataclasses.replace(head, **{f.name: _copied(getattr(head, f.name)) for f in dataclasses.fields(head)})
                tail = backend.run(case.program, second, resume=head, **(again if k % 2 else {}))
                assert_equal_draws(tail, whole, f"split after {k} sweeps: {case.label}")
                assert_equal_draws(head, before, "resume changed what it resumes")
            joined = None
            for _, rest in zip(case.words, split_everywhere(case.schedule), strict=False):
                step = Schedule.custom(rest[1].betas[:1])
                joined = backend.run(case.program, step, **(case.options if joined is None else {"resume": joined}))
            if joined is not None:
                assert_equal_draws(joined, whole, f"sweep by sweep: {case.label}")

        self.over(self.cases(backend, most_sweeps=min(5, self.most_sweeps)), agree, examples=max(8, self.examples // 4))

    def test_entries_of_no_sweeps_do_nothing(self, backend: SamplerBackend) -> None:
        program = Model(3, [1, -2, 0], {(0, 1): -3, (0, 1, 2): 2}).compile()
        with_zeros = Schedule.custom([5.0, 0.3, 9.0, 0.1, 2.0], [0, 2, 0, 1, 0])
        plain = backend.run(program, Schedule.custom([0.3, 0.1], [2, 1]), reads=3, seed=9, keep_every=1)
        assert_equal_draws(backend.run(program, with_zeros, reads=3, seed=9, keep_every=1), plain)
        nothing = backend.run(program, Schedule.custom([]), reads=3, seed=9, keep_every=1)
        assert nothing.sweeps == 0 and nothing.kept is not None and nothing.kept.shape == (3, 0, 3)
        assert nothing.flips.tolist() == [0, 0, 0] and nothing.best_sweep.tolist() == [0, 0, 0]
        assert np.array_equal(nothing.best_spins, nothing.spins)
        assert_equal_draws(backend.run(program, with_zeros, resume=nothing), plain)

    def test_samples_are_those_of_the_sweeps_named(self, backend: SamplerBackend) -> None:
        program = Model(4, [1, -2, 0, 3], {(0, 1): -3, (0, 1, 2): 2}).compile()
        schedule = Schedule.constant(0.2, 12)
        every = backend.run(program, schedule, reads=35, seed=9, keep_every=1).kept
        assert every is not None and every.shape == (35, 12, 4)
        for burn_in, step in ((0, 5), (3, 2), (11, 1), (12, 1), (13, 1), (0, 12), (0, 13), (2**62, 2**62)):
            kept = backend.run(program, schedule, reads=35, seed=9, burn_in=burn_in, keep_every=step).kept
            assert kept is not None and np.array_equal(kept, every[:, burn_in + step - 1 :: step] if burn_in < 12 else every[:, :0])

    def test_ties_go_to_the_earliest(self, backend: SamplerBackend) -> None:
        # No weights: every state has energy 0, and the initial one is the best for ever.
        free = Program.from_rows(3, [(2, 0, ()), (0, 0, ()), (1, 0, ())])
        draws = backend.run(free, Schedule.constant(1.0, 6), reads=40, seed=3, keep_every=1)
        start = backend.run(free, Schedule.custom([]), reads=40, seed=3)
        assert draws.best_sweep.tolist() == [0] * 40 and np.array_equal(draws.best_spins, start.spins)
        assert draws.kept is not None
        flips = np.abs(np.diff(np.concatenate([start.spins[:, None], draws.kept], axis=1).astype(int), axis=1)).sum(axis=(1, 2)) // 2
        assert draws.flips.tolist() == flips.tolist()
        # Metropolis at beta 0 flips every spin every time.
        swapped = backend.run(free, Schedule.constant(0.0, 3), reads=40, seed=3, rule="metropolis")
        assert np.array_equal(swapped.spins, -start.spins) and swapped.flips.tolist() == [9] * 40

    # --- temperature

    def decisions(self, backend: SamplerBackend, h: int, words: list[int], coupling: int, rule: str) -> int:
        """Compare outcomes of draws chosen around the threshold, by way of crafted random states; return how many."""
        # Spin 1 is clamped to +1, so that spin 0 has one field; its bias of 1 keeps the common factor at 1.
        terms = [((coupling, (1,)),), ((coupling, (0,)),)] if coupling else [(), ()]
        if abs(h - coupling) + abs(coupling) > FIELD_LIMIT:
            return 0
        program = Program.from_rows(2, [(0, h - coupling, terms[0]), (1, 1, terms[1])], coupling_bits=18 if abs(coupling) > 127 else 8)
        rng, compared, head = np.random.default_rng(abs(h)), 0, None
        for word in words:
            t = reference.threshold(rule, abs(h), word)
            near = [t + d for d in (-2, -1, 0, 1)] + [t + int(t * f * 2.0**-11) for f in (-2, -1.1, -0.9, -0.3, 0.3, 0.9, 1.1, 2)]
            draws = [min(max(u, 0), 2**32 - 1) for u in (0, 1, 8, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, *near)]
            each = [(s, u) for s in (-1, 1) for u in draws]
            start = [[s, 1] for s, _ in each]
            if head is None:
                head = backend.run(program, Schedule.custom([]), reads=len(each), seed=1, rule=rule, initial=start, clamps={1: 1})
            states = np.array([state_that_draws(u, rng) for _, u in each], dtype=np.uint32)
            got = backend.run(program, schedule_of_words([(word, 1)]), resume=dataclasses.replace(head, random=states))
            for (s, u), after in zip(each, got.spins[:, 0].tolist(), strict=True):
                weak = reference.weak(rule, abs(h), word, u)
                assert weak == (u < t)
                flipped = -s if s * h <= 0 or weak else s
                wanted = (1 if (h >= 0) != weak else -1) if rule == "gibbs" else flipped
                assert after == wanted, f"h={h} B={word} {rule} u={u} T={t} from {s}, J={coupling}"
            compared += len(each)
        return compared

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("kind", ["bias", "byte", "wide"])
    def test_decisions_at_the_threshold(self, backend: SamplerBackend, kind: str, rule: str) -> None:
        if kind == "wide" and backend.capabilities.coupling_bits < 18:
            pytest.skip("the backend has no wide couplings")
        cutoff = (33 << 12 << 9) - 2**8  # the least |h| B with y at the cutoff
        rng = np.random.default_rng(1)
        compared = 0
        for magnitude in (0, 1, 2, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 252, 253, 254, 255, 4000, 65536, FIELD_LIMIT):
            words = {0, 1, LAST_WORD}
            if magnitude:
                exact = -(-cutoff // magnitude)
                # y = 33 << 12 and the word before it, where a draw of 0 may still be weak, and a few on the way there
                words |= {exact, exact - 1, int(rng.integers(0, exact)), exact // 33, exact // 330}
            for sign in (1, -1) if magnitude else (1,):
                coupling = sign * {"bias": 0, "byte": 1, "wide": 1000}[kind]
                usable = sorted(w for w in words if 0 <= w <= LAST_WORD)
                compared += self.decisions(backend, sign * magnitude, usable, coupling, rule)
        print(f"decisions, {kind} rows, {rule}: {compared} draws around the thresholds")

    def test_cutoff_is_reached_exactly(self) -> None:
        # 16 * 4325360 + 256 = 33 << 21, on the spot.
        assert reference.threshold("metropolis", 16, 4325360) == 0
        assert (16 * 4325360 + 256) >> 9 == 33 << 12 and (16 * 4325359 + 256) >> 9 == (33 << 12) - 1
        assert reference.threshold("metropolis", 5, 0) == 2**32 and reference.threshold("gibbs", 5, 0) == 2**31

    def test_words_saturate(self, backend: SamplerBackend) -> None:
        assert beta_word(1e300) == beta_word(12.0) == LAST_WORD and beta_word(1e-9) == 0
        program = Model(3, [1, -1, 1], {(0, 1): 1}).compile()
        hot, cold = Schedule.constant(1e-9, 3), Schedule.constant(1e300, 3)
        assert_equal_draws(backend.run(program, hot, reads=40, seed=2), backend.run(program, Schedule.constant(0.0, 3), reads=40, seed=2))
        draws = backend.run(program, cold, reads=40, seed=2)
        assert_equal_draws(draws, backend.run(program, schedule_of_words([(LAST_WORD, 3)]), reads=40, seed=2))
        assert draws.info["beta_clipped"] == 1 and draws.info["beta_effective"] == [effective_beta(LAST_WORD)] * 2
        assert backend.run(program, hot, seed=2).info["beta_clipped"] == 0

    # --- larger programs

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("kind", sorted(STRUCTURED))
    def test_structured_program(self, backend: SamplerBackend, kind: str, rule: str) -> None:
        if backend.name != "golden":
            pytest.importorskip("jax")
        make, hot, cold = STRUCTURED[kind]
        program = make()
        if program.n > backend.capabilities.max_spins:
            pytest.skip(f"the backend takes {backend.capabilities.max_spins} spins")
        updates, options = 0, {"reads": self.structured_reads, "seed": 2**63 + 11, "rule": rule, "first_read": 1000}
        for beta in (hot, (hot * cold) ** 0.5, cold):
            schedule = Schedule.constant(beta, self.structured_sweeps)
            draws = backend.run(program, schedule, **options)
            if backend.name == "golden":
                assert_reads_as_reference(draws, Case(program, list(program.rows), schedule, options, kind), [0, options["reads"] - 1])
            else:
                assert_equal_draws(draws, structured_judgement(kind, schedule.beta_words[0], tuple(options.items())), f"{kind} {rule} beta {beta}")
            assert np.array_equal(draws.energy, program.energy(draws.spins))
            updates += draws.info["updates"]
        print(f"{kind}, {rule} on {backend!r}: {updates:,} updates compared")

    # --- what does not fit

    def test_what_does_not_fit_is_refused(self, backend: SamplerBackend) -> None:
        can = backend.capabilities
        assert set(can.rules) <= set(RULES) and "ising" in can.units
        if can.coupling_bits < 18:
            wide = Program.from_rows(2, [(0, 0, ((1, (1,)),)), (1, 0, ((1, (0,)),))], coupling_bits=18)
            with pytest.raises(DoesNotFit, match=f"18 coupling bits, backend '{backend.name}' takes {can.coupling_bits}"):
                backend.run(wide, Schedule.constant(1.0, 1))
        if can.max_spins < 10**5:
            large = Model(can.max_spins + 1).compile()
            with pytest.raises(DoesNotFit, match=f"{can.max_spins + 1} spins, backend '{backend.name}' takes {can.max_spins}"):
                backend.run(large, Schedule.constant(1.0, 1))


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
