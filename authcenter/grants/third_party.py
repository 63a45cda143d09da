"""Granters that other packages bring, found by the entry-point group ``authcenter.grants``."""

from collections.abc import Iterable
from importlib.metadata import entry_points

from authcenter.grants.granter import ENTRY_POINT_GROUP, GranterFactory, GrantParts, TokenGranter


def third_party_granters(parts: GrantParts) -> Iterable[TokenGranter]:
    """One granter per entry point. A package that cannot be loaded stops the start: it was installed to be used."""
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        factory: GranterFactory = entry.load()
        yield factory(parts)


def third_party_grant_types() -> frozenset[str]:
    """Their grant types: the names of the entry points."""
    return frozenset(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))
