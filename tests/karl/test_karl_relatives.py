"""Sessions that tell of each other are on one side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.karl.relatives import relatives
from ebmhw.karl.trajectory import Trajectory


@given(st.lists(trajectories(max_events=1), max_size=12, unique_by=lambda one: one.id), st.data())
def test_no_relative_is_left_behind(sessions: list[Trajectory], data: st.DataObject) -> None:
    asked = data.draw(st.sets(st.sampled_from([one.id for one in sessions]))) if sessions else set()
    found = relatives(sessions, asked)
    assert asked <= found <= {one.id for one in sessions}
    inside, outside = [one for one in sessions if one.id in found], [one for one in sessions if one.id not in found]
    assert not {one.task_key for one in inside} & {one.task_key for one in outside}
    assert not {one.session_id for one in inside} & {one.session_id for one in outside}
    # Nothing is taken without a reason.
    if not asked:
        assert not found


def test_an_equal_prompt_of_other_tasks() -> None:
    prompt = "We're solving the following issue: SyntaxError"
    sessions = [
        Trajectory(f"traj_{task}", task, prompt=text, task=task)
        for task, text in (("a", prompt), ("b", f"  {prompt.upper()} "), ("c", "go on"), ("d", "go on"))
    ]
    assert relatives(sessions, {"traj_a"}) == {"traj_a", "traj_b"}
    assert relatives(sessions, {"traj_c"}) == {"traj_c"}
