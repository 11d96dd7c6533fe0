"""Which sessions an export makes an example of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ebmhw.cli.karl.source import Sessions

FORMATS = ("messages", "completions", "oversampled", "dpo", "kto", "prompts")

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


failed_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--keep-failed", "failed", is_flag=True, help="Keep sessions that were verified as failed; sets that teach to do the same leave them out."
)


def counted(sessions: int) -> str:
    """Return a number of sessions in words."""
    return "only 1 session" if sessions == 1 else f"only {sessions:,} sessions"


def reason(why: str) -> str:
    """Return why a session is left out, as the commands say it."""
    return "are held out" if why == EXCLUDED else why


def makes_examples(sessions: Sessions, advantages: npt.NDArray[np.float64], form: str, failed: bool) -> Possible:
    """Return the sessions, none of them held out, of which ``export --as form`` makes an example."""
    if form == ANY:
        ids = {one.id for one in sessions.trajectories}
        held = ids & sessions.held_out
        return Possible(frozenset(ids - held), {EXCLUDED: len(held)} if held else {})
    from ebmhw.karl.exports import eligible

    found = eligible(sessions.trajectories, form, advantages=advantages, rewards=sessions.rewards, exclude=sessions.held_out, failed=failed)
    return Possible(frozenset(found.ids), found.left_out)
