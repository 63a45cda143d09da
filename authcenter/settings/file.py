"""A policy file, watched by reading it: the only way that works on every file system and every mount."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from authcenter.settings.document import MAX_BYTES
from authcenter.settings.errors import PolicyError
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.source import PolicySource


class FilePolicySource(PolicySource):
    """Reads ``path`` every ``interval`` seconds and tells each content once it has stood still for one interval.

    Contents are compared, not times: a renamed-over file, a swapped symbolic link (Kubernetes) and an edit within the
    clock's grain are all seen. Standing still keeps a file that is just being written from being read in half.
    """

    name: ClassVar[str] = "file"

    def __init__(
        self, path: Path, interval: float = 0.5, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._path = path
        self._interval = interval
        self._sleep = sleep

    def read(self) -> str | None:
        """The document as it is now; None where it is absent or unreadable."""
        try:
            if not self._path.is_file():
                return None
            with self._path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError:
            return None
        # Bytes that are no text, and one byte too many, are for the parser to name.
        return content.decode(errors="surrogateescape")

    async def changes(self) -> AsyncIterator[str]:
        told: str | None = None
        before: str | None = None
        while True:
            text = await asyncio.to_thread(self.read)
            if text is not None and text == before and text != told:
                told = text
                yield text
            before = text
            await self._sleep(self._interval)


def boot_policy(path: Path, *, may_be_absent: bool) -> Policy:
    """The policy to start with.

    Args:
        path: The policy file.
        may_be_absent: Whether an absent file means the built-in policy: nobody named the file.

    Raises:
        PolicyError: The file does not validate, or cannot be read. A server must not start on a policy nobody wrote.
    """
    source = FilePolicySource(path)
    text = source.read()
    if text is not None:
        try:
            return parse_policy(text, source=source.name)
        except PolicyError as error:
            raise PolicyError(*(f"{path}: {problem}" for problem in error.problems)) from None
    if may_be_absent and _is_absent(path):
        return Policy()
    raise PolicyError(f"{path}: cannot be read")


def _is_absent(path: Path) -> bool:
    try:
        path.lstat()  # not stat: a link to nowhere is a file that somebody meant to be there
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
