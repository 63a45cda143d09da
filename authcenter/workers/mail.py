"""Sends the letters that transactions left in the outbox.

A mail whose job was acknowledged is sent at least once. It is sent once more for each try that broke off after the mail
server had it and before that was written down (a crash, a lost answer); such copies have one Message-ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authcenter.accounts.letters import Letters
from authcenter.stores.ports.mail import MailNotSent, MailRefused, MailSending
from authcenter.workers.errands import ErrandFailed, Hopeless, Persistence
from authcenter.workers.mail_rendering import MailRenderer

MAIL_PERSISTENCE = Persistence(
    attempts=300,
    first_delay=timedelta(seconds=2),
    longest_delay=timedelta(minutes=10),
    time_limit=timedelta(minutes=6),
)
"""Tried for more than a day, as mail servers do among themselves, and soon after one is back: links lapse."""


@dataclass(frozen=True, slots=True)
class MailErrand:
    """Opens a letter, writes it out and hands it over."""

    letters: Letters
    renderer: MailRenderer
    sending: MailSending

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Send one letter.

        Raises:
            Hopeless: It does not open, or nobody takes it.
            ErrandFailed: It was not taken now, or that is unknown.
        """
        letter = self.letters.open(payload)
        if letter is None:
            raise Hopeless("the letter does not open: the key that sealed it is not among AUTHCENTER_SECRET_KEY")
        try:
            await self.sending.send(self.renderer.render(letter, payload["id"]))
        except MailRefused as refused:
            raise Hopeless(str(refused)) from refused
        except MailNotSent as failure:
            raise ErrandFailed(str(failure)) from failure
