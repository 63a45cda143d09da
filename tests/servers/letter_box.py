"""Leaves letters in the outbox of a deployment, each in a transaction of its own, as the service does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from authcenter.accounts.letters import Letters
from authcenter.core.clock import SystemClock
from authcenter.core.derived import SealingKeys
from authcenter.core.job import Job
from authcenter.core.mail import Letter, MailKind
from authcenter.settings.boot import load_boot_settings
from authcenter.wiring.record import Stores, open_record

_PATIENT_SECONDS = 10.0
"""For an answer of Redis: machines that run tests are slow."""


@dataclass(frozen=True, slots=True)
class LetterBox:
    """One process of the deployment that does nothing but leave letters."""

    stores: Stores
    letters: Letters

    def letter(self, to: str) -> Job:
        """A letter that nobody has left yet."""
        return self.letters.job(Letter(MailKind.CONFIRM_ADDRESS, to, "en", {"link": "/register?token=abc"}))

    async def leave(self, job: Job) -> None:
        """Leave it. Raises ``StoreUnavailable``: perhaps it was left; once more does no harm."""
        await self.stores.outbox.add([job])


@asynccontextmanager
async def letter_box(environment: Mapping[str, str]) -> AsyncIterator[LetterBox]:
    """On the record, the Redis and the secrets that ``environment`` names."""
    known = {name: value for name, value in environment.items() if name.startswith("AUTHCENTER_")}
    settings = load_boot_settings(None, known)
    async with open_record(settings, SystemClock(), redis_seconds=_PATIENT_SECONDS) as record:
        yield LetterBox(record.stores, Letters(SealingKeys.derive(settings.secret_keys, "mail")))
