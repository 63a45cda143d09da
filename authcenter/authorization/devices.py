"""Device authorizations (RFC 8628): begun by a device, found by the code a person types, answered by that person."""

from dataclasses import dataclass
from datetime import timedelta

from authcenter.accounts.sessions import SignedIn
from authcenter.authorization.checks import AuthorizationChecks
from authcenter.authorization.consents import Consents
from authcenter.authorization.decision import granted_audience
from authcenter.authorization.subjects import ClientSubjects
from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.device import DEVICE_CODE_GRANT, DeviceAnswer, DeviceAuthorization
from authcenter.core.errors import Conflict, unauthorized_client
from authcenter.core.event import Event, EventKind
from authcenter.core.form import Form
from authcenter.core.ids import new_family_id
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.stores.ports.devices import DeviceCodeStore
from authcenter.tokens.device_codes import UserCodeDigests, draw_device_code, draw_user_code

LIFETIME = timedelta(seconds=600)
"""Time to fetch a phone and to sign in; a user code is worth guessing for no longer."""
INTERVAL_SECONDS = 5
_DRAWS = 5


class DeviceCodes(Value, frozen=True):
    """What a device is given: a code to ask with, and one to show."""

    device_code: str
    user_code: str

    def __repr__(self) -> str:
        return "DeviceCodes(…)"


@dataclass(frozen=True, slots=True)
class DeviceAuthorizations:
    """Begins, finds and answers them."""

    checks: AuthorizationChecks
    devices: DeviceCodeStore
    digests: UserCodeDigests
    consents: Consents
    subjects: ClientSubjects
    issuer: str
    clock: Clock

    async def begin(self, form: Form, client: Client) -> DeviceCodes:
        """Keep what a client that has authenticated asks for.

        Raises:
            OAuthError: It may not.
            StoreUnavailable: Nothing was begun.
        """
        if DEVICE_CODE_GRANT not in client.grants:
            failed("grant_type", came=DEVICE_CODE_GRANT, allowed=" ".join(sorted(client.grants)))
            raise unauthorized_client(Rule.GRANT_NOT_ALLOWED, f"{client.client_id} asked for {DEVICE_CODE_GRANT}")
        resources = self.checks.requested_resources(form, client)
        scope = await self.checks.requested_scope(form, client, resources)
        now, draws = self.clock.now(), _DRAWS
        while True:
            (code, digest), user_code = draw_device_code(), draw_user_code()
            device = DeviceAuthorization(
                digest=digest,
                user_code_digest=self.digests.make(user_code),
                client_id=client.client_id,
                scope=scope,
                audience=granted_audience(resources, client, scope, self.issuer),
                family_id=new_family_id(),
                issued_at=now,
                expires_at=now + LIFETIME,
                interval_seconds=INTERVAL_SECONDS,
            )
            try:
                await self.devices.add(device)
            except Conflict:
                # So short a code may be drawn twice.
                draws -= 1
                if not draws:
                    raise
                continue
            return DeviceCodes(code, user_code)

    async def find(self, user_code: str) -> DeviceAuthorization | None:
        """The one that waits for an answer under ``user_code``; None: none does, whatever the reason.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        device = await self.devices.find_asked(self.digests.all(user_code))
        if device is None or device.answer is not None or device.expires_at <= self.clock.now():
            return None
        return device

    async def answer(
        self,
        device: DeviceAuthorization,
        client: Client,
        signed_in: SignedIn,
        origin: RequestOrigin,
        *,
        approved: bool,
    ) -> bool:
        """Keep what the person says; what is approved is remembered as consent.

        False: somebody was faster, or it has lapsed.

        Raises:
            StoreUnavailable: Unknown whether it was kept.
        """
        subject = signed_in.user.subject
        answer = DeviceAnswer(
            approved=approved,
            at=self.clock.now(),
            subject=subject,
            sign_in=signed_in.session.sign_in,
            known_as=await self.subjects.known_as(subject, client),
        )
        context = {"approved": approved, "fam": device.family_id, "scope": str(device.scope)}
        event = Event(EventKind.DEVICE_ANSWERED, subject, device.client_id, subject, origin, context)
        if approved:
            # First: whoever meets an outage here can press the button again.
            resources = frozenset(device.audience)
            await self.consents.remember(subject, device.client_id, device.scope, frozenset(), resources, origin)
        return await self.devices.answer(device.digest, answer, Consequences(events=(event,)))
