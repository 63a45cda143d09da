"""Who is let in: what the guards of all frameworks decide alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from authcenter.core.errors import TokenRejected, Unavailable
from authcenter.core.token import AccessToken
from authcenter.core.wire_json import encode
from authcenter.sdk.bearer import Challenge, Denial, MalformedCredentials, NoCredentials, bearer_token
from authcenter.sdk.resource_metadata import resource_metadata
from authcenter.sdk.scope_check import checked_scopes
from authcenter.sdk.verification import InsufficientScope, TokenVerification

_SUBTREE = "/*"
_DOTS = frozenset({"", ".", ".."})


class Admission:
    """Decides on requests to one resource server.

    Attributes:
        challenge: Writes its denials.
        metadata: Its metadata document as JSON, for ``metadata_path``; None where the audience is no URL.
    """

    def __init__(
        self,
        verification: TokenVerification,
        *,
        scopes: Sequence[str] = (),
        scopes_supported: Sequence[str] = (),
        public: Sequence[str] = (),
        pass_preflight: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Args:
        scopes: All of which every guarded request needs.
        scopes_supported: Further ones, for the metadata document.
        public: Paths that need no token: exactly this one, or with ``/*`` at the end everything below it.
        pass_preflight: Let CORS preflights through without a token.
        metadata: Further members of the metadata document.

        Raises:
            ValueError: A scope value outside the grammar, a path that does not begin with a slash, or an audience that
                no header can carry.
        """
        self._verification = verification
        self._scopes = checked_scopes(scopes)
        if bad := [path for path in public if not path.startswith("/") or "%" in path]:
            raise ValueError(f"public paths begin with a slash and are not encoded: {bad}")
        self._public = frozenset(path for path in public if not path.endswith(_SUBTREE))
        self._subtrees = tuple(path.removesuffix("*") for path in public if path.endswith(_SUBTREE))
        self._pass_preflight = pass_preflight
        said = resource_metadata(
            verification.audience, verification.issuer, sorted({*scopes, *scopes_supported}), metadata
        )
        self.challenge = Challenge(verification.audience, None if said is None else said.url)
        self.metadata_path = None if said is None else said.path
        self.metadata = None if said is None else encode(said.document)

    async def admit(self, authorization: Sequence[str], query: str) -> AccessToken | Denial:
        """The token that lets a request in, or the answer that keeps it out.

        Args:
            authorization: All values of its ``Authorization`` header.
            query: Its query as it came.
        """
        try:
            return await self._verification.verify(bearer_token(authorization, query), *self._scopes)
        except (NoCredentials, MalformedCredentials, TokenRejected, InsufficientScope, Unavailable) as refused:
            return self.denial(refused)

    def denial(
        self, refused: NoCredentials | MalformedCredentials | TokenRejected | InsufficientScope | Unavailable
    ) -> Denial:
        """The answer that a refusal becomes."""
        match refused:
            case NoCredentials():
                return self.challenge.no_credentials()
            case MalformedCredentials():
                return self.challenge.invalid_request()
            case TokenRejected():
                return self.challenge.invalid_token()
            case InsufficientScope():
                return self.challenge.insufficient_scope(refused)
            case Unavailable():
                return self.challenge.unavailable(refused)

    def is_public(self, path: str) -> bool:
        """Whether a path, as it was sent, needs no token.

        One that is encoded or holds dot segments always needs one: another reader might take it for another path.
        """
        if path in self._public:
            return True
        if "%" in path or "\\" in path or not path.startswith(self._subtrees):
            return False
        return _DOTS.isdisjoint(path.split("/")[1:-1]) and not path.endswith(("/.", "/.."))

    def passes_preflight(self, method: str, has_header: Callable[[str], bool]) -> bool:
        """Whether this is a CORS preflight, to which browsers never add credentials (Fetch §3.2.2), and those pass."""
        return (
            method == "OPTIONS"
            and self._pass_preflight
            and has_header("Origin")
            and has_header("Access-Control-Request-Method")
        )


METADATA_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "public, max-age=3600",
    "Access-Control-Allow-Origin": "*",
}
"""The metadata document is public, to scripts of any origin too."""
