"""Mail over SMTP (RFC 5321), a connection each: TLS from the start, or as soon as the server offers it."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from ipaddress import ip_address

import aiosmtplib
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPTimeoutError,
)

from authcenter.settings.smtp_url import SmtpServer
from authcenter.stores.ports.mail import Mail, MailNotSent, MailRefused, MailSending
from authcenter.stores.remote.mail_format import compose, envelope_address

_STEP_SECONDS = 30.0
_ACCEPT_SECONDS = 240.0
"""For the answer to the mail itself: a server that looks into it takes its time, and asked again it has it twice."""

_ABOUT_US = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538})
"""Lasting refusals of us rather than of this mail: of how we speak, or of who we say we are."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_POLICY = "5.7."


@dataclass(frozen=True, slots=True)
class SmtpMail(MailSending):
    """Sends through one server.

    Attributes:
        sender: As ``mail_from``.
        host: What we call ourselves.
        trust: Whose certificates of the server count.
    """

    server: SmtpServer
    sender: str
    host: str
    now: Callable[[], datetime]
    trust: ssl.SSLContext
    step_seconds: float = _STEP_SECONDS

    async def send(self, mail: Mail) -> None:
        message = compose(mail, self.sender, self.now())
        try:
            await self._send(message, envelope_address(self.sender), envelope_address(mail.to))
        except (SMTPRecipientRefused, SMTPDataError) as answer:
            told = _told(answer)
            if _lasting(answer):
                raise MailRefused(told) from None
            raise MailNotSent(told) from None
        except SMTPResponseException as answer:
            raise MailNotSent(_told(answer)) from None
        except (SMTPTimeoutError, TimeoutError):
            raise MailNotSent("the mail server did not answer in time") from None
        except ssl.SSLError as failure:
            raise MailNotSent(f"TLS with the mail server failed: {failure.reason or 'handshake'}") from None
        except (SMTPException, OSError) as failure:
            raise MailNotSent(f"the mail server is not to be had: {type(failure).__name__}") from None

    async def _send(self, message: EmailMessage, sender: str, to: str) -> None:
        client = aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            use_tls=self.server.tls,
            local_hostname=self.host,
            timeout=self.step_seconds,
            tls_context=self.trust,
        )
        try:
            await client.connect()
            if self.server.login:
                self._check_private(client)
                await client.login(self.server.login, self.server.password)
            # Only a local part may still have other letters, and then all servers on the way must take them (RFC 6531).
            wide = not (sender + to).isascii()
            if wide:
                await client.ehlo()
            if wide and not client.supports_extension("smtputf8"):
                raise MailRefused("the mail server takes no addresses with letters beyond ASCII")
            encoding, options = ("utf-8", ["SMTPUTF8"]) if wide else ("ascii", [])
            await client.mail(sender, options=options, encoding=encoding)
            await client.rcpt(to, encoding=encoding)
            await client.data(message.as_bytes(policy=SMTPUTF8 if wide else SMTP), timeout=_ACCEPT_SECONDS)
        finally:
            # Without a goodbye: what became of the mail is known, and a server that has gone mute is not waited for.
            client.close()

    def _check_private(self, client: aiosmtplib.SMTP) -> None:
        if client.get_transport_info("sslcontext") is None and not _is_loopback(self.server.host):
            raise MailNotSent("the mail server offers no TLS, and is not told the password without")


def _lasting(answer: SMTPResponseException) -> bool:
    """Whether the refusal is of this mail and for good: who may send what (5.7) is what operators put right."""
    return answer.code >= 500 and answer.code not in _ABOUT_US and not answer.message.startswith(_POLICY)


def _told(answer: SMTPResponseException) -> str:
    # Not the words: they repeat the address.
    enhanced = _ENHANCED.match(answer.message)
    step = type(answer).__name__.removeprefix("SMTP")
    return f"{step}: {answer.code}{' ' + enhanced[0] if enhanced else ''}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
