"""A browser without a screen: keeps cookies, follows redirects, reads forms, and stops where a client would be called.

It holds to what browsers do where the specifications lean on that: 303 makes a GET, the one script that our pages know
sends the form of ``form_post`` by itself, and ``Refresh`` leads on, once what the page frames has been taken note of.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

_HANG_SECONDS = 90
_MOST_REDIRECTS = 10
_SELF_SENDING = "/static/form_post.js"


@dataclass(slots=True)
class Form:
    """A form of a page: what it sends unless it is changed, and the buttons it can be sent by."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def has(self, button: str) -> bool:
        """Whether a button sends that value."""
        return button in (value for _, value in self.buttons)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the server, shown to the person."""

    url: str
    answer: requests.Response
    forms: list[Form]

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        return self.answer.text


@dataclass(frozen=True, slots=True)
class Callback:
    """A call of the client's redirect URI.

    Attributes:
        uri: As it stands in the redirect or in the form's action, with all that was appended to it.
        posted: The members of the form; None: it came by GET.
    """

    uri: str
    posted: dict[str, str] | None

    @property
    def members(self) -> dict[str, str]:
        """The answer's members, wherever they travelled."""
        return self.query if self.posted is None else self.posted

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qsl(urlsplit(self.uri).query, keep_blank_values=True)
        assert len(dict(pairs)) == len(pairs), f"a member comes twice: {self.uri}"
        return dict(pairs)


class Browser:
    """One person's browser. A context: its connections are closed at the end.

    Attributes:
        framed: What pages have framed, in order.
    """

    def __init__(self, home: str, *, language: str = "en", verify: str | bool = True) -> None:
        """Args:
        home: The server's URL. What leads elsewhere is a client's.
        verify: The CA file to trust.
        """
        self.home = home
        self.framed: list[str] = []
        self.session = requests.Session()
        # Neither a proxy nor a .netrc of the person who runs the tests.
        self.session.trust_env = False
        self.session.verify = verify
        self.session.headers["Accept-Language"] = language

    def open(self, url: str) -> Page | Callback:
        """Follow a link."""
        return self._go("GET", url, None)

    def submit(self, form: Form, button: str = "", **fills: str) -> Page | Callback:
        """Fill a form and send it by the button with that value."""
        pressed = {name: value for name, value in form.buttons if value == button}
        assert pressed or not button, f"no button {button!r} in {form}"
        return self._go(form.method, form.action, {**form.fields, **fills, **pressed})

    def post(self, url: str, fields: dict[str, str]) -> Page | Callback:
        """Send a form that stands on somebody else's page: with the cookies that ``SameSite=Lax`` leaves, none."""
        with Browser(self.home, verify=self.session.verify or True) as bare:
            answer = bare.session.post(url, data=fields, timeout=_HANG_SECONDS, allow_redirects=False)
        return self._after(url, answer)

    def _go(self, method: str, url: str, fields: dict[str, str] | None) -> Page | Callback:
        if not self._is_home(url):
            return Callback(url, None)
        answer = self.session.request(method, url, data=fields, timeout=_HANG_SECONDS, allow_redirects=False)
        return self._after(url, answer)

    def _after(self, url: str, answer: requests.Response) -> Page | Callback:
        for _ in range(_MOST_REDIRECTS):
            if not answer.is_redirect:
                return self._read(url, answer)
            # 307 would send the password's form on to the client (RFC 9700 §4.12).
            assert answer.status_code in {302, 303}, answer.status_code
            url = urljoin(url, answer.headers["Location"])
            if not self._is_home(url):
                return Callback(url, None)
            answer = self.session.get(url, timeout=_HANG_SECONDS, allow_redirects=False)
        raise AssertionError(f"too many redirects, at last to {url}")

    def _read(self, url: str, answer: requests.Response) -> Page | Callback:
        reader = _Reader(url)
        reader.feed(answer.text)
        if _SELF_SENDING in reader.scripts and not self._is_home(reader.forms[0].action):
            assert reader.forms[0].method == "POST"
            return Callback(reader.forms[0].action, reader.forms[0].fields)
        self.framed += reader.frames
        _, _, onward = answer.headers.get("Refresh", "").partition("url=")
        return self._go("GET", onward, None) if onward else Page(url, answer, reader.forms)

    def _is_home(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.home)[:2]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()


class _Reader(HTMLParser):
    """Finds the forms, scripts and frames of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []
        self.scripts: list[str] = []
        self.frames: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                method = given.get("method", "get").upper()
                self.forms.append(Form(urljoin(self._url, given.get("action", "")), method))
            case "input" if self.forms and "name" in given:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
            case "button" if self.forms and "name" in given:
                self.forms[-1].buttons.append((given["name"], given.get("value", "")))
            case "script":
                self.scripts.append(given.get("src", ""))
            case "iframe":
                self.frames.append(given["src"])
