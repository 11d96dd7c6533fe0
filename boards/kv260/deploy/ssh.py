"""One ssh connection to a board, over which several commands run (OpenSSH's multiplexing), and what its failures mean."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, final

from boards.kv260.deploy.text import shortened
from ebmhw.board.command import stop
from ebmhw.errors import BackendUnavailable, ConfigError, CredentialError, EbmhwError, NetworkError

CONNECT_S: Final = 10
"""Limit of one attempt to connect."""

ALIVE: Final = (5, 3)
"""Seconds between questions whether the board is there, and how many may stay unanswered."""

_SOCKET_BYTES = 90  # of a path; Linux takes 107, macOS 103, and ssh adds 17 to it while it makes the socket

_TARGET = re.compile(
    r"(?:(?P<user>[A-Za-z_][A-Za-z0-9._-]{0,63})@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]{0,252}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+(%[A-Za-z0-9]+)?)"
)


@final
@dataclass(frozen=True)
class Target:
    """Who and where, as ``user@host`` says it.

    Attributes
    ----------
    user : None where ssh's configuration says who
    host : a name, an address, or an alias of ssh's configuration
    """

    user: str | None
    host: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return what a text says; ConfigError where ssh might take it for something else than a board."""
        match = _TARGET.fullmatch(text)
        if not match:
            raise ConfigError(
                f"BOARD is {text!r}, not user@host with a host's name or address; ports and keys stand in ~/.ssh/config, or give --port"
            )
        return cls(match["user"], match["host"])

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host


@final
class Connection:
    """An open connection; a context manager that closes it.

    Parameters
    ----------
    target : the board
    options : further arguments of ssh, such as ``-p 2222``

    Raises
    ------
    NetworkError, CredentialError, BackendUnavailable
        The board cannot be reached, does not let us in, is not who it was, or there is no ssh here; the text says what to do.
    """

    def __init__(self, target: Target, options: Sequence[str] = ()) -> None:
        found = shutil.which("ssh")
        if found is None:
            raise BackendUnavailable("there is no ssh on this machine; install OpenSSH's client (Debian: openssh-client)")
        self.target = target
        self._folder = Path(tempfile.mkdtemp(prefix="ebmhw-"))
        if len(os.fsencode(self._folder)) > _SOCKET_BYTES:
            self._folder.rmdir()
            self._folder = Path(tempfile.mkdtemp(prefix="ebmhw-", dir="/tmp"))
        alive = [f"-oServerAliveInterval={ALIVE[0]}", f"-oServerAliveCountMax={ALIVE[1]}"]
        self._ssh = [
            found,
            "-oBatchMode=yes",
            f"-oConnectTimeout={CONNECT_S}",
            "-oConnectionAttempts=1",
            *alive,
            "-oForwardAgent=no",
            "-oForwardX11=no",
            # What a user's own configuration may ask for in a terminal has no place here.
            "-oRemoteCommand=none",
            "-oPermitLocalCommand=no",
            "-oClearAllForwardings=yes",
        ]
        self._ssh += [f"-oControlPath={self._folder}/s", "-oControlPersist=no", "-oLogLevel=ERROR", "-T", *options]
        self._destination = [*(["-l", target.user] if target.user else []), "--", target.host]
        self._errors = (self._folder / "errors").open("w+b")
        self._master: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Connection:
        command = [*self._ssh, "-oControlMaster=yes", "-N", *self._destination]
        try:
            # A session of its own, for a Ctrl-C in the terminal is ours to answer.
            self._master = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors, start_new_session=True, env=_environment()
            )
            end = time.monotonic() + 2 * CONNECT_S
            while not (self._folder / "s").exists():
                if self._master.poll() is not None:
                    raise _failure(self.target, self.errors())
                if time.monotonic() > end:
                    raise NetworkError(f"{self.target} let nobody in within {2 * CONNECT_S} s; try `ssh {self.target}` by hand")
                time.sleep(0.005)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection and whatever still runs over it on this side."""
        if self._master is not None and self._master.poll() is None:
            stop(self._master)
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def errors(self) -> str:
        """Return what ssh said of the connection."""
        return (self._folder / "errors").read_text("utf-8", "replace")

    def command(self, arguments: Sequence[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a command on the board, with pipes for input and output."""
        # Without the connection ssh would make another of its own, and ask its way in anew.
        command = [*self._ssh, "-oControlMaster=no", "-oProxyCommand=false", *self._destination, shlex.join(arguments)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, env=_environment(), bufsize=0
        )

    @property
    def process(self) -> int:
        """Number of the process that holds the connection."""
        assert self._master is not None
        return self._master.pid


def _environment() -> dict[str, str]:
    """Return this process's environment with ssh's messages in English, by which they are told apart."""
    return {**os.environ, "LC_ALL": "C"}


def _failure(target: Target, said: str) -> EbmhwError:
    """Return the error of a connection that was not made, with the remedy."""
    why = shortened(said) or "ssh said nothing"
    host = target.host
    for mark, kind, text in (
        (
            "IDENTIFICATION HAS CHANGED",
            CredentialError,
            f"{host} is not the machine it was: its host key changed. If the board was set up anew, forget the old key (ssh-keygen -R {host}) "
            f"and log in once by hand (ssh {target}) to compare the new one; else somebody is in between",
        ),
        (
            "Host key verification failed",
            CredentialError,
            f"the host key of {host} is not known here; log in once by hand (ssh {target}) and compare its fingerprint with the one that "
            "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows on the board",
        ),
        (
            "Permission denied",
            CredentialError,
            f"{target} does not let us in without a password: wrong user, or no key; put yours there (ssh-copy-id {target}) and load it (ssh-add)",
        ),
        (
            "Connection refused",
            NetworkError,
            f"{host} refuses the connection; is sshd running there (sudo systemctl enable --now ssh), and is the port right?",
        ),
        ("Could not resolve", NetworkError, f"there is no machine {host!r} by the name service; give its address, or add it to ~/.ssh/config"),
        ("timed out", NetworkError, f"{host} does not answer within {CONNECT_S} s; is it on, and on this network (ping {host})?"),
        ("No route to host", NetworkError, f"no way leads to {host}; is it on, and on this network (ping {host})?"),
        ("Network is unreachable", NetworkError, f"no way leads to {host}; is this machine on the board's network?"),
    ):
        if mark in said:
            return kind(f"{text} (ssh: {why})")
    return NetworkError(f"no connection to {target}: {why}; try `ssh {target}` by hand")
