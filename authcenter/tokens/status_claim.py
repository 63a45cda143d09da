"""The ``status`` claim of access tokens (draft-ietf-oauth-status-list §6.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authcenter.core.approval import Approval
from authcenter.core.errors import StoreUnavailable
from authcenter.core.status import StatusEntry
from authcenter.tokens.enhancers import DraftToken, TokenEnhancer
from authcenter.tokens.status_entries import StatusEntryWriter
from authcenter.tokens.status_outcomes import Outcomes
from authcenter.tokens.status_places import StatusPlaces

STATUS_LISTS_PATH = "/oauth/status"
STATUS_PATH = f"{STATUS_LISTS_PATH}/"


def status_list_uri(issuer: str, list_id: str) -> str:
    """Where a list is, and its ``sub``."""
    return f"{issuer}{STATUS_PATH}{list_id}"


@dataclass(frozen=True, slots=True)
class StatusEnhancer(TokenEnhancer):
    """Names the token's place in a status list, once the record knows whose place it is.

    A record that does not answer costs the claim, not the token: whoever has the feed or introspection sees it revoked
    all the same.

    Attributes:
        enabled: Whether the policy wants it.
        kid: The key that signs now. Raises ``StoreUnavailable`` where there is none.
    """

    issuer: str
    enabled: Callable[[], bool]
    kid: Callable[[], str]
    places: StatusPlaces
    entries: StatusEntryWriter
    outcomes: Outcomes

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken:
        if not self.enabled():
            return token
        try:
            list_id, index = await self._keep_entry(token, approval)
        except StoreUnavailable as failure:
            self.outcomes.failed(str(failure))
            return token
        self.outcomes.worked()
        place: dict[str, Any] = {"idx": index, "uri": status_list_uri(self.issuer, list_id)}
        return token.with_claims({"status": {"status_list": place}})

    async def _keep_entry(self, token: DraftToken, approval: Approval) -> tuple[str, int]:
        claims, kid = token.claims, self.kid()
        list_id, index = await self.places.take(claims["exp"])
        entry = StatusEntry(
            list_id=list_id,
            index=index,
            jti=claims["jti"],
            family=claims["fam"],
            subject=claims["sub"],
            client_id=claims["client_id"],
            session=str(claims.get("sid", "")),
            kid=kid,
            issued_at=approval.at.replace(microsecond=0),
        )
        await self.entries.write(entry)
        # What signs comes next and does not wait: the entry would name a key that the token is not signed with.
        if self.kid() != kid:
            raise StoreUnavailable("the signing key changed while the entry was written")
        return list_id, index
