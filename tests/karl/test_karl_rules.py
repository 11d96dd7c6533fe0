"""Rules: what they match, which patterns are refused, and that none takes long."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.errors import ConfigError
from ebmhw.karl.rules import Label, Rule, Rules
from ebmhw.karl.rules.patterns import TEXT_CHARS, BadPattern, compiled
from ebmhw.karl.trajectory import ToolEvent, Trajectory

PATTERNS = (r"\.py$", "src/", "PYTEST", r"\bmake\b", "README", "^ls$", r"[a-c]\.", "web|infra", r"\w+\.ts", "git .*status")
LABELS = (("py", "code"), ("docs", None), (None, "infra"), ("build", "infra"), ("build", "code"))


def texts(session):
    found = [value for event in session.events for value in event.params.values()]
    return [text for text in [*found, session.cwd, session.prompt] if text]


@settings(max_examples=200)
@given(trajectories(), st.lists(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(LABELS)), max_size=8), st.sampled_from((None, "/home/web/src/")))
def test_the_label_with_most_texts_wins(session, drawn, cwd):
    session = session.but(cwd=cwd)
    rules = Rules(tuple(Rule(pattern, skill, domain) for pattern, (skill, domain) in drawn))
    points = {}
    for _, label in drawn:
        chosen = [pattern for pattern, other in drawn if other == label]
        points[label] = sum(any(re.search(pattern, text, re.IGNORECASE) for pattern in chosen) for text in texts(session))
    most = max(points.values(), default=0)
    if not most:
        assert rules.label(session) == Label(None, "_global", None)
    else:
        # The first in the order of the rules, as dicts keep it.
        skill, domain = next(label for label, count in points.items() if count == most)
        assert rules.label(session) == Label(skill, domain or "_global", "rules")
    assert rules.label(session) == Rules(rules.rules).label(session)


def session(*commands, prompt=""):
    return Trajectory("traj_a", "a", tuple(ToolEvent("Bash", {"command": command}) for command in commands), prompt=prompt)


def test_ties_fall_to_the_first_rule():
    first, second = Rule("a", "one", "x"), Rule("b", "two", "x")
    assert Rules((first, second)).label(session("a", "b")).skill == "one"
    assert Rules((second, first)).label(session("a", "b")).skill == "two"
    # Two rules for one label, matched by one text, give it one point.
    assert Rules((Rule("a", "one"), Rule("a.", "one"), second)).label(session("ab", "b")).skill == "two"


def test_only_the_start_of_a_long_text_is_read():
    rules = Rules((Rule("needle", "found"),))
    assert rules.label(session("x" * (TEXT_CHARS - 6) + "needle")).skill == "found"
    assert rules.label(session("x" * TEXT_CHARS + "needle")).skill is None


HARMLESS = (
    r"\.(tsx?|jsx?|css)$",
    r"\b(npm|yarn|pnpm)\s+(run\s+)?(build|test|lint|dev)\b",
    r"Desktop/(?:cube|Comp-Core).*(?:evo|evolution)",
    r"foo.*bar.*",
    r"(?:ab|cd)*",
    r"^(?!node_modules).*\.js$",
    r"[^/]{1,40}/[^/]{1,40}\.md",
    "a{1000}",
    r"(?i:X)?y",
    r"(?P<name>x)y",
    "",
)
HOPELESS = (
    r"(a+)+b",
    r"(a*)*b",
    r"(a|a)*b",
    r"(a|ab)*c",
    r"(a|b|ab)*c",
    r"(\w+\s?)*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(.*a){12}",
    r".*.*.*x",
    r"\s*\w*\s*x",
    r"(a?){30}a{30}",
    "a?" * 30 + "a" * 30,
    "(a|a)" * 40 + "b",
    "(ab|[ab])" * 40 + "c",
    r"(?=(a+)+b)a",
    r"((a{0,500}){0,500})b",
    r"(a|)*b",
    "(?:kx|\u212ax)*b",
    "(?:sx|\u017fx)*b",
    "(?:\u00dfx|\u1e9ex)*b",
    "(?:ix|\u0130x)*b",
)


@pytest.mark.parametrize("pattern", HARMLESS)
def test_usual_patterns_are_accepted(pattern):
    assert compiled(pattern).matcher.flags & re.IGNORECASE


@pytest.mark.parametrize("pattern", HOPELESS)
def test_patterns_without_end_are_refused(pattern):
    with pytest.raises(BadPattern, match=r"it may take very long: .*; limit them .*, or make two rules of it"):
        compiled(pattern)


def test_the_matcher_would_not_end():
    """The control: one that is refused, on a text half as long as such take, is slow already."""
    start = time.perf_counter()
    assert re.search(r"(a|a)*b", "a" * 18) is None
    short = time.perf_counter() - start
    start = time.perf_counter()
    assert re.search(r"(a|a)*b", "a" * 21) is None
    assert time.perf_counter() - start > 3 * short


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\s+\s+x", " " * 500),
        (r".*.*x", "a" * 500),
        (r"(?:a|b).*a.*x", "a" * 500),
        (r"a?.*.*x", "a" * 500),
        (r"\w+@\w+x", "a@" * 250),
        (r"(?:aa|bb)*(?:aa|bb)*x", "a" * 500),
        (r"a{0,500}a{0,500}x", "a" * 500),
        (r"(?:a{1,20}b){0,3}x", "aaaaab" * 83),
        ("(a|a)" * 13 + "b", "a" * 500),
    ],
)
def test_the_worst_that_are_accepted_end(pattern, text):
    found = compiled(pattern)
    start = time.perf_counter()
    found.matcher.search(text[:TEXT_CHARS])
    assert time.perf_counter() - start < 10


GRAMMAR = st.recursive(
    st.sampled_from(("a", "b", "[ab]", r"\w", ".", "ab", "")),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, st.sampled_from(("*", "+", "?", "{0,3}", "{2}", "*?"))).map(lambda two: f"(?:{two[0]}){two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        inner.map(lambda one: f"(?={one})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(GRAMMAR)
def test_whatever_is_accepted_ends(pattern):
    """Patterns drawn at random: those that are accepted take less than a second on texts that almost match."""
    try:
        found = compiled(pattern + "c")
    except BadPattern:
        return
    start = time.perf_counter()
    for text in ("a" * 200, "ab" * 100, "b" * 199 + "a"):
        found.matcher.search(text)
    assert time.perf_counter() - start < 1


@settings(max_examples=300, deadline=None)
@given(GRAMMAR, st.lists(st.text("abAB\u017f", max_size=8), min_size=1, max_size=8))
def test_literals_change_no_match(pattern, commands):
    """Texts are matched as Python's matcher alone would, and what holds none of a pattern's literals never matches."""
    try:
        found = compiled(pattern)
    except BadPattern:
        return
    rules = Rules((Rule(pattern, "found"),))
    for command in filter(None, commands):
        matches = re.search(pattern, command, re.IGNORECASE) is not None
        assert (rules.label(session(command)).skill == "found") == matches
        if matches and command.isascii() and found.literals:
            assert any(literal in command.lower() for literal in found.literals)


@pytest.mark.parametrize("command", ["SKIN", "s\u212ain", "\u017fkin"])
def test_letters_beyond_ascii_that_match(command):
    """The Kelvin sign is a k and the long s an s, letter case ignored, though no literal of the pattern stands in the text."""
    assert re.search("skin", command, re.IGNORECASE) and Rules((Rule("skin", "found"),)).label(session(command)).skill == "found"


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"\.(tsx?|css|html)$", {"ts", "css", "html"}),
        (r"\b(npm|yarn) run (build|test)", {" run "}),
        ("(?:a+|x)Foo?b", {"fo"}),
        ("(ab)?c*", set()),
        ("(ab|c*)", set()),
        ("(?!abc)d", {"d"}),
        ("\u00e4bc", {"bc"}),
    ],
)
def test_literals_are_the_rarest_known(pattern, literals):
    assert set(compiled(pattern).literals) == literals


def test_what_is_no_pattern_is_named():
    for pattern, match in (
        ("(", "it is no regular expression: missing .*; put a backslash before characters"),
        ("*a", "nothing to repeat at character 1"),
        (r"(a)\1", "it refers back to a group"),
        ("x" * 1001, "it has 1001 characters; give 1000 at most"),
        ("(" * 101 + ")" * 101, "it has 101 groups; give 100 at most"),
    ):
        with pytest.raises(BadPattern, match=match):
            compiled(pattern)


GOOD = [{"pattern": r"\.py$", "skill": "python", "domain": "code"}, {"pattern": "terraform", "domain": "infra"}]


@pytest.mark.parametrize("ending", ["yaml", "yml", "json", "JSON"])
@pytest.mark.parametrize("within", [True, False])
def test_files_of_both_kinds(tmp_path, ending, within):
    path = tmp_path / f"rules.{ending}"
    # JSON is YAML, too.
    path.write_text(json.dumps({"rules": GOOD} if within else GOOD), encoding="utf-8")
    assert Rules.read(path) == Rules((Rule(r"\.py$", "python", "code"), Rule("terraform", None, "infra")))
    assert Rules.read(str(path)).label(session("terraform apply")) == Label(None, "infra", "rules")


def test_an_empty_file_has_no_rules(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules:\n")
    assert Rules.read(tmp_path / "rules.yaml").label(session("x")) == Label(None, "_global", None)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ([*GOOD, {"patern": "x", "skill": "y"}], r"rule 3: the key 'patern' does not exist; did you mean pattern\?"),
        ([{"pattern": "(a+)+", "skill": "y"}], r"rule 1: pattern '\(a\+\)\+' cannot be used: it may take very long"),
        ([{"pattern": "(", "skill": "y"}], r"rule 1: pattern '\(' cannot be used: it is no regular expression"),
        ([{"skill": "y"}], "rule 1: pattern is None; give a regular expression, in quotes"),
        ([{"pattern": 3, "skill": "y"}], "rule 1: pattern is 3"),
        ([{"pattern": "x"}], "rule 1 gives neither skill nor domain; give one of them, or both"),
        ([{"pattern": "x", "skill": True}], "rule 1: skill is True; give a name of up to 100 characters, in quotes"),
        ([{"pattern": "x", "domain": " "}], "rule 1: domain is ' '"),
        (["x"], "rule 1 is 'x'; give a mapping with pattern, skill and domain"),
        ("x", "the rules are 'x'; give a list of mappings"),
        ({"rule": []}, "the key 'rule' does not exist; give a list of rules, or a mapping with them as its only key, rules"),
        ([GOOD[0]] * 1001, "there are 1001 rules; give 1000 at most"),
    ],
)
@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_errors_name_path_rule_and_remedy(tmp_path, ending, data, match):
    path = tmp_path / f"rules.{ending}"
    path.write_text(json.dumps(data))
    with pytest.raises(ConfigError, match=f"{re.escape(str(path))}: {match}"):
        Rules.read(path)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.json", b'{"rules": [}', r"a\.json:1: this is no JSON"),
        ("a.json", b'[{"pattern": "x", "pattern": "y", "skill": "z"}]', r"a\.json: member 'pattern' is there twice in one object; give it once"),
        ("a.json", b"\xff\xfe\x00", r"a\.json: byte 0 is no UTF-8"),
        ("a.json", b"[" * 100_000, r"a\.json: the values are nested too deeply"),
        ("a.json", b"9" * 5000, r"a\.json: (this is no JSON that can be read here|the rules are)"),
        ("a.json", b" " * (2**20 + 1), r"a\.json: the file has more than 1048576 bytes"),
        ("a.yaml", b"- {pattern: 'x', skill: [", r"a\.yaml:\d+: this is no YAML"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=match):
        Rules.read(tmp_path / name)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "missing.json", tmp_path / "missing.yaml", tmp_path / "pipe.json", tmp_path, "a\0.json"):
        with pytest.raises(ConfigError, match=r"cannot be read|no regular file|no path"):
            Rules.read(path)


def test_the_example_works():
    rules = Rules.read(str(files("ebmhw.karl.rules") / "example.yaml"))
    assert len(rules.rules) > 8
    for command, domain in (
        ("npm run build", "web"),
        ("docker compose up", "infra"),
        ("cat src/main.rs", "systems"),
        ("sed -n 1,3p a.ipynb", "data"),
        ("vi docs/README.md", "knowledge"),
        ("deploy/Dockerfile", "infra"),
    ):
        assert rules.label(session(command)).domain == domain
    assert rules.label(session("ls")).source is None


def test_the_standard_library_suffices():
    """yaml is loaded by who reads a YAML file, and numpy by nobody here."""
    code = (
        "import sys; from ebmhw.karl.rules import Rules, Rule, Event, join, labelled, success; Rules((Rule('x', 'y'),));"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'yaml', 'scipy', 'dimod', 'click'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
