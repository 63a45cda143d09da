"""Scripts: several steps that nobody comes between."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from redis.exceptions import NoScriptError


class Script:
    """A script, sent by its digest; whole where the server (a new one, an emptied one) does not have it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Any, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        try:
            return await client.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await client.eval(self._text, len(keys), *keys, *arguments)


def milliseconds(duration: timedelta) -> int:
    """At least one: Redis refuses none."""
    return max(1, round(duration.total_seconds() * 1000))
