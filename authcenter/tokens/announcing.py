"""Telling the other instances, after the record has it. A Redis that is gone delays them; it fails nobody."""

from collections import deque
from collections.abc import Sequence

from authcenter.core.cut import Cut
from authcenter.core.errors import SharedStateUnavailable
from authcenter.stores.ports.spread import RevocationSpread, Revoked

_MOST_OWED = 50_000
_SETTLED_AT_ONCE = 500


class Announcer:
    """Announces, and keeps what Redis could not take until it is back."""

    def __init__(self, spread: RevocationSpread) -> None:
        self._spread = spread
        # The oldest go first: whoever follows has long read them from the record.
        self._owed: deque[Revoked | Cut] = deque(maxlen=_MOST_OWED)

    async def tell(self, tokens: Sequence[Revoked], cuts: Sequence[Cut]) -> None:
        """Announce; never raises, and costs one time limit at most."""
        if not tokens and not cuts:
            return
        try:
            await self._spread.announce(tokens, cuts)
        except SharedStateUnavailable:
            self._owed.extend((*tokens, *cuts))

    async def settle(self) -> None:
        """Announce what is owed.

        Raises:
            SharedStateUnavailable: Not yet; what is still owed stays owed.
        """
        while self._owed:
            batch = [self._owed.popleft() for _ in range(min(len(self._owed), _SETTLED_AT_ONCE))]
            cuts = [one for one in batch if isinstance(one, Cut)]
            try:
                await self._spread.announce([one for one in batch if not isinstance(one, Cut)], cuts)
            except SharedStateUnavailable:
                self._owed.extendleft(reversed(batch))
                raise
