"""ForwardTraces on a tiny model, against its logits shifted by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from ebmhw.coherence import CoherenceTrace  # noqa: E402  # after what may be missing
from ebmhw.coherence.rewards import ForwardTraces, make_carl_reward  # noqa: E402
from ebmhw.errors import ConfigError  # noqa: E402

VOCABULARY, CONTEXT = 60, 48


class Letters:
    """A tokenizer of single characters, with the two faces of transformers' that are called."""

    def __call__(self, text: str) -> dict:
        return {"input_ids": [ord(c) % VOCABULARY for c in text]}

    def apply_chat_template(
        self, conversation: list, add_generation_prompt: bool, continue_final_message: bool, tokenize: bool, return_dict: bool, tools: object
    ) -> dict:
        assert tokenize and return_dict and add_generation_prompt != continue_final_message
        return self("".join(f"<{message['content']}" for message in conversation) + (">" if add_generation_prompt else ""))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    torch.set_num_threads(1)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=CONTEXT
    )
    made = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(6.0)
    return made


def by_hand(model, prompt: list[int], completion: list[int]) -> CoherenceTrace:
    with torch.no_grad():
        logits = model(torch.tensor([prompt + completion])).logits[0].double().numpy()
    return CoherenceTrace.from_logits(logits[len(prompt) - 1 : len(prompt) + len(completion) - 1], np.array(completion))


def test_each_token_is_judged_by_the_output_before_it_and_after_its_prompt(model) -> None:
    source, letters = ForwardTraces(model, Letters(), batch=2), Letters()
    prompts = ["abc", [{"role": "user", "content": "hello"}], [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "abc"]
    ids = [letters(text)["input_ids"] for text in ("abc", "<hello>", "<x<y", "abc")]
    completions = [[5, 6, 7, 8], [9, 1], [4, 4, 4], [5, 6, 7, 9]]
    traces = source.traces_after(prompts, completions)
    for trace, prompt, completion in zip(traces, ids, completions, strict=True):
        right = by_hand(model, prompt, completion)
        np.testing.assert_allclose(trace.phi, right.phi, atol=1e-3)
        np.testing.assert_allclose(trace.selected_prob, right.selected_prob, atol=1e-3)
        assert trace.token_ids.tolist() == completion
    # Scored without its prompt, or by the output at the token itself, it would be another trace.
    alone = by_hand(model, [0], completions[0])
    assert np.abs(alone.selected_prob - traces[0].selected_prob).max() > 0.01


def test_as_a_reward_and_where_a_row_cannot_be_scored(model) -> None:
    reward = make_carl_reward(ForwardTraces(model, Letters()))
    ids = [[1, 2, 3, 4], [1] * CONTEXT, [1, 2], None]
    scores = reward(completions=["x"] * 4, completion_ids=ids, prompts=["abc", "abc", None, "abc"])
    assert [score is None for score in scores] == [False, True, True, True]
    assert scores[0] == pytest.approx(by_hand(model, Letters()("abc")["input_ids"], [1, 2, 3, 4]).carl_reward(), abs=1e-3)


def test_options_are_those_of_scoring(model) -> None:
    with pytest.raises(ConfigError, match="has no option 'batches'"):
        ForwardTraces(model, Letters(), batches=3)
