"""Mail on its way out: what there is to send, and through what."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its reader gets it. What strangers chose in it is text: whoever sends it keeps it out of the headers.

    Attributes:
        mail_id: The same for each try to send it, so that a second copy can be told for one.
        language: The BCP 47 tag of its texts.
        html: The same as ``text``, for who wants it nicer.
    """

    mail_id: str
    to: str
    subject: str
    language: str
    text: str
    html: str


class MailNotSent(Exception):
    """It may go through later. The text says why, for operators: it names no address and repeats nobody's words."""


class MailRefused(Exception):
    """It never goes through: the address, or the mail itself, is refused. The text is as of ``MailNotSent``."""


class MailSending(Protocol):
    """Hands mails to somebody who takes responsibility for them."""

    async def send(self, mail: Mail) -> None:
        """Return once it has been taken.

        Where this does not return, it may have been taken all the same: the answer was lost.

        Raises:
            MailNotSent: Try again later.
            MailRefused: Do not.
        """
        ...
