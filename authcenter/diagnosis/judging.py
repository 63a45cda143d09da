"""All checks, over one set of facts."""

from collections.abc import Callable, Iterator, Sequence

from authcenter.diagnosis import auditing, edge, kept, lifetimes, openings, registered, secrecy, shared_state, signing
from authcenter.diagnosis.facts import Facts
from authcenter.diagnosis.finding import Finding, Severity

CHECKS: Sequence[Callable[[Facts], Iterator[Finding]]] = (
    edge.http_issuer,
    edge.development,
    edge.untrusted_proxies,
    edge.everybody_is_a_proxy,
    edge.public_operations,
    kept.database_gone,
    kept.record_unread,
    kept.pending_migrations,
    kept.clock_skew,
    kept.sqlite_in_production,
    shared_state.redis_gone,
    shared_state.redis_evicts,
    shared_state.redis_forgets,
    shared_state.redis_in_the_clear,
    kept.policy_unknown,
    auditing.spool_left,
    auditing.checkpoint_late,
    signing.no_signing_key,
    signing.unreadable_keys,
    signing.overdue_keys,
    signing.keys_rotated_by_hand,
    secrecy.weak_root_secrets,
    secrecy.readable_root_secrets,
    secrecy.weak_passphrases,
    secrecy.development_secrets,
    secrecy.cheap_password_hashes,
    registered.password_grant,
    registered.pkce_left_out,
    registered.redirect_uris,
    registered.weak_client_secrets,
    openings.open_registration,
    openings.sign_up_without_mail,
    openings.wide_fetches,
    openings.talkative_log,
    lifetimes.long_lifetimes,
    lifetimes.open_while_blind,
)

_SEVERITIES = list(Severity)


def diagnose(facts: Facts) -> Sequence[Finding]:
    """What to change, the worst first."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity))
