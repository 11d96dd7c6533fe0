"""The text format of Prometheus, read by a strict reader of our own, and the endpoint that serves it."""

from __future__ import annotations

import math
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observe_logs import run_of, write_log

from ebmhw.coherence.observe import exporter as module
from ebmhw.coherence.observe.exporter import Exporter, address_of
from ebmhw.coherence.observe.health import LEVELS
from ebmhw.coherence.observe.phase import PHASES
from ebmhw.coherence.observe.prometheus import CONTENT_TYPE, render
from ebmhw.coherence.observe.reading import open_log
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.schema import ALIASES
from ebmhw.errors import ConfigError, NetworkError

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (\S+)\Z", re.DOTALL)
Key = tuple[str, tuple[tuple[str, str], ...]]


def exposed(text: str) -> dict[Key, float]:
    """Return the samples of a text in format 0.0.4, or fail: HELP and TYPE once before a metric's samples, which stand together, no sample twice."""
    assert text.endswith("\n") and "\r\n" not in text
    samples: dict[Key, float] = {}
    done: set[str] = set()
    helped = typed = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, said = line[7:].partition(" ")
            assert NAME.match(name) and said and name not in done and not re.search(r"\\[^\\n]", said.replace("\\\\", ""))
            done.add(name)
            helped, typed = name, ""
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == helped and kind in ("gauge", "counter") and not typed and (kind == "counter") == name.endswith("_total")
            typed = name
        else:
            match = SAMPLE.match(line)
            assert match, line
            name, labels, value = match.groups()
            assert name == typed
            found: list[tuple[str, str]] = []
            at = 0
            while at < len(labels):
                label = LABEL.match(labels, at)
                assert label, labels
                found.append((label.group(1), re.sub(r"\\(.)", lambda sign: {"n": "\n"}.get(sign.group(1), sign.group(1)), label.group(2))))
                at = label.end()
            key = name, tuple(found)
            assert len(dict(found)) == len(found) and key not in samples
            samples[key] = float(value)
            assert math.isfinite(samples[key])
    return samples


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)


@given(
    TEXTS,
    st.lists(
        st.dictionaries(st.sampled_from(["reward", "coherence/phi_mean", "kl", "loss", "eval_reward"]), st.none() | st.floats(), max_size=4),
        max_size=12,
    ),
    st.dictionaries(TEXTS, st.floats(-9, 9), max_size=3),
)
def test_every_text_is_of_the_format_and_says_the_last_known_values(name: str, records: list[dict[str, Any]], functions: dict[str, float]) -> None:
    run = Run(name)
    for step, record in enumerate(records):
        run.add({"step": step, **record})
    run.add({"step": len(records), **{f"rewards/{function}/mean": value for function, value in functions.items()}})
    samples = exposed(render(run))
    assert all(dict(labels)["run"] == name for _, labels in samples)
    for ours, key in (("reward", "reward"), ("phi", "coherence/phi_mean"), ("kl", "kl"), ("loss", "loss"), ("eval_reward", "eval_reward")):
        known = [record[key] for record in records if record.get(key) is not None and abs(record[key]) <= 1e100]
        known = [value for value in known if ours != "phi" or -(2**-10) <= value <= 1 + 2**-10]
        assert samples.get((f"ebmhw_observe_{ours}", (("run", name),))) == (known[-1] if known else None)
    shown = {dict(labels)["function"]: value for (metric, labels), value in samples.items() if metric == "ebmhw_observe_reward_by_function"}
    assert shown == {function: functions[function] for function in run.reward_functions}
    for metric, label, names in (("phase", "phase", PHASES), ("health", "level", LEVELS)):
        states = {dict(labels)[label]: value for (found, labels), value in samples.items() if found == f"ebmhw_observe_{metric}"}
        assert set(states) == set(names) and sorted(states.values()) == [0] * (len(names) - 1) + [1]


def test_the_client_library_of_prometheus_reads_the_same() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    run = run_of(reward=[0.5, None], kl=[1e-9, 2.5], **{'rewards__a"b\\c__mean': [1.0]})
    run.name = 'x "y" \\ \n z'
    theirs = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(render(run))
        for sample in family.samples
    }
    assert theirs == {(name, tuple(sorted(labels))): value for (name, labels), value in exposed(render(run)).items()}


def test_the_help_says_what_is_measured_and_in_which_unit() -> None:
    run = Run("r")
    run.add({"step": 1, **{keys[0]: 0.5 for keys in ALIASES.values()}, "gate/passed": True, "rewards/f/mean": 1.0, "eval_reward": 0.5})
    said = dict(re.findall(r"^# HELP ebmhw_observe_(\w+) (.*)$", render(run), re.MULTILINE))
    assert {*ALIASES, "reward_by_function", "eval_reward"} <= set(said)
    units = r"\d to \d|seconds|nats|tokens|per token|number of|unit|ratio|1 (for|where)|below 1"
    for name, text in said.items():
        assert len(text) > 8 and not text.startswith("last ") and (re.search(units, text) or name == "log_problems_total"), (name, text)


def get(url: str, method: str = "GET") -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"] or "", error.read().decode()


def test_the_endpoint_follows_the_log_and_answers_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REREAD_S", 0.0)
    path = write_log(tmp_path / "a.jsonl", [{"step": 1, "reward": 0.5}])
    with closing(open_log(path)) as reader, Exporter(reader) as exporter:
        assert exporter.url.startswith("http://127.0.0.1:")
        status, kind, text = get(exporter.url)
        assert (status, kind) == (200, CONTENT_TYPE) and exposed(text)["ebmhw_observe_reward", (("run", "a"),)] == 0.5
        with path.open("a") as stream:
            stream.write('{"step": 2, "reward": 0.75}\n{"step": 3, "rew')
        assert exposed(get(exporter.url)[2])["ebmhw_observe_reward", (("run", "a"),)] == 0.75
        assert get(exporter.url, "HEAD")[::2] == (200, "")
        assert get(exporter.url.replace("/metrics", "/"))[0] == 404 and get(exporter.url, "POST")[0] == 501
        assert get(exporter.url + "?x=1")[0] == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(exporter.url, timeout=2)


def test_many_scrape_at_once_and_slow_ones_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.5)
    path = write_log(tmp_path / "a.jsonl", [{"step": step, "reward": 0.5} for step in range(20)])
    with closing(open_log(path)) as reader, Exporter(reader) as exporter:
        port = int(exporter.url.rsplit(":", 1)[1].split("/")[0])
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(get(exporter.url)[0])) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert found == [200] * 10
        begun = time.monotonic()
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(module.SCRAPES + 4)]
        said = [client.recv(12) for client in held]
        assert said.count(b"HTTP/1.1 503") == 4 and said.count(b"") == module.SCRAPES and time.monotonic() - begun < 8
        for client in held:
            client.close()
        assert get(exporter.url)[0] == 200


def test_clients_that_send_a_byte_now_and_then_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 1.0)
    path = write_log(tmp_path / "a.jsonl", [{"step": step, "reward": 0.5} for step in range(20)])
    with closing(open_log(path)) as reader, Exporter(reader) as exporter:
        port = int(exporter.url.rsplit(":", 1)[1].split("/")[0])
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(module.SCRAPES)]
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.1):
                for client in held:
                    with suppress(OSError):
                        client.sendall(b"G")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            begun, found = time.monotonic(), 503
            while found != 200 and time.monotonic() - begun < 8:
                time.sleep(0.2)
                found = get(exporter.url)[0]
            assert found == 200
        finally:
            over.set()
            dripping.join(5)
            for client in held:
                client.close()


def test_a_port_that_is_taken_and_addresses_that_are_none(tmp_path: Path) -> None:
    reader = open_log(tmp_path / "a.jsonl")
    with Exporter(reader) as exporter, pytest.raises(NetworkError, match="cannot be listened at"):
        Exporter(reader, port=int(exporter.url.rsplit(":", 1)[1].split("/")[0]))
    assert address_of("9464") == ("127.0.0.1", 9464) and address_of("0.0.0.0:1") == ("0.0.0.0", 1) and address_of("[::1]:80") == ("::1", 80)
    for bad in ("", "x", "1:", "::1:80", "h:65536", "-1", "1 2", "h:٣"):
        with pytest.raises(ConfigError, match="give PORT or HOST:PORT"):
            address_of(bad)
