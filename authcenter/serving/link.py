"""A worker's end of the link to its supervisor."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from authcenter.serving.report import UNASKED, Report, to_line


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a supervisor gives a worker.

    Attributes:
        number: Of the worker, from 1.
        listeners: The public sockets.
        link: This end of the link.
    """

    number: int
    listeners: tuple[socket.socket, ...]
    link: socket.socket

    @classmethod
    def of(cls, number: int, listeners: tuple[int, ...], link: int) -> "Inheritance":
        """From descriptors. Raises ``OSError`` where one is no socket."""
        return cls(number, tuple(socket.socket(fileno=one) for one in listeners), socket.socket(fileno=link))


class SupervisorLink:
    """Answers the supervisor's questions, and notices its end."""

    port = None
    """It takes the place of the operators' listener, and has no address."""

    def __init__(self, writer: asyncio.StreamWriter, report: Callable[[int], Report]) -> None:
        self._writer, self._report = writer, report
        self._answering: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, link: socket.socket, report: Callable[[int], Report], orphaned: Callable[[], None]
    ) -> "SupervisorLink":
        """Answer from now on.

        Args:
            report: The answer to the question of a number.
            orphaned: Called when the supervisor is gone.
        """
        reader, writer = await asyncio.open_unix_connection(sock=link)
        opened = cls(writer, report)
        opened._answering = asyncio.create_task(opened._answer(reader, orphaned))
        return opened

    async def drain(self) -> None:
        """Tell the last numbers, and close the link."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(to_line(self._report(UNASKED)))
            await self._writer.drain()
        if self._answering is not None:
            self._answering.cancel()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, orphaned: Callable[[], None]) -> None:
        try:
            while question := await reader.readline():
                self._writer.write(to_line(self._report(int(question))))
                await self._writer.drain()
        except ConnectionError:
            return
        finally:
            orphaned()
