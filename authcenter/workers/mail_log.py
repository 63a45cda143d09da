"""Mail of a development server without SMTP: it is read in the log."""

from dataclasses import dataclass

from authcenter.stores.ports.mail import Mail, MailSending
from authcenter.telemetry.logs import Logger


@dataclass(frozen=True, slots=True)
class LoggedMail(MailSending):
    """Writes mails, and so the links in them, to the log. Only for development: whoever reads it has the accounts."""

    log: Logger

    async def send(self, mail: Mail) -> None:
        self.log.info("mail", mail_id=mail.mail_id, to=mail.to, subject=mail.subject, text=mail.text)
