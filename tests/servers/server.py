"""What a test can do to any server, whichever it is."""

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.servers.child_process import ChildProcess


class Server(Protocol):
    """A server on a port of its own, which stays the same over restarts. A context: started inside, stopped after."""

    child: ChildProcess

    @property
    def url(self) -> str:
        """Where clients find it."""
        ...

    def answers(self) -> bool:
        """Whether it serves, asked of the server itself."""
        ...

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            ServerStartError: The message shows its log.
        """
        self.child.start(self.answers)
        return self

    def stop(self) -> int:
        """End it in order and return the exit code.

        Raises:
            ServerStopError: It had to be killed; the message shows its log.
        """
        return self.child.stop()

    def restart(self) -> Self:
        """End it in order, unless it is down already, and start it again on the same port and data."""
        self.stop()
        return self.start()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.child.kill()

    def freeze(self) -> None:
        """Stop it with SIGSTOP: it keeps its connections and answers none."""
        self.child.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self.child.thaw()

    @property
    def log(self) -> Path:
        """What it printed in all its lives."""
        return self.child.log

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
