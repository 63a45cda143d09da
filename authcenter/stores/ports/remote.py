"""What this server says to others over HTTP."""

from collections.abc import Mapping
from typing import Protocol


class RemoteFailure(Exception):
    """No answer was to be had; the text says why, in a few words without the URL."""


class FormPoster(Protocol):
    """Posts forms to URLs that others chose."""

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """Send ``form``; the status of the answer, which is otherwise not read. Redirects are not followed.

        Raises:
            RemoteFailure: The URL or its address is not allowed, or nothing answered in time.
        """
        ...
