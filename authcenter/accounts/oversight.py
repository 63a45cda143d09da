"""What operators see of a person's account beside the account itself, and what they take away from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.accounts.letters import Letters
from authcenter.accounts.second_factors import SecondFactors
from authcenter.accounts.sessions import Sessions
from authcenter.accounts.users import Accounts
from authcenter.core.cut import Consequences
from authcenter.core.errors import NotFound
from authcenter.core.event import Event, EventKind
from authcenter.core.identity import Identity
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.second_factor import Factor
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.stores.ports.identities import IdentityStore

_REASON = "ended by an operator"


class By(Value, frozen=True):
    """Who does it.

    Attributes:
        actor: As ``Event`` has it.
        origin: The request that it is done by; None: it is done beside the service.
        language: Of mails that tell the owner.
    """

    actor: str
    origin: RequestOrigin | None = None
    language: str = "en"


class OpenSession(Value, frozen=True):
    """A session that somebody can go on with, and the clients that were signed in to in it."""

    session: Session
    clients: Sequence[str]


@dataclass(frozen=True, slots=True)
class Oversight:
    """Who there is; others' sessions, identities and second factors. Every act is one transaction with its audit event.

    Raises (each method):
        NotFound: There is no such user, or nothing of that id is theirs.
        StoreUnavailable: Cannot tell; nothing was done, or it is unknown.
    """

    accounts: Accounts
    sessions: Sessions
    identities: IdentityStore
    second_factors: SecondFactors
    letters: Letters

    async def search(self, begins: str, *, after: str, most: int) -> Sequence[User]:
        """Users whose name, address or subject begins so, as ``UserStore.search`` has it."""
        return await self.accounts.store.search(begins, after=after, most=most)

    async def sessions_of(self, name: str) -> Sequence[OpenSession]:
        """The most recently active first."""
        user = await self.accounts.get(name)
        alive = await self.sessions.alive_of(user.subject)
        return [OpenSession(one, await self.sessions.store.clients_of(one.session_id)) for one in alive]

    async def end_session(self, name: str, session_id: str, by: By) -> None:
        """End one, with its families and access tokens, on every instance. One that has ended, a no-op."""
        user = await self.accounts.get(name)
        session = await self.sessions.store.get(session_id) if _is_askable(session_id) else None
        if session is None or session.subject != user.subject:
            raise NotFound(f"{user.subject} has no session {session_id!a:.80}")
        if session.ended_at is None:
            await self.sessions.end(session, _REASON, by.actor, by.origin)

    async def identities_of(self, name: str) -> Sequence[Identity]:
        """By when they were linked, the oldest first."""
        return await self.identities.list_of((await self.accounts.get(name)).subject)

    async def unlink(self, name: str, provider: str, provider_subject: str, by: By) -> None:
        """Take an identity away, also the last way in: a mailed link to a new password is one. Its owner is told."""
        user = await self.accounts.get(name)
        askable = _is_askable(provider) and _is_askable(provider_subject)
        held = await self.identities.find(provider, provider_subject) if askable else None
        theirs = held is not None and held.subject == user.subject
        if held is None or not theirs or not await self.identities.remove(held, self._gone(user, held, by)):
            raise NotFound(f"{user.subject} has no identity {provider_subject!a:.80} of {provider!a:.80}")

    async def factors_of(self, name: str) -> frozenset[Factor]:
        return await self.second_factors.kinds(await self.accounts.get(name))

    async def reset_second_factors(self, name: str, by: By) -> User:
        """Take all of them away, and the recovery codes. Their owner is told. There are none, a no-op."""
        user = await self.accounts.get(name)
        await self.second_factors.reset(user, by.language, actor=by.actor, origin=by.origin)
        return user

    def _gone(self, user: User, identity: Identity, by: By) -> Consequences:
        told = {"provider": identity.provider, "identity": identity.email or identity.name, "username": user.username}
        letter = Letter(MailKind.IDENTITY_UNLINKED, user.email, by.language, told)
        context = {"provider": identity.provider}
        event = Event(EventKind.IDENTITY_UNLINKED, by.actor, subject=user.subject, origin=by.origin, context=context)
        return Consequences(events=(event,), jobs=(self.letters.job(letter),))


def _is_askable(name: str) -> bool:
    return 0 < len(name) <= 512 and name.isprintable()
