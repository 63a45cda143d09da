"""The refresh token grant (RFC 6749 §6), rotating on every use (RFC 9700 §4.14.2)."""

from dataclasses import dataclass

from authcenter.core.approval import Approval, IdTokenRequest, PresentedRefreshToken
from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import invalid_grant
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID, Scope
from authcenter.core.token import HeldRefreshToken, TokenFamily
from authcenter.core.user import User
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets, narrowed_audience
from authcenter.stores.ports.accounts import UserLookup
from authcenter.tokens.families import TokenFamilies
from authcenter.tokens.families import split as split_refresh_token
from authcenter.tokens.refusal import family_refusal, lapse, owner_refusal, refresh_facts, spent
from authcenter.tokens.revocation import Revocations


@dataclass(frozen=True, slots=True)
class RefreshTokenGranter(TokenGranter):
    """Trades a refresh token for its successor; a second use ends the whole family."""

    families: TokenFamilies
    targets: GrantTargets
    users: UserLookup
    revocations: Revocations
    clock: Clock

    @property
    def grant_type(self) -> str:
        return "refresh_token"

    async def approve(self, request: TokenRequest) -> Approval:
        presented = request.require("refresh_token")
        if split_refresh_token(presented) is None:
            failed("refresh_token", characters=len(presented))
            raise invalid_grant(Rule.REFRESH_MALFORMED, f"{len(presented)} characters")
        held = await self.families.find(presented)
        if held is None:
            failed("refresh_token", known=False)
            raise invalid_grant(Rule.REFRESH_UNKNOWN, f"presented by {request.client.client_id}")
        family = held.family
        if family.client_id != request.client.client_id:
            failed("refresh_client", expected=family.client_id, came=request.client.client_id)
            raise invalid_grant(Rule.REFRESH_FOREIGN, f"of {family.client_id}, presented by {request.client.client_id}")

        spent_at = held.token.spent_at
        passed(
            "refresh_token", family=family.family_id, issued_at=str(held.token.issued_at), spent=spent_at is not None
        )
        # Narrowed before anything is spent, and before 'already spent' is looked at: a stolen token alone can neither
        # be used nor end its family, and a request that is going to fail spends nothing.
        asked = request.scope()
        scope = family.scope if asked is None else asked.within(family.scope, Rule.SCOPE_EXCEEDS_GRANT)
        audience = narrowed_audience(request.form, family.audience)
        self._require_living(held, request.client)
        user = await self._user(family)
        target = await self.targets.of_approved(scope, audience, request.client, user)

        # Nothing is spent here: TokenService signs first, then spends and stores the successor in one transaction.
        return Approval(
            client=request.client,
            subject=family.subject,
            scope=target.scope,
            audience=target.audience,
            at=request.at,
            user=user,
            sign_in=family.sign_in,
            spends=PresentedRefreshToken(presented, held),
            origin=request.origin,
            family=family.family_id,
            id_token=_id_token(family, target.scope),
            known_as=family.known_as,
            claims=family.claims,
        )

    def _require_living(self, held: HeldRefreshToken, client: Client) -> None:
        """A spent token passes: whether it is a retry or a replay is decided where it would be spent."""
        refusal = family_refusal(held.family, client, self.revocations.replica)
        if refusal is None and spent(held) is None:
            refusal = lapse(held, self.clock.now())
        if refusal is not None:
            failed("refresh_lifetime", **refresh_facts(held, self.clock.now()))
            raise invalid_grant(refusal.rule, refusal.hint)

    async def _user(self, family: TokenFamily) -> User | None:
        if not family.subject.startswith(SUBJECT_PREFIX):
            return None
        # It may come from a cache: what cuts a user off ends the families in the same transaction, and nothing is spent
        # of a family that has ended.
        user = await self.users.find(family.subject)
        if refusal := owner_refusal(family, user):
            failed(
                "user",
                family=family.family_id,
                subject=family.subject,
                exists=user is not None,
                disabled_at=str(user.disabled_at) if user and user.disabled_at else None,
            )
            raise invalid_grant(refusal.rule, refusal.hint)
        return user


def _id_token(family: TokenFamily, scope: Scope) -> IdTokenRequest | None:
    """OpenID Connect Core §12.2: of the same sign-in, without its nonce."""
    if OPENID not in scope or not family.subject.startswith(SUBJECT_PREFIX):
        return None
    return IdTokenRequest(None, family.claims.get("id_token") or {})
