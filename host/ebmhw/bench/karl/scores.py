"""Random sessions of agents as they are met, for measuring how fast they are scored; no two commands of a set need be equal."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, trajectory_id

CALLS = 75

_TOOLS = (("Bash", 34), ("Read", 24), ("Edit", 18), ("Grep", 9), ("Glob", 4), ("Write", 5), ("TodoWrite", 4), ("WebFetch", 2))
_FOLDERS = ("src", "lib", "web/components", "api/v1", "tests", "pkg/server", "docs")
_ENDS = ("py", "ts", "go", "rs", "md", "tsx", "json")
_WORDS = ("parser", "session", "index", "cache", "router", "schema", "client", "tokens", "worker", "model", "report", "config")
_LINES = (
    "cd {folder} && python -m pytest {path} -q -k '{word} and not slow' 2>&1 | tail -{number}",
    "pytest {path}::test_{word}_{number} -x",
    "npm run test:unit -- {path}",
    'grep -rn "{word}_{number}" {folder} --include="*.{end}" | head -20',
    'git add {path} && git commit -m "{word}: {number} fixed, build and tests pass"',
    "git diff HEAD~{number} -- {path}",
    "ls -la {folder}/{word}_{number}",
    "sed -n '{number},+40p' {path}",
    "python3 - <<'EOF'\nimport {word}\nprint({word}.{word}_{number}())\nEOF",
    "make -C {folder} {word}{number}",
    "cargo build --release -p {word}-{number} && cargo test -p {word}-{number}",
    "find . -name '*{word}*{number}*' -not -path './node_modules/*'",
    "cat {path} | jq '.{word}[{number}]'",
    "cd /home/user/{word}-{number} && CI=1 timeout {number} npx jest {path} --ci",
    "curl -s http://localhost:8{number}/{word} | python -m json.tool",
    "docker compose exec -T {word} python manage.py test {word}.tests.test_{number}",
    "mkdir -p {folder}/{word}{number} && cp {path} {folder}/{word}{number}/",
    "wc -l {path} {folder}/{word}_{number}.{end}",
)


def sessions(count: int, seed: int = 0, calls: int = CALLS) -> Iterator[Trajectory]:
    """Yield sessions of ``calls`` calls each, with the tools, commands and paths of coding agents in about their shares."""
    random = Random(seed)
    tools, weights = zip(*_TOOLS, strict=True)
    for number in range(count):
        places = [_path(random) for _ in range(12)]
        events = []
        for place, tool in enumerate(random.choices(tools, weights, k=calls)):
            start = 1.7e9 + 600.0 * number + 8.0 * place
            events.append(_event(random, tool, places, number * calls + place, start))
        yield Trajectory(
            id=trajectory_id(f"bench-{seed}-{number}"),
            session_id=f"bench-{seed}-{number}",
            events=tuple(events),
            outcome=Outcome(correction=_flag(random), redo=_flag(random), build=_flag(random), continued=_flag(random)),
            duration_s=random.choice((None, 8.0 * calls, 30.0 * calls)),
            domain=random.choice(("web", "infra", "ml", None)),
            prompt=f"make the {random.choice(_WORDS)} {number} faster",
        )


def _flag(random: Random) -> bool | None:
    return random.choice((None, False, True))


def _path(random: Random) -> str:
    return f"/home/user/work/{random.choice(_FOLDERS)}/{random.choice(_WORDS)}_{random.randrange(10**4)}.{random.choice(_ENDS)}"


def _event(random: Random, tool: str, paths: list[str], number: int, ts: float) -> ToolEvent:
    failed = random.random() < 0.12
    success = None if random.random() < 0.05 else not failed
    if tool == "Bash":
        line = random.choice(_LINES).format(
            folder=random.choice(_FOLDERS), path=random.choice(paths), word=random.choice(_WORDS), end=random.choice(_ENDS), number=number
        )
        tests = random.choice((None, None, 0, 12)) if "test" in line else None
        return ToolEvent(tool, {"command": line, "description": "what it does"}, success, None if success is None else int(failed), ts, 1.5, tests)
    if tool in ("Read", "Edit", "Write"):
        return ToolEvent(tool, {"file_path": random.choice(paths)}, success, None, ts, 0.1, None, random.random() < 0.5 if tool == "Write" else None)
    return ToolEvent(tool, {"pattern": f"{random.choice(_WORDS)}_{number}"}, success, None, ts, 0.1)
