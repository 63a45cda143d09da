"""What a browser is, and what it runs on, as it says of itself (RFC 9110 §10.1.5): for people to recognise theirs.

A stranger may claim to be anything: nothing is decided by it.
"""

import re

from authcenter.core.value import Value

# The first that is found: browsers name their ancestors, too.
_BROWSERS = (
    ("Edg/|EdgA/|EdgiOS/", "Edge"),
    ("OPR/|Opera/|OPiOS/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/|Ddg/", "DuckDuckGo"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("Chrome/|CriOS/|Chromium/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh|Mac OS X", "macOS"),
    ("Linux|X11", "Linux"),
)
_PROGRAM = re.compile(r"([A-Za-z][A-Za-z0-9._-]{0,39})(?:/|$)")
_BROWSERS_BEGIN = "Mozilla/"


class DeviceInWords(Value, frozen=True):
    """Names that people know; empty: it does not say.

    Attributes:
        browser: Of a program that is none: what it calls itself.
    """

    browser: str
    system: str


def device_in_words(user_agent: str) -> DeviceInWords:
    """The device that calls itself ``user_agent``."""
    browser = _first(_BROWSERS, user_agent)
    if not browser and not user_agent.startswith(_BROWSERS_BEGIN) and (named := _PROGRAM.match(user_agent)):
        browser = named[1]
    return DeviceInWords(browser, _first(_SYSTEMS, user_agent))


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for marks, name in names if re.search(marks, user_agent)), "")
