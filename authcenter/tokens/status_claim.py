"""The ``status`` claim of access tokens (draft-ietf-oauth-status-list §6.1)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authcenter.core.approval import Approval
from authcenter.core.errors import StoreUnavailable
from authcenter.core.status import StatusEntry
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.series import CountedSeries
from authcenter.tokens.enhancers import DraftToken, TokenEnhancer
from authcenter.tokens.status_entries import StatusEntryWriter
from authcenter.tokens.status_places import StatusPlaces

STATUS_LISTS_PATH = "/oauth/status"
STATUS_PATH = f"{STATUS_LISTS_PATH}/"


def status_list_uri(issuer: str, list_id: str) -> str:
    """Where a list is, and its ``sub``."""
    return f"{issuer}{STATUS_PATH}{list_id}"


@dataclass(slots=True)
class ClaimOutcomes:
    """Counts every token; logs the first that goes without the claim, and the first that has it again."""

    counter: CountedSeries
    log: Logger
    _omitting: bool = field(default=False, init=False)

    def given(self) -> None:
        self.counter.count("given")
        if self._omitting:
            self._omitting = False
            self.log.info("status_claim_given_again")

    def omitted(self, hint: str) -> None:
        self.counter.count("omitted")
        if not self._omitting:
            self._omitting = True
            self.log.warning(
                "status_claim_omitted", hint=hint, remedy="verifiers of status lists do not see these tokens revoked"
            )


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
    outcomes: ClaimOutcomes

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken:
        if not self.enabled():
            return token
        try:
            list_id, index = await self._keep_entry(token, approval)
        except StoreUnavailable as failure:
            self.outcomes.omitted(str(failure))
            return token
        self.outcomes.given()
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
