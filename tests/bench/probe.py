"""Single requests and checks around a run: a fast wrong answer must not win."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import jwt

# Loopback only: a proxy named in the environment must not see these.
_OPEN: Final = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
_PATIENCE_SECONDS: Final = 30


def basic(client_id: str, secret: str) -> str:
    """The ``Authorization`` value of client_secret_basic (RFC 6749 §2.3.1: form-encoded first)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def post_form(url: str, form: dict[str, str], authorization: str) -> dict[str, Any]:
    """The JSON answer to a form.

    Raises:
        RuntimeError: Refused; status and body are the message.
    """
    headers = {"Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"}
    return _answer(urllib.request.Request(url, urlencode(form).encode(), headers))


def get_json(url: str) -> dict[str, Any]:
    """The JSON document at ``url``; raises like `post_form`."""
    return _answer(urllib.request.Request(url))


def answers(url: str, authorization: str = "") -> bool:
    """Whether anything below 400 is answered there by now."""
    request = urllib.request.Request(url, headers={"Authorization": authorization} if authorization else {})
    try:
        with _OPEN(request, timeout=1):
            return True
    except OSError:
        return False


def wait_until(met: Callable[[], bool], *, what: str) -> None:
    """Ask every 50 ms until ``met`` says yes.

    Raises:
        RuntimeError: Not within 30 s.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not met():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {_PATIENCE_SECONDS} s: {what}")
        time.sleep(0.05)


def check_access_token(token: str, algorithm: str, jwks: dict[str, Any]) -> None:
    """Verify an RFC 9068 access token with the published keys.

    Raises:
        RuntimeError: It is not a good one, or signed by another algorithm than the one measured.
    """
    header = jwt.get_unverified_header(token)
    if header["alg"] != algorithm or header["typ"] != "at+jwt":
        raise RuntimeError(f"measuring {algorithm}, but the token's header is {header}")
    key = next(key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id == header["kid"])
    claims = jwt.decode(
        token, key.key, algorithms=[algorithm], options={"verify_aud": False, "require": ["exp", "aud"]}
    )
    if claims["scope"] != "read":
        raise RuntimeError(f"measuring scope read, but the token has {claims}")


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with _OPEN(request, timeout=5) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as refused:
        raise RuntimeError(f"{request.full_url}: {refused.code} {refused.read()[:500]!r}") from refused
