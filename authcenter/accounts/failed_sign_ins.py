"""What happens when the tries at an account are used up: the audit log says so, and its owner gets a mail."""

from contextlib import suppress
from dataclasses import dataclass

from authcenter.accounts.account import is_askable
from authcenter.accounts.letters import Letters
from authcenter.core.derived import MacKeys
from authcenter.core.errors import Unavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User, name_key
from authcenter.settings.rate import Rate
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.ports.shared import RateCounters

_ONCE = Rate(1, 86_400)
"""One mail a bout: whoever goes on guessing for hours must not fill a mailbox."""
_LONGEST_LOGIN = 1024
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class FailedSignIns:
    """Notes that as many passwords failed for a name, or second factors for a person, as may.

    A name that nobody has takes the same way, so that time does not tell it apart: the event is written for it, too.
    Passwords and second factors have a day each: a bout of the one does not hide that of the other.

    Attributes:
        counters: Shared by all instances.
        languages: Those that mails are written in.
    """

    users: UserStore
    outbox: Outbox
    letters: Letters
    macs: MacKeys
    counters: RateCounters
    languages: frozenset[str]

    async def note(self, login: str, address: str) -> None:
        """Write it down, and leave the mail, both once a day at most.

        Nobody is answered otherwise because it could not be done: the tries are used up all the same.

        Args:
            address: Where the last one came from.
        """
        with suppress(Unavailable):
            found = await self.users.find_credentials(login) if is_askable(login) else None
            user = found.user if found else None
            if await self._first("login_notice", user.subject if user else name_key(login[:_LONGEST_LOGIN])):
                event = Event(EventKind.SIGN_INS_FAILED, "system", subject=user.subject if user else "")
                letters = [self._letter(MailKind.FAILED_SIGN_INS, user, address)] if user else []
                await self.outbox.add([self.letters.job(letter) for letter in letters], [event])

    async def note_second_factors(self, user: User, origin: RequestOrigin) -> None:
        """As ``note``, of somebody who has proved the first factor: a password is known that should not be."""
        with suppress(Unavailable):
            if await self._first("second_factor_notice", user.subject):
                context = {"wrong": "second_factor"}
                event = Event(EventKind.SIGN_INS_FAILED, "system", subject=user.subject, origin=origin, context=context)
                letter = self._letter(MailKind.FAILED_SECOND_FACTORS, user, origin.ip)
                await self.outbox.add([self.letters.job(letter)], [event])

    async def _first(self, notice: str, name: str) -> bool:
        key = self.macs.make(name.encode(errors="backslashreplace"))
        return (await self.counters.take(f"{notice}:{key}", _ONCE)).allowed

    def _letter(self, kind: MailKind, user: User, address: str) -> Letter:
        locale = str(user.claims.get("locale", "")).partition("-")[0].lower()
        language = locale if locale in self.languages else _LANGUAGE
        return Letter(kind, user.email, language, {"name": user.username, "address": address})
