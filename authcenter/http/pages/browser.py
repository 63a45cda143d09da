"""The cookies of a browser: who it is (a random id, nothing else), and the session it is signed in with.

Over https both are ``__Host-`` cookies: no subdomain and no http page can set them. Over http, which only development
on the loopback interface uses, browsers refuse that prefix; the names differ, so that neither is taken for the other.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.core.digest import Digest
from authcenter.core.value import Value
from authcenter.http.responses import Answer

_ID_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_BROWSER_SECONDS = 365 * 86_400


class Browser(Value, frozen=True):
    """One browser, as its cookies tell.

    Attributes:
        browser_id: Random; binds tickets and CSRF tokens to this browser. A new one must be set on the answer.
        session: The session cookie's value; None: none that could be one of ours.
    """

    browser_id: str
    new: bool
    session: str | None = None

    @property
    def session_digest(self) -> Digest | None:
        """What its session is found by."""
        return Digest(cookie_digest(self.session)) if self.session is not None else None

    def __repr__(self) -> str:
        return "Browser(…)"


@dataclass(frozen=True, slots=True)
class BrowserCookies:
    """Reads and writes them.

    Attributes:
        secure: Whether the issuer is https.
    """

    secure: bool

    def read(self, request: web.BaseRequest) -> Browser:
        """The browser that sent ``request``; a new one where it has no sound cookie."""
        found = _cookies(request)
        browser_id, session = found.get(self._name("browser")), found.get(self._name("session"))
        if session is not None and not _ID.fullmatch(session):
            session = None
        if browser_id is None or not _ID.fullmatch(browser_id):
            return Browser(secrets.token_urlsafe(_ID_BYTES), new=True, session=session)
        return Browser(browser_id, new=False, session=session)

    def keep(self, browser: Browser, answer: Answer) -> Answer:
        """Give a new browser its id."""
        if browser.new:
            self._set(answer, "browser", browser.browser_id, _BROWSER_SECONDS)
        return answer

    def kept(self, request: web.BaseRequest, what: str) -> str | None:
        """What this browser was given to keep as ``what``."""
        return _cookies(request).get(self._name(what)) or None

    def give(self, answer: Answer, what: str, value: str, seconds: int) -> None:
        """Give the browser ``value``, of cookie characters, to keep as ``what``; 0 seconds: to forget it."""
        self._set(answer, what, value, seconds)

    def sign_in(self, answer: Answer, session: str, seconds: int) -> None:
        self._set(answer, "session", session, seconds)

    def sign_out(self, answer: Answer) -> None:
        """Forget the session, and who the browser was: what was sealed for it is of no use to who comes next."""
        self._set(answer, "session", "", 0)
        self._set(answer, "browser", "", 0)

    def _name(self, what: str) -> str:
        return f"__Host-authcenter_{what}" if self.secure else f"authcenter_{what}"

    def _set(self, answer: Answer, what: str, value: str, seconds: int) -> None:
        secure = "; Secure" if self.secure else ""
        line = f"{self._name(what)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        answer.headers.add(hdrs.SET_COOKIE, line)


def new_session_cookie() -> tuple[str, bytes]:
    """A session cookie's value, and the digest it is stored by."""
    value = secrets.token_urlsafe(_ID_BYTES)
    return value, cookie_digest(value)


def cookie_digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


def _cookies(request: web.BaseRequest) -> dict[str, str]:
    """By name; one that stands twice counts as absent, for somebody may have put the other one there."""
    values: dict[str, str] = {}
    repeated: set[str] = set()
    for header in request.headers.getall(hdrs.COOKIE, ()):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name in values:
                repeated.add(name)
            values[name] = value
    return {name: value for name, value in values.items() if name not in repeated}
