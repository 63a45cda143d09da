"""A client's metadata (RFC 7591 §2, as far as this server knows it), checked before a client is made or changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authcenter.clients.origins import LOOPBACK_HOSTS, first_foreign, origin_of
from authcenter.clients.relying_party import check_relying_party
from authcenter.core.client import SECRET_METHODS, AuthMethod, Client, Lifetimes, OnOutage, Profile
from authcenter.core.errors import InvalidInput
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.relying_party import RelyingParty
from authcenter.core.scope import is_scope_token

_VISIBLE = re.compile(r"[\x21-\x7E]+")


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What an operator says of a client. The meanings are ``core.client.Client``'s."""

    client_id: str
    name: str = ""
    profile: Profile = Profile.OAUTH21
    auth_methods: frozenset[AuthMethod] = SECRET_METHODS
    grants: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    audiences: tuple[str, ...] = ()
    serves: frozenset[str] = frozenset()
    redirect_uris: tuple[str, ...] = ()
    origins: frozenset[str] = frozenset()
    first_party: bool = False
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    on_outage: OnOutage | None = None
    relying_party: RelyingParty = field(default_factory=RelyingParty)

    @classmethod
    def of(cls, client: Client) -> "ClientMetadata":
        return cls(
            client_id=client.client_id,
            name=client.name,
            profile=client.profile,
            auth_methods=client.auth_methods,
            grants=client.grants,
            scopes=client.scopes.values,
            audiences=client.audiences,
            serves=client.serves,
            redirect_uris=client.redirect_uris,
            origins=client.origins,
            first_party=client.first_party,
            lifetimes=client.lifetimes,
            on_outage=client.on_outage,
            relying_party=client.relying_party,
        )

    def check(self, grant_types: Iterable[str]) -> None:
        """Whether all of it holds, alone and together.

        Args:
            grant_types: Those that the server serves.

        Raises:
            InvalidInput: Naming the field.
        """
        _check_text("id", self.client_id, 255)
        if self.client_id.startswith(SUBJECT_PREFIX):
            raise InvalidInput(f"id: {SUBJECT_PREFIX} begins the subject of a user")
        if len(self.name) > 255 or not self.name.isprintable():
            raise InvalidInput("name: at most 255 printable characters")
        self._check_authentication()
        self._check_grants(frozenset(grant_types))
        for scope in self.scopes:
            if not is_scope_token(scope) or len(scope) > 255:
                raise InvalidInput(f"scope: {scope!a:.80} is not a scope value (RFC 6749 §3.3)")
        for audience in self.audiences:
            check_resource_id("audience", audience)
        for audience in self.serves:
            check_resource_id("serves", audience)
        for uri in self.redirect_uris:
            _check_redirect_uri(uri)
        if (foreign := first_foreign(self.origins)) is not None:
            raise InvalidInput(f"origin: {foreign!a:.200} is not scheme://host[:port] in lower case without a path")
        _check_lifetimes(self.lifetimes)
        check_relying_party(self.relying_party, self.profile, self.redirect_uris)
        if "password" in self.grants and self.relying_party.subject_type == "pairwise":
            raise InvalidInput("grant: not password for pairwise subjects, because its tokens name the account itself")

    def _check_authentication(self) -> None:
        if AuthMethod.NONE in self.auth_methods and len(self.auth_methods) > 1:
            raise InvalidInput("auth-method: none stands alone")
        if self.profile is Profile.FAPI2 and self.auth_methods:
            raise InvalidInput("auth-method: a fapi2 client authenticates neither by secret nor not at all")
        if self.profile is not Profile.FAPI2 and not self.auth_methods:
            raise InvalidInput("auth-method: missing")

    def _check_grants(self, known: frozenset[str]) -> None:
        for grant in self.grants:
            if grant not in known:
                raise InvalidInput(f"grant: {grant!a:.80} is none of {', '.join(sorted(known))}")
        if AuthMethod.NONE in self.auth_methods and "client_credentials" in self.grants:
            raise InvalidInput("grant: a public client has no credentials for client_credentials (RFC 6749 §4.4)")


def check_resource_id(name: str, value: str) -> None:
    """Whether ``value`` can be an audience. Raises ``InvalidInput``."""
    _check_text(name, value, 512)
    if "#" in value:
        raise InvalidInput(f"{name}: {value!a:.80} has a fragment (RFC 8707 §2)")


def _check_text(name: str, value: str, longest: int) -> None:
    if not _VISIBLE.fullmatch(value) or len(value) > longest:
        raise InvalidInput(f"{name}: {value!a:.80} is not 1 to {longest} visible ASCII characters")


def _check_redirect_uri(uri: str) -> None:
    _check_text("redirect-uri", uri, 2_000)
    try:
        parts = urlsplit(uri)
    except ValueError as problem:
        raise InvalidInput(f"redirect-uri: {uri!a:.200} is not a URI") from problem
    if not parts.scheme or "#" in uri or "@" in parts.netloc:
        raise InvalidInput(f"redirect-uri: {uri!a:.200} is not absolute, or has a fragment or user info")
    if parts.scheme in {"http", "https"} and origin_of(uri) is None:
        raise InvalidInput(f"redirect-uri: {uri!a:.200} has no host, or a port that is none")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise InvalidInput(f"redirect-uri: {uri!a:.200} is http beyond the loopback interface")
    if parts.scheme in {"javascript", "data", "vbscript", "file"}:
        raise InvalidInput(f"redirect-uri: the scheme {parts.scheme} is refused")


def _check_lifetimes(lifetimes: Lifetimes) -> None:
    for name in ("access", "refresh", "refresh_max"):
        value = getattr(lifetimes, name)
        if value is not None and value.total_seconds() < 5:
            raise InvalidInput(f"{name}: a lifetime is at least 5 seconds")
    if lifetimes.reuse_grace is not None and lifetimes.reuse_grace.total_seconds() < 0:
        raise InvalidInput("reuse-grace: not below 0 seconds")
