"""candidate: the forked child; confines itself, says so, and becomes the program."""

from __future__ import annotations

import errno
import os
import signal
import sys
import types

from . import channel
from .confine import confine
from .kernel import Refused

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from typing import Any


class Packages:
    """Finds the packages that were asked for, where their folders themselves must not be listed."""

    def __init__(self, homes: dict[str, str]) -> None:
        self._homes = homes

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        import importlib.util  # 1 ms that only those pay who import packages

        home = self._homes.get(fullname) if path is None else None
        if home is None:
            return None
        folders = [os.path.dirname(home)] if os.path.basename(home) == "__init__.py" else None
        return importlib.util.spec_from_file_location(fullname, home, submodule_search_locations=folders)


def _add_builtins() -> None:
    """Add what the module site would have added, which runs other files as well, and so is left out; many programs end by exit()."""
    import _sitebuiltins
    import builtins

    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    builtins.help = _sitebuiltins._Helper()


def become(order: dict[str, Any], incoming: int, outgoing: int, parent: int, needed: tuple[list[str], list[str]], watched: tuple[int, int]) -> None:
    """Confine this process and run the program in it; returns at its end.

    ``watched`` are descriptors: one to tell the monitor that the guards are on, and one on which it answers whether it can watch.
    """
    try:
        with open(order["program"], "rb") as file:
            source = file.read()
        os.chdir(order["scratch"])
        os.umask(0o077)
        for number in range(1, signal.NSIG):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                try:
                    kept = signal.SIG_IGN if number in (signal.SIGPIPE, signal.SIGXFSZ) else signal.SIG_DFL
                    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else kept)
                except (OSError, ValueError):  # the two that libc keeps for itself
                    continue
        got = confine(order, parent, needed)
        os.write(watched[0], b"+")
        answer = os.read(watched[1], 500)
        for handle in watched:
            os.close(handle)
        if answer != b"+":
            raise Refused(answer.decode() or "proc: the monitor has ended")
    except (Refused, OSError) as error:
        channel.write(outgoing, channel.framed(channel.REFUSED, str(error).encode()))
        os._exit(1)
    if order["packages"]:
        sys.meta_path.append(Packages(order["packages"]))
    told = f"{got['landlock']} {','.join(got['namespaces'])}".encode()
    channel.write(outgoing, channel.framed(channel.READY, told))
    receive, send = channel.functions(incoming, outgoing, order["message"])
    _add_builtins()
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=__builtins__, __file__=order["program"], receive=receive, send=send)
    words = {MemoryError: channel.framed(channel.MEMORY, b""), OSError: channel.framed(channel.FILES, b"")}
    write = channel.write
    for name in [name for name in sys.modules if name == "inside" or name.startswith("inside.")]:
        del sys.modules[name]
    sys.modules["__main__"] = main
    name = os.path.basename(order["program"])
    sys.argv[:] = [name]
    try:
        exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        if isinstance(error, MemoryError):
            write(outgoing, words[MemoryError])
        elif isinstance(error, OSError) and error.errno == errno.EFBIG:
            write(outgoing, words[OSError])
        # Without the frame of this function, which is none of the program's.
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)
