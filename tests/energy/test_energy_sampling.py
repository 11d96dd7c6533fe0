"""Langevin and HMC: moments within Monte-Carlo bounds, the leapfrog's order and reversibility, detailed balance; wrong ones must fail."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doubles import double_precision

from ebmhw.energy import FunctionEnergy, Hmc, Langevin, effective_size, r_hat, sample
from ebmhw.energy.dynamics import begin, folded, hamiltonian, leapfrog, step
from ebmhw.errors import InvalidModel, InvalidRun

MEAN, COVARIANCE = np.array([1.0, -2.0]), np.array([[2.0, 0.9], [0.9, 0.5]])
CHAINS = 64


def gaussian(parameters: Any, x: Any) -> Any:
    away = x - parameters["mean"]
    return 0.5 * away @ parameters["precision"] @ away


def double_well(parameters: Any, x: Any) -> Any:
    return jnp.sum(parameters * jnp.square(jnp.square(x) - 1.0))


NORMAL = FunctionEnergy(gaussian, 2, {"mean": MEAN, "precision": np.linalg.inv(COVARIANCE)})
WELL = FunctionEnergy(double_well, 1, 1.5)


def off_by(draws: np.ndarray, temperature: float = 1.0) -> float:
    """Return the largest error of means and covariances of independent chains (chains, draws, 2) in standard errors over chains."""
    centred = draws - MEAN
    statistics = np.stack([centred[..., 0], centred[..., 1], centred[..., 0] ** 2, centred[..., 1] ** 2, centred[..., 0] * centred[..., 1]], axis=-1)
    expected = np.array([0.0, 0.0, *(temperature * np.array([COVARIANCE[0, 0], COVARIANCE[1, 1], COVARIANCE[0, 1]]))])
    means = statistics.mean(axis=1)
    return float((np.abs(means.mean(axis=0) - expected) / (means.std(axis=0, ddof=1) / np.sqrt(len(means)))).max())


def starts() -> np.ndarray:
    return np.random.default_rng(0).multivariate_normal(MEAN, COVARIANCE, CHAINS)


LIMIT = 4.5
"""Standard errors; the largest of five exceeds it once in 20,000 runs, and seeds are fixed."""


@pytest.mark.parametrize(
    ("kernel", "temperature"),
    [
        (Hmc(NORMAL, 0.3), 1.0),
        (Hmc(NORMAL, 0.3, mass=[0.5, 2.0]), 1.0),
        (Hmc(NORMAL, 0.3, temperature=2.0), 2.0),
        (Langevin(NORMAL, 0.1, adjusted=True), 1.0),
    ],
)
def test_moments_of_a_gaussian(kernel: Any, temperature: float) -> None:
    found = sample(kernel, starts(), 2000, seed=1, warmup=300, adapt_mass=True)
    assert off_by(found.x, temperature) < LIMIT
    assert 0.5 < found.acceptance.mean() < 0.95 and found.divergent.sum() == 0
    assert found.x.shape == (CHAINS, 2000, 2) and found.energies.shape == (CHAINS, 2000) and found.stopped_by == "steps"
    np.testing.assert_allclose(found.energies[0, -3:], NORMAL.energy_batch(found.x[0, -3:]), rtol=1e-4, atol=1e-5)


def test_what_is_not_adjusted_has_the_bias_that_theory_says() -> None:
    one = FunctionEnergy(gaussian, 2, {"mean": MEAN, "precision": np.eye(2)})
    tau = 0.4
    found = sample(Langevin(one, tau), np.tile(MEAN, (CHAINS, 1)), 2000, seed=2, warmup=50)
    variance = ((found.x - MEAN) ** 2).mean(axis=1)
    error = variance.std(axis=0, ddof=1) / np.sqrt(CHAINS)
    biased = 1.0 / (1.0 - tau / 2.0)
    assert (np.abs(variance.mean(axis=0) - biased) < LIMIT * error).all()
    # And so it fails the test of exact chains, which therefore has the power to fail.
    assert (np.abs(variance.mean(axis=0) - 1.0) > 3 * LIMIT * error).all()


@pytest.mark.parametrize("wrong", ["no acceptance", "noise too small", "gradient too large"])
def test_wrong_kernels_fail_the_test_of_moments(wrong: str) -> None:
    kernel: Any = Hmc(NORMAL, 0.6, leaps=3)
    if wrong == "no acceptance":
        kernel.settings = kernel.settings._replace(adjusted=jnp.array(False))
    elif wrong == "noise too small":
        kernel = Langevin(NORMAL, 0.02)
        # The noise of a step 0.9 of what it should be: as at temperature 0.81.
        kernel.settings = kernel.settings._replace(temperature=jnp.float32(0.81), step=kernel.settings.step * 0.9)
    else:
        kernel = Langevin(NORMAL, 0.02)
        kernel.settings = kernel.settings._replace(temperature=jnp.float32(1 / 1.3))
    found = sample(kernel, starts(), 2000, seed=3)
    assert off_by(found.x) > LIMIT


def test_double_well_is_visited_as_its_density_says() -> None:
    found = sample(Hmc(WELL, 0.3, leaps=6), np.linspace(-1.2, 1.2, CHAINS)[:, None], 2000, seed=4, warmup=200)
    grid = np.linspace(-3, 3, 20001)
    density = np.exp(-1.5 * (grid**2 - 1.0) ** 2)
    for statistic in (lambda x: x, lambda x: x**2, lambda x: np.abs(x) < 0.5):
        expected = float((statistic(grid) * density).sum() / density.sum())
        means = statistic(found.x[..., 0]).mean(axis=1)
        assert abs(means.mean() - expected) < LIMIT * means.std(ddof=1) / np.sqrt(CHAINS)


leap = jax.jit(lambda *arguments: leapfrog(FunctionEnergy, *arguments), static_argnums=0)
one_step = jax.jit(
    lambda structure, parameters, settings, keys, xs: jax.vmap(
        lambda key, x: step(FunctionEnergy, structure, parameters, settings, key, begin(FunctionEnergy, structure, parameters, x))[0].x
    )(keys, xs),
    static_argnums=0,
)


def run_leapfrog(length: float, leaps: int, x: Any, momentum: Any, kernel: Any) -> Any:
    settings = kernel.settings._replace(step=jnp.asarray(length, dtype=kernel.settings.step.dtype))
    state = kernel.init(x)
    end, final = leap(kernel.energy.structure, kernel.energy.parameters, settings, leaps, state, jnp.asarray(momentum))
    return state, end, final, settings


def test_leapfrog_is_reversible_and_its_error_falls_with_the_square_of_the_step() -> None:
    with double_precision():
        kernel = Hmc(NORMAL, 0.1, mass=[0.7, 1.3])
        x, p = np.array([0.3, -1.0]), np.array([0.8, -0.4])
        errors = []
        for length, leaps in ((0.1, 10), (0.05, 20), (0.025, 40)):
            state, end, final, settings = run_leapfrog(length, leaps, x, p, kernel)
            errors.append(abs(float(hamiltonian(settings, end, final) - hamiltonian(settings, state, jnp.asarray(p)))))
            _, back, turned, _ = run_leapfrog(length, leaps, np.asarray(end.x), -np.asarray(final), kernel)
            np.testing.assert_allclose(back.x, x, atol=1e-12)
            np.testing.assert_allclose(turned, -p, atol=1e-12)
        assert 3.5 < errors[0] / errors[1] < 4.5 and 3.5 < errors[1] / errors[2] < 4.5

        def mapped(z: Any) -> Any:
            form = FunctionEnergy, kernel.energy.structure, kernel.energy.parameters
            end, final = leapfrog(*form, kernel.settings, 3, kernel.init(z[:2]), z[2:])
            return jnp.concatenate([end.x, final])

        # Volumes are kept: the determinant of the map is 1.
        assert abs(float(jnp.linalg.det(jax.jit(jax.jacfwd(mapped))(jnp.concatenate([x, p])))) - 1.0) < 1e-10


def test_one_leap_is_mala() -> None:
    """The acceptance equals that of MALA as it is written with the densities of its proposals."""
    tau, heat = 0.3, 1.7
    with double_precision():
        kernel = Langevin(NORMAL, tau, temperature=heat, adjusted=True)
        x = np.array([0.2, -1.5])
        energy, slope = lambda z: float(NORMAL.energy(z)), lambda z: np.asarray(NORMAL.grad_energy(z))
        noise = np.array([0.4, -1.1])
        state, end, final, settings = run_leapfrog(float(kernel.settings.step), 1, x, noise, kernel)
        proposal = x - tau * slope(x) + np.sqrt(2 * tau * heat) * noise
        np.testing.assert_allclose(end.x, proposal, rtol=1e-12)
        log_q = lambda to, at: -((to - at + tau * slope(at)) ** 2).sum() / (4 * tau * heat)  # noqa: E731
        log_ratio = (energy(x) - energy(proposal)) / heat + log_q(x, proposal) - log_q(proposal, x)
        ours = float(hamiltonian(settings, state, jnp.asarray(noise)) - hamiltonian(settings, end, final))
        assert ours == pytest.approx(log_ratio, rel=1e-9)


def flow(kernel: Any, seed: int) -> float:
    """Return the largest imbalance between cells of the double well, in standard errors, of one step from the exact density."""
    rng, edges, size = np.random.default_rng(seed), np.array([-np.inf, -0.9, 0.0, 0.9, np.inf]), 60000
    grid = np.linspace(-2.5, 2.5, 200001)
    weights = np.exp(-1.5 * (grid**2 - 1.0) ** 2)
    x = rng.choice(grid, size, p=weights / weights.sum()).astype(np.float32)[:, None]
    keys = jax.random.split(jax.random.key(seed), size)
    after = np.asarray(one_step(WELL.structure, WELL.parameters, kernel.settings, keys, jnp.asarray(x)))
    table = np.histogram2d(x[:, 0], after[:, 0], [edges.clip(-9, 9)] * 2)[0]
    total = table + table.T
    return float((np.abs(table - table.T) / np.sqrt(np.maximum(total, 1.0))).max())


def test_detailed_balance() -> None:
    assert flow(Hmc(WELL, 0.4, leaps=4), 1) < LIMIT
    assert flow(Langevin(WELL, 0.1, adjusted=True), 2) < LIMIT
    assert flow(Langevin(WELL, 0.1), 3) > LIMIT


def test_bounds_reflect() -> None:
    low, high = np.array([0.0, -np.inf]), np.array([2.0, -1.0])
    kernel = Hmc(NORMAL, 0.3, bounds=(low, high))
    inside = np.tile([1.0, -2.0], (CHAINS, 1))
    found = sample(kernel, inside, 2000, seed=5, warmup=100)
    assert found.x[..., 0].min() >= 0.0 and found.x[..., 0].max() <= 2.0 and found.x[..., 1].max() <= -1.0
    rng = np.random.default_rng(1)
    plain = rng.multivariate_normal(MEAN, COVARIANCE, 400000)
    kept = plain[(plain[:, 0] >= 0) & (plain[:, 0] <= 2) & (plain[:, 1] <= -1)]
    means = found.x.mean(axis=1)
    assert (
        np.abs(means.mean(axis=0) - kept.mean(axis=0))
        < LIMIT * means.std(axis=0, ddof=1) / np.sqrt(CHAINS) + 4 * kept.std(axis=0) / np.sqrt(len(kept))
    ).all()
    with pytest.raises(InvalidRun, match="outside the bounds"):
        sample(kernel, [3.0, -2.0], 10)


def test_folding_is_a_walk_between_walls() -> None:
    # A walk of small steps, each of which can meet one wall, ends where folding says.
    for target in (0.3, 1.7, 2.9, -0.4, -7.1, 11.3):
        x, way = 0.5, 1.0
        for _ in range(20000):
            x += way * (target - 0.5) / 20000
            if not 0.0 <= x <= 1.0:
                x, way = (-x if x < 0 else 2.0 - x), -way
        place, turned = folded(jnp.array([target]), jnp.zeros(1), jnp.ones(1))
        assert float(place[0]) == pytest.approx(x, abs=1e-3) and float(turned[0]) == way
    place, turned = folded(jnp.array([-0.5, 3.0, 2.0]), jnp.array([0.0, -jnp.inf, -jnp.inf]), jnp.array([jnp.inf, 1.0, jnp.inf]))
    assert place.tolist() == [0.5, -1.0, 2.0] and turned.tolist() == [-1.0, -1.0, 1.0]


def test_draws_depend_on_seed_chain_and_step_alone() -> None:
    kernel, at = Hmc(NORMAL, 0.3), starts()
    whole = sample(kernel, at, 150, seed=6)
    np.testing.assert_array_equal(sample(kernel, at, 150, seed=6).x, whole.x)
    np.testing.assert_array_equal(sample(kernel, at, 100, seed=6).x, whole.x[:, :100])
    np.testing.assert_array_equal(sample(kernel, at, 50, seed=6, keep_every=3).x, whole.x[:, 2::3])
    assert not (sample(kernel, at, 150, seed=7).x == whole.x).all()
    assert len(np.unique(whole.x[:, 0, 0])) == CHAINS
    # One's own scan over init and step draws the same.
    keys = [jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(jax.random.key(np.uint32(6)), np.uint32(0)), 3), i) for i in range(4)]
    state = kernel.init(at[3])
    for key in keys:
        state, info = kernel.step(key, state)
        assert 0.0 <= float(info.acceptance) <= 1.0
    np.testing.assert_allclose(state.x, whole.x[3, 3], rtol=1e-4)


def test_limits_of_time_progress_and_wrong_use() -> None:
    calls: list[tuple[int, int]] = []
    kernel = Hmc(NORMAL, 0.3)
    found = sample(kernel, starts(), 1000, seed=1, time_limit=0.0, progress=lambda done, total: calls.append((done, total)))
    assert found.stopped_by == "time limit" and found.x.shape[1] == 64 and calls == [(64, 1000)]
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: sample(kernel, starts(), 10, warmup=1000, time_limit=0.0), InvalidRun, "of 1000 steps of the warm-up, before the first draw"),
        (lambda: sample(kernel, starts(), 0), InvalidRun, "steps is 0"),
        (lambda: sample(kernel, np.zeros((0, 2)), 1), InvalidRun, "no starts"),
        (lambda: sample(kernel, np.zeros((3, 3)), 1), InvalidModel, r"starts has shape \(3, 3\); give \(any, 2\)"),
        (lambda: sample(Hmc(FunctionEnergy(lambda p, x: jnp.log(x[0]), 1), 0.1), [-1.0], 1), InvalidRun, "no finite energy"),
        (lambda: Hmc(NORMAL, 0.0), InvalidRun, "step_size is 0"),
        (lambda: Hmc(NORMAL, 0.1, leaps=0), InvalidRun, "leaps is 0"),
        (lambda: Hmc(NORMAL, 0.1, mass=-1.0), InvalidRun, "mass is -1; give a number above 0"),
        (lambda: Langevin(NORMAL, 0.1, temperature=0.0), InvalidRun, "temperature is 0"),
    ]
    for act, kind, text in cases:
        with pytest.raises(kind, match=text):
            act()


def test_effective_size_of_an_autoregression_is_what_theory_says() -> None:
    rng, rho, chains, draws = np.random.default_rng(0), 0.8, 8, 4000
    x = np.zeros((chains, draws))
    x[:, 0] = rng.normal(size=chains) / np.sqrt(1 - rho**2)
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + rng.normal(size=chains)
    theory = chains * draws * (1 - rho) / (1 + rho)
    assert effective_size(x) == pytest.approx(theory, rel=0.1)
    assert effective_size(rng.normal(size=(chains, draws))) == pytest.approx(chains * draws, rel=0.1)
    assert effective_size(x[:, :, None])[0] == effective_size(x)


def test_r_hat_is_its_definition_and_sees_what_has_not_mixed() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 100))

    def ratio(values: np.ndarray) -> float:
        halves = [row[half] for row in values for half in (slice(0, 50), slice(50, 100))]
        within = sum(sum((v - sum(h) / 50) ** 2 for v in h) / 49 for h in halves) / 8
        means = [sum(h) / 50 for h in halves]
        between = 50 * sum((m - sum(means) / 8) ** 2 for m in means) / 7
        return float(np.sqrt((49 / 50 * within + between / 50) / within))

    def normal_scores(values: np.ndarray) -> np.ndarray:
        order = sorted(values.ravel())
        # Ties, as of the two middle draws' distances to the median, share their mean rank.
        ranks = [order.index(v) + (order.count(v) + 1) / 2 for v in values.ravel()]
        scores = [NormalDist().inv_cdf((rank - 0.375) / (len(order) + 0.25)) for rank in ranks]
        return np.reshape(scores, values.shape)

    far = np.abs(x - np.median(x))
    assert r_hat(x) == pytest.approx(max(ratio(normal_scores(x)), ratio(normal_scores(far))))
    assert r_hat(np.exp(3 * x)) == pytest.approx(max(ratio(normal_scores(x)), ratio(normal_scores(np.abs(np.exp(3 * x) - np.median(np.exp(3 * x)))))))
    assert r_hat(x) < 1.05 and r_hat(x + np.arange(4)[:, None]) > 1.5 and r_hat(x + np.linspace(0, 5, 100)) > 1.3
    # Chains of one mean and other widths, which the ratio alone does not see.
    wide = x * np.array([1.0, 1.0, 1.0, 5.0])[:, None]
    assert r_hat(wide) > 1.1 > 1.05 > ratio(wide)
    assert np.isnan(r_hat(np.ones((2, 8)))) and np.isnan(effective_size(np.ones((2, 8))))
    assert r_hat(np.arange(2.0)[:, None] * np.ones((2, 8))) == np.inf
    with pytest.raises(InvalidRun, match="at least 1 chain of 4 draws"):
        r_hat(np.ones((2, 3)))


@pytest.mark.parametrize("adapt_step", [True, False])
def test_a_step_that_is_not_adapted_stays_as_it_is_given(adapt_step: bool) -> None:
    found = sample(Hmc(NORMAL, 0.3), starts(), 70, seed=1, warmup=64, adapt_step=adapt_step, adapt_mass=True)
    assert (found.step_size == np.float32(0.3)) == (not adapt_step)
    assert (found.mass != 1.0).all()
