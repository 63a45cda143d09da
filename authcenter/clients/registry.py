"""The registry of clients: made, changed, given secrets, removed. Every act is one transaction with its audit event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.methods.secret import ClientSecrets
from authcenter.core.client import SECRET_METHODS, Client, ClientSecret
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences, Cut, CutKind
from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import ClientId
from authcenter.core.origin import RequestOrigin
from authcenter.core.resource import Resource
from authcenter.core.scope import Scope
from authcenter.core.secret import Secret
from authcenter.stores.ports.clients import ClientStore

_LIVE_SECRETS = 2
_TRIES = 5


@dataclass(frozen=True, slots=True)
class ClientRegistry:
    """What operators do to clients.

    Attributes:
        store: The record itself, not a cache of it: acts compare and set.
        grant_types: Those that the server serves.
        longest_token: The longest that an access token can live.
    """

    store: ClientStore
    secrets: ClientSecrets
    clock: Clock
    grant_types: frozenset[str]
    longest_token: timedelta

    async def get(self, client_id: str) -> Client:
        """Raises ``NotFound``."""
        client = await self.store.find(client_id)
        if client is None:
            raise NotFound(f"no client {client_id!a:.80}")
        return client

    async def create(
        self,
        metadata: ClientMetadata,
        actor: str,
        *,
        secret_hash: str | None = None,
        origin: RequestOrigin | None = None,
    ) -> tuple[Client, Secret | None]:
        """Register a client. The secret of a confidential one is made here and told this once.

        Args:
            secret_hash: The hash of a secret that the client has already; none is made then.

        Raises:
            InvalidInput: A field does not hold.
            Conflict: The id is taken.
        """
        metadata.check(self.grant_types)
        now = self.clock.now()
        secret: Secret | None = None
        stored: tuple[ClientSecret, ...] = ()
        if secret_hash is not None:
            stored = (ClientSecret(secret_hash, now),)
        elif metadata.auth_methods & SECRET_METHODS:
            secret, made = self.secrets.make(now)
            stored = (made,)
        client = _client(metadata, stored, now)
        # A client of this id may have been here before, and what it was given then stays refused.
        lifts = ((CutKind.CLIENT, client.client_id),)
        events = (_event(EventKind.CLIENT_CREATED, client, actor, origin),)
        try:
            await self.store.add(client, self._resources(client), Consequences(events=events, lifts=lifts))
        except Conflict as taken:
            raise Conflict(f"id: {client.client_id} is taken") from taken
        return client, secret

    async def update(
        self,
        client_id: str,
        change: Callable[[ClientMetadata], ClientMetadata],
        actor: str,
        *,
        origin: RequestOrigin | None = None,
    ) -> Client:
        """Change what ``change`` changes. Raises ``NotFound``, ``InvalidInput``, ``Conflict``."""

        def changed(client: Client) -> tuple[Client, Consequences]:
            metadata = change(ClientMetadata.of(client))
            metadata.check(self.grant_types)
            new = replace(
                _client(metadata, client.secrets, client.created_at),
                disabled_at=client.disabled_at,
                cut_at=client.cut_at,
                revision=client.revision,
            )
            return new, Consequences(events=(_event(EventKind.CLIENT_UPDATED, new, actor, origin),))

        return await self._rewrite(client_id, changed)

    async def disable(self, client_id: str, actor: str, *, origin: RequestOrigin | None = None) -> Client:
        """Refuse the client and all its tokens, everywhere. Raises ``NotFound``, ``Conflict``."""

        def disabled(client: Client) -> tuple[Client, Consequences]:
            if client.disabled_at is not None:
                raise Conflict(f"{client_id} is disabled already")
            cut = Cut(CutKind.CLIENT, client_id, "client disabled")
            events = (_event(EventKind.CLIENT_UPDATED, client, actor, origin, disabled=True),)
            return replace(client, disabled_at=self.clock.now()), Consequences(events=events, cuts=(cut,))

        return await self._rewrite(client_id, disabled)

    async def enable(self, client_id: str, actor: str, *, origin: RequestOrigin | None = None) -> Client:
        """Accept the client again; what it was given before stays refused. Raises ``NotFound``, ``Conflict``."""

        def enabled(client: Client) -> tuple[Client, Consequences]:
            if client.disabled_at is None:
                raise Conflict(f"{client_id} is not disabled")
            events = (_event(EventKind.CLIENT_UPDATED, client, actor, origin, disabled=False),)
            lifts = ((CutKind.CLIENT, client_id),)
            return replace(client, disabled_at=None), Consequences(events=events, lifts=lifts)

        return await self._rewrite(client_id, enabled)

    async def rotate_secret(
        self, client_id: str, actor: str, *, end_old: bool = False, origin: RequestOrigin | None = None
    ) -> tuple[Client, Secret]:
        """Give the client a new secret beside its newest one, or, with ``end_old``, instead of all it has.

        Raises:
            NotFound, InvalidInput: No such client; or it has no use for a secret.
        """
        secret, made = self.secrets.make(self.clock.now())

        def rotated(client: Client) -> tuple[Client, Consequences]:
            if not client.auth_methods & SECRET_METHODS:
                raise InvalidInput(f"{client_id} does not authenticate with a secret")
            kept = () if end_old else client.secrets[: _LIVE_SECRETS - 1]
            new = replace(client, secrets=(made, *kept))
            rotation = _event(EventKind.CLIENT_SECRET_ROTATED, new, actor, origin, live_secrets=len(new.secrets))
            return new, Consequences(events=(rotation,))

        return await self._rewrite(client_id, rotated), secret

    async def delete(self, client_id: str, actor: str, *, origin: RequestOrigin | None = None) -> None:
        """Remove the client, and refuse all its tokens, everywhere. Raises ``NotFound``."""
        client = await self.get(client_id)
        cut = Cut(CutKind.CLIENT, client_id, "client deleted", expires_at=self.clock.now() + self.longest_token)
        events = (_event(EventKind.CLIENT_DELETED, client, actor, origin),)
        if not await self.store.remove(client_id, Consequences(events=events, cuts=(cut,))):
            raise NotFound(f"no client {client_id!a:.80}")

    async def _rewrite(self, client_id: str, change: Callable[[Client], tuple[Client, Consequences]]) -> Client:
        for _ in range(_TRIES):
            client = await self.get(client_id)
            new, consequences = change(client)
            new = replace(new, updated_at=self.clock.now())
            if await self.store.replace(new, self._resources(new), consequences):
                return new
        raise Conflict(f"{client_id} is being changed by others")

    def _resources(self, client: Client) -> Sequence[Resource]:
        """The audiences it names, to be registered where they are new."""
        now = self.clock.now()
        names = dict.fromkeys((*client.audiences, *sorted(client.serves)))
        return [Resource(name, "", {}, now, now) for name in names]


def _client(metadata: ClientMetadata, secrets: tuple[ClientSecret, ...], created_at: datetime) -> Client:
    return Client(
        client_id=ClientId(metadata.client_id),
        name=metadata.name or metadata.client_id,
        profile=metadata.profile,
        auth_methods=metadata.auth_methods,
        grants=metadata.grants,
        scopes=Scope(metadata.scopes),
        audiences=metadata.audiences,
        serves=metadata.serves,
        redirect_uris=metadata.redirect_uris,
        origins=metadata.origins,
        first_party=metadata.first_party,
        lifetimes=metadata.lifetimes,
        on_outage=metadata.on_outage,
        secrets=secrets if metadata.auth_methods & SECRET_METHODS else (),
        created_at=created_at,
        updated_at=created_at,
        relying_party=metadata.relying_party,
    )


def _event(
    kind: EventKind, client: Client, actor: str, origin: RequestOrigin | None = None, **context: object
) -> Event:
    described = {
        "grants": sorted(client.grants),
        "scopes": sorted(client.scopes.values),
        "audiences": list(client.audiences),
        "serves": sorted(client.serves),
        "profile": client.profile.value,
    }
    return Event(kind, actor, client.client_id, origin=origin, context=described | context)
