"""What a page's handler gets: the request, the browser it comes from, its form once that has been checked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from authcenter.core.form import Form
from authcenter.core.origin import RequestOrigin
from authcenter.http.context import NOTES
from authcenter.http.pages.browser import Browser
from authcenter.http.pages.messages import Messages
from authcenter.http.responses import Answer


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one browser.

    Attributes:
        query: The parameters of the URL, one value a name; ``form``: those of the body, empty for a GET.
        messages: Those of the reader's language.
    """

    request: web.BaseRequest
    browser: Browser
    query: Form
    form: Form
    messages: Messages

    @property
    def origin(self) -> RequestOrigin:
        return self.request[NOTES].origin


PageHandler = Callable[[Visit], Awaitable[Answer]]
