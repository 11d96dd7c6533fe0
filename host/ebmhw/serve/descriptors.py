"""Descriptors: standard input and output for the protocol alone, apart from whatever libraries print."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import final

from ebmhw.errors import ConfigError


@final
class Descriptors:
    """Descriptors 0 and 1, taken away from everything else in this process: a context.

    Within, descriptor 0 reads nothing and descriptor 1 is standard error, so that what libraries and children print does not mix with the protocol.

    Attributes
    ----------
    incoming, outgoing : where the protocol is
    """

    def __enter__(self) -> Descriptors:
        sys.stdout.flush()
        try:
            self.incoming, self.outgoing = _above(0), _above(1)
        except OSError as error:
            raise ConfigError(
                f"standard input and output are not both open ({error.strerror}); an MCP client starts this server with pipes"
            ) from None
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        try:
            os.dup2(2, 1)
        except OSError:
            os.dup2(null, 1)
        os.close(null)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.stdout.flush()
        os.dup2(self.incoming, 0)
        os.dup2(self.outgoing, 1)
        # Not closed: a thread may wait on them, and a number that is given out anew would be read by it.


def _above(descriptor: int) -> int:
    """Return a duplicate that is none of the three standard ones and that children do not get."""
    if sys.platform == "win32":
        return os.dup(descriptor)
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
