"""Where an issuer publishes its keys (OpenID Connect Discovery §4, RFC 8414 §3)."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from authcenter.jose.strict_json import parse_object
from authcenter.sdk.fetching import Fetch, FetchFailed

_OPENID, _OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"


class Discovery:
    """One issuer's metadata, as far as a verifier needs it. What was found is kept until ``forget``."""

    def __init__(self, issuer: str, fetch: Fetch) -> None:
        """Raises:
        ValueError: ``issuer`` is not an https URL, nor an http one of this machine.
        """
        self._issuer, self._fetch = issuer, fetch
        self._documents = documents_of(issuer)
        self._jwks_uri = ""

    async def jwks_uri(self) -> str:
        """Where the JWK set is.

        Raises:
            FetchFailed: No document came, or it is another issuer's, or names a place that is not safe.
        """
        if not self._jwks_uri:
            self._jwks_uri = read_jwks_uri(await self._document(), self._issuer)
        return self._jwks_uri

    def forget(self) -> None:
        """Look again next time: the key set may have moved."""
        self._jwks_uri = ""

    async def _document(self) -> bytes:
        for url in self._documents:
            answer = await self._fetch.get(url)
            if answer.status == 200:
                return answer.body
        raise FetchFailed(f"{self._issuer} publishes no metadata: {answer.status}")


def documents_of(issuer: str) -> tuple[str, ...]:
    """The places of an issuer's metadata, most likely first.

    Raises:
        ValueError: The keys of such an issuer could be exchanged on their way.
    """
    if not isinstance(issuer, str):
        raise ValueError("issuer must be a URL")  # noqa: TRY004 - one kind of error for one kind of mistake
    place = urlsplit(issuer)
    _origin(place)  # a port that is none is found here
    if not place.hostname or place.query or place.fragment or place.username is not None:
        raise ValueError(f"issuer must be a URL without query, fragment and user: {issuer!r:.200}")
    if place.scheme != "https" and not (place.scheme == "http" and is_this_machine(place.hostname)):
        raise ValueError(f"issuer must be https, or http on a loopback address: {issuer!r:.200}")
    path = place.path.rstrip("/")
    root = f"{place.scheme}://{place.netloc}"
    # RFC 8414 §3.1 puts the well-known part before the issuer's path; OpenID Connect Discovery §4 after it.
    return tuple(dict.fromkeys((f"{root}{path}{_OPENID}", f"{root}{_OAUTH}{path}", f"{root}{path}{_OAUTH}")))


def read_jwks_uri(document: bytes, issuer: str) -> str:
    """The ``jwks_uri`` of ``issuer``'s metadata.

    Raises:
        FetchFailed: The document is another issuer's (RFC 8414 §3.3), or the place is neither https nor the issuer's.
    """
    try:
        metadata = parse_object(document)
        uri = metadata.get("jwks_uri")
        safe = isinstance(uri, str) and is_safe_place(uri, issuer)
    except ValueError as problem:
        raise FetchFailed(f"the metadata of {issuer}: {problem!s:.200}") from problem
    if metadata.get("issuer") != issuer:
        raise FetchFailed(f"the metadata is of {metadata.get('issuer')!r:.200}, not of {issuer}")
    if not isinstance(uri, str) or not safe:
        raise FetchFailed(f"{issuer} names a jwks_uri that is not safe to use: {uri!r:.200}")
    return uri


def is_safe_place(uri: str, issuer: str) -> bool:
    """Whether what the issuer signs or publishes may be fetched there: by https, or from where the issuer itself is.

    Raises:
        ValueError: Not a URL.
    """
    place = urlsplit(uri)
    origin = _origin(place)
    by_itself = place.scheme == "https" or origin == _origin(urlsplit(issuer))
    return by_itself and bool(place.hostname) and place.username is None


def _origin(place: SplitResult) -> tuple[str, str | None, int | None]:
    default = {"https": 443, "http": 80}.get(place.scheme)
    return place.scheme, place.hostname, default if place.port is None else place.port


def is_this_machine(host: str) -> bool:
    """Whether ``host`` is a loopback address or ``localhost``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
