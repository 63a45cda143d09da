"""Consent: what a person agreed to give a client; whether a request asks for more (OpenID Connect Core §3.1.2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.core.authorization import AuthorizationRequest
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.consent import Consent
from authcenter.core.cut import Consequences
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import ClientId, Subject
from authcenter.core.origin import RequestOrigin
from authcenter.core.scope import Scope
from authcenter.stores.ports.sessions import ConsentStore


@dataclass(frozen=True, slots=True)
class Consents:
    """Remembered per person and client."""

    store: ConsentStore
    clock: Clock

    async def covers(self, subject: str, request: AuthorizationRequest, client: Client) -> bool:
        """Whether the person has agreed to all that ``request`` asks for. Raises ``StoreUnavailable``."""
        held = await self.store.find(subject, request.client_id)
        return (
            held is not None
            and (request.scope or Scope()).values <= held.scope.values
            and asked_claims(request) <= held.claims
            and held.resources.issuperset(asked_resources(request, client))
        )

    async def grant(
        self, subject: Subject, request: AuthorizationRequest, client: Client, origin: RequestOrigin
    ) -> None:
        """Remember that the person agreed, beside what was agreed to before. Raises ``StoreUnavailable``."""
        scope, claims = request.scope or Scope(), asked_claims(request)
        resources = frozenset(asked_resources(request, client))
        await self.remember(subject, ClientId(request.client_id), scope, claims, resources, origin)

    async def remember(
        self,
        subject: Subject,
        client_id: ClientId,
        scope: Scope,
        claims: frozenset[str],
        resources: frozenset[str],
        origin: RequestOrigin,
    ) -> None:
        """Remember this much, beside what was agreed to before where the two fit. Raises ``StoreUnavailable``."""
        now = self.clock.now()
        if held := await self.store.find(subject, client_id):
            claims |= held.claims
            if _fits(held, scope, resources):
                scope, resources = Scope(scope.values | held.scope.values), resources | held.resources
        consent = Consent(subject, client_id, scope, claims, resources, now, now)
        await self.store.put(consent, _recorded(EventKind.CONSENT_GRANTED, consent, origin))

    async def list_of(self, subject: str) -> Sequence[Consent]:
        return await self.store.list_of(subject)

    async def withdraw(self, subject: Subject, client_id: str, origin: RequestOrigin) -> bool:
        """Forget it; False where there was none. What the client has been given lives on until it is ended itself."""
        now = self.clock.now()
        nothing = Consent(subject, ClientId(client_id), Scope(), frozenset(), frozenset(), now, now)
        return await self.store.remove(subject, client_id, _recorded(EventKind.CONSENT_WITHDRAWN, nothing, origin))


def _fits(held: Consent, scope: Scope, resources: frozenset[str]) -> bool:
    """Whether the two together say no more than each did: 'read' here and 'write' there is not 'write' here. What does
    not fit takes the place of what was held, which is asked for again when it is wanted again."""
    wider = held.scope.values <= scope.values and held.resources <= resources
    narrower = scope.values <= held.scope.values and resources <= held.resources
    return wider or narrower or scope == held.scope or resources == held.resources


def asked_resources(request: AuthorizationRequest, client: Client) -> tuple[str, ...]:
    """What the tokens are to be for, also where the request leaves it to us: to one resource somebody may agree who
    would not to another. Empty: for this server alone."""
    return request.resources or client.audiences[:1]


def asked_claims(request: AuthorizationRequest) -> frozenset[str]:
    """The names of single claims that the ``claims`` parameter asks for."""
    return frozenset(name for member in request.claims.values() for name in member)


def _recorded(kind: EventKind, consent: Consent, origin: RequestOrigin) -> Consequences:
    context = {"scope": str(consent.scope), "claims": sorted(consent.claims), "resources": sorted(consent.resources)}
    return Consequences(events=(Event(kind, consent.subject, consent.client_id, consent.subject, origin, context),))
