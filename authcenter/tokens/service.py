"""``TokenService``: check, sign, then spend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from authcenter.core.approval import Approval, PresentedRefreshToken
from authcenter.core.authorization import AuthorizationCode
from authcenter.core.checks import failed
from authcenter.core.clock import Clock
from authcenter.core.device import DeviceAuthorization
from authcenter.core.errors import invalid_grant
from authcenter.core.event import EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken, HeldRefreshToken, TokenFamily, TokenSet
from authcenter.core.wire_json import encode
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.stores.ports.codes import AuthorizationCodeStore
from authcenter.stores.ports.devices import DeviceCodeStore
from authcenter.tokens.enhancers import DraftToken, TokenEnhancer
from authcenter.tokens.families import TokenFamilies, new_family, open_answer, seal_answer
from authcenter.tokens.id_tokens import IdTokens
from authcenter.tokens.issuance import IssuanceLog
from authcenter.tokens.lifetimes import TokenLifetimes
from authcenter.tokens.refusal import refresh_facts
from authcenter.tokens.revocation import Revocations, family_cut
from authcenter.tokens.verifier import AccessTokenVerifier

_CODE_RULES = Rule.CODE_REPLAYED, Rule.CODE_CUT
_DEVICE_CODE_RULES = Rule.DEVICE_CODE_REPLAYED, Rule.DEVICE_CODE_CUT


@dataclass(frozen=True, slots=True)
class TokenService:
    """Owns the life of a token, from an approval to its end.

    It signs, draws the successor, and in one transaction spends what the approval names and stores what follows from
    it. Whoever loses that race throws away what it signed; nothing leaves before the commit.

    Attributes:
        on_replay: Told of every replayed refresh token, for the metrics.
    """

    enhancers: Sequence[TokenEnhancer]
    id_tokens: IdTokens
    codes: AuthorizationCodeStore
    device_codes: DeviceCodeStore
    families: TokenFamilies
    revocations: Revocations
    verifier: AccessTokenVerifier
    lifetimes: TokenLifetimes
    clock: Clock
    issuance: IssuanceLog
    on_replay: Callable[[], None]

    async def create_access_token(self, approval: Approval) -> TokenSet:
        """Issue an access token and, where the approval is refreshable, open its family with a first refresh token.

        Raises:
            StoreUnavailable: Nothing was issued.
        """
        access = await self._sign(approval)
        if not approval.refreshable:
            return self._hand_out(approval, access, None)
        expires_at = approval.at + self.lifetimes.family(approval.client)
        first = self.families.draw(approval.family, approval.at, self.lifetimes.refresh(approval.client), expires_at)
        await self.families.open(approval, first.stored, expires_at)
        return self._hand_out(approval, access, first.token)

    async def redeem_code(self, approval: Approval, code: AuthorizationCode) -> TokenSet:
        """Trade an authorization code for an access token, an ID token and, where it may be, a refresh token.

        A family is opened in any case: by it a second use finds what the first one made.

        Raises:
            OAuthError: ``invalid_grant``: it was used before, and what that made has been ended; or its session has.
            StoreUnavailable: Unknown whether the code is spent.
        """
        return await self._redeem(approval, code, self.codes, _CODE_RULES, "code used twice")

    async def redeem_device_code(self, approval: Approval, device: DeviceAuthorization) -> TokenSet:
        """The same for a device code.

        Raises:
            OAuthError: ``invalid_grant``: it was used before, and what that made has been ended; or its session has.
            StoreUnavailable: Unknown whether the code is spent.
        """
        return await self._redeem(approval, device, self.device_codes, _DEVICE_CODE_RULES, "device code used twice")

    async def refresh_access_token(self, approval: Approval, spends: PresentedRefreshToken) -> TokenSet:
        """Trade a refresh token for an access token and its successor.

        Raises:
            OAuthError: ``invalid_grant``; a replay has ended the family.
            StoreUnavailable: Unknown whether the token is spent; within the grace a retry gets its answer.
        """
        presented, held = spends.value, spends.held
        if held.token.spent_at is None and held.family.ended_at is None:
            access = await self._sign(approval)
            lifetime = self.lifetimes.refresh(approval.client)
            successor = self.families.draw(approval.family, self.clock.now(), lifetime, held.family.expires_at)
            answer = self._answer(approval, access, successor.token)
            sealed = seal_answer(presented, answer.body) if self.lifetimes.reuse_grace(approval.client) else None
            if await self.families.store.rotate(held.token, successor.stored, sealed):
                self.issuance.issued(approval, access, refreshable=True)
                return answer
            held = await self._look_again(presented, held)
        return await self._answer_spent(approval, held, presented)

    async def read_access_token(self, token: str) -> AccessToken:
        """Verify an access token of ours. Raises ``TokenRejected``, ``Unavailable``."""
        return await self.verifier.read(token)

    async def revoke_access_token(self, token: AccessToken, actor: str, origin: RequestOrigin | None) -> None:
        """Raises ``StoreUnavailable``: nothing was revoked."""
        await self.revocations.revoke(token, "revoked by its client", actor, origin)

    async def revoke_family(self, family: TokenFamily, actor: str, origin: RequestOrigin | None) -> None:
        """End a family, its access tokens included. Raises ``StoreUnavailable``: nothing was ended."""
        await self._end(family, "revoked by its client", EventKind.FAMILY_ENDED, actor, origin)

    async def _redeem(
        self,
        approval: Approval,
        code: AuthorizationCode | DeviceAuthorization,
        store: AuthorizationCodeStore | DeviceCodeStore,
        rules: tuple[Rule, Rule],
        reason: str,
    ) -> TokenSet:
        if code.spent_at is None:
            access = await self._sign(approval)
            first = None
            expires_at = approval.at + self.lifetimes.access(approval.client)
            if approval.refreshable:
                expires_at = approval.at + self.lifetimes.family(approval.client)
                lifetime = self.lifetimes.refresh(approval.client)
                first = self.families.draw(approval.family, approval.at, lifetime, expires_at)
            answer = self._answer(approval, access, first.token if first else None)
            family = replace(new_family(approval, expires_at), scope=code.scope, audience=code.audience)
            if await store.redeem(code.digest, self.clock.now(), family, first.stored if first else None):
                self.issuance.issued(approval, access, refreshable=first is not None)
                return answer
        replayed, cut = rules
        produced = await self.families.find_family(code.family_id)
        if produced is None and code.spent_at is None:
            failed("code_lifetime", family=code.family_id, session_ended=True)
            raise invalid_grant(cut, f"family {code.family_id}: the session has ended meanwhile")
        if produced is not None:
            await self._end(produced, reason, EventKind.CODE_REPLAYED, approval.client.client_id, approval.origin)
        failed("code_unspent", family=code.family_id, spent_at=str(code.spent_at) if code.spent_at else "just now")
        raise invalid_grant(replayed, f"family {code.family_id}, spent {code.spent_at or 'just now'}")

    async def _sign(self, approval: Approval) -> DraftToken:
        self.issuance.require_room()
        token = DraftToken()
        for enhancer in self.enhancers:
            token = await enhancer.enhance(token, approval)
        return token

    def _hand_out(self, approval: Approval, access: DraftToken, refresh: str | None) -> TokenSet:
        self.issuance.issued(approval, access, refreshable=refresh is not None)
        return self._answer(approval, access, refresh)

    def _answer(self, approval: Approval, access: DraftToken, refresh: str | None) -> TokenSet:
        body: dict[str, object] = {
            "access_token": access.value,
            "token_type": "Bearer",
            "expires_in": access.claims["exp"] - access.claims["iat"],
        }
        if "scope" in access.claims:
            body["scope"] = access.claims["scope"]
        if refresh is not None:
            body["refresh_token"] = refresh
        if approval.id_token is not None:
            body["id_token"] = self.id_tokens.make(approval, approval.id_token, access.value)
        return TokenSet(encode(body))

    async def _look_again(self, presented: str, before: HeldRefreshToken) -> HeldRefreshToken:
        return await self.families.find(presented) or before

    async def _answer_spent(self, approval: Approval, held: HeldRefreshToken, presented: str) -> TokenSet:
        """A spent token: an honest retry within the grace, or a replay."""
        family, spent_at = held.family, held.token.spent_at
        if family.ended_at is not None:
            failed("refresh_lifetime", **refresh_facts(held, self.clock.now()))
            raise invalid_grant(Rule.REFRESH_FAMILY_ENDED, f"family {family.family_id} ended: {family.end_reason}")
        if spent_at is not None and held.token.sealed_answer is not None:
            grace = self.lifetimes.reuse_grace(approval.client)
            answer = open_answer(presented, held.token.sealed_answer)
            if answer is not None and self.clock.now() < spent_at + grace:
                return TokenSet(answer)
        failed("refresh_token_unspent", family=family.family_id, spent_at=str(spent_at), clock=str(self.clock.now()))
        self.on_replay()
        await self._end(
            family, "refresh token replayed", EventKind.REFRESH_REPLAYED, approval.client.client_id, approval.origin
        )
        raise invalid_grant(Rule.REFRESH_REPLAYED, f"family {family.family_id}, spent {spent_at}")

    async def _end(
        self, family: TokenFamily, reason: str, kind: EventKind, actor: str, origin: RequestOrigin | None
    ) -> None:
        lifetime = LONGEST_TOKEN + self.lifetimes.leeway
        if await self.families.end(family, reason, lifetime, kind, actor, origin):
            self.revocations.replica.add_cut(family_cut(family.family_id, reason, self.clock.now(), lifetime))
