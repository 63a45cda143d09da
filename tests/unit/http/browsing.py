"""A browser without a screen: cookies, forms and raw answers, so that a test may send what no browser would."""

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Shown:
    """What came back."""

    status: int
    headers: Any
    body: str

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of its forms."""
        return {html.unescape(name): html.unescape(value) for name, value in _HIDDEN.findall(self.body)}


@dataclass(slots=True)
class Tab:
    """One browser at one address. It follows no redirect by itself."""

    address: str
    jar: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Shown:
        return await self._send("GET", path, None, headers)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> Shown:
        return await self._send("POST", path, urlencode(form), headers)

    async def follow(self, shown: Shown) -> Shown:
        """Go where redirects lead, as long as that is here."""
        while shown.location.startswith("/"):
            shown = await self.get(shown.location)
        return shown

    async def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Shown:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, URL(self.address + path, encoded=True), data=body, headers=sent, allow_redirects=False
            ) as answer,
        ):
            shown = Shown(answer.status, answer.headers, await answer.text())
        for line in answer.headers.getall("Set-Cookie", ()):
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value
        return shown
