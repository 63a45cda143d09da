"""Whether the time of a refused sign-in tells a name that somebody has from one that nobody has.

Wrong passwords on the login page, for known and unknown names in random order, on one connection. What is told is how
often a known name took longer than an unknown one: a half of all pairs where time says nothing (Mann and Whitney's U).
"""

import asyncio
import http.client
import json
import random
import re
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from tests.bench.table import Target
from tests.servers.authcenter import AuthcenterProcess

NAME: Final = "sign-in timing"
_NAMES: Final = 75
_GUESSES_A_NAME: Final = 4
"""So few that no try waits because of those before it."""
_POLICY: Final = "rate_limits: {login_failures_per_ip: 100000/hour, login_failures_per_account: 1000/hour}\n"
# Without a difference U strays from a half by 0.024 (one sigma, 300 against 300).
_MOST_FROM_HALF: Final = 0.08
_HIDDEN: Final = re.compile(r'name="(csrf|ticket)" value="([^"]+)"')


def measure() -> dict[str, float]:
    """Medians in milliseconds, and how often a known name took longer."""
    with tempfile.TemporaryDirectory(prefix="authcenter-bench-") as place:
        server = AuthcenterProcess(Path(place) / "authcenter", settings={"AUTHCENTER_WORKERS": "1"})
        server.policy_file.write_text(_POLICY)
        with server:
            known = [f"known-{number}" for number in range(_NAMES)]
            if server.cli_json("users", "import", stdin=_accounts(known))["created"] != _NAMES:
                raise RuntimeError("the accounts were not made")
            page = _LoginPage(server.port)
            page.guess("the-first")
            names = [*known, *(f"never-{number}" for number in range(_NAMES))] * _GUESSES_A_NAME
            random.shuffle(names)
            taken = [(name in set(known), page.guess(name)) for name in names]
    of_known = [seconds for is_known, seconds in taken if is_known]
    of_unknown = [seconds for is_known, seconds in taken if not is_known]
    return {
        "known_ms": round(median(of_known) * 1000, 3),
        "unknown_ms": round(median(of_unknown) * 1000, 3),
        "known_took_longer": round(_share_longer(of_known, of_unknown), 4),
    }


def render(figures: Mapping[str, float]) -> str:
    return (
        f"\nwrong passwords on the login page: known names {figures['known_ms']} ms, "
        f"unknown {figures['unknown_ms']} ms; "
        f"a known name took longer in {figures['known_took_longer']:.1%} of pairs"
    )


def targets(figures: Mapping[str, float]) -> list[Target]:
    share = figures["known_took_longer"]
    met = abs(share - 0.5) <= _MOST_FROM_HALF
    return [Target("known names took longer, share of pairs", f"0.5 ± {_MOST_FROM_HALF}", share, met)]


class _LoginPage:
    """One browser on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", "/login")
        answer = self._connection.getresponse()
        self._form: dict[str, Any] = dict(_HIDDEN.findall(answer.read().decode()))
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self._headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}

    def guess(self, name: str) -> float:
        """Seconds until the page says that it was wrong."""
        body = urlencode({**self._form, "username": name, "password": "not the password"})
        began = time.perf_counter()
        self._connection.request("POST", "/login", body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        if answer.status != 401:
            raise RuntimeError(f"{answer.status} where a wrong password was to be refused")
        return took


def _accounts(names: Sequence[str]) -> str:
    hashing = PasswordHashing(Argon2Cost(), workers=1)
    try:
        digest = asyncio.run(hashing.hash(secrets.token_urlsafe()))
    finally:
        hashing.close()
    rows = [{"username": name, "email": f"{name}@bench.test", "password_hash": digest} for name in names]
    return "".join(json.dumps(row) + "\n" for row in rows)


def _share_longer(ones: Sequence[float], others: Sequence[float]) -> float:
    longer = sum((one > other) + 0.5 * (one == other) for one in ones for other in others)
    return longer / (len(ones) * len(others))


if __name__ == "__main__":
    print(render(measure()))
