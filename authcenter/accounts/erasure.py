"""The end of an account: the person goes from every table and from the audit log, whose chain stays."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from authcenter.accounts.letters import Letters
from authcenter.audit.erasure import erasure_of
from authcenter.core.clock import Clock
from authcenter.core.cut import CUT_OUTLIVES_TOKENS_BY, Consequences, Cut, CutKind
from authcenter.core.errors import Conflict
from authcenter.core.event import Event, EventKind
from authcenter.core.job import Job, JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.core.user import User
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.audit import AuditLog
from authcenter.stores.ports.erasure import PersonStore

_ATTEMPTS = 8
_ROWS_AT_ONCE = 500

# What is issued is written after its answer; from the spool of a process that died, once another looks there.
_LOOKS = timedelta(0), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AccountErasure:
    """Erases people.

    Attributes:
        users: The record itself, not a cache of it.
        longest_token: The longest that an access token can live.
        prove: Signs what is said of emptied audit rows.
    """

    users: UserStore
    persons: PersonStore
    audit: AuditLog
    letters: Letters
    clock: Clock
    longest_token: timedelta
    prove: Callable[[bytes], str]

    async def erase(self, subject: str, *, language: str) -> bool:
        """End the account, its sessions, families and access tokens, and forget whose it was.

        One transaction: the row stays with its subject alone, disabled for ever, so that nobody is ever taken for who
        had it; name and address are free again. The address is told. What the audit log has beyond its newest 500 rows
        about the person is emptied by a job, and what was still on its way there by another one later.

        Args:
            language: That of the mail.

        Returns:
            False: There is no such account any more.

        Raises:
            Conflict: Others kept writing; try again.
            StoreUnavailable: Nothing was erased, or it is unknown.
        """
        for _ in range(_ATTEMPTS):
            user = await self.users.find(subject)
            if user is None or user.erased_at is not None:
                return False
            erasure = erasure_of(user, await self.audit.rows_about(subject, _ROWS_AT_ONCE), self.prove)
            events = [Event(EventKind.USER_DELETED, "system", context={"by": "owner"})]
            events += [erasure.event] if erasure else []
            told = Letter(MailKind.ACCOUNT_DELETED, user.email, language, {"name": user.username})
            rest = [Job(JobName.ERASE_AUDIT, {"subject": subject}, delay=delay) for delay in _LOOKS]
            consequences = Consequences(events, [self._cut(user)], jobs=[self.letters.job(told), *rest])
            if await self.persons.erase(self._nobody(user), erasure.rows if erasure else (), consequences):
                return True
        raise Conflict(f"{subject} is being written by others: try again")

    async def erase_rest(self, subject: str) -> int:
        """Empty the audit rows that still name somebody who has been erased; how many there were.

        Raises:
            Conflict: Others are at it; try again.
            StoreUnavailable: Not all of them.
        """
        user, emptied = await self.users.find(subject), 0
        while user is not None and user.erased_at is not None:
            erasure = erasure_of(user, await self.audit.rows_about(subject, _ROWS_AT_ONCE), self.prove)
            if erasure is None:
                break
            if not await self.audit.empty(erasure.rows, Consequences(events=(erasure.event,))):
                raise Conflict(f"rows about {subject} are being emptied by others")
            emptied += len(erasure.rows)
        return emptied

    def _nobody(self, user: User) -> User:
        now = self.clock.now()
        return replace(
            user,
            # Neither can be anybody's: names do not begin so, and the domain is reserved (RFC 2606 §2).
            username=str(user.subject),
            email=f"{user.subject}@erased.invalid",
            email_verified=False,
            roles=frozenset(),
            claims={},
            disabled_at=user.disabled_at or now,
            reset_required_at=None,
            updated_at=now,
            erased_at=now,
        )

    def _cut(self, user: User) -> Cut:
        expires_at = self.clock.now() + self.longest_token + CUT_OUTLIVES_TOKENS_BY
        return Cut(CutKind.SUBJECT, user.subject, "account deleted", expires_at=expires_at)
