"""Taking over clients from elsewhere, the hashes of their secrets included."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.registry import ClientRegistry
from authcenter.core.client import SECRET_METHODS, AuthMethod, Profile
from authcenter.core.errors import Conflict, InvalidInput
from authcenter.core.import_report import ImportReport
from authcenter.core.json_lines import Fields, JsonLine, Problem, read_json_lines

E = TypeVar("E", bound=StrEnum)

_KNOWN = (
    "client_id",
    "client_name",
    "client_secret_hash",
    "profile",
    "token_endpoint_auth_method",
    "grant_types",
    "scope",
    "audiences",
    "serves",
    "redirect_uris",
    "origins",
    "first_party",
)
# How the checks of metadata name a field, and how a line does.
_FIELD_OF = {
    "id": "client_id",
    "name": "client_name",
    "auth-method": "token_endpoint_auth_method",
    "grant": "grant_types",
    "audience": "audiences",
    "redirect-uri": "redirect_uris",
    "origin": "origins",
}


async def import_clients(
    lines: Iterable[str],
    registry: ClientRegistry,
    is_supported_hash: Callable[[str], bool],
    *,
    actor: str,
    dry_run: bool,
) -> ImportReport:
    """Import JSON Lines, one client each: ``client_id`` and, unless it is public, ``client_secret_hash``; where they
    are not the default ``client_name`` (the id), ``profile`` (oauth21), ``token_endpoint_auth_method`` (both that take
    a secret), ``grant_types``, ``scope`` (a string or an array), ``audiences``, ``serves``, ``redirect_uris``,
    ``origins`` ([]), ``first_party`` (false).

    Each line is a transaction of its own: the good ones are imported, the bad ones reported. The same file can be
    imported again: who is there already is skipped, not changed. A dry run checks all of it and writes nothing.

    Raises:
        StoreUnavailable: Half-way; import the same file again.
    """
    importing = _Import(registry, is_supported_hash, actor, dry_run)
    for line in read_json_lines(lines):
        if isinstance(line, Problem):
            importing.problems.append(line)
        else:
            await importing.take(line)
    return ImportReport(importing.created, importing.skipped, tuple(importing.problems))


@dataclass(slots=True)
class _Import:
    registry: ClientRegistry
    is_supported_hash: Callable[[str], bool]
    actor: str
    dry_run: bool
    created: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    async def take(self, line: JsonLine) -> None:
        fields = Fields(line, _KNOWN)
        metadata, secret_hash = self._parse(line, fields)
        if not fields.problems and metadata.client_id in self.taken:
            fields.refuse("client_id", f"the same as in line {self.taken[metadata.client_id]}")
        if not fields.problems:
            self.taken[metadata.client_id] = line.number
            await self._keep(metadata, secret_hash)
        self.problems += fields.problems

    async def _keep(self, metadata: ClientMetadata, secret_hash: str | None) -> None:
        if await self.registry.store.find(metadata.client_id) is not None:
            self.skipped += 1
            return
        if not self.dry_run:
            try:
                await self.registry.create(metadata, self.actor, secret_hash=secret_hash)
            except Conflict:
                # Somebody else made it meanwhile: it is there, as if it had been there before.
                self.skipped += 1
                return
        self.created += 1

    def _parse(self, line: JsonLine, fields: Fields) -> tuple[ClientMetadata, str | None]:
        profile = _one_of(fields, "profile", Profile, Profile.OAUTH21)
        metadata = ClientMetadata(
            client_id=fields.text("client_id"),
            name=fields.text("client_name", ""),
            profile=profile,
            auth_methods=_auth_methods(line, fields, profile),
            grants=frozenset(fields.texts("grant_types")),
            scopes=_scopes(line, fields),
            audiences=tuple(dict.fromkeys(fields.texts("audiences"))),
            serves=frozenset(fields.texts("serves")),
            redirect_uris=tuple(dict.fromkeys(fields.texts("redirect_uris"))),
            origins=frozenset(fields.texts("origins")),
            first_party=fields.flag("first_party", default=False),
        )
        secret_hash = self._secret_hash(line, fields, metadata)
        if not fields.problems:
            try:
                metadata.check(self.registry.grant_types)
            except InvalidInput as problem:
                name, _, message = str(problem).partition(": ")
                fields.refuse(_FIELD_OF.get(name, name), message)
        return metadata, secret_hash

    def _secret_hash(self, line: JsonLine, fields: Fields, metadata: ClientMetadata) -> str | None:
        takes_secret = bool(metadata.auth_methods & SECRET_METHODS)
        if "client_secret_hash" not in line.fields:
            if takes_secret:
                # One made here could not be told to anybody.
                fields.refuse("client_secret_hash", "missing; only a client that takes no secret may be without")
            return None
        value = fields.text("client_secret_hash")
        if not takes_secret:
            fields.refuse("client_secret_hash", "the client takes no secret")
        elif value and not self.is_supported_hash(value):
            fields.refuse("client_secret_hash", "neither argon2i, argon2id nor bcrypt of a cost that can be borne")
        return value


def _auth_methods(line: JsonLine, fields: Fields, profile: Profile) -> frozenset[AuthMethod]:
    if "token_endpoint_auth_method" in line.fields:
        return frozenset({_one_of(fields, "token_endpoint_auth_method", AuthMethod, AuthMethod.SECRET_BASIC)})
    return frozenset() if profile is Profile.FAPI2 else SECRET_METHODS


def _scopes(line: JsonLine, fields: Fields) -> frozenset[str]:
    value = line.fields.get("scope")
    if isinstance(value, str):
        return frozenset(filter(None, value.split(" ")))
    return frozenset(fields.texts("scope"))


def _one_of(fields: Fields, name: str, kind: type[E], default: E) -> E:
    value = fields.text(name, default.value)
    try:
        return kind(value)
    except ValueError:
        fields.refuse(name, f"none of {', '.join(kind)}")
        return default
