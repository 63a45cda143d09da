"""Sessions: opened by a sign-in, found by their cookie on every instance, ended with all that hangs on them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

from authcenter.accounts.one_at_a_time import OneAtATime
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.digest import Digest
from authcenter.core.errors import SessionsFull, StoreUnavailable, Unavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import SessionId, uuid7
from authcenter.core.origin import RequestOrigin
from authcenter.core.session import Room, Session
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.sdk.replica import RevocationReplica
from authcenter.settings.policy_sections import SessionPolicy
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.sessions import SessionLookup, SessionStore

ACR_ONE_FACTOR = "urn:authcenter:acr:1fa"
"""The ``acr`` of a sign-in by one factor."""
ACR_TWO_FACTORS = "urn:authcenter:acr:2fa"
"""The ``acr`` of a sign-in by two factors, or by a passkey that asked who holds it."""

_ATTEMPTS = 100
"""In this process sign-ins of one person go one at a time: each that fails is one that another process made."""
_TOUCH = timedelta(minutes=1)
_MOST_TOUCHED = 10_000
_LONGEST_USER_AGENT = 400
_TIMERS_ARE_EARLY_BY = timedelta(milliseconds=50)


class SignedIn(Value, frozen=True):
    """A browser's session, alive, and the person it belongs to."""

    session: Session
    user: User


@dataclass(frozen=True, slots=True)
class Sessions:
    """The life of sessions.

    Attributes:
        store: The record itself; ``lookup``: a cache before it, which ``forget`` makes forget a cookie's digest.
        replica: What is known to be cut off now.
        longest_token: The longest that an access token of a session can outlive it.
    """

    store: SessionStore
    lookup: SessionLookup
    users: UserLookup
    policy: Callable[[], SessionPolicy]
    replica: Callable[[], RevocationReplica]
    clock: Clock
    longest_token: timedelta
    forget: Callable[[str], None] = lambda _: None
    _sign_ins: OneAtATime = field(default_factory=OneAtATime, init=False)
    _touched: OrderedDict[str, datetime] = field(default_factory=OrderedDict, init=False)

    async def current(self, cookie: Digest | None) -> SignedIn | None:
        """Who is signed in in the browser with that session cookie (its digest), or None. Notes that it is in use.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        if cookie is None:
            return None
        session = await self.lookup.find(cookie.hex())
        if session is not None and self._idle(session):
            # The cache may not know that it was used elsewhere.
            session = await self.store.find(cookie.hex())
        if session is None or not self._lives(session) or self._idle(session):
            return None
        user = await self.users.find(session.subject)
        if user is None or user.disabled_at is not None or (user.cut_at and session.auth_time <= user.cut_at):
            return None
        await self._touch(session)
        return SignedIn(session, user)

    async def held(self, cookie: Digest | None) -> Session | None:
        """The session with that cookie that nobody has ended: it may have lapsed, and still has what hangs on it.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        session = await self.store.find(cookie.hex()) if cookie is not None else None
        return session if session is not None and session.ended_at is None else None

    async def sign_in(
        self,
        user: User,
        cookie: Digest,
        origin: RequestOrigin,
        *,
        amr: Sequence[str],
        acr: str = ACR_ONE_FACTOR,
        before: Session | None = None,
        before_cookie: Digest | None = None,
    ) -> Session:
        """Open a session for a person who has just proved who they are.

        Args:
            cookie: Digest of the new cookie: every sign-in gets one, so that nobody can fix it beforehand.
            before: The session of this browser until now: renewed where it is the same person's, else ended.
            before_cookie: Digest of its cookie, which nobody is signed in by from now on.

        Raises:
            SessionsFull: The policy is to reject where as many are signed in as may be.
            StoreUnavailable: Nobody was signed in.
        """
        at = await self._past(user, before)
        if before is not None and before.subject == user.subject:
            renewed = self._opened(user, origin, at, amr, acr, before.session_id, before.created_at)
            event = _event(EventKind.SESSION_RENEWED, renewed, origin)
            if await self.store.renew(renewed, cookie, Consequences(events=(event,))):
                self._forget(before_cookie)
                return renewed
        session = self._opened(user, origin, at, amr, acr, SessionId(uuid7()), at)
        await self._add(session, cookie, origin)
        if before is not None and before.subject != user.subject:
            await self.end(before, "another person signed in", user.subject, origin)
        return session

    async def alive_of(self, subject: str) -> Sequence[Session]:
        """The sessions that somebody can go on with, the most recently active first.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        at, used_since = self._present()
        return [session for session in await self.store.list_of(subject) if session.alive(at, used_since)]

    async def raise_to_two(
        self,
        session: Session,
        cookie: Digest,
        origin: RequestOrigin,
        *,
        amr: Sequence[str],
        before_cookie: Digest | None,
    ) -> bool:
        """Let a session count as one of two factors, under a new cookie. It stays as old as its first proof.

        Args:
            amr: All that was proved, the first factor's methods too.
            before_cookie: Digest of its cookie until now.

        Returns:
            False where somebody has ended it.

        Raises:
            StoreUnavailable: It is what it was.
        """
        raised = replace(session, acr=ACR_TWO_FACTORS, amr=tuple(dict.fromkeys(amr)), last_active_at=self.clock.now())
        event = _event(EventKind.SESSION_RENEWED, raised, origin)
        if not await self.store.renew(raised, cookie, Consequences(events=(event,))):
            return False
        self._forget(before_cookie)
        return True

    async def end(self, session: Session, reason: str, actor: str, origin: RequestOrigin | None) -> bool:
        """End it with its families and access tokens; False where it had ended before.

        Raises:
            StoreUnavailable: It goes on.
        """
        consequences = self._ending(session, reason, actor, origin)
        ended = await self.store.end(session.session_id, self.clock.now(), consequences)
        self._cut_here(consequences)
        return ended

    async def _add(self, session: Session, cookie: Digest, origin: RequestOrigin) -> None:
        """Keep a new session; where there are too many, the policy says what gives way."""
        started = _event(EventKind.SESSION_STARTED, session, origin)
        async with self._sign_ins.turn(session.subject):
            for _ in range(_ATTEMPTS):
                policy = self.policy()
                alive = await self.alive_of(session.subject)
                surplus = max(0, len(alive) + 1 - policy.max_per_user)
                if surplus and policy.when_full == "reject":
                    raise SessionsFull(f"{session.subject} has {len(alive)} of {policy.max_per_user}")
                oldest = sorted(alive, key=lambda one: (one.auth_time, one.created_at, one.session_id))[:surplus]
                endings = [self._ending(one, "too many sessions", session.subject, origin) for one in oldest]
                consequences = Consequences(
                    events=(started, *chain.from_iterable(one.events for one in endings)),
                    cuts=tuple(chain.from_iterable(one.cuts for one in endings)),
                )
                replaced = frozenset(one.session_id for one in oldest)
                room = Room(policy.max_per_user, *self._present(), replaced)
                if await self.store.add(session, cookie, consequences, room):
                    self._cut_here(consequences)
                    return
        raise StoreUnavailable(f"others keep signing in as {session.subject}")

    def _present(self) -> tuple[datetime, datetime]:
        """Now, and since when a session must have been used to be alive."""
        now = self.clock.now()
        return now, now - timedelta(seconds=self.policy().idle_ttl)

    def _ending(self, session: Session, reason: str, actor: str, origin: RequestOrigin | None) -> Consequences:
        cut = Cut(CutKind.SESSION, session.session_id, reason, expires_at=self.clock.now() + self.longest_token)
        event = _event(EventKind.SESSION_ENDED, session, origin, actor=actor, reason=reason)
        return Consequences(events=(event,), cuts=(cut,))

    def _cut_here(self, consequences: Consequences) -> None:
        """At once in this process: sessions, by whichever cookie, and their access tokens."""
        for cut in consequences.cuts:
            self.replica().add_cut(cut)

    def _forget(self, cookie: Digest | None) -> None:
        """At once in this process; the others hear of it by the change feed."""
        if cookie is not None:
            self.forget(cookie.hex())

    def _opened(
        self,
        user: User,
        origin: RequestOrigin,
        at: datetime,
        amr: Sequence[str],
        acr: str,
        session_id: SessionId,
        created_at: datetime,
    ) -> Session:
        return Session(
            session_id=session_id,
            subject=user.subject,
            auth_time=at.replace(microsecond=0),
            acr=acr,
            amr=tuple(amr),
            user_agent=origin.user_agent[:_LONGEST_USER_AGENT],
            ip=origin.ip,
            created_at=created_at,
            last_active_at=at,
            expires_at=at + timedelta(seconds=self.policy().max_ttl),
        )

    def _lives(self, session: Session) -> bool:
        if session.ended_at is not None or session.expires_at <= self.clock.now():
            return False
        carried = ((CutKind.SESSION, session.session_id), (CutKind.SUBJECT, session.subject), (CutKind.EVERYTHING, ""))
        return self.replica().cut_reason(session.auth_time.timestamp(), carried) is None

    def _idle(self, session: Session) -> bool:
        used = max(session.last_active_at, self._touched.get(session.session_id, session.last_active_at))
        return used + timedelta(seconds=self.policy().idle_ttl) <= self.clock.now()

    async def _touch(self, session: Session) -> None:
        now = self.clock.now()
        used = self._touched.get(session.session_id, session.last_active_at)
        if now - max(used, session.last_active_at) < _TOUCH:
            return
        self._touched[session.session_id] = now
        if len(self._touched) > _MOST_TOUCHED:
            self._touched.popitem(last=False)
        # Nobody is to be turned away because it could not be noted.
        with suppress(Unavailable):
            await self.store.touch(session.session_id, now)

    async def _past(self, user: User, before: Session | None) -> datetime:
        """The present, once all that was cut off, and this browser's last sign-in, lie before it: ``auth_time`` counts
        in seconds, as cuts do, and who was asked to sign in again is to have a later one."""
        at, past = self.clock.now(), user.cut_at
        if before is not None and (past is None or past < before.auth_time):
            past = before.auth_time
        if past is not None and at.replace(microsecond=0) <= past:
            later = past.replace(microsecond=0) + timedelta(seconds=1)
            await asyncio.sleep(min(2.0, (past - at).total_seconds() + 1.0))
            at = self.clock.now()
            # Timers may go off a moment early.
            if at < later <= at + _TIMERS_ARE_EARLY_BY:
                return later
        return at


def _event(kind: EventKind, session: Session, origin: RequestOrigin | None, actor: str = "", **more: object) -> Event:
    context = {"sid": session.session_id, "acr": session.acr, "amr": list(session.amr), **more}
    return Event(kind, actor or session.subject, subject=session.subject, origin=origin, context=context)
