"""A client gives back a token of its own (RFC 7009 §2.1)."""

from collections.abc import Callable
from dataclasses import dataclass

from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.errors import TokenRejected
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.families import split as split_refresh_token
from authcenter.tokens.service import TokenService
from authcenter.tokens.verifier import AccessTokenVerifier


@dataclass(frozen=True, slots=True)
class TokenSurrender:
    """Revokes what a client hands in: an access token alone, or the whole family of a refresh token.

    The token's own form tells its kind, so that a wrong ``token_type_hint`` is harmless.

    Attributes:
        count: Told the kind of what was revoked, for the metrics.
    """

    verifier: AccessTokenVerifier
    families: TokenFamilies
    tokens: TokenService
    count: Callable[[str], None]

    async def surrender(self, token: str, client: Client, origin: RequestOrigin) -> tuple[Rule, str] | None:
        """Revoke ``token``, where it is the client's.

        Returns:
            For the operator: why nothing was revoked; None where it was.

        Raises:
            StoreUnavailable: Nothing was revoked; try again.
        """
        if split_refresh_token(token) is not None:
            return await self._refresh_token(token, client, origin)
        return await self._access_token(token, client, origin)

    async def _access_token(self, token: str, client: Client, origin: RequestOrigin) -> tuple[Rule, str] | None:
        try:
            held = await self.verifier.read_issued(token)
        except TokenRejected as rejected:
            failed("access_token", reason=rejected.reason, hint=rejected.hint)
            return rejected.rule, rejected.hint
        if held.client_id != client.client_id:
            failed("caller", jti=held.jti, expected=held.client_id, came=client.client_id)
            return Rule.CALLER_NOT_ENTITLED, f"issued to {held.client_id}"
        await self.tokens.revoke_access_token(held, client.client_id, origin)
        self.count("access_token")
        return None

    async def _refresh_token(self, token: str, client: Client, origin: RequestOrigin) -> tuple[Rule, str] | None:
        held = await self.families.find(token)
        if held is None:
            failed("refresh_token", known=False)
            return Rule.REFRESH_UNKNOWN, "unknown"
        if held.family.client_id != client.client_id:
            failed("refresh_client", expected=held.family.client_id, came=client.client_id)
            return Rule.REFRESH_FOREIGN, f"issued to {held.family.client_id}"
        await self.tokens.revoke_family(held.family, client.client_id, origin)
        self.count("family")
        return None
