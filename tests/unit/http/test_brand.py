"""The brand of the pages: whatever color an operator chooses, people can read what stands on it and in it."""

import re
from dataclasses import replace

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.relying_party import RelyingParty
from authcenter.http.pages.brand import style_of
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.contrast import BLACK, READABLE, WHITE, Color
from tests.workbench import Workbench

DARK_SHEET = Color.parse("#161b22")
_HEX = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_contrast_is_wcags() -> None:
    assert WHITE.contrast(BLACK) == pytest.approx(21)
    assert WHITE.contrast(WHITE) == pytest.approx(1)
    assert Color.parse("#777777").contrast(WHITE) == pytest.approx(4.48, abs=0.01)


@given(_HEX)
def test_any_color_gives_a_readable_style(color: str) -> None:
    light_half, dark_half = style_of(color).split("@media")
    light, dark = _variables(light_half), _variables(dark_half)
    assert light["accent"] == Color.parse(color), "buttons are in the very color"
    assert light["accent"].contrast(light["on-accent"]) >= READABLE
    assert light["accent-ink"].contrast(WHITE) >= READABLE
    assert dark["accent-ink"].contrast(DARK_SHEET) >= READABLE


def _variables(css: str) -> dict[str, Color]:
    return {name: Color.parse(value) for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css)}


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567"])
def test_what_is_no_color_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"#rrggbb|hex"):
        Color.parse(text)


async def test_the_style_is_served_under_the_pages_policy(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("brand: {color: '#ffe600'}")
    async with web.get("/static/brand.css?ffe600") as answer:
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        text, etag = await answer.text(), answer.headers["ETag"]
    assert "--accent: #ffe600; --on-accent: #000000;" in text
    async with web.get("/static/brand.css?ffe600", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with web.get("/login") as answer:
        assert '<link rel="stylesheet" href="/static/brand.css?ffe600">' in await answer.text()


async def test_a_client_is_shown_in_the_readers_language_with_links_of_the_web_alone(bench: Workbench) -> None:
    party = RelyingParty(
        logo_uri="https://cdn.example/logo.png",
        policy_uri="javascript:alert(1)",
        tos_uri="HTTPS://shop.example/terms",
        localized={"client_name#de": "Laden", "policy_uri#de": "https://shop.example/datenschutz"},
    )
    # None that registers now gets so far: as a row that is older, or not ours, might be.
    client = replace(await bench.client("shop", name="Shop"), relying_party=party)
    english, german = face_of(client, "en"), face_of(client, "de")
    assert (english.name, german.name) == ("Shop", "Laden")
    assert (english.policy, german.policy) == ("", "https://shop.example/datenschutz")
    assert english.terms == german.terms == "HTTPS://shop.example/terms"
    assert face_of(await bench.client("nameless"), "en").name == "nameless"
