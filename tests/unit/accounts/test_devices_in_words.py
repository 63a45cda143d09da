"""What browsers call themselves, in words."""

import pytest

from authcenter.accounts.devices_in_words import device_in_words

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
NAMES = [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome", "Windows"),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        "Edge",
        "Windows",
    ),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1.15", "Safari", "macOS"),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
        "Safari",
        "iPhone",
    ),
    ("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605 CriOS/142.0 Safari/604.1", "Chrome", "iPad"),
    ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox", "Android"),
    (
        f"Mozilla/5.0 (Linux; Android 15; SM-S938B) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        "Samsung Internet",
        "Android",
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome", "ChromeOS"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 OPR/124.0.0.0", "Opera", "Linux"),
    ("curl/8.5.0", "curl", ""),
    ("python-requests/2.32", "python-requests", ""),
    ("Mozilla/5.0", "", ""),
    ("", "", ""),
    ("<script>alert(1)</script>", "", ""),
    ("x" * 4000, "", ""),
]


@pytest.mark.parametrize(("user_agent", "browser", "system"), NAMES)
def test_a_device_is_named_as_people_name_it(user_agent: str, browser: str, system: str) -> None:
    told = device_in_words(user_agent)
    assert (told.browser, told.system) == (browser, system)
