"""Command of the taps: an agent's hook, whose JSON comes on stdin, or as the last argument (Codex's ``notify``).

It never disturbs the agent: the exit status is 0 and nothing goes to stdout, whatever happens; faults go to ``tap.log`` in the home and to stderr.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from ebmhw.karl.home import VARIABLE, home_name
from ebmhw.karl.tap.clients import handed_over
from ebmhw.karl.tap.stamps import stamped

_USAGE = """usage: python -m ebmhw.karl.tap [--agent claude-code|codex] [JSON]     an event, from stdin where it is not given
       python -m ebmhw.karl.tap --settings [--agent claude-code|codex]   print the settings that make an agent call it
       python -m ebmhw.karl.tap.collector                                stay, and take events for less

Folder: that of EBMHW_KARL_HOME, else ebmhw/karl in the user's data folder. Faults go to tap.log there and to stderr; an event's exit status is 0."""


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    if "--help" in arguments or "-h" in arguments:
        print(_USAGE)
        return 0
    try:
        agent = arguments[arguments.index("--agent") + 1] if "--agent" in arguments[:-1] else None
        if "--settings" in arguments:
            return _print_settings(agent)
        _take(agent, arguments)
    except (Exception, KeyboardInterrupt) as error:  # the agent goes on whatever is wrong with its tap
        _tell(error)
    return 0


def _take(agent: str | None, arguments: list[str]) -> None:
    from ebmhw.karl.tap.receiving import received

    stamp = stamped()
    given = arguments[-1] if arguments and arguments[-1].lstrip()[:1] == "{" else None
    data = received(0) if given is None else given.encode("utf-8", "surrogateescape")
    if not data.strip():
        return
    folder = home_name()
    if handed_over(folder, data, stamp, agent):
        return
    from ebmhw.karl.tap.payloads import parsed
    from ebmhw.karl.tap.tapping import Tap

    Tap(folder, agent=agent).handle(parsed(data), stamp)


def _print_settings(agent: str | None) -> int:
    import json

    from ebmhw.errors import ConfigError
    from ebmhw.karl.tap.events import CLAUDE_CODE
    from ebmhw.karl.tap.installing import settings

    try:
        print(json.dumps(settings(agent or CLAUDE_CODE), indent=2))
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _tell(error: BaseException) -> None:
    from ebmhw.karl.tap.faults import log
    from ebmhw.redaction import without_secrets

    try:
        text = without_secrets(f"{type(error).__name__}: {error}")
        log(home_name(), text)
        # Without stderr, print() would take stdout.
        if sys.stderr is not None:
            print(f"ebmhw.karl.tap: {text} (the agent is not affected; {VARIABLE} names the folder of tap.log)", file=sys.stderr)
    except Exception:  # no folder, no stderr
        return


def _fill_handles() -> None:
    """Open what the agent closed of stdin, stdout and stderr: the next file would get its number, and what is meant for stderr."""
    with suppress(OSError):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(handle)


def run() -> NoReturn:
    """Run the command on the arguments of this process, and end it."""
    _fill_handles()
    status = main(sys.argv[1:])
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
