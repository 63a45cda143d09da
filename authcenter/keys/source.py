"""The ring this process uses, kept in step with the store."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from authcenter.core.clock import Clock
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import read_public_jwk
from authcenter.keys.ring import EMPTY_RING, KeyRing, SigningKey
from authcenter.keys.vault import KeyVault
from authcenter.stores.ports.keys import SigningKeyStore, StoredKey

_SECONDS_BETWEEN_REREADS = 1.0


class LiveKeyRing:
    """Holds the current ``KeyRing`` and re-reads it from the store.

    Attributes:
        ring: The snapshot; swapped whole, so a request that holds one finishes on it.
        version: Rises with every swap.
        loaded: Whether the store has ever been read.
        unreadable: The kids of rows that are no keys of ours.
    """

    def __init__(
        self,
        store: SigningKeyStore,
        vault: KeyVault,
        clock: Clock,
        on_swap: Callable[[KeyRing], None] = lambda _: None,
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Args:
        refresh: Makes a store that answers from what it has been told ask anew; None: it asks each time.
        """
        self._store, self._vault, self._clock, self._on_swap = store, vault, clock, on_swap
        self._refresh = refresh
        self._rows: list[StoredKey] = []
        self._opened: dict[str, SigningKey] = {}
        self._reading = asyncio.Lock()
        self._next_reread: asyncio.Task[None] | None = None
        self._reread_at = float("-inf")
        self.ring = EMPTY_RING
        self.version = 0
        self.loaded = False
        self.unreadable: tuple[str, ...] = ()

    @property
    def with_private_half(self) -> frozenset[str]:
        """The kids whose private half the store has, whether or not it opens here."""
        return frozenset(row.kid for row in self._rows if row.private_pem)

    async def reload(self) -> None:
        """Read the store, and swap the ring where anything has changed, be it by time alone.

        Raises:
            StoreUnavailable: The ring stays what it was.
        """
        # One at a time: of two that overlap, the one that read first could swap in last, and undo what the other saw.
        async with self._reading:
            await self._reload()

    async def _reload(self) -> None:
        rows = sorted(await self._store.list_keys(), key=lambda row: row.kid)
        now = self._clock.now()
        due = self.ring.changes_at is not None and self.ring.changes_at <= now
        if rows == self._rows and self.loaded and not due:
            return
        # Opening costs milliseconds of key derivation each: off the event loop.
        keys = await asyncio.to_thread(self._open, rows)
        self._opened = {key.kid: key for key in keys}
        self._rows = rows
        self.ring = KeyRing.of(keys, now)
        self.version += 1
        self.loaded = True
        self._on_swap(self.ring)

    async def reread_for_unknown_kid(self) -> None:
        """Read the store, because a token names a key that the ring lacks; returns after a read that began meanwhile.

        One flight for all who ask before it takes off, at most one a second: strangers choose what ``kid`` they send.
        Who comes within that second waits for the next: refused at once, a good token would pay for their curiosity.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        if self._next_reread is None:
            self._next_reread = asyncio.create_task(self._reread())
            # Where all who asked have gone away, nobody looks at how it ended.
            self._next_reread.add_done_callback(lambda flight: flight.cancelled() or flight.exception())
        await asyncio.shield(self._next_reread)

    async def _reread(self) -> None:
        since = self._clock.seconds() - self._reread_at
        if 0 <= since < _SECONDS_BETWEEN_REREADS:
            await asyncio.sleep(_SECONDS_BETWEEN_REREADS - since)
        # From here on this read may miss the key of a token that comes in: that one needs the next flight.
        self._next_reread = None
        self._reread_at = self._clock.seconds()
        if self._refresh is not None:
            await self._refresh()
        await self.reload()

    def _open(self, rows: Sequence[StoredKey]) -> list[SigningKey]:
        """All keys that can be read; one that cannot must not take the others down."""
        keys, unreadable = [], []
        for row in rows:
            try:
                keys.append(self._open_one(row))
            except ValueError:
                unreadable.append(row.kid)
        self.unreadable = tuple(unreadable)
        return keys

    def _open_one(self, row: StoredKey) -> SigningKey:
        known = self._opened.get(row.kid)
        if known is not None and (known.private is not None) == bool(row.private_pem):
            return replace(known, signs_from=row.signs_from, retired_at=row.retired_at, revoked_at=row.revoked_at)
        return SigningKey(
            kid=row.kid,
            alg=Alg(row.alg),
            public=read_public_jwk(dict(row.public_jwk)),
            public_jwk=row.public_jwk,
            private=self._vault.open(row.private_pem) if row.private_pem else None,
            created_at=row.created_at,
            signs_from=row.signs_from,
            retired_at=row.retired_at,
            revoked_at=row.revoked_at,
        )
