"""The policy in Consul, followed by blocking queries."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar

from authcenter.settings.consul_kv import Answer, ConsulKv
from authcenter.settings.errors import ConsulUnavailable
from authcenter.settings.source import PolicySource

_WAIT_SECONDS = 5.0
"""How long one query waits for a change. Consul would allow more, but this is also how late a frozen Consul is noticed,
and how long a query keeps waiting for the index of a Consul that has come back empty."""

_LEAST_PAUSE, _MOST_PAUSE = 0.2, 5.0

# Whether Consul answers, and what is the matter though it does (empty: nothing) or why it does not.
OnAnswer = Callable[[bool, str], None]


class ConsulPolicySource(PolicySource):
    """Tells the document at ``key``, and each different one as soon as it is there.

    An absent key is "unknown", not "no policy": a development agent restarted and a token that may not see the key
    both look so.
    """

    name: ClassVar[str] = "consul"

    def __init__(
        self,
        kv: ConsulKv,
        key: str,
        on_answer: OnAnswer = lambda _up, _hint: None,
        *,
        wait_seconds: float = _WAIT_SECONDS,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._kv, self._key, self._on_answer = kv, key, on_answer
        self._wait_seconds, self._sleep = wait_seconds, sleep

    async def read(self) -> str | None:
        """The document as it is now; None where it is not known."""
        answer = await self._ask(None)
        return _text(answer) if answer is not None else None

    async def changes(self) -> AsyncIterator[str]:
        index: int | None = None
        told: str | None = None
        pause = _LEAST_PAUSE
        while True:
            answer = await self._ask(index)
            if answer is None:
                index = None
                # Jitter, so that instances do not come back to a restarted Consul all at once.
                await self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, _MOST_PAUSE)
                continue
            pause = _LEAST_PAUSE
            if index is not None and answer.index < index:
                # Another history (a restore, a restart without data): waiting for an index of the former is blind.
                index = None
                continue
            index = answer.index if answer.index > 0 else None
            text = _text(answer)
            if text is not None and text != told:
                told = text
                yield text
            if text is None or index is None:
                await self._sleep(_LEAST_PAUSE)

    async def _ask(self, index: int | None) -> Answer | None:
        try:
            answer = await self._kv.get(self._key, after=index, wait_seconds=self._wait_seconds if index else 0)
        except ConsulUnavailable as failure:
            self._on_answer(False, failure.hint)
            return None
        self._on_answer(True, "" if answer.entry is not None else f"there is no key {self._key}")
        return answer


def _text(answer: Answer) -> str | None:
    # Bytes that are no text are for the parser to name.
    return answer.entry.value.decode(errors="surrogateescape") if answer.entry is not None else None
