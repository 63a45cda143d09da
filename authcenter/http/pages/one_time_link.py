"""Links in mails. They lead to a page with a button, so that a scanner's GET spends nothing.

The token moves from the URL into a cookie by redirect: neither the history of the browser nor a referrer keeps it.
"""

import re
from dataclasses import dataclass

from authcenter.core import base64url
from authcenter.http.pages.browser import BrowserCookies
from authcenter.http.pages.rendering import see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_COOKIE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """The links to one page.

    Attributes:
        path: Of the page; ``name``: of its cookie.
    """

    path: str
    name: str
    cookies: BrowserCookies

    def followed(self, visit: Visit) -> Answer | None:
        """Where ``visit`` came by the link (``?token=``): the redirect to the page itself; else None."""
        token = visit.query.get("token")
        if token is None:
            return None
        answer = see_other(self.path)
        if _TOKEN.fullmatch(token):
            self.cookies.give(answer, self.name, token, _COOKIE_SECONDS)
        return answer

    def token(self, visit: Visit) -> str | None:
        """The token that this browser brought along; it may be worth nothing."""
        token = self.cookies.kept(visit.request, self.name)
        return token if token is not None and _TOKEN.fullmatch(token) else None

    def forget(self, answer: Answer) -> Answer:
        """Take the token from the browser: it is spent."""
        self.cookies.give(answer, self.name, "", 0)
        return answer


def link_to(path: str, token: bytes) -> str:
    """What a mail says (``Letter.values["link"]``) for the 32 bytes ``token``; stored is their SHA-256."""
    return f"{path}?token={base64url.encode(token)}"
