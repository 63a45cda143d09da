"""A worker as its supervisor sees it: a process, and the link to it."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Sequence
from itertools import count

from authcenter.serving.report import LONGEST_REPORT, UNASKED, Report, from_line

_SECONDS_BETWEEN_LOOKS = 0.05

_LAST_SECONDS = 5.0
"""How long the process may take to exit once it has closed its end of the link."""


class Worker:
    """One process, from its start to its end. ``last``: the newest thing it told of itself."""

    def __init__(
        self,
        number: int,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.number = number
        self.last: Report | None = None
        self._process, self._writer = process, writer
        self._questions = count(UNASKED + 1)
        self._asked: dict[int, asyncio.Future[Report | None]] = {}
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def start(cls, number: int, command: Sequence[str], listeners: Sequence[socket.socket]) -> "Worker":
        """Run ``command`` with the options that tell it what it inherits. Raises ``OSError``."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_REPORT)
        inherited = [one.fileno() for one in listeners]
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    f"--number={number}",
                    f"--link={theirs.fileno()}",
                    *(f"--listener={one}" for one in inherited),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno(), *inherited],
                    # Ctrl-C in a terminal is for the supervisor, which then ends its workers in order.
                    process_group=0,
                )
        except OSError:
            writer.close()
            raise
        return cls(number, process, reader, writer)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._listening.done()

    async def end(self) -> int:
        """Wait until it is gone and all that it told has been read; its exit code, negative for a signal."""
        await asyncio.wait([self._listening])
        self._writer.close()
        try:
            return await asyncio.wait_for(self._process.wait(), _LAST_SECONDS)
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    async def ask(self, seconds: float) -> Report | None:
        """Its state now; None where it does not tell within ``seconds``."""
        if self.ended:
            return None
        number = next(self._questions)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._writer.write(b"%d\n" % number)
        try:
            return await asyncio.wait_for(answer, seconds)
        except TimeoutError:
            return None
        finally:
            del self._asked[number]

    async def reaches(self, state: str, seconds: float) -> bool:
        """Wait until it is ``serving`` or ``ready``; False where it ends before, or ``seconds`` pass."""
        until = asyncio.get_running_loop().time() + seconds
        while not self.ended and (left := until - asyncio.get_running_loop().time()) > 0:
            report = await self.ask(left)
            if report is not None and getattr(report, state):
                return True
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        return False

    def terminate(self) -> None:
        """Ask it to finish what it has begun and end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Read what it tells until its end of the link is closed, which is its own end."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    break
                self.last = from_line(line)
                waiting = self._asked.get(self.last.question)
                if waiting is not None and not waiting.done():
                    waiting.set_result(self.last)
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_result(None)
