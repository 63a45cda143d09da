"""Requests to providers and what their answers come to. Nothing that a provider says is repeated but its error code."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from authcenter.core.secret import Secret
from authcenter.federation.refusals import nonsense, refused_there, unavailable
from authcenter.jose.strict_json import parse_object
from authcenter.stores.ports.remote import Asking, FetchFailed, RemoteAnswer


@dataclass(frozen=True, slots=True)
class ProviderCalls:
    """Asks providers.

    Attributes:
        plain_loopback: Whether http will do where nobody is in between: on this machine, in development.
    """

    remote: Asking
    plain_loopback: bool

    def permits(self, url: object) -> bool:
        """Whether ``url`` is one that a person or a secret may be sent to."""
        if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
            return False
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            return False
        if not host or "@" in parts.netloc or "#" in url:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and self.plain_loopback and _is_loopback(host))

    async def document(self, url: str) -> dict[str, Any]:
        """A JSON object that anybody may read. Raises ``OAuthError``: there is none."""
        return _object(url, await self._ask(url))

    async def own(self, url: str, access_token: Secret) -> bytes:
        """What an access token opens. Raises ``OAuthError``: nothing."""
        answer = await self._ask(url, authorization=Secret(f"Bearer {access_token.reveal()}"))
        if answer.status != 200:
            raise unavailable(f"{url!a:.200} answered {answer.status}")
        return answer.body

    async def redeem(self, url: str, form: Mapping[str, str], authorization: Secret | None) -> dict[str, Any]:
        """What a token endpoint gives for a code (RFC 6749 §4.1.4).

        Raises:
            OAuthError: It refuses, does not answer, or gives no access token of the type Bearer.
        """
        answer = await self._ask(url, form=form, authorization=authorization)
        if 400 <= answer.status < 500:
            raise refused_there(_error_of(answer.body) or f"status {answer.status}")
        tokens = _object(url, answer)
        if "error" in tokens:
            # GitHub refuses with status 200.
            raise refused_there(str(tokens["error"]))
        if not isinstance(tokens.get("access_token"), str) or str(tokens.get("token_type")).lower() != "bearer":
            raise nonsense(f"{url!a:.200} gave no bearer token")
        return tokens

    async def _ask(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: Secret | None = None
    ) -> RemoteAnswer:
        if not self.permits(url):
            raise nonsense(f"{url!a:.200} is not https")
        try:
            return await self.remote.ask(url, form=form, authorization=authorization)
        except FetchFailed as problem:
            raise unavailable(str(problem)) from problem


def _object(url: str, answer: RemoteAnswer) -> dict[str, Any]:
    if answer.status != 200:
        raise unavailable(f"{url!a:.200} answered {answer.status}")
    try:
        return parse_object(answer.body)
    except ValueError as problem:
        raise nonsense(f"{url!a:.200}: {problem!s:.80}") from problem


def _error_of(body: bytes) -> str:
    try:
        error = parse_object(body).get("error")
    except ValueError:
        return ""
    return error if isinstance(error, str) else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
