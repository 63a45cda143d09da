"""Bearer tokens as requests carry them, and the answers to those that do not hold (RFC 6750 §2, §3)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import parse_qsl

from authcenter.core.errors import Unavailable
from authcenter.core.wire_json import encode
from authcenter.sdk.verification import InsufficientScope

# RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token; the scheme in any case (RFC 9110 §11.1).
_CREDENTIALS = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*)")
_SCHEME = "bearer"
_QUERY_PARAMETER = "access_token"

_INVALID_REQUEST = "The access token must be sent once, as a Bearer token in the Authorization header."
_INVALID_TOKEN = "The access token is malformed, expired, revoked or meant for somebody else."  # noqa: S105
_INSUFFICIENT_SCOPE = "The access token was not granted the scope that this request needs."
_UNAVAILABLE = "Try again later."


class NoCredentials(Exception):
    """The request carries no Bearer token: none of the checks has been made."""


class MalformedCredentials(Exception):
    """The request carries a token in a way that is not accepted (RFC 6750 §3.1, ``invalid_request``)."""


@dataclass(frozen=True, slots=True)
class Denial:
    """The answer to a request that is not let in. Says nothing of the token but that it does not do."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def bearer_token(authorization: Sequence[str], query: str) -> str:
    """The token that the request carries in its header; there is no other place for one.

    A token in the body is not looked for, because that would read the body: the request counts as one without a token.

    Args:
        authorization: All values of ``Authorization``.
        query: The query as it came.

    Raises:
        NoCredentials: There is none, or another scheme's.
        MalformedCredentials: Several, not in the grammar, or one in the query (where logs and referrers pick it up).
    """
    if len(authorization) > 1 or (query and _names_token(query)):
        raise MalformedCredentials
    if not authorization or authorization[0].partition(" ")[0].lower() != _SCHEME:
        raise NoCredentials
    found = _CREDENTIALS.fullmatch(authorization[0].rstrip(" "))
    if found is None:
        raise MalformedCredentials
    return found[1]


def _names_token(query: str) -> bool:
    if _QUERY_PARAMETER not in query and "%" not in query:
        return False
    return any(name == _QUERY_PARAMETER for name, _ in parse_qsl(query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Challenge:
    """Writes denials for one resource.

    Attributes:
        resource: Its identifier.
        metadata_url: Where its metadata lie (RFC 9728 §5.1), if anywhere.
    """

    resource: str
    metadata_url: str | None = None
    _always: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # RFC 6750 §3: the scheme must be followed by at least one parameter.
        always = {"resource_metadata": self.metadata_url} if self.metadata_url else {"realm": self.resource}
        object.__setattr__(self, "_always", always)

    def no_credentials(self) -> Denial:
        """RFC 6750 §3.1: without credentials, no error code and no other error information."""
        return Denial(401, {"WWW-Authenticate": self._bearer({}), "Cache-Control": "no-store"})

    def invalid_request(self) -> Denial:
        return self._denial(400, "invalid_request", _INVALID_REQUEST)

    def invalid_token(self) -> Denial:
        """One wording for every cause."""
        return self._denial(401, "invalid_token", _INVALID_TOKEN)

    def insufficient_scope(self, refused: InsufficientScope) -> Denial:
        """Names all scopes that the request needs, so that the client asks once for all of them."""
        return self._denial(403, "insufficient_scope", _INSUFFICIENT_SCOPE, scope=" ".join(refused.required))

    def unavailable(self, cause: Unavailable) -> Denial:
        """Cannot tell: the token may be good, so that nothing makes the client throw it away."""
        retry_after = str(max(1, ceil(cause.retry_after)))
        body = encode({"error": "temporarily_unavailable", "error_description": _UNAVAILABLE})
        return Denial(503, {"Retry-After": retry_after, **_JSON}, body)

    def _denial(self, status: int, code: str, description: str, **more: str) -> Denial:
        said = {"error": code, "error_description": description}
        return Denial(status, {"WWW-Authenticate": self._bearer(said | more), **_JSON}, encode(said))

    def _bearer(self, parameters: Mapping[str, str]) -> str:
        written = [f"{name}={_quoted(value)}" for name, value in {**parameters, **self._always}.items()]
        return f"Bearer {', '.join(written)}"


_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def _quoted(value: str) -> str:
    """A quoted string (RFC 9110 §5.6.4).

    Raises:
        ValueError: Nothing that a header may carry.
    """
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"no header value: {value!a:.80}")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
