"""Clients that register themselves (RFC 7591) and look after what they registered (RFC 7592)."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.initial_tokens import InitialTokenRegistry
from authcenter.clients.registration_document import read_document, write_document
from authcenter.clients.registry import ClientRegistry
from authcenter.clients.relying_party import InvalidMember
from authcenter.core.client import SECRET_METHODS, Client
from authcenter.core.derived import MacKeys
from authcenter.core.errors import (
    Conflict,
    ErrorCode,
    InvalidInput,
    NotFound,
    OAuthError,
    Reason,
    StoreUnavailable,
    TokenRejected,
)
from authcenter.core.origin import RequestOrigin
from authcenter.core.registration import REGISTRATION_TOKEN_PREFIX, InitialAccessToken
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.limits.address import network_of
from authcenter.limits.settled import SettledLimit
from authcenter.settings.policy import Policy
from authcenter.stores.ports.remote import FetchFailed, Fetching

CLIENT_ID_PREFIX = "dyn_"
_ID_BYTES = 16
_CLIENT_ID = re.compile(re.escape(CLIENT_ID_PREFIX) + r"[A-Za-z0-9_-]{1,64}")
_TOKEN_BYTES = 32
_FETCHED = ("jwks_uri", "sector_identifier_uri", "backchannel_logout_uri")


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as it is told about itself.

    Attributes:
        secret: Where one was made just now: it is told this once.
        token: Its registration access token.
    """

    client: Client
    token: Secret
    secret: Secret | None = None

    def document(self, endpoint: str) -> dict[str, Any]:
        """RFC 7591 §3.2.1; ``endpoint``: the URL of the registration endpoint."""
        told = write_document(self.client)
        if self.secret is not None:
            told |= {"client_secret": self.secret.reveal(), "client_secret_expires_at": 0}
        return told | {
            "registration_client_uri": f"{endpoint}/{self.client.client_id}",
            "registration_access_token": self.token.reveal(),
        }


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """Registers, shows, changes and removes clients at their own request.

    Attributes:
        macs: Keys the MACs of registration access tokens.
        attempts: Slots by address: a registration that needs no token keeps the one it takes, and so does every token
            that does not hold.
    """

    clients: ClientRegistry
    initial_tokens: InitialTokenRegistry
    fetch: Fetching
    policy: Callable[[], Policy]
    macs: MacKeys
    attempts: SettledLimit

    def check_on(self) -> None:
        """Whether anybody may register at all. Raises ``OAuthError``: there is no such endpoint."""
        if self.policy().registration.mode == "off":
            description, hint = "There is nothing here.", "registration.mode is off"
            raise OAuthError(ErrorCode.NOT_FOUND, description, rule=Rule.REGISTRATION_OFF, hint=hint, status=404)

    async def register(self, document: Mapping[str, Any], token: str | None, origin: RequestOrigin) -> Registered:
        """Make a client (RFC 7591 §3).

        Args:
            token: The initial access token that came with the request.

        Raises:
            OAuthError: As ``check_on``; ``invalid_redirect_uri``, ``invalid_client_metadata`` or a software
                statement; ``RateLimited``.
            TokenRejected: The policy demands an initial access token, and this is none.
            StoreUnavailable: Nothing was registered; a use of the initial access token may be gone.
        """
        self.check_on()
        initial = await self._admitted(token, origin)
        client_id = CLIENT_ID_PREFIX + secrets.token_urlsafe(_ID_BYTES)
        metadata = await self._checked(document, client_id)
        if initial is not None and not await self.initial_tokens.spend(initial):
            raise _rejected("an initial access token whose last use went meanwhile")
        own = REGISTRATION_TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        mac = self.macs.make(own.encode())
        party = replace(metadata.relying_party, registration_mac=mac, openly=initial is None)
        actor = client_id if initial is None else f"initial_token:{initial.token_id}"
        client, secret = await self.clients.create(replace(metadata, relying_party=party), actor, origin=origin)
        return Registered(client, Secret(own), secret)

    async def read(self, client_id: str, token: str | None, origin: RequestOrigin) -> Registered:
        """What is registered of the client (RFC 7592 §2.1). Raises as ``_own``."""
        client, own = await self._own(client_id, token, origin)
        return Registered(client, own)

    async def update(
        self, client_id: str, document: Mapping[str, Any], token: str | None, origin: RequestOrigin
    ) -> Registered:
        """Put ``document`` in place of all that is registered (RFC 7592 §2.2).

        Raises:
            OAuthError: As ``register``; ``access_denied`` where the policy has turned registration off.
            TokenRejected, StoreUnavailable: As ``read``.
        """
        client, own = await self._own(client_id, token, origin)
        if self.policy().registration.mode == "off":
            raise _denied(Rule.REGISTRATION_OFF, "registration is off")
        await self._identified(client, document)
        metadata = await self._checked(document, client_id)
        held = client.relying_party

        def replaced(old: ClientMetadata) -> ClientMetadata:
            party = replace(metadata.relying_party, registration_mac=held.registration_mac, openly=held.openly)
            # What operators gave it is not the client's to change.
            return replace(
                old,
                name=metadata.name,
                auth_methods=metadata.auth_methods,
                grants=metadata.grants,
                scopes=metadata.scopes,
                redirect_uris=metadata.redirect_uris,
                relying_party=party,
            )

        secret = None
        try:
            new = await self.clients.update(client_id, replaced, client_id, origin=origin)
            if new.auth_methods & SECRET_METHODS and not new.secrets:
                new, secret = await self.clients.rotate_secret(client_id, client_id)
        except InvalidInput as problem:
            raise _invalid(problem) from problem
        except (Conflict, NotFound) as problem:
            raise StoreUnavailable(f"{client_id} is being written by others") from problem
        return Registered(new, own, secret)

    async def remove(self, client_id: str, token: str | None, origin: RequestOrigin) -> None:
        """Remove the client and refuse all its tokens (RFC 7592 §2.3). Raises as ``_own``."""
        await self._own(client_id, token, origin)
        try:
            await self.clients.delete(client_id, client_id, origin=origin)
        except NotFound as problem:
            raise _rejected(f"client {client_id!a:.80} is gone") from problem

    async def _admitted(self, token: str | None, origin: RequestOrigin) -> InitialAccessToken | None:
        mode, network = self.policy().registration.mode, network_of(origin.ip)
        self.attempts.check(network)
        initial = await self.initial_tokens.find(token) if token else None
        if initial is None:
            self.attempts.take(network)
            if mode == "token":
                raise _rejected("no initial access token that holds")
        return initial

    async def _own(self, client_id: str, token: str | None, origin: RequestOrigin) -> tuple[Client, Secret]:
        """The client, where ``token`` is its own.

        Raises:
            TokenRejected: It is not, or there is no such client: nobody learns which.
            OAuthError: ``access_denied``: an operator disabled the client. ``RateLimited``.
        """
        network = network_of(origin.ip)
        self.attempts.check(network)
        known = _CLIENT_ID.fullmatch(client_id)
        client = await self.clients.store.find(client_id) if known else None
        mac = client.relying_party.registration_mac if client else ""
        if client is None or token is None or not self.macs.verify(token.encode(errors="replace"), mac):
            self.attempts.take(network)
            raise _rejected(f"client {client_id!a:.80}")
        if client.disabled_at is not None:
            raise _denied(Rule.CLIENT_DISABLED, client_id)
        return client, Secret(token)

    async def _identified(self, client: Client, document: Mapping[str, Any]) -> None:
        """RFC 7592 §2.2: the document names its client, and a secret only as it is."""
        if document.get("client_id") != client.client_id:
            raise _invalid(InvalidMember("client_id", "must be the client's own"))
        secret = document.get("client_secret")
        if secret is not None and not (isinstance(secret, str) and await self.clients.secrets.verify(client, secret)):
            raise _invalid(InvalidMember("client_secret", "must be the client's own, or absent"))

    async def _checked(self, document: Mapping[str, Any], client_id: str) -> ClientMetadata:
        policy = self.policy()
        _refuse_statement(document.get("software_statement"))
        try:
            metadata = read_document(document, client_id, policy.registration, self.clients.grant_types)
            for name in _FETCHED:
                uri: str = getattr(metadata.relying_party, name)
                if uri.lower().startswith("http:") and not policy.fetch.allow_private:
                    raise InvalidMember(name, "must be an https URI", uri)
            metadata.check(self.clients.grant_types)
        except InvalidInput as problem:
            raise _invalid(problem) from problem
        await self._check_sector(metadata)
        return metadata

    async def _check_sector(self, metadata: ClientMetadata) -> None:
        """OpenID Connect Registration §5: the document lists every redirect URI."""
        uri = metadata.relying_party.sector_identifier_uri
        if not uri:
            return
        try:
            listed = json.loads((await self.fetch.get(uri)).decode())
        except FetchFailed as problem:
            raise _sector(str(problem)) from problem
        except (ValueError, RecursionError) as problem:
            raise _sector(f"{uri!a:.300} is not JSON") from problem
        missing = [one for one in metadata.redirect_uris if not isinstance(listed, list) or one not in listed]
        if missing:
            raise _sector(f"{uri!a:.300} does not list {missing[0]!a:.300}")


def _refuse_statement(statement: object) -> None:
    """RFC 7591 §2.3: no issuer of software statements is trusted here, and who sends one counts on it."""
    if statement is None:
        return
    jws = isinstance(statement, str) and statement.count(".") == 2 and all(statement.split(".")[:2])
    code = ErrorCode.UNAPPROVED_SOFTWARE_STATEMENT if jws else ErrorCode.INVALID_SOFTWARE_STATEMENT
    description = "This server trusts no issuer of software statements." if jws else "It is not a signed JWT."
    raise OAuthError(code, description, rule=Rule.REGISTRATION_METADATA, hint="software_statement")


def _invalid(problem: InvalidInput) -> OAuthError:
    """What does not hold, by name: developers cannot read this server's log. What they sent is not repeated."""
    if isinstance(problem, InvalidMember):
        member, description = problem.member, f"{problem.member} {problem.problem}."
    else:
        member = str(problem).partition(":")[0].replace("-", "_")
        member = {"redirect_uri": "redirect_uris", "grant": "grant_types", "name": "client_name"}.get(member, member)
        description = f"{member} does not hold."
    code = ErrorCode.INVALID_REDIRECT_URI if member == "redirect_uris" else ErrorCode.INVALID_CLIENT_METADATA
    return OAuthError(code, description, rule=Rule.REGISTRATION_METADATA, hint=str(problem))


def _sector(hint: str) -> OAuthError:
    description = "sector_identifier_uri must lead to a JSON array that lists every one of redirect_uris."
    return OAuthError(ErrorCode.INVALID_CLIENT_METADATA, description, rule=Rule.REGISTRATION_SECTOR, hint=hint)


def _rejected(hint: str) -> TokenRejected:
    return TokenRejected(Reason.MALFORMED, Rule.REGISTRATION_TOKEN, hint)


def _denied(rule: Rule, hint: str) -> OAuthError:
    description = "The client may not be changed now."
    return OAuthError(ErrorCode.ACCESS_DENIED, description, rule=rule, hint=hint, status=403)
