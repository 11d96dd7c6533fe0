"""Tests of HuggingFaceModel on a tiny Llama of random weights, judged by transformers' own generation and by plain forward passes."""

import math
import random
import threading
import time

import numpy as np
import pytest

from ebmhw.errors import ModelError, ModelLoadError
from ebmhw.verify.models import HuggingFaceModel, Message, as_model
from ebmhw.verify.models.language_model import as_plain_text

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

LETTERS = [chr(code) for code in range(32, 127)] + ["\n"]
SPECIAL = ["<unk>", "<end>", "<start>"]
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
    "<start>{{ message.role[0] }}{{ message.content }}<end>{% endfor %}{% if add_generation_prompt %}<start>a{% endif %}"
)
ASK = [Message("user", "What is 27 + 15?")]
CONTEXT = 128


def tiny_tokenizer(template=TEMPLATE):
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *LETTERS])}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    plain.decoder = tokenizers.decoders.Fuse()
    found = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>", eos_token="<end>", bos_token="<start>")
    found.chat_template = template
    return found


def tiny_model(seed=0, end=None):
    """Return a Llama of 2 layers whose logits are not all alike; with ``end`` it says no special token but the end, its logit raised by so much."""
    config = transformers.LlamaConfig(
        vocab_size=len(SPECIAL) + len(LETTERS),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=None,
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = transformers.LlamaForCausalLM(config).eval()
        with torch.no_grad():
            model.lm_head.weight.normal_(std=1.0)
            if end is not None:
                model.lm_head.bias = torch.nn.Parameter(torch.zeros(len(SPECIAL) + len(LETTERS)))
                model.lm_head.bias[:3] = torch.tensor([-1000.0, end, -1000.0])
    return model


@pytest.fixture(scope="module")
def pair():
    return tiny_model(), tiny_tokenizer()


def prompt_of(tokenizer, messages=ASK):
    return tokenizer(
        "".join(f"<start>{m.role[0]}{m.content}<end>" for m in messages) + "<start>a", add_special_tokens=False, return_tensors="pt"
    ).input_ids


def token_logprobs(model, prompt, tokens):
    """Return the log-probabilities of tokens after a prompt by one forward pass over both."""
    with torch.no_grad():
        logits = model(torch.cat([prompt, torch.tensor([tokens])], dim=1)).logits[0].double()
    logprobs = torch.log_softmax(logits, dim=-1)[prompt.shape[1] - 1 : -1]
    return [float(logprobs[at, token]) for at, token in enumerate(tokens)]


def tokens_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids


@pytest.mark.parametrize("seed", range(6))
def test_greedy_answers_are_those_of_transformers(seed):
    model, tokenizer = tiny_model(seed), tiny_tokenizer()
    prompt = prompt_of(tokenizer)
    theirs = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False, pad_token_id=0)[
        0, prompt.shape[1] :
    ].tolist()
    (ours,) = HuggingFaceModel(model, tokenizer).generate(ASK, max_tokens=20)
    assert ours.text == tokenizer.decode(theirs, skip_special_tokens=True).strip() and ours.tokens == len(theirs)
    assert ours.finish == ("stop" if theirs[-1] == 1 else "length")
    assert ours.logprob == pytest.approx(sum(token_logprobs(model, prompt, theirs)), abs=1e-3)


def test_log_probabilities_of_draws_are_those_of_a_forward_pass():
    model, tokenizer = tiny_model(end=-1000), tiny_tokenizer()
    prompt = prompt_of(tokenizer)
    found = [one for one in HuggingFaceModel(model, tokenizer).generate(ASK, n=12, temperature=1.3, seed=4, max_tokens=15) if one.finish == "length"]
    whole = [one for one in found if len(tokens_of(tokenizer, one.text)) == 15]
    assert whole
    for one in whole:
        assert one.logprob == pytest.approx(sum(token_logprobs(model, prompt, tokens_of(tokenizer, one.text))), abs=1e-3)


def chi_square(counts, probabilities):
    expected = probabilities * counts.sum()
    kept = expected >= 5
    counts, expected = np.append(counts[kept], counts[~kept].sum()), np.append(expected[kept], expected[~kept].sum())
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-9)).sum()), int(kept.sum())


def test_draws_follow_the_model_s_probabilities_at_the_temperature():
    model, tokenizer = tiny_model(3), tiny_tokenizer()
    found = HuggingFaceModel(model, tokenizer, rows=500).generate(ASK, n=1000, temperature=0.7, seed=8, max_tokens=1)
    # The log-probability tells which token it was, even one that is not printed.
    with torch.no_grad():
        logprobs = torch.log_softmax(model(prompt_of(tokenizer)).logits[0, -1].double(), dim=-1).numpy()
    drawn = [int(np.abs(logprobs - one.logprob).argmin()) for one in found]
    counts = np.bincount(drawn, minlength=len(logprobs))
    powers = np.exp(logprobs / 0.7)
    value, cells = chi_square(counts, powers / powers.sum())
    assert value < cells + 5 * math.sqrt(2 * cells)
    # The test sees a wrong temperature.
    value, cells = chi_square(counts, np.exp(logprobs))
    assert value > cells + 5 * math.sqrt(2 * cells)


def test_an_answer_does_not_depend_on_what_is_generated_beside_it(pair):
    model = HuggingFaceModel(*pair)
    asks = [[Message("user", text)] for text in ("Hi", "What is 27 + 15?", "x" * 60, "Who sings in the morning?")]
    for temperature in (0.0, 1.0):
        given = {"n": 3, "temperature": temperature, "seed": 5, "max_tokens": 12}
        together = model.generate_each(asks, **given)
        alone = [model.generate(ask, **given) for ask in asks]
        narrow = HuggingFaceModel(*pair, rows=1).generate_each(asks, **given)
        for ours, others in ((together, alone), (narrow, alone)):
            assert [[one.text for one in row] for row in ours] == [[one.text for one in row] for row in others]
            for row, other in zip(ours, others, strict=True):
                assert [one.logprob for one in row] == pytest.approx([one.logprob for one in other], abs=1e-3)
    assert len({one.text for one in together[0]}) == 3


def test_draws_are_repeatable_and_leave_every_global_generator_alone(pair):
    model = HuggingFaceModel(*pair)
    before = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
    first, again, other = (model.generate(ASK, n=4, temperature=1, seed=seed, max_tokens=10) for seed in (1, 1, 2))
    torch.manual_seed(99)
    torch.set_rng_state(before[0])
    assert first == again != other
    # Fewer side by side differ by rounding.
    assert [one.text for one in first[:2]] == [one.text for one in model.generate(ASK, n=2, temperature=1, seed=1, max_tokens=10)]
    model.generate(ASK, temperature=1, max_tokens=5)
    assert torch.equal(torch.get_rng_state(), before[0]) and (np.random.get_state()[1] == before[1]).all() and random.getstate() == before[2]
    assert len({model.generate(ASK, temperature=1, max_tokens=10)[0].text for _ in range(3)}) > 1


def test_a_text_that_ends_stops():
    tokenizer = tiny_tokenizer()
    found = [
        one
        for seed in range(5)
        for one in HuggingFaceModel(tiny_model(seed, end=2), tokenizer).generate(ASK, n=8, temperature=1, seed=1, max_tokens=40)
    ]
    ended = [one for one in found if one.finish == "stop"]
    assert ended and all(one.tokens <= 40 and "<end>" not in one.text for one in ended)
    assert all(one.tokens == 40 for one in found if one.finish == "length")


def test_plain_text_is_written_for_a_model_without_a_chat_template():
    tokenizer = tiny_tokenizer(template=None)
    model = tiny_model(1)
    prompt = tokenizer(as_plain_text(ASK), return_tensors="pt").input_ids
    theirs = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=9, do_sample=False, pad_token_id=0)[0, prompt.shape[1] :]
    (ours,) = HuggingFaceModel(model, tokenizer).generate(ASK, max_tokens=9)
    assert ours.text == tokenizer.decode(theirs, skip_special_tokens=True).strip()


class Parrot(torch.nn.Module):
    """Stands for the output layer: says the same tokens again and again, by the length of the text so far."""

    def __init__(self, tokens, start):
        super().__init__()
        self.tokens, self.start, self.at = tokens, start, 0

    def forward(self, hidden):
        token = self.tokens[self.at % len(self.tokens)]
        self.at += 1
        logits = torch.zeros(*hidden.shape[:2], len(SPECIAL) + len(LETTERS))
        logits[..., token] = 50.0
        return logits


def test_plain_text_ends_where_the_user_would_speak_again():
    tokenizer = tiny_tokenizer(template=None)
    model = tiny_model()
    model.lm_head = Parrot(tokens_of(tokenizer, "It is 42.\n\nUser: And 43?"), 0)
    (found,) = HuggingFaceModel(model, tokenizer).generate(ASK, max_tokens=60)
    assert found.text == "It is 42." and found.finish == "stop" and found.tokens == len("It is 42.\n\nUser:")


def test_time_over_keeps_what_is_there():
    slow, quick, tokenizer = tiny_model(end=-1000), tiny_model(end=-1000), tiny_tokenizer()
    slow.register_forward_pre_hook(lambda *_: time.sleep(0.1))
    began = time.monotonic()
    (found,) = HuggingFaceModel(slow, tokenizer).generate(ASK, max_tokens=100, time_limit=0.5)
    assert time.monotonic() - began < 10 and found.finish == "time" and 0 < found.tokens < 100
    whole = HuggingFaceModel(quick, tokenizer).generate(ASK, max_tokens=found.tokens)[0]
    assert found[:3] == (whole.text, pytest.approx(whole.logprob, abs=1e-3), whole.tokens)
    # Rows that come after time was over are not begun.
    rows = HuggingFaceModel(slow, tokenizer, rows=1).generate(ASK, n=30, temperature=1, seed=1, max_tokens=3, time_limit=0.4)
    assert 1 <= len(rows) < 30 and all(one.tokens for one in rows)
    assert HuggingFaceModel(slow, tokenizer).generate(ASK, n=3, time_limit=0) == [("", None, 0, "time")]


def test_a_prompt_beyond_the_context_is_refused_and_an_answer_is_cut_there(pair):
    model = HuggingFaceModel(*pair, name="tiny")
    assert model.context == CONTEXT
    with pytest.raises(ModelError, match=r"^the prompt has 205 tokens; tiny holds 128, the answer included: shorten it$"):
        model.generate([Message("user", "x" * 200)])
    with pytest.raises(ModelError, match="10000000 characters, more than the 128 tokens that tiny holds"):
        model.generate([Message("user", "x" * 10_000_000)])
    (found,) = model.generate([Message("user", "x" * 110)], max_tokens=100)
    assert found.finish in ("length", "stop") and found.tokens <= 128 - 115


def test_what_the_tokenizer_or_its_template_refuses_is_named(pair):
    model = HuggingFaceModel(*pair, name="tiny")
    with pytest.raises(ModelError, match=r"tokenizer of tiny refuses the conversation .*no system here"):
        model.generate([Message("system", "Be brief."), *ASK])
    with pytest.raises(ModelError, match="tokenizer of tiny refuses"):
        model.generate([Message("user", "\ud800")])


def test_logits_that_are_not_numbers_are_named():
    broken = tiny_model()
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    for temperature in (0, 1):
        with pytest.raises(ModelError, match="logits are not numbers"):
            HuggingFaceModel(broken, tiny_tokenizer()).generate(ASK, temperature=temperature)


def test_a_model_in_training_is_used_without_dropout_and_left_in_training():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    calm = HuggingFaceModel(model, tokenizer).generate(ASK, max_tokens=10)
    model.model.layers[0].self_attn.attention_dropout = 0.5
    model.train()
    assert HuggingFaceModel(model, tokenizer).generate(ASK, max_tokens=10) == calm and model.training


def test_sampling_settings_of_the_model_s_makers_are_not_used(pair, capfd):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    expected = HuggingFaceModel(*pair).generate(ASK, n=3, temperature=1, seed=1, max_tokens=10)
    model.generation_config = transformers.GenerationConfig(
        do_sample=True, temperature=0.1, top_k=2, top_p=0.5, num_beams=1, max_length=7, eos_token_id=1
    )
    assert HuggingFaceModel(model, tokenizer).generate(ASK, n=3, temperature=1, seed=1, max_tokens=10) == expected
    assert capfd.readouterr() == ("", "")


def test_threads_do_not_disturb_each_other(pair):
    model = HuggingFaceModel(*pair)
    asks = [[Message("user", f"What is {number} + 1?")] for number in range(6)]
    expected = [model.generate(ask, temperature=1, seed=1, max_tokens=10) for ask in asks]
    found = {}
    logging = transformers.utils.logging
    loud = (logging.get_verbosity(), logging.is_progress_bar_enabled())

    def work(number):
        found[number] = model.generate(asks[number], temperature=1, seed=1, max_tokens=10)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[number] for number in range(len(asks))] == expected
    # Nor do they leave transformers quieter than it was.
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == loud


def test_a_folder_and_a_pair_are_models(pair, tmp_path):
    model, tokenizer = pair
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = as_model(tmp_path)
    assert loaded.name == str(tmp_path)
    found = [as_model(llm).generate(ASK, max_tokens=10)[0] for llm in (loaded, str(tmp_path), (model, tokenizer))]
    assert len({one.text for one in found}) == 1


def test_what_cannot_be_loaded_is_named(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelLoadError, match=r"cannot be loaded .*give a folder with config.json"):
        as_model(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelLoadError, match="'nobody/nothing' cannot be loaded"):
        as_model("nobody/nothing")
