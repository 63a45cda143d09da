"""The whole authorization code flow with PKCE: authorize in a signed-in browser, take the code, trade it for tokens.

Both servers are asked for the same: an ES256 access token and an RS256 ID token. What they keep differs: authcenter
writes each code and its redemption to SQLite, durably, and oidc-provider keeps them in memory.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt

from tests.bench import proc
from tests.bench.authority import Authcenter
from tests.bench.compare import Cores, frozen
from tests.bench.contenders import OidcProvider
from tests.bench.flows import CodeFlow, drive_flows, run_once
from tests.bench.probe import basic
from tests.bench.table import Row
from tests.bench.work import Contender, Sample
from tests.integration.conformance.browser import Browser, Page

NAME: Final = "code flow"
_CLIENT: Final = "bench-code"
_CALLBACK: Final = "https://app.bench.test/cb"
_VERIFIER: Final = "v" * 43
_CHALLENGE: Final = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
_REQUEST: Final = {
    "client_id": _CLIENT,
    "redirect_uri": _CALLBACK,
    "response_type": "code",
    "scope": "openid read",
    "state": "state-of-the-bench",
    "nonce": "nonce-of-the-bench",
    "code_challenge": _CHALLENGE,
    "code_challenge_method": "S256",
}
_FORM: Final = {"grant_type": "authorization_code", "redirect_uri": _CALLBACK, "code_verifier": _VERIFIER}
_MOST_PAGES: Final = 6


def measure(on: Cores, names: list[str], *, rounds: int, seconds: float, warm_up: float) -> dict[str, Any]:
    """Flows per second and their latencies, medians of interleaved rounds, for the contenders of those names."""
    samples: dict[str, list[Sample]] = {}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authcenter-bench-")))
        contenders: dict[str, Contender] = {}
        flows: dict[str, CodeFlow] = {}
        for name in (name for name in _PREPARED if name in names):
            contenders[name], flows[name] = _PREPARED[name](stack, place)
            _check(asyncio.run(run_once(flows[name])))
            proc.pin(contenders[name].child.pid, on.server)
        for number in range(1, rounds + 1):
            for name, contender in contenders.items():
                with frozen([other for other in contenders.values() if other is not contender]):
                    sample = _sample(contender, flows[name], seconds=seconds, warm_up=warm_up)
                samples.setdefault(name, []).append(sample)
                told = f"{sample.per_second:,.0f}/s, {sample.failures} failed"
                print(f"round {number}/{rounds}  {NAME:28}{name:16}{told}", file=sys.stderr)
    return {name: asdict(Row.of(taken)) for name, taken in samples.items()}


def failures(figures: Mapping[str, Any]) -> int:
    """Flows that did not come to their end."""
    return sum(int(row["failures"]) for row in figures.values())


def render(figures: Mapping[str, Any]) -> str:
    """Each contender's rate for the terminal."""
    lines = [
        f"  {name:26}{row['per_second']:>11,.0f}{row['p50_ms']:>22.2f}{row['p99_ms']:>8.2f}{row['memory_mib']:>7.0f}"
        f"{row['cpu_share']:>6.0%}{row['failures']:>8}"
        for name, row in figures.items()
    ]
    head = f"\n{NAME:28}{'flows/s':>11}{'p50 ms':>22}{'p99 ms':>8}{'MiB':>7}{'core':>6}{'failed':>8}"
    return "\n".join([head, *lines, ""])


def _sample(contender: Contender, flow: CodeFlow, *, seconds: float, warm_up: float) -> Sample:
    warm = drive_flows(flow, seconds=warm_up)
    used = proc.cpu_seconds(contender.child.pid)
    seen = drive_flows(flow, seconds=seconds)
    share = (proc.cpu_seconds(contender.child.pid) - used) / (seen.done / seen.per_second if seen.done else seconds)
    return Sample(
        per_second=seen.per_second,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        requests=2 * seen.done,
        failures=warm.failures + seen.failures,
        resident_bytes=proc.resident_bytes(contender.child.pid),
        cpu_share=share,
    )


def _authcenter(stack: ExitStack, place: Path) -> tuple[Contender, CodeFlow]:
    server = stack.enter_context(Authcenter(place))
    made = server.cli_json(
        *("clients", "create", "--id", _CLIENT, "--profile", "oidc", "--auth-method", "client_secret_basic"),
        *("--grant", "authorization_code", "--redirect-uri", _CALLBACK, "--first-party"),
        *("--scope", "openid read", "--audience", server.audience),
    )
    name, password = server.person
    filled = {"username": name, "password": password}
    return server, _prepared(server, "/oauth/authorize", "/oauth/token", made["client_secret"], filled)


def _oidc_provider(stack: ExitStack, place: Path) -> tuple[Contender, CodeFlow]:
    server = stack.enter_context(OidcProvider(place))
    filled = {"login": "bencher", "password": "any"}
    return server, _prepared(server, "/auth", "/token", server.secret, filled)


def _prepared(server: Contender, authorize: str, token: str, secret: str, filled: Mapping[str, str]) -> CodeFlow:
    """Sign a browser in, and say what it and its client send from then on."""
    parts = urlsplit(server.url)
    path = f"{authorize}?{urlencode(_REQUEST)}"
    with Browser(server.url) as browser:
        shown = browser.open(server.url + path)
        for _ in range(_MOST_PAGES):
            if not isinstance(shown, Page):
                break
            if not shown.forms:
                raise RuntimeError(f"{server.name} answers {shown.status}: {shown.text[:500]}")
            form = shown.forms[-1]
            buttons = [value for _, value in form.buttons]
            wanted = {name: value for name, value in filled.items() if name in form.fields}
            shown = browser.submit(form, "login" if "login" in buttons else "", **wanted)
        else:
            raise RuntimeError(f"{server.name} shows page after page, at last {shown}")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.session.cookies)
    host = f"Host: {parts.netloc}\r\n"
    head = (
        f"POST {token} HTTP/1.1\r\n{host}Authorization: {basic(_CLIENT, secret)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
    )
    return CodeFlow(
        port=int(parts.port or 0),
        authorize=f"GET {path} HTTP/1.1\r\n{host}Cookie: {cookies}\r\n\r\n".encode(),
        token=head.encode(),
        body=f"{urlencode(_FORM)}&code=".encode(),
    )


def _check(answer: bytes) -> None:
    """A fast wrong answer must not win. Raises ``RuntimeError``."""
    told = json.loads(answer)
    algs = {name: jwt.get_unverified_header(told[name])["alg"] for name in ("access_token", "id_token")}
    if algs != {"access_token": "ES256", "id_token": "RS256"} or "refresh_token" in told:
        raise RuntimeError(f"not the tokens to be measured: {algs}, {sorted(told)}")


_PREPARED: Final[Mapping[str, Callable[[ExitStack, Path], tuple[Contender, CodeFlow]]]] = {
    Authcenter.name: _authcenter,
    OidcProvider.name: _oidc_provider,
}
