"""Revocation: acknowledged once SQL has it. Of a token this process knows at once; of a cut it learns as every other
process does of both, by stream and polling."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from authcenter.core.client import OnOutage
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences, Cut, CutKind, RevokedToken
from authcenter.core.digest import Digest
from authcenter.core.errors import RevocationsUnknown, SharedStateUnavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.token import AccessToken
from authcenter.sdk.replica import RevocationReplica, minute_of
from authcenter.stores.ports.spread import Epoch, Heard, RevocationSpread
from authcenter.stores.ports.tokens import RevocationStore
from authcenter.tokens.journal import RevocationJournal

LOOK_BACK_SECONDS = 60.0
"""How far each poll reads back: commits arrive out of order, and a poll may be missed."""

REJOIN_SECONDS = 300.0
"""How far the first load looks back for the journal: who followed another instance until then goes on here."""

_DOUBT_SECONDS = 5.0

SECONDS_BETWEEN_READS = 10.0
"""How often the record is read while the stream is followed, for what the stream missed."""


class Revocations:
    """Revokes, and answers from the replica.

    Attributes:
        replica: What this process knows.
        loaded: Whether everything alive has been read once; before that nothing may be accepted.
        journal: What was learnt lately, for those who follow.
        epoch: That of Redis, while its stream is followed; None while Redis is gone or knows too little.
    """

    def __init__(
        self,
        store: RevocationStore,
        clock: Clock,
        leeway: Callable[[], timedelta],
        spread: RevocationSpread | None = None,
        strict: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store, self._clock, self._leeway = store, clock, leeway
        self._spread, self._strict = spread, strict
        self._width = 0
        self._read_at = self._heard_at = float("-inf")
        self._reading = asyncio.Lock()
        self.epoch: Epoch | None = None
        self.replica = RevocationReplica(8)
        self.journal = RevocationJournal(clock)
        self.loaded = False

    @property
    def age(self) -> float:
        """Seconds since the record was last read, or the stream was last heard to its end."""
        return self._clock.seconds() - max(self._read_at, self._heard_at)

    @property
    def asks_elsewhere(self) -> bool:
        """Whether the policy wants Redis asked at every validation, and there is one."""
        return self._spread is not None and self._strict()

    def degraded(self, *, record_up: bool) -> bool:
        """Whether what is revoked elsewhere does not get here as the policy demands."""
        return self.epoch is None and (self._strict() or not record_up)

    def require_loaded(self) -> None:
        """Raises ``RevocationsUnknown``: whatever is revoked is not known here yet."""
        if not self.loaded:
            raise RevocationsUnknown("revocations have not been loaded yet")

    def require_known(self, on_outage: OnOutage, max_staleness: float) -> None:
        """Whether the replica may be relied on.

        Raises:
            RevocationsUnknown: It was never loaded; or is older than ``max_staleness`` seconds and that matters.
        """
        self.require_loaded()
        if on_outage is OnOutage.CLOSED and self.age > max_staleness:
            raise RevocationsUnknown(f"revocations were last read {self.age:.0f} s ago")

    async def revoke(self, token: AccessToken, reason: str, actor: str, origin: RequestOrigin | None = None) -> None:
        """Refuse one access token from now on (RFC 7009 §2.1). An expired one needs no entry.

        Raises:
            StoreUnavailable: Nothing was revoked; the endpoint answers 503 (RFC 7009 §2.2.1).
        """
        expires_at = datetime.fromtimestamp(token.expires_at, UTC)
        if expires_at + self._leeway() <= self._clock.now():
            return
        revoked = RevokedToken(
            digest=token.digest,
            jti=token.jti,
            family=token.family,
            client_id=token.client_id,
            subject=token.subject,
            reason=reason,
            expires_at=expires_at,
        )
        context = {"jti": token.jti, "fam": token.family, "kid": token.kid, "exp": token.expires_at, "reason": reason}
        event = Event(EventKind.TOKEN_REVOKED, actor, token.client_id, token.subject, origin, context)
        await self._store.revoke(revoked, Consequences(events=(event,)))
        self.replica.add_token(token.digest, expires_at)

    async def known_elsewhere(self, token: AccessToken) -> bool:
        """Whether Redis knows ``token`` to be revoked; False while it is gone, where the replica alone answers."""
        if self._spread is None or self.epoch is None:
            return False
        try:
            known = await self._spread.look_up(token.digest, self.epoch)
        except SharedStateUnavailable:
            return False
        if known:
            self.replica.add_token(token.digest, datetime.fromtimestamp(token.expires_at, UTC))
        return known

    async def cut(self, cuts: Sequence[Cut], actor: str, origin: RequestOrigin | None = None) -> None:
        """Refuse all that lies under ``cuts``, in this process too once it has heard of it; who cannot wait polls.

        Raises:
            StoreUnavailable: Nothing was cut, or it is unknown.
        """
        events = [_cut_event(cut, actor, origin) for cut in cuts]
        await self._store.cut(Consequences(events=events, cuts=cuts))

    def hear(self, heard: Heard, at: float) -> bool:
        """Take what was announced until ``at`` (Unix seconds), and hold its epoch for Redis' own.

        Returns:
            False where something was taken back: the record has to be read at once.
        """
        for digest, expires_at in heard.tokens:
            self.replica.add_token(digest, expires_at)
        certain = [self.replica.hear_cut(cut) for cut in heard.cuts]
        self.epoch, self._heard_at = heard.position.epoch, at
        return all(certain)

    async def keep_up(self, short_hash_bytes: int) -> None:
        """Poll, unless the stream is followed and the record was read a moment ago.

        Raises:
            StoreUnavailable: The replica stays as old as it was.
        """
        unread = self._clock.seconds() - self._read_at
        if self.epoch is None or short_hash_bytes != self._width or unread >= SECONDS_BETWEEN_READS:
            await self.poll(short_hash_bytes)

    async def load(self, short_hash_bytes: int) -> None:
        """Read everything again, whatever is known already.

        Raises:
            StoreUnavailable: The replica stays as old as it was.
        """
        async with self._reading:
            await self._load(short_hash_bytes)

    async def poll(self, short_hash_bytes: int) -> None:
        """Read what was revoked in the last minute and add what the replica lacks; all, where it knows too little.

        Raises:
            StoreUnavailable: The replica stays as old as it was.
        """
        async with self._reading:
            unread = self._clock.seconds() - self._read_at
            if not self.loaded or short_hash_bytes != self._width or unread > LOOK_BACK_SECONDS / 2:
                await self._load(short_hash_bytes)
            else:
                await self._read_recent(LOOK_BACK_SECONDS)
        self.replica.drop_lapsed(self._clock.now() - self._leeway())

    async def _load(self, short_hash_bytes: int) -> None:
        """Build the replica anew from all that is alive, and swap it in when it is complete."""
        started = self._clock.seconds()
        first = not self.loaded or short_hash_bytes != self._width
        replica, before = RevocationReplica(short_hash_bytes, self.replica.version + 1), self.replica
        missed: list[tuple[Digest, datetime]] = []
        alive_after = await self._store.now() - self._leeway()
        async for batch in self._store.all_tokens(alive_after):
            replica.add_tokens(batch)
            if not first:
                missed += [one for one in batch if not before.holds(*one)]
            await asyncio.sleep(0)
        for cut in await self._store.all_cuts(alive_after):
            replica.add_cut(cut)
        replica.learnt = self.journal
        self._width, self.replica = short_hash_bytes, replica
        if first:
            self.journal.restart(short_hash_bytes)
        else:
            self._tell_missed(before, missed)
        # What was revoked while all this was being read.
        look_back = LOOK_BACK_SECONDS + self._clock.seconds() - started
        await self._read_recent(max(look_back, REJOIN_SECONDS) if first else look_back, tell_all=first)
        self.loaded = True

    def _tell_missed(self, before: RevocationReplica, missed: Sequence[tuple[Digest, datetime]]) -> None:
        """Journal what a load found that the replica before it lacked."""
        for digest, expires_at in missed:
            self.journal.token(minute_of(expires_at), self.replica.short(digest))
        for kind, value, known in self.replica.cuts():
            known_before = before.known_cut(kind, value)
            if known != known_before:
                lifted = known_before is not None and known.up_to < known_before.up_to
                self.journal.cut(kind, value, known, lifted=lifted)

    async def _read_recent(self, seconds: float, *, tell_all: bool = False) -> None:
        """``tell_all``: journal what is known already too, and that the journal covers all this time."""
        started = self._clock.seconds()
        tokens, cuts = await self._store.recent(seconds)
        for digest, expires_at in tokens:
            if not self.replica.add_token(digest, expires_at) and tell_all:
                self.journal.token(minute_of(expires_at), self.replica.short(digest))
        for cut in cuts:
            self.replica.add_cut(cut)
            known = self.replica.known_cut(cut.kind, cut.value)
            if tell_all and known is not None:
                self.journal.cut(cut.kind, cut.value, known, lifted=False)
        if tell_all:
            self.journal.cover(started - seconds + _DOUBT_SECONDS)
        self._read_at = started


def family_cut(family: str, reason: str, now: datetime, lifetime: timedelta) -> Cut:
    """The cut of an ended family. ``lifetime``: how long an access token of it may still live, leeway included."""
    return Cut(CutKind.FAMILY, family, reason, expires_at=now + lifetime)


def _cut_event(cut: Cut, actor: str, origin: RequestOrigin | None) -> Event:
    """Found by whom it is about, too: by the client, the person or the family that was cut."""
    context = {"by": cut.kind, "of": cut.value, "reason": cut.reason}
    if cut.kind is CutKind.FAMILY:
        context["fam"] = cut.value
    client_id = cut.value if cut.kind is CutKind.CLIENT else ""
    subject = cut.value if cut.kind is CutKind.SUBJECT else ""
    return Event(EventKind.TOKENS_CUT, actor, client_id, subject, origin, context)
