"""What a grant is for, may do and brings along (RFC 8707, RFC 6749 §3.3): the same rules for every grant type."""

from dataclasses import dataclass

from authcenter.core.checks import failed, passed
from authcenter.core.client import Client
from authcenter.core.errors import invalid_scope, invalid_target
from authcenter.core.form import Form
from authcenter.core.resource import Resource
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.core.user import User
from authcenter.core.value import Value
from authcenter.stores.ports.clients import ResourceLookup

# Up to Python 3.11 looking a member up in its enum costs as much as a call: those of every request, once.
_NOT_ALLOWED, _NOT_OF_RESOURCE = Rule.SCOPE_NOT_ALLOWED, Rule.SCOPE_NOT_OF_RESOURCE


class GrantTarget(Value, frozen=True):
    """What tokens of a grant are for and may do."""

    audience: tuple[str, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class GrantTargets:
    """Decides audience and scope of a new grant."""

    resources: ResourceLookup
    issuer: str

    async def of(self, form: Form, asked: Scope | None, client: Client, user: User | None) -> GrantTarget:
        """Audience and scope for what ``form`` asks.

        The audience is the resource asked for, else the client's first, else the issuer: never empty. The scope is what
        is asked for, else all that the client may have but the reserved ones; it is narrowed to what the resource
        defines and, for a person, to what the person's roles allow.

        Raises:
            OAuthError: ``invalid_target`` or ``invalid_scope``.
            StoreUnavailable: Cannot tell.
        """
        audience = requested_resource(form)
        allowed = client.audiences or (self.issuer,)
        if audience is None:
            audience = allowed[0]
        elif audience not in allowed:
            failed("audience", came=audience, allowed=" ".join(allowed))
            raise invalid_target(Rule.RESOURCE_NOT_ALLOWED, f"{client.client_id} asked for {audience!a:.200}")
        resource = await self.resources.find(audience)
        passed("audience", audience=audience)
        scope = self._scope(asked, client, resource)
        return GrantTarget((audience,), permitted_scope(scope, resource, user))

    def _scope(self, asked: Scope | None, client: Client, resource: Resource | None) -> Scope:
        if asked is None:
            default = client.scopes.unreserved
            return default if resource is None else resource.defined(default)
        scope = asked.within(client.scopes, _NOT_ALLOWED)
        return scope if resource is None else scope.within(resource.defined(scope), _NOT_OF_RESOURCE)

    async def of_approved(
        self, scope: Scope, audience: tuple[str, ...], client: Client, user: User | None
    ) -> GrantTarget:
        """What of an earlier approval still counts: the client may have been given less since, and the person fewer
        roles. The approval itself stays as it is, so that what is given back counts again.

        Raises:
            OAuthError: ``invalid_target`` or ``invalid_scope``, where nothing is left.
            StoreUnavailable: Cannot tell.
        """
        allowed = {*client.audiences, self.issuer}
        if not allowed.issuperset(audience):
            audience = self._allowed_audience(audience, client)
        if not scope.values <= client.scopes.values:
            scope = _allowed_scope(scope, client)
        return GrantTarget(audience, await self.of_grant(scope, audience, user))

    def _allowed_audience(self, audience: tuple[str, ...], client: Client) -> tuple[str, ...]:
        left = tuple(name for name in audience if name in client.audiences or name == self.issuer)
        if not left:
            failed("audience", came=" ".join(audience), allowed=" ".join(client.audiences))
            hint = f"{client.client_id} may no longer ask for {' '.join(audience)!a:.200}"
            raise invalid_target(Rule.RESOURCE_NOT_ALLOWED, hint)
        return left

    async def of_grant(self, scope: Scope, audience: tuple[str, ...], user: User | None) -> Scope:
        """The part of a granted scope that has a meaning at ``audience`` and that the person's present roles allow.

        Raises:
            OAuthError: ``invalid_scope``, where roles leave nothing of it.
            StoreUnavailable: Cannot tell.
        """
        resources = [found for name in audience if (found := await self.resources.find(name)) is not None]
        if len(resources) == len(audience) and all(resource.scopes for resource in resources):
            scope = Scope(frozenset[str]().union(*(resource.defined(scope).values for resource in resources)))
        for resource in resources:
            scope = permitted_scope(scope, resource, user)
        return scope


def _allowed_scope(scope: Scope, client: Client) -> Scope:
    left = Scope(scope.values & client.scopes.values)
    if not left:
        failed("scope", came=str(scope), allowed=str(client.scopes))
        raise invalid_scope(Rule.SCOPE_NOT_ALLOWED, f"{client.client_id} may no longer have {scope}")
    return left


def requested_resource(form: Form) -> str | None:
    """The one resource that a token request asks for; None: none.

    Raises:
        OAuthError: ``invalid_target``: several, or not an identifier (RFC 8707 §2: no fragment).
    """
    if not form.resources:
        return None
    if len(form.resources) > 1:
        failed("audience", came=" ".join(form.resources))
        raise invalid_target(Rule.RESOURCE_SEVERAL, f"{len(form.resources)} resources")
    resource = form.resources[0]
    if not resource or "#" in resource:
        failed("audience", came=resource)
        raise invalid_target(Rule.RESOURCE_MALFORMED, f"{resource!a:.200}")
    return resource


def narrowed_audience(form: Form, granted: tuple[str, ...]) -> tuple[str, ...]:
    """All that was granted, or the one resource that this request asks for (RFC 8707 §2.2).

    Raises:
        OAuthError: ``invalid_target``, where that was not granted.
    """
    resource = requested_resource(form)
    if resource is None:
        return granted
    if resource not in granted:
        failed("audience", came=resource, granted=" ".join(granted))
        raise invalid_target(Rule.RESOURCE_EXCEEDS_GRANT, f"asked for {resource!a:.200}, granted {granted}")
    return (resource,)


def permitted_scope(scope: Scope, resource: Resource | None, user: User | None) -> Scope:
    """``scope`` without what demands a role that the person lacks.

    Raises:
        OAuthError: ``invalid_scope``, where nothing is left of it.
    """
    if user is None or resource is None:
        return scope
    permitted = resource.permitted(scope, user.roles)
    if scope and not permitted:
        failed("roles", subject=user.subject, roles=" ".join(sorted(user.roles)), scope=str(scope))
        raise invalid_scope(Rule.SCOPE_ROLE_MISSING, f"{user.subject} has the roles {sorted(user.roles)}")
    return permitted
