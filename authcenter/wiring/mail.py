"""Mail, joined: who sends it in this process, if anybody."""

import ssl
from urllib.parse import urlsplit

from authcenter.core.job import JobName
from authcenter.http.pages.contrast import Color
from authcenter.settings.boot import BootSettings
from authcenter.settings.policy_sections import BrandPolicy
from authcenter.settings.smtp_url import parse_smtp_url
from authcenter.stores.ports.mail import MailSending
from authcenter.stores.remote.smtp import SmtpMail
from authcenter.telemetry.logs import Logger
from authcenter.wiring.core import Core
from authcenter.workers.errands import Assignment
from authcenter.workers.mail import MAIL_PERSISTENCE, MailErrand
from authcenter.workers.mail_log import LoggedMail
from authcenter.workers.mail_rendering import MailBrand, MailRenderer, mail_environment
from authcenter.workers.mail_words import load_mail_catalogue

_ACCENT = "#0b57d0"
"""As of ``style.css``."""


def mail_assignments(core: Core, settings: BootSettings, log: Logger) -> dict[str, Assignment]:
    """Who sends mail; none: this process leaves it in the outbox, for one that has an SMTP server."""
    sending = _sending(core, settings, log)
    if sending is None:
        log.info("mail_stays_in_the_outbox", remedy="give AUTHCENTER_SMTP_URL to this process or to a worker")
        return {}
    renderer = MailRenderer(
        mail_environment(), load_mail_catalogue(), lambda: mail_brand(core.policy.current.brand), settings.issuer
    )
    return {JobName.MAIL: Assignment(MailErrand(core.letters, renderer, sending), MAIL_PERSISTENCE)}


def mail_brand(brand: BrandPolicy) -> MailBrand:
    """The policy's brand; the text on its color is what can be read there."""
    accent = Color.parse(brand.color or _ACCENT)
    return MailBrand(brand.name, brand.logo, str(accent), str(accent.text_on_it()))


def _sending(core: Core, settings: BootSettings, log: Logger) -> MailSending | None:
    if settings.smtp_url:
        return SmtpMail(
            server=parse_smtp_url(settings.smtp_url),
            sender=settings.mail_from,
            host=urlsplit(settings.issuer).hostname or "localhost",
            now=core.clock.now,
            trust=ssl.create_default_context(),
        )
    return LoggedMail(log) if settings.env == "development" else None
