"""Requests to places that others name: clients' keys, sector documents, logout receivers, identity providers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from authcenter.core.secret import Secret


class FetchFailed(Exception):
    """There is no answer that can be used; the text says why, for operators."""


class FetchRefused(FetchFailed):
    """Not asked at all: the URL, or the address it leads to, is none that this server goes to."""


class FormPosting(Protocol):
    """Guarded posts: bounded in size and time, to public addresses only, and no further than the first answer."""

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """Send a form; the status of the answer, whatever it is. Its body is not read.

        Raises:
            FetchRefused: The place is off limits.
            FetchFailed: No answer in time.
        """
        ...


class Fetching(FormPosting, Protocol):
    """Guarded requests of both kinds."""

    async def get(self, url: str) -> bytes:
        """The body of a 200.

        Raises:
            FetchRefused: The place is off limits.
            FetchFailed: No 200 in time, or too large.
        """
        ...


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What a place answered, whatever it was."""

    status: int
    body: bytes


class Asking(Fetching, Protocol):
    """Guarded requests that say who asks, and read the answer whatever its status."""

    async def ask(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: Secret | None = None
    ) -> RemoteAnswer:
        """A GET, or a POST of ``form``, for JSON.

        Args:
            authorization: The header's value.

        Raises:
            FetchRefused: The place is off limits.
            FetchFailed: No answer in time, or too large.
        """
        ...
