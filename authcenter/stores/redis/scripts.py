"""Scripts: several steps that nobody comes between."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from redis.exceptions import NoScriptError

HOLD = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Take a key for the holder ARGV[1], or keep it longer; ARGV[2]: milliseconds."""

LET_GO = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
"""Give a key back, where ARGV[1] still holds it."""


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
