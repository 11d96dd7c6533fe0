"""Which sessions an export makes an example of."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ebmhw.cli.karl.source import Sessions

FORMATS = ("messages", "oversampled", "dpo", "kto", "prompts")

ANY = "any"
"""All sessions, whether they make an example or not."""

EXCLUDED = "are excluded"
"""What an export says of sessions that it was told to leave out; here, those held out."""


class Possible(NamedTuple):
    """Sessions that may be chosen.

    Attributes
    ----------
    ids : theirs
    left_out : {why: sessions} of the others
    """

    ids: frozenset[str]
    left_out: dict[str, int]

    def check(self, size: int, form: str) -> None:
        """Refuse a size above what there is."""
        if size > len(self.ids):
            some = counted(len(self.ids)) if self.ids else "no sessions"
            remedy = f"choose fewer{'' if form == ANY else ', or take --as any'}" if self.ids else "ingest more"
            raise click.UsageError(f"--size {size}: there {'is' if len(self.ids) == 1 else 'are'} {some} to choose from{self.said()}; {remedy}")

    def said(self) -> str:
        """Return why others are left out, to stand behind a number of sessions; "" where none is."""
        return f" ({', '.join(f'{count:,} more {reason(why)}' for why, count in self.left_out.items())})" if self.left_out else ""


def counted(sessions: int) -> str:
    """Return a number of sessions in words."""
    return "only 1 session" if sessions == 1 else f"only {sessions:,} sessions"


def reason(why: str) -> str:
    """Return why a session is left out, as the commands say it."""
    return "are held out" if why == EXCLUDED else why


def makes_examples(sessions: Sessions, advantages: npt.NDArray[np.float64], form: str) -> Possible:
    """Return the sessions, none of them held out, of which ``export --as form`` makes an example."""
    left_out: Counter[str] = Counter()
    if form == ANY:
        ids = {one.id for one in sessions.trajectories}
        held = ids & sessions.held_out
        return Possible(frozenset(ids - held), {EXCLUDED: len(held)} if held else {})
    from ebmhw.karl.exports.examples import SYSTEM
    from ebmhw.karl.exports.gathering import gathered
    from ebmhw.karl.exports.settings import EXTRA_WEIGHT, MARGIN, checked_settings
    from ebmhw.karl.exports.sources import session_values
    from ebmhw.karl.exports.spool import Spool

    settings = checked_settings(form, "plan", SYSTEM, None, False, 0, MARGIN, EXTRA_WEIGHT)
    values = session_values(sessions.trajectories, advantages, sessions.rewards, None, False, sessions.held_out)
    with Spool(Path(tempfile.gettempdir())) as spool:
        examples, _, _ = gathered(values, settings, sessions.held_out, spool, left_out)
    return Possible(frozenset(example.id for example in examples), dict(sorted(left_out.items())))
