"""``/static/brand.css``: the policy's color as a style sheet, for inline styles are what the CSP of pages forbids."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from authcenter.http.discovery import cacheable
from authcenter.http.pages.contrast import BLACK, WHITE, Color
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.settings.policy_sections import BrandPolicy

PATH = "/static/brand.css"
_MAX_AGE_SECONDS = 3600

_LIGHT_SHEET, _DARK_SHEET = WHITE, Color.parse("#161b22")
"""What text stands on, as ``style.css`` has it."""


@dataclass(frozen=True, slots=True)
class BrandStyle:
    """Buttons in the brand's color, links and outlines in its nearest kin that can be read."""

    brand: Callable[[], BrandPolicy]

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.get)

    async def get(self, request: web.BaseRequest) -> Answer:
        body = style_of(self.brand().color).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cacheable(request, body, etag, "text/css; charset=utf-8", _MAX_AGE_SECONDS)


def style_of(color: str) -> str:
    """The style sheet for ``#rrggbb``; for an empty color one that changes nothing."""
    if not color:
        return ""
    accent = Color.parse(color)
    light, dark = accent.readable_on(_LIGHT_SHEET, BLACK), accent.readable_on(_DARK_SHEET, WHITE)
    return (
        f":root {{ --accent: {accent}; --on-accent: {accent.text_on_it()}; --accent-ink: {light}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent-ink: {dark}; }} }}\n"
    )
