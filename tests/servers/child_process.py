"""A server as a child of the test process: started, awaited, stopped, killed, frozen; it never outlives its parent."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.log_search import THIS_RUN

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.02
_LOG_TAIL = 4000


class ServerStartError(Exception):
    """The child ended or stayed silent; the message carries the end of its log."""


class ServerStopError(Exception):
    """The child ignored the signal that should have ended it, and was killed."""


@dataclass(slots=True)
class ChildProcess:
    """One command that can be started again after its end.

    The kernel kills the child when the *thread* that started it ends, so start servers from the main thread.

    Attributes:
        name: For messages.
        command: Program and arguments.
        log: File to which the output of all its lives is appended.
        environment: The whole environment of the child; None passes on that of the test process.
        directory: Working directory of the child.
        user: Account to run as; only a test process of root may name one.
        stop_signal: What asks this program for an orderly end.
        start_seconds: How long it may take to answer after its start, a hang limit.
        stop_seconds: How long its orderly end may take, a hang limit.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 120
    stop_seconds: float = 60
    _running: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """Raises:
        RuntimeError: It does not run.
        """
        if self._running is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._running.pid

    @property
    def running(self) -> bool:
        """Whether the child lives, be it frozen."""
        return self._running is not None and self._running.poll() is None

    def start(self, answers: Callable[[], bool]) -> None:
        """Start the command and return once ``answers`` says yes.

        Raises:
            ServerStartError: It ended first, or ``start_seconds`` have passed.
        """
        if self.running:
            raise RuntimeError(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        THIS_RUN.watch(self.command, self.environment, self.log)
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C in a terminal is for the test process, which then ends its children
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - two system calls, their function looked up before
                **as_account(self.user),
            )
        try:
            self._await(answers, self._running)
        except BaseException:
            self.kill()
            raise

    def _await(self, answers: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + self.start_seconds
        while not answers():
            code = process.poll()
            if code is not None:
                raise ServerStartError(f"{self.name} ended with {code}{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerStartError(f"{self.name} gave no answer in {self.start_seconds} s{self._log_tail()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> int:
        """Ask for an orderly end, wait for it and return the exit code; nothing to do when it does not run: 0.

        Raises:
            ServerStopError: It took more than ``stop_seconds`` and was killed.
        """
        if self._running is None:
            return 0
        if self.running:
            self.thaw()
            self._running.send_signal(self.stop_signal)
        try:
            return self._running.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerStopError(f"{self.name} ignored {self.stop_signal.name}{self._log_tail()}") from None

    def kill(self) -> None:
        """End it and all its descendants with SIGKILL, as a power cut would."""
        if self._running is None:
            return
        # Stopped first: what is frozen begets no further children while they are being listed.
        self.freeze()
        for pid in self._family():
            _signal(pid, signal.SIGKILL)
        self._running.wait()

    def freeze(self) -> None:
        """Stop it and all its descendants where they are (SIGSTOP): connections stay open, and silent."""
        frozen: set[int] = set()
        while fresh := set(self._family()) - frozen:
            for pid in fresh:
                _signal(pid, signal.SIGSTOP)
            frozen |= fresh

    def thaw(self) -> None:
        """Let what is frozen go on (SIGCONT)."""
        for pid in self._family():
            _signal(pid, signal.SIGCONT)

    def _family(self) -> Iterator[int]:
        """The child and all its descendants, the child first."""
        if not self.running:
            return
        children: dict[int, list[int]] = {}
        for pid, parent in _all_processes():
            children.setdefault(parent, []).append(pid)
        open_ends = [self.pid]
        while open_ends:
            pid = open_ends.pop()
            yield pid
            open_ends += children.get(pid, [])

    def _log_tail(self) -> str:
        return f"; its log {self.log} ends:\n{self.log.read_text(errors='replace')[-_LOG_TAIL:]}"


def as_account(user: str | None) -> dict[str, Any]:
    """Arguments that make ``subprocess`` run a command as another account, with no rights of ours; None: as we are."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _all_processes() -> Iterator[tuple[int, int]]:
    """Pairs of pid and parent's pid."""
    if sys.platform != "linux":
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        for line in listing.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        # "pid (name) state ppid …", and a name may contain both blanks and parentheses
        yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _die_with_parent() -> Callable[[], None] | None:
    """For the child, between fork and exec: ask the kernel for SIGKILL at the end of its parent.

    SIGKILL, because it also ends what is frozen. Only Linux can do it; elsewhere an orderly end must suffice.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask
