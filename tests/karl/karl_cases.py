"""Random trajectories for Hypothesis, and plain ones for examples."""

from __future__ import annotations

from hypothesis import strategies as st

from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, Turn, trajectory_id

TOOLS = ("Bash", "Edit", "Read", "Write", "Grep", "Glob", "NotebookEdit", "get_user_details", "WebFetch")
PATHS = ("a.py", "src/b.py", "src/c/d.ts", "README.md")
COMMANDS = (
    "ls",
    "pytest -q",
    "make",
    "make test",
    "npm run build",
    "python -m unittest",
    "echo pytest",
    "cargo build && cargo test",
    "git status",
    "",
)
FLAGS = st.sampled_from((None, True, False))
TIMES = st.one_of(st.none(), st.floats(1.6e9, 1.9e9).map(lambda value: round(value, 3)))


@st.composite
def events(draw: st.DrawFn) -> ToolEvent:
    """Draw a call of a tool."""
    tool = draw(st.sampled_from(TOOLS))
    params = {}
    if tool == "Bash":
        params = {"command": draw(st.sampled_from(COMMANDS))}
    elif tool in ("Edit", "Read", "Write", "NotebookEdit") and draw(st.integers(0, 9)):
        params = {"file_path": draw(st.sampled_from(PATHS))}
    return ToolEvent(
        tool,
        params,
        draw(FLAGS),
        draw(st.sampled_from((None, 0, 1, 5))) if tool == "Bash" else None,
        draw(TIMES),
        draw(st.sampled_from((None, 0.25, 3.0))),
        draw(st.sampled_from((None, None, 0, 7))) if tool == "Bash" else None,
        draw(FLAGS) if tool == "Write" else None,
    )


@st.composite
def trajectories(draw: st.DrawFn, max_events: int = 12) -> Trajectory:
    """Draw a session."""
    session = draw(st.text("abcdef0123456789-", min_size=1, max_size=12))
    made = tuple(draw(st.lists(events(), max_size=max_events)))
    started = draw(TIMES)
    duration = draw(st.one_of(st.none(), st.sampled_from((0.0, 1.0, 30.0, 90.0, 600.0, 1e5))))
    return Trajectory(
        id=trajectory_id(session),
        session_id=session,
        events=made,
        turns=tuple(
            Turn(role, text) for role, text in draw(st.lists(st.tuples(st.sampled_from(("user", "assistant")), st.text(max_size=20)), max_size=4))
        ),
        outcome=Outcome(draw(FLAGS), draw(FLAGS), draw(FLAGS), draw(FLAGS), draw(st.sampled_from((None, 0.0, 1.0))), draw(st.integers(0, 3))),
        started_at=started,
        ended_at=None if started is None or duration is None else started + duration,
        duration_s=duration,
        domain=draw(st.sampled_from((None, "web", "infra", "ml"))),
        prompt=draw(st.text(max_size=30)),
        user=draw(st.sampled_from((None, "ann", "bob"))),
        task=draw(st.sampled_from((None, "t1", "t2"))),
    )
