"""Tests of FunctionModel and as_model."""

import threading
import time

import pytest

from ebmhw.errors import ModelError, ModelLoadError
from ebmhw.verify.models import Completion, FunctionModel, LanguageModel, Message, as_model


def test_a_function_answers_a_prompt():
    prompts = []

    def oracle(prompt):
        prompts.append(prompt)
        return f"answer {len(prompts)}"

    model = as_model(oracle)
    assert isinstance(model, LanguageModel) and model.name == "function oracle"
    assert model.generate([Message("user", "What is 2 + 2?")], n=2) == [Completion(f"answer {number}", None, None, "stop") for number in (1, 2)]
    model.generate([Message("user", "a"), Message("assistant", "b"), Message("user", "c")])
    assert prompts == ["What is 2 + 2?"] * 2 + ["User: a\n\nAssistant: b\n\nUser: c\n\nAssistant:"]


def test_one_that_does_not_return_costs_no_more_than_the_limit():
    release = threading.Event()
    model = FunctionModel(lambda prompt: str(release.wait(20)), "sleeper")
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"^sleeper did not return within 0\.3 s; give a larger time_limit$"):
        model.generate([Message("user", "x")], time_limit=0.3)
    assert time.monotonic() - began < 10
    release.set()


def test_answers_before_the_limit_are_not_lost():
    release, calls = threading.Event(), []

    def slower(prompt):
        calls.append(1)
        if len(calls) == 3:
            release.wait(20)
        return "x"

    assert len(FunctionModel(slower).generate([Message("user", "x")], n=5, time_limit=0.5)) == 2
    release.set()


@pytest.mark.parametrize("error", [ValueError("bad"), TimeoutError("bad"), KeyError("bad"), SystemExit("bad")])
def test_what_it_raises_is_a_model_error(error):
    def raises(prompt):
        raise error

    with pytest.raises(ModelError, match=f"^function raises raised {type(error).__name__}: .*bad"):
        as_model(raises).generate([Message("user", "x")])


@pytest.mark.parametrize(("value", "text"), [(None, "a NoneType; it must return text"), (b"x", "a bytes"), ("\udc80", "half of a surrogate pair")])
def test_what_is_no_text_is_a_model_error(value, text):
    with pytest.raises(ModelError, match=text):
        as_model(lambda prompt: value).generate([Message("user", "x")])


def test_a_model_is_itself():
    model = FunctionModel(str.upper)
    assert as_model(model) is model and model.name == "function upper"


class Bare:
    """Looks like a model of transformers."""

    config = None

    def generate(self):
        raise AssertionError


@pytest.mark.parametrize(
    ("llm", "text"),
    [
        (None, "None is no language model; give 'smollm2', the address of"),
        (3, "3 is no language model"),
        (str, "is no language model"),
        ("", "'' is neither a folder nor the name"),
        ("a model", "neither a folder nor the name"),
        ("../nowhere", "neither a folder nor the name"),
        ("/nowhere/at/all", "neither a folder nor the name"),
        ("http://", "no address of an endpoint"),
        (Bare(), "a Bare alone cannot read text; give a pair"),
        ((1, 2), "the model is a int, which cannot generate"),
    ],
)
def test_what_is_no_model_is_refused(llm, text):
    with pytest.raises(ModelLoadError, match=text):
        as_model(llm)


def test_importing_the_models_loads_nothing_heavy():
    from tests.test_house import modules_after

    loaded = modules_after("import ebmhw.verify.models, ebmhw.verify.prompts, ebmhw.verify.selection")
    assert not loaded & {"torch", "transformers", "httpx", "openai"}
