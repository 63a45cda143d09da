"""The authorization code grant (RFC 6749 §4.1.3, RFC 7636, OpenID Connect Core §3.1.3)."""

from dataclasses import dataclass

from authcenter.core.approval import Approval, IdTokenRequest, PresentedCode
from authcenter.core.authorization import AuthorizationCode
from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.errors import OAuthError, invalid_grant
from authcenter.core.marks import marked_uri
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID
from authcenter.core.user import User
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets, narrowed_audience
from authcenter.proofs.pkce import check_verifier
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.codes import AuthorizationCodeStore
from authcenter.tokens.codes import code_digest
from authcenter.tokens.refusal import Approved, owner_cut
from authcenter.tokens.revocation import Revocations


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGranter(TokenGranter):
    """Trades a code for tokens; a second use ends what the first one made."""

    codes: AuthorizationCodeStore
    targets: GrantTargets
    users: UserLookup
    revocations: Revocations
    clock: Clock

    @property
    def grant_type(self) -> str:
        return "authorization_code"

    async def approve(self, request: TokenRequest) -> Approval:
        code = await self._find(request)
        # Before 'already spent' is looked at: a stolen code alone can neither be used nor end what it was traded for.
        if code.client_id != request.client.client_id:
            failed("code_client", expected=code.client_id, came=request.client.client_id)
            raise invalid_grant(Rule.CODE_FOREIGN, f"of {code.client_id}, presented by {request.client.client_id}")
        self._check_redirect_uri(code, request.form.get("redirect_uri"))
        check_verifier(code.code_challenge, request.form.get("code_verifier"))
        self._check_key(code)
        self._require_living(code, request.client)
        user = await self._user(code)
        audience = narrowed_audience(request.form, code.audience)
        target = await self.targets.of_approved(code.scope, audience, request.client, user)

        # Nothing is spent here: TokenService signs first, then spends the code and opens its family in one transaction.
        return Approval(
            client=request.client,
            subject=code.subject,
            scope=target.scope,
            audience=target.audience,
            at=request.at,
            user=user,
            sign_in=code.sign_in,
            refreshable=code.refreshable,
            spends=PresentedCode(code),
            origin=request.origin,
            family=code.family_id,
            id_token=IdTokenRequest(code.nonce, code.claims.get("id_token") or {}) if OPENID in code.scope else None,
            known_as=code.known_as,
            claims=code.claims,
            approved_at=code.issued_at,
        )

    async def _find(self, request: TokenRequest) -> AuthorizationCode:
        presented = request.require("code")
        digest = code_digest(presented)
        if digest is None:
            failed("code", characters=len(presented))
            raise invalid_grant(Rule.CODE_MALFORMED, f"{len(presented)} characters")
        code = await self.codes.find(digest)
        if code is None:
            failed("code", known=False)
            raise invalid_grant(Rule.CODE_UNKNOWN, f"presented by {request.client.client_id}")
        passed("code", issued_at=str(code.issued_at), family=code.family_id)
        return code

    def _check_redirect_uri(self, code: AuthorizationCode, presented: str | None) -> None:
        """RFC 6749 §4.1.3: the same as in the authorization request, where that named one."""
        if code.redirect_uri is not None and presented != code.redirect_uri:
            came = None if presented is None else marked_uri(presented, [code.redirect_uri])
            failed("redirect_uri", expected=code.redirect_uri, came=came)
            hint = f"authorized for {code.redirect_uri!a:.200}, presented {came!a:.200}"
            raise invalid_grant(Rule.CODE_REDIRECT_URI, hint)

    def _check_key(self, code: AuthorizationCode) -> None:
        """RFC 9449 §10: only with a proof of that key. A later version beside this one may have made such a code."""
        if code.dpop_jkt is not None:
            failed("code_key", expected=code.dpop_jkt, came=None)
            raise invalid_grant(Rule.CODE_KEY_UNPROVEN, f"bound to the key {code.dpop_jkt}")

    def _require_living(self, code: AuthorizationCode, client: Client) -> None:
        """A spent code passes: that it is a second use is decided where it would be spent."""
        if code.spent_at is not None:
            return
        now = self.clock.now()
        if code.expires_at <= now:
            late = int((now - code.expires_at).total_seconds())
            failed("code_lifetime", late_seconds=late, expired_at=str(code.expires_at), clock=str(now))
            raise invalid_grant(Rule.CODE_EXPIRED, f"lapsed {(now - code.expires_at).total_seconds():.0f} s ago")
        approved = Approved(code.issued_at, code.family_id, code.subject, code.client_id, code.sign_in)
        if reason := approved.cut_reason(self.revocations.replica, client):
            raise _cut(code, reason)

    async def _user(self, code: AuthorizationCode) -> User:
        user = await self.users.find(code.subject)
        if user is None or user.disabled_at is not None:
            disabled_at = str(user.disabled_at) if user else None
            failed("user", subject=code.subject, exists=user is not None, disabled_at=disabled_at)
            raise invalid_grant(Rule.CODE_USER_GONE, f"{code.subject} is {'disabled' if user else 'gone'}")
        if reason := owner_cut(code.issued_at, user):
            raise _cut(code, reason)
        return user


def _cut(code: AuthorizationCode, reason: str) -> OAuthError:
    failed("code_cut", family=code.family_id, subject=code.subject, reason=reason)
    return invalid_grant(Rule.CODE_CUT, reason)
