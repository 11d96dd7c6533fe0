"""Tiny random models read sessions: what they give each token, a gap that was trained in, and none where nothing was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from karl_models import make_model, run_of

from ebmhw.errors import ConfigError, ModelError, ValidationError
from ebmhw.karl.evaluation import Evaluation, cross_domain, evaluate, regression
from ebmhw.karl.evaluation.figures import gap_of
from ebmhw.karl.training import train
from ebmhw.karl.training.tokens import Template
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory

for needed in ("torch", "transformers", "trl", "peft", "datasets"):
    pytest.importorskip(needed)

# Warnings of torch, transformers, TRL and peft about themselves are theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

GOOD, BAD = ("Read", "Edit"), ("Bash", "Grep")


def session(place: int, tools: tuple[str, ...], verified: float | None, domain: str = "web") -> Trajectory:
    return Trajectory(
        id=f"traj_{place}",
        session_id=str(place),
        events=tuple(ToolEvent(tool, success=True) for tool in tools),
        outcome=Outcome(verified=verified),
        domain=domain,
        prompt=f"p{place % 5}",
        task=f"t{place // 2}",
    )


def example_of(trajectory: Trajectory) -> dict[str, Any]:
    if not trajectory.events:
        raise ValidationError("no calls")
    plan = "\n".join(f"{place}. [ok] {event.tool}" for place, event in enumerate(trajectory.events, 1))
    return {"messages": [{"role": "user", "content": trajectory.prompt}, {"role": "assistant", "content": plan}]}


SESSIONS = [session(place, BAD if place % 2 else GOOD, 0.0 if place % 2 else 1.0, "ab"[place % 3 == 0]) for place in range(24)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that knows what good sessions are like."""
    folder = tmp_path_factory.mktemp("adapter") / "run"
    config = run_of(model, folder, steps=60, learning_rate=0.03, lora={"rank": 8, "layers": None}, schedule={"name": "constant"})
    return train(config, examples=[example_of(one) for one in SESSIONS[::2]]).adapter


def read(model: Path, adapter: Path | None, sessions: list[Trajectory] = SESSIONS, **options: Any) -> Evaluation:
    return evaluate(str(model), adapter, sessions, example_of=example_of, threads=1, **options)


def test_a_pass_gives_each_token_what_all_its_logits_give(model):
    import torch

    from ebmhw.coherence.capture.loading import load_causal_lm
    from ebmhw.karl.evaluation.forward import mean_nll, seen
    from ebmhw.karl.evaluation.plans import tool_spans

    loaded = load_causal_lm(str(model))
    rows = [Template(loaded.tokenizer, "tiny").tokens(example_of(one)["messages"], tool_spans) for one in SESSIONS[:3]]
    found = list(seen(loaded.model, rows))
    for row, one in zip(rows, found, strict=True):
        with torch.no_grad():
            logits = loaded.model(input_ids=torch.tensor([row.ids])).logits[0].double().numpy()
        judged = [place for place, wanted in enumerate(row.target) if wanted]
        likely = logits - np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)) - logits.max(axis=1, keepdims=True)
        assert one.logprob == pytest.approx([likely[place - 1, row.ids[place]] for place in judged], abs=1e-5)
        assert one.best.tolist() == [int(logits[place - 1].argmax()) == row.ids[place] for place in judged]
        named = "".join(chr(row.ids[place]) for place in judged if row.group[place] == 0)
        assert len(named) == 4 and one.group.max() == 1
    assert mean_nll(loaded.model, rows) == pytest.approx(np.mean([-one.logprob.mean() for one in found]))
    with pytest.raises(ModelError, match="row 0 has 257 tokens; the model holds 256"):
        list(seen(loaded.model, [rows[0]._replace(ids=(1,) * 257, target=(False,) * 256 + (True,), group=(-1,) * 257)]))


def test_an_adapter_that_knows_good_sessions_has_a_gap_and_names_their_tools(model, adapter):
    before, after = read(model, None), read(model, adapter)
    assert after.all.gap.interval.low > 1 and after.labels == "outcome.verified" and (after.all.good, after.all.bad) == (12, 12)
    of_good = [one for one in after.sessions if one.good]
    assert sum(one.hits for one in of_good) > 0.9 * sum(one.steps for one in of_good) and after.all.next_tool.value > before.all.next_tool.value
    change = regression(before, after).all
    assert change["gap"].difference.interval.low > 1 and not change["gap"].regressed
    # The adapter names the model that it is on.
    assert evaluate(None, adapter, SESSIONS, example_of=example_of, threads=1).sessions == after.sessions
    assert set(after.domains) == {"a", "b"} and sum(figures.sessions for figures in after.domains.values()) == 24
    assert json.loads(json.dumps(after.to_dict(), allow_nan=False))["all"]["gap"]["value"] == after.all.gap.value


def test_guesses_are_of_the_steps_that_the_model_is_judged_on(model):
    found = read(model, None)
    # Each session is Read, Edit or Bash, Grep; of equal counts the first by name is guessed, and what follows a tool is always the same.
    assert [(one.steps, one.frequent, one.repeated, one.bigram) for one in found.sessions[:2]] == [(2, 0, 0, 1), (2, 1, 1, 2)]
    assert (found.all.most_frequent.value, found.all.repeat_last.value, found.all.bigram.value) == (0.25, 0.25, 0.75)
    assert found.all.bigram.size == found.all.next_tool.size == 48
    short = read(model, None, max_tokens=24)
    assert short.all.bigram.size == short.all.next_tool.size < 48


def test_an_adapter_of_another_model_of_the_same_shape_is_refused(model, adapter, tmp_path):
    other = make_model(tmp_path)
    with pytest.raises(
        ConfigError, match=rf"was trained on {model} .*, not on {other}; give that model, or, where both are the same, other_base=True"
    ):
        read(other, adapter)
    assert len(read(other, adapter, SESSIONS[:2], other_base=True).sessions) == 2


def test_labels_that_mean_nothing_have_no_gap(model, adapter):
    # The control: half of the good and half of the bad sessions are called good.
    labels = [place % 4 < 2 for place in range(24)]
    found = read(model, adapter, labels=labels).all.gap
    assert found.interval.low < 0 < found.interval.high


def test_a_random_model_has_intervals_around_0(model):
    rng = np.random.default_rng(1)
    tools = [tuple(rng.choice(["Read", "Edit", "Bash", "Grep", "Glob"], 3).tolist()) for _ in range(60)]
    found = read(model, None, [session(place, one, None) for place, one in enumerate(tools)], labels=[None] * 60)
    assert found.all.gap is None and found.all.bad == 0 and found.labels == "given"
    inside = 0
    for _ in range(100):
        labels = (rng.random(60) < 0.5).tolist()
        interval = gap_of([one.nll for one in found.sessions], labels, [one.task for one in found.sessions]).interval
        inside += interval.low <= 0 <= interval.high
    # 92 of 100 at 30 tasks; a right interval of 95 % is below 80 once in 10^8.
    assert inside > 80


def test_what_cannot_be_read_is_counted_and_time_ends_it(model):
    found = read(model, None, [*SESSIONS[:2], session(99, (), 1.0)], max_tokens=24)
    assert (found.asked, found.without_plan, found.shortened, len(found.sessions), found.failure) == (3, 1, 2, 2, None)
    assert found.all.next_tool.size < 4
    # Without a limit given, it is the model's context, here 256 tokens.
    long = session(98, ("Read",) * 12, 1.0).but(prompt="word " * 400)
    whole = read(model, None, [long])
    assert (whole.shortened, len(whole.sessions)) == (1, 1)
    assert read(model, None, [long], max_tokens=256).sessions == whole.sessions
    with pytest.raises(ModelError, match="give max_tokens of 256 or fewer"):
        read(model, None, [long], max_tokens=512)
    told: list[tuple[int, int]] = []
    read(model, None, SESSIONS[:2], progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
    cut = read(model, None, time_limit=1e-6)
    assert cut.failure in cut.table()
    with pytest.raises(ConfigError, match="none of the 1 sessions makes an example"):
        read(model, None, [session(99, (), 1.0)])
    assert cut.all.sessions == 0 and cut.failure.startswith("the time limit of 1e-06 s ended the evaluation after 0 of 24 sessions")
    with pytest.raises(ConfigError, match="neither a model nor an adapter is given"):
        evaluate(None, None, SESSIONS)
    for wrong in ({"max_tokens": 4}, {"time_limit": 0}):
        with pytest.raises(ConfigError, match="of an evaluation is"):
            read(model, None, **wrong)


def test_adapters_are_crossed_with_domains(model, adapter):
    found = cross_domain({"good": adapter}, str(model), SESSIONS, example_of=example_of, threads=1)
    assert found.domains == ("a", "b") and list(found.evaluations) == ["base", "good"]
    assert found.value("good", "a", "next_tool") == found.evaluations["good"].domains["a"].next_tool.value
    assert found.value("good", "b", "nll") < found.value("base", "b", "nll") and len(found.table("gap").splitlines()) == 3


def test_the_comparison_of_sets_goes_on_where_it_was_cut(model, tmp_path, monkeypatch):
    from ebmhw.bench.karl.training import Rows, Settings, run_comparison
    from ebmhw.karl import exports

    monkeypatch.setattr(exports, "example_of", example_of)
    settings = Settings(model=str(model), size=4, steps=4, batch=1, learning_rate=0.01, max_tokens=96)
    said: list[str] = []

    def stop(text: str) -> None:
        said.append(text)
        if text.startswith("random, seed 1"):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        run_comparison(SESSIONS, tmp_path, settings, methods=["random"], seeds=[0, 1], say=stop)
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == ["base-0.json", "base-1.json", "random-0.json"]
    rows = run_comparison(SESSIONS, tmp_path, settings, methods=["random", "qubo"], seeds=[0, 1], say=said.append)
    assert sum(text.startswith("base, seed 0") for text in said) == 1 and set(rows.cells) == {
        (m, s) for m in ("base", "random", "qubo") for s in (0, 1)
    }
    for (method, _), cell in rows.cells.items():
        assert (method == "base") == (cell.loss is None) and len(cell.chosen) == (0 if method == "base" else 4)
        held = {one.task for one in cell.figures}
        assert held.isdisjoint({one.task_key for one in SESSIONS if one.id in cell.chosen})
    assert isinstance(rows, Rows) and "base to random" in rows.table() and rows.compared("base", "advantage") is None
    json.dumps(rows.to_dict(), allow_nan=False)
    with pytest.raises(ConfigError, match=r"^steps is 5, but the cells in .* have 4; give that, or another folder"):
        run_comparison(SESSIONS, tmp_path, Settings(**(vars(settings) | {"steps": 5})))
