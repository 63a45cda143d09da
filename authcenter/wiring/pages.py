"""The pages for people, joined: what they are rendered with, and what seals an unfinished sign-in."""

from authcenter.authorization.ticket import Tickets
from authcenter.core.derived import MacKeys, SealingKeys
from authcenter.http.pages.browser import BrowserCookies
from authcenter.http.pages.messages import load_catalogue
from authcenter.http.pages.rendering import Pages, page_environment
from authcenter.settings.boot import BootSettings
from authcenter.telemetry.logs import Logger
from authcenter.wiring.core import Core


def build_pages(settings: BootSettings, core: Core, log: Logger) -> Pages:
    """Reads templates and messages; nothing else of the disk."""
    return Pages(
        environment=page_environment(),
        catalogue=load_catalogue(),
        cookies=BrowserCookies(secure=settings.issuer.startswith("https:")),
        csrf=MacKeys.derive(settings.secret_keys, "csrf"),
        brand=lambda: core.policy.current.brand,
        issuer=settings.issuer,
        log=log,
    )


def build_tickets(settings: BootSettings, core: Core) -> Tickets:
    return Tickets(SealingKeys.derive(settings.secret_keys, "unfinished sign-in"), core.clock)
