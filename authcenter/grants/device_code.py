"""The device code grant (RFC 8628 §3.4): the device asks until the person has answered."""

from dataclasses import dataclass

from authcenter.core.approval import Approval, IdTokenRequest, PresentedDeviceCode
from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.device import DEVICE_CODE_GRANT, DeviceAnswer, DeviceAuthorization
from authcenter.core.errors import ErrorCode, OAuthError, invalid_grant
from authcenter.core.rules import Rule
from authcenter.core.scope import OPENID
from authcenter.core.user import User
from authcenter.grants.granter import TokenGranter, TokenRequest
from authcenter.grants.resources import GrantTargets, narrowed_audience
from authcenter.stores.ports.accounts import UserLookup
from authcenter.stores.ports.devices import DeviceCodeStore
from authcenter.tokens.device_codes import device_code_digest
from authcenter.tokens.refusal import Approved, owner_cut
from authcenter.tokens.revocation import Revocations


@dataclass(frozen=True, slots=True)
class DeviceCodeGranter(TokenGranter):
    """Trades an approved device code for tokens; a second use ends what the first one made."""

    devices: DeviceCodeStore
    targets: GrantTargets
    users: UserLookup
    revocations: Revocations
    clock: Clock

    @property
    def grant_type(self) -> str:
        return DEVICE_CODE_GRANT

    async def approve(self, request: TokenRequest) -> Approval:
        device = await self._poll(request)
        answer = self._answer(device)
        user = await self._user(device, answer, request.client)
        audience = narrowed_audience(request.form, device.audience)
        target = await self.targets.of_approved(device.scope, audience, request.client, user)

        # Nothing is spent here: TokenService signs first, then spends the code and opens its family in one transaction.
        return Approval(
            client=request.client,
            subject=answer.subject,
            scope=target.scope,
            audience=target.audience,
            at=request.at,
            user=user,
            sign_in=answer.sign_in,
            refreshable=request.client.refreshable(device.scope),
            spends=PresentedDeviceCode(device),
            origin=request.origin,
            family=device.family_id,
            id_token=IdTokenRequest(None, {}) if OPENID in device.scope else None,
            known_as=answer.known_as,
            approved_at=answer.at,
        )

    async def _poll(self, request: TokenRequest) -> DeviceAuthorization:
        presented, client = request.require("device_code"), request.client
        digest = device_code_digest(presented)
        if digest is None:
            failed("device_code", characters=len(presented))
            raise invalid_grant(Rule.DEVICE_CODE_MALFORMED, f"{len(presented)} characters")
        device = await self.devices.poll(digest, client.client_id, self.clock.now())
        if device is None:
            # Whoever stole a code can neither use it, nor slow its device down, nor end what it was traded for.
            if (other := await self.devices.find(digest)) is not None:
                failed("device_code_client", expected=other.client_id, came=client.client_id)
                hint = f"of {other.client_id}, presented by {client.client_id}"
                raise invalid_grant(Rule.DEVICE_CODE_FOREIGN, hint)
            failed("device_code", known=False)
            raise invalid_grant(Rule.DEVICE_CODE_UNKNOWN, f"presented by {client.client_id}")
        passed("device_code", family=device.family_id, answered=device.answer is not None)
        return device

    def _answer(self, device: DeviceAuthorization) -> DeviceAnswer:
        """What the person said, where that is yes. A spent code passes: its second use is refused by who spends."""
        answer = device.answer
        if device.spent_at is None and device.expires_at <= (now := self.clock.now()):
            late = int((now - device.expires_at).total_seconds())
            failed("device_code_lifetime", late_seconds=late, expired_at=str(device.expires_at), clock=str(now))
            hint = f"lapsed {late} s ago"
            raise _refused(ErrorCode.EXPIRED_TOKEN, "The device code has expired.", Rule.DEVICE_CODE_EXPIRED, hint)
        if answer is None:
            failed("device_answer", answered=False, hurried=device.hurried, interval_seconds=device.interval_seconds)
            if device.hurried:
                hint, description = f"the interval is {device.interval_seconds} s now", "Polled too often."
                raise _refused(ErrorCode.SLOW_DOWN, description, Rule.DEVICE_SLOW_DOWN, hint)
            description = "The person has not answered yet."
            raise _refused(ErrorCode.AUTHORIZATION_PENDING, description, Rule.DEVICE_PENDING, f"of {device.client_id}")
        if not answer.approved:
            failed("consent", answered="denied", at=str(answer.at), subject=answer.subject, family=device.family_id)
            raise _refused(
                ErrorCode.ACCESS_DENIED, "The person said no.", Rule.CONSENT_DENIED, f"to {device.client_id}"
            )
        return answer

    async def _user(self, device: DeviceAuthorization, answer: DeviceAnswer, client: Client) -> User:
        self._require_uncut(device, answer, client)
        user = await self.users.find(answer.subject)
        if user is None or user.disabled_at is not None:
            disabled_at = str(user.disabled_at) if user else None
            failed("user", subject=answer.subject, exists=user is not None, disabled_at=disabled_at)
            raise invalid_grant(Rule.DEVICE_CODE_USER_GONE, f"{answer.subject} is {'disabled' if user else 'gone'}")
        if reason := owner_cut(answer.at, user):
            raise _cut(device, answer, reason)
        return user

    def _require_uncut(self, device: DeviceAuthorization, answer: DeviceAnswer, client: Client) -> None:
        """A spent code passes: its second use is refused by who spends."""
        if device.spent_at is not None:
            return
        approved = Approved(answer.at, device.family_id, answer.subject, device.client_id, answer.sign_in)
        if reason := approved.cut_reason(self.revocations.replica, client):
            raise _cut(device, answer, reason)


def _cut(device: DeviceAuthorization, answer: DeviceAnswer, reason: str) -> OAuthError:
    failed("code_cut", family=device.family_id, subject=answer.subject, reason=reason)
    return invalid_grant(Rule.DEVICE_CODE_CUT, reason)


def _refused(code: ErrorCode, description: str, rule: Rule, hint: str) -> OAuthError:
    return OAuthError(code, description, rule=rule, hint=hint)
