"""The store against a dictionary, by random sequences of what users do to it, through two openings of one file."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from karl_cases import FLAGS
from karl_stores import by_calls

from ebmhw.karl.record import Scored
from ebmhw.karl.reward.reward import Reward
from ebmhw.karl.store import Store
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory, trajectory_id

WEIGHTS = {"rules": 1, "invocation": 2, "routing": 3}
SESSIONS = st.tuples(st.sampled_from(("x", "y")), st.integers(0, 2))
LABELS = st.one_of(st.none(), st.tuples(st.sampled_from(("web", "ml")), st.sampled_from(tuple(WEIGHTS))))
SHARES = st.integers(0, 20).map(lambda value: value / 20)


@dataclass
class Known:
    """What is known of a session, in plain words."""

    name: str
    part: int
    calls: int
    flags: dict[str, bool | None]
    user: str | None
    label: tuple[str, str] | None
    noted: dict[str, bool] = field(default_factory=dict)
    moments: set[float] = field(default_factory=set)
    corrections: int = 0
    reward: Reward | None = None
    advantage: float | None = None
    held: bool = False

    @property
    def start(self) -> float:
        return 10_000.0 + 400 * self.part

    @property
    def end(self) -> float:
        return self.start + 10 * self.calls

    def trajectory(self) -> Trajectory:
        flags = dict(self.flags)
        for name, noted in self.noted.items():
            flags[name] = bool(flags[name]) or noted
        return Trajectory(
            trajectory_id(self.name, self.part),
            self.name,
            tuple(ToolEvent("Read", {"file_path": f"{number}"}) for number in range(self.calls)),
            outcome=Outcome(**flags, corrections=self.corrections),
            started_at=self.start,
            ended_at=self.end,
            user=self.user,
            domain=self.label and self.label[0],
            label_source=self.label and self.label[1],
        )

    def changed(self, before: Trajectory) -> None:
        """Score anew what is not what it was."""
        after = self.trajectory()
        if (after.events, after.outcome) != (before.events, before.outcome):
            reward = by_calls(after)
            if reward != self.reward:
                self.reward, self.advantage = reward, None
        if after.domain != before.domain:
            self.advantage = None


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stores = [self.opened(), self.opened()]
        self.model: dict[str, Known] = {}

    def opened(self) -> Store:
        return Store(self.folder / "model.sqlite", scorer=by_calls)

    def teardown(self) -> None:
        for store in self.stores:
            assert not store.check()
            store.close()
        shutil.rmtree(self.folder)

    @rule(
        store=st.integers(0, 1),
        session=SESSIONS,
        calls=st.integers(0, 6),
        flags=st.fixed_dictionaries(dict.fromkeys(("correction", "redo", "build", "continued"), FLAGS)),
        user=st.sampled_from((None, "ann", "bob")),
        label=LABELS,
    )
    def put(
        self, store: int, session: tuple[str, int], calls: int, flags: dict[str, bool | None], user: str | None, label: tuple[str, str] | None
    ) -> None:
        given = Known(*session, calls, flags, user, label)
        sent = given.trajectory()
        known = self.model.get(sent.id)
        if known is None:
            given.reward = by_calls(sent)
            self.model[sent.id] = given
            assert self.stores[store].put(sent) == "added"
            return
        before, scores = known.trajectory(), (known.reward, known.advantage)
        first, second = (given, known) if calls >= known.calls else (known, given)
        flags = {name: first.flags[name] if first.flags[name] is not None else second.flags[name] for name in first.flags}
        # What was noted is part of the record, and counts as known when the next version comes.
        user, calls = first.user or second.user, first.calls
        labels = sorted((one for one in (first.label, second.label) if one), key=lambda one: -WEIGHTS[one[1]])
        known.flags, known.user, known.calls, known.label = flags, user, calls, labels[0] if labels else None
        known.changed(before)
        same = known.trajectory() == before and (known.reward, known.advantage) == scores
        assert self.stores[store].put(sent) == ("same" if same else "updated")

    @rule(
        store=st.integers(0, 1),
        name=st.sampled_from(("x", "y", "z")),
        moment=st.one_of(st.none(), st.integers(9_900, 11_500).map(float)),
        flags=st.dictionaries(st.sampled_from(("correction", "redo", "continued")), st.booleans(), min_size=1),
    )
    def annotate(self, store: int, name: str, moment: float | None, flags: dict[str, bool]) -> None:
        fitting = [known for known in self.model.values() if known.name == name and (moment is None or known.start <= moment <= known.end + 300)]
        scored = self.stores[store].annotate(name, at=moment, **flags)
        if not fitting:
            assert scored is None
            return
        known = max(fitting, key=lambda one: one.start)
        before = known.trajectory()
        for flag, value in flags.items():
            known.noted[flag] = known.noted.get(flag, False) or value
        if flags.get("correction") and (moment is None or moment not in known.moments):
            known.corrections += 1
            known.moments |= {moment} - {None}
        known.changed(before)
        assert scored == Scored(known.trajectory(), known.reward, known.advantage)

    @precondition(lambda self: self.model)
    @rule(store=st.integers(0, 1), data=st.data(), share=SHARES, advantage=st.one_of(st.none(), SHARES))
    def score(self, store: int, data: st.DataObject, share: float, advantage: float | None) -> None:
        identity = data.draw(st.sampled_from(sorted(self.model)))
        known = self.model[identity]
        known.reward, known.advantage = Reward(share, 0.5, 0.5, 0.5, 0.5, share), advantage
        assert self.stores[store].put_scores([(identity, known.reward, advantage)]) == 1

    @precondition(lambda self: self.model)
    @rule(store=st.integers(0, 1), data=st.data(), held=st.booleans())
    def hold_out(self, store: int, data: st.DataObject, held: bool) -> None:
        identity = data.draw(st.sampled_from(sorted(self.model)))
        assert self.stores[store].hold_out([identity], held) == (self.model[identity].held != held)
        self.model[identity].held = held

    @rule(store=st.integers(0, 1), label=LABELS)
    def relabel(self, store: int, label: tuple[str, str] | None) -> None:
        changed = 0
        for known in self.model.values():
            if label and label != known.label and (known.label is None or WEIGHTS[label[1]] >= WEIGHTS[known.label[1]]):
                before = known.trajectory()
                known.label = label
                known.changed(before)
                changed += 1
        assert self.stores[store].relabel(lambda _: label and (None, *label)) == changed

    @precondition(lambda self: self.model)
    @rule(store=st.integers(0, 1), data=st.data())
    def delete(self, store: int, data: st.DataObject) -> None:
        identity = data.draw(st.sampled_from(sorted(self.model)))
        del self.model[identity]
        assert self.stores[store].delete([identity, "traj_none"]) == 1

    @rule(store=st.integers(0, 1))
    def reopen(self, store: int) -> None:
        self.stores[store].close()
        self.stores[store] = self.opened()

    @rule(store=st.integers(0, 1))
    def through_a_file(self, store: int) -> None:
        out = self.folder / "out.jsonl"
        assert self.stores[store].export_jsonl(out) == len(self.model)
        assert self.stores[1 - store].import_jsonl(out) == (0, 0, len(self.model), 0, 0)

    @invariant()
    def same_as_the_model(self) -> None:
        expected = [Scored(known.trajectory(), known.reward, known.advantage) for known in self.model.values()]
        for store in self.stores:
            assert list(store) == expected
            assert len(store) == len(expected)
            assert store.held_out() == {identity for identity, known in self.model.items() if known.held}


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
