"""Letters as mails: the words of their kind and language, in the brand's looks, as text and as HTML."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from authcenter.core.mail import Letter
from authcenter.stores.ports.mail import Mail
from authcenter.workers.mail_words import MailCatalogue

_LONGEST_VALUE = 150
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class MailBrand:
    """What mails look like.

    Attributes:
        logo: An image's URL; empty: none.
        accent, on_accent: ``#rrggbb`` of the button and of the text on it.
    """

    name: str
    logo: str
    accent: str
    on_accent: str


@dataclass(frozen=True, slots=True)
class MailRenderer:
    """Writes mails.

    Attributes:
        issuer: In front of links: they never come from a request.
    """

    environment: Environment
    catalogue: MailCatalogue
    brand: Callable[[], MailBrand]
    issuer: str

    def render(self, letter: Letter, mail_id: str) -> Mail:
        """The mail that ``letter`` is; ``mail_id`` is the same for each try to send it."""
        brand, language = self.brand(), self.catalogue.language(letter.language)
        link = f"{self.issuer}{letter.values['link']}" if letter.values.get("link") else ""
        values = {name: _shown(value) for name, value in letter.values.items() if value and name != "link"}
        values.setdefault("name", values.get("username", ""))
        known = {name: value for name, value in values.items() if value}
        words = self.catalogue.words(letter.kind, language, {**known, "brand": brand.name})
        filled = {
            "language": language,
            "subject": words.subject,
            "greeting": words.greeting,
            "before": words.before,
            "after": words.after,
            "button": words.button,
            "link": link if words.button else "",
            "link_in_words": words.link_in_words,
            "footer": words.footer,
            "site": self.issuer,
            "brand": brand.name,
            "logo": f"{self.issuer}{brand.logo}" if brand.logo.startswith("/") else brand.logo,
            "accent": brand.accent,
            "on_accent": brand.on_accent,
        }
        text, html = (self.environment.get_template(f"letter.{form}").render(filled) for form in ("txt", "html"))
        return Mail(mail_id, letter.to, words.subject, language, text, html)


def mail_environment() -> Environment:
    """Jinja over the templates of mails: HTML is escaped, text is not, and an unknown name is a defect."""
    return Environment(
        loader=PackageLoader("authcenter", "mails"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _shown(value: str) -> str:
    """What somebody chose, in a line of a bounded length that neither breaks nor turns around what is beside it."""
    line = " ".join(_UNSEEN.sub(" ", value).split())
    return line if len(line) <= _LONGEST_VALUE else line[: _LONGEST_VALUE - 1] + "…"
