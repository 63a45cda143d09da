"""The options of ``authcenter clients create`` and ``update``, and the metadata they make."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import click

from authcenter.cli.relying_party_options import RELYING_PARTY_OPTIONS, changed_relying_party
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import SECRET_METHODS, AuthMethod, OnOutage, Profile

F = TypeVar("F", bound=Callable[..., Any])

POLICY = "policy"
"""In place of a value: no limit of the client's own."""
_LONGEST_SECONDS = 10 * 366 * 86_400
_LISTS = ("grant", "scope", "audience", "serves", "redirect_uri", "origin", "auth_method")
_LIFETIMES = {
    "access_ttl": "access",
    "refresh_ttl": "refresh",
    "refresh_max_lifetime": "refresh_max",
    "reuse_grace": "reuse_grace",
}


class SecondsOrPolicy(click.ParamType[int | str]):
    """A number of seconds; or ``policy``, for the policy's own."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == POLICY:
            return POLICY
        return click.IntRange(0, _LONGEST_SECONDS).convert(value, param, ctx)


def metadata_options(function: F) -> F:
    """Add the options to a command; it gets them as keyword arguments, None or empty where they are not given."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def new_metadata(ctx: click.Context, client_id: str, given: Mapping[str, Any]) -> ClientMetadata:
    """What ``create`` registers.

    Raises:
        UsageError: Options contradict each other.
    """
    empty = ClientMetadata(client_id)
    if given["profile"] == Profile.FAPI2 and not given["auth_method"] and not given["public"]:
        # It authenticates by neither secret nor name, and this version has no other method yet.
        empty = replace(empty, auth_methods=frozenset())
    return changed_metadata(ctx, empty, given)


def changed_metadata(ctx: click.Context, old: ClientMetadata, given: Mapping[str, Any]) -> ClientMetadata:
    """``old`` with what was given; a list replaces the whole list, and a single empty value empties it.

    Raises:
        UsageError: Options contradict each other.
    """
    lists = {name: _listed(given[name]) for name in _LISTS}
    changes: dict[str, Any] = {
        "name": given["name"],
        "profile": None if given["profile"] is None else Profile(given["profile"]),
        "auth_methods": _auth_methods(ctx, old, lists["auth_method"], public=given["public"]),
        "grants": _frozen(lists["grant"]),
        "scopes": _frozen(
            lists["scope"] and tuple(value for one in lists["scope"] for value in one.split(" ") if value)
        ),
        "audiences": lists["audience"] and tuple(dict.fromkeys(lists["audience"])),
        "serves": _frozen(lists["serves"]),
        "redirect_uris": lists["redirect_uri"] and tuple(dict.fromkeys(lists["redirect_uri"])),
        "origins": _frozen(lists["origin"]),
        "first_party": given["first_party"],
    }
    new = replace(old, **{name: value for name, value in changes.items() if value is not None})
    own = {field: _lifetime(given[option]) for option, field in _LIFETIMES.items() if given[option] is not None}
    new = replace(new, lifetimes=replace(new.lifetimes, **own))
    if (wish := given["on_outage"]) is not None:
        new = replace(new, on_outage=None if wish == POLICY else OnOutage(wish))
    return changed_relying_party(new, given)


def is_anything_given(given: Mapping[str, Any]) -> bool:
    return any(value is not None and value != () for value in given.values())


def _auth_methods(
    ctx: click.Context, old: ClientMetadata, methods: tuple[str, ...] | None, *, public: bool | None
) -> frozenset[AuthMethod] | None:
    wanted = None if methods is None else frozenset(AuthMethod(method) for method in methods)
    none = frozenset({AuthMethod.NONE})
    if public is None:
        return wanted
    if public:
        if wanted not in (None, none):
            raise click.UsageError("--public and --auth-method contradict each other", ctx)
        return none
    if wanted == none:
        raise click.UsageError("--confidential and --auth-method none contradict each other", ctx)
    return wanted or (SECRET_METHODS if old.auth_methods == none else old.auth_methods)


def _listed(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """None: not given."""
    if not values:
        return None
    return () if values == ("",) else values


def _frozen(values: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _lifetime(value: int | str) -> timedelta | None:
    return None if isinstance(value, str) else timedelta(seconds=value)


def _own_limit(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, type=SecondsOrPolicy(), metavar="SECONDS", help=f"{text}; `{POLICY}`: the policy's.")


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--name", help="What people read; the id where none is given."),
    click.option("--profile", type=click.Choice([one.value for one in Profile]), help="The rule book it is held to."),
    click.option("--grant", multiple=True, metavar="G", help="A grant type that it may use."),
    click.option("--scope", multiple=True, metavar="S", help="What it may ask for; several with spaces between."),
    click.option("--audience", multiple=True, metavar="A", help="A resource it may ask for; registered when new."),
    click.option("--serves", multiple=True, metavar="A", help="The resource that it is: it may introspect its tokens."),
    click.option("--redirect-uri", multiple=True, metavar="U", help="Where people are sent back to, exactly."),
    click.option("--origin", multiple=True, metavar="O", help="A browser origin; default: those of the redirect URIs."),
    click.option(
        "--auth-method",
        multiple=True,
        type=click.Choice(["", *(one.value for one in AuthMethod)]),
        metavar="M",
        help=f"How it authenticates: {', '.join(AuthMethod)}.",
    ),
    click.option("--public/--confidential", default=None, help="Whether it has no credentials at all."),
    click.option("--first-party/--third-party", default=None, help="Whether it is ours: no consent is asked for."),
    _own_limit("--access-ttl", "How long its access tokens live"),
    _own_limit("--refresh-ttl", "How long each of its refresh tokens lives"),
    _own_limit("--refresh-max-lifetime", "How long a family of them lives"),
    _own_limit("--reuse-grace", "How long a spent refresh token is answered as a retry"),
    click.option(
        "--on-outage",
        type=click.Choice([*(one.value for one in OnOutage), POLICY]),
        help="What becomes of its tokens while revocations cannot be checked.",
    ),
    *RELYING_PARTY_OPTIONS,
)
