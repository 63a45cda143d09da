"""What a change of policy does to clients and tokens: sentences for whoever is about to make it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from authcenter.core.client import Client
from authcenter.settings.policy import Policy

_MOST_NAMED = 10

# The policy's field, the client's, and what the value is.
_CAPPED = (
    ("access_ttl", "access", "lifetime of access tokens"),
    ("refresh_ttl", "refresh", "lifetime of refresh tokens"),
    ("refresh_max_lifetime", "refresh_max", "lifetime of families"),
    ("refresh_reuse_grace", "reuse_grace", "grace for retries"),
)


def impact(before: Policy, after: Policy, clients: Sequence[Client], signing_algs: Collection[str]) -> tuple[str, ...]:
    """One sentence for each consequence that is more than the new value itself.

    Args:
        signing_algs: The algorithms that have a key to sign with now.
    """
    return (
        *_on_lifetimes(before, after),
        *_on_clients(before, after, clients),
        *_on_signatures(before, after, signing_algs),
        *_on_revocation(before, after, clients),
        *_on_outages(before, after),
    )


def _on_lifetimes(before: Policy, after: Policy) -> Iterator[str]:
    was, now = before.tokens, after.tokens
    if now.access_ttl < was.access_ttl:
        yield f"access tokens issued so far live on for up to {was.access_ttl} s"
    if now.refresh_ttl < was.refresh_ttl:
        yield f"refresh tokens issued so far live on for up to {was.refresh_ttl} s; their successors are shorter"
    if now.refresh_max_lifetime < was.refresh_max_lifetime:
        yield f"families opened so far live on for up to {was.refresh_max_lifetime} s"
    if now.refresh_reuse_grace < was.refresh_reuse_grace:
        yield f"a refresh token retried after more than {now.refresh_reuse_grace} s ends its family, as theft"
    if now.leeway < was.leeway:
        yield f"tokens that expired {now.leeway} to {was.leeway} s ago are refused at once"


def _on_clients(before: Policy, after: Policy, clients: Sequence[Client]) -> Iterator[str]:
    for field, own, what in _CAPPED:
        limit = timedelta(seconds=getattr(after.tokens, field))
        former = timedelta(seconds=getattr(before.tokens, field))
        theirs = ((client.client_id, getattr(client.lifetimes, own)) for client in clients)
        if cut := [client_id for client_id, mine in theirs if mine is not None and limit < mine < former]:
            yield f"these clients would lose their own {what}, cut to {limit.total_seconds():.0f} s: {_named(cut)}"


def _on_signatures(before: Policy, after: Policy, signing_algs: Collection[str]) -> Iterator[str]:
    was, now = before.tokens.signing_alg, after.tokens.signing_alg
    if now not in signing_algs:
        yield f"no key signs {now}: no access token could be issued until `authcenter keys rotate --alg {now} --now`"
    if now != was:
        yield f"resource servers that accept {was} only would refuse every new access token"


def _on_revocation(before: Policy, after: Policy, clients: Sequence[Client]) -> Iterator[str]:
    was, now = before.revocation, after.revocation
    if now.on_outage == "closed" and (was.on_outage != "closed" or now.max_staleness < was.max_staleness):
        yield f"while revocations cannot be read, every validation is refused (503) after {now.max_staleness} s"
    if now.on_outage == "open" and was.on_outage == "closed":
        strict = [client.client_id for client in clients if client.on_outage == "closed"]
        kept = f", but for these clients: {_named(strict)}" if strict else ""
        yield f"while revocations cannot be read, tokens revoked meanwhile are accepted{kept}"
    if now.short_hash_bytes != was.short_hash_bytes:
        yield "every instance builds its replica of revocations anew"
    if now.short_hash_bytes < was.short_hash_bytes:
        share = 2 ** (8 * now.short_hash_bytes) / 1_000_000
        yield f"with a million revoked tokens, one good token in {share:,.0f} would be refused"


def _on_outages(before: Policy, after: Policy) -> Iterator[str]:
    was, now = before.cache.stale_if_error, after.cache.stale_if_error
    if now < was:
        yield f"while the database is gone, known clients get tokens for {now} s only, not {was} s"
    if after.jwks.max_age > before.jwks.max_age:
        yield f"a key revoked by `keys revoke` stays in others' caches for up to {after.jwks.max_age} s"


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(sorted(ids)[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
