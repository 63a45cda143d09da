"""How a deployment is reached: issuer, TLS, proxies, the operators' listener (RFC 9700 §2.6 and §4.13, RFC 8414 §2)."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from authcenter.clients.origins import LOOPBACK_HOSTS
from authcenter.diagnosis.facts import Facts
from authcenter.diagnosis.finding import Finding, Severity

_LEAST_PREFIX = {4: 8, 6: 16}
"""A wider network of proxies than this is no network of anybody's."""


def http_issuer(facts: Facts) -> Iterator[Finding]:
    issuer = urlsplit(facts.settings.issuer)
    if issuer.scheme == "https":
        return
    local = issuer.hostname in LOOPBACK_HOSTS
    yield Finding(
        "issuer.http",
        Severity.HINT if local and not facts.production else Severity.ERROR,
        "AUTHCENTER_ISSUER",
        f"the issuer is {facts.settings.issuer}: codes, tokens and passwords go over the wire in the clear",
        "put TLS before it and give an https issuer; tokens of the old issuer end with the change",
        "RFC 9700 §2.6, RFC 8414 §2",
    )


def development(facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    if facts.production:
        return
    public = urlsplit(settings.issuer).hostname not in LOOPBACK_HOSTS
    if public or not is_loopback(settings.host):
        yield Finding(
            "env.development",
            Severity.ERROR,
            "AUTHCENTER_ENV",
            "a development server is reachable by others: it migrates by itself, makes its own secrets and, without"
            " SMTP, writes the links of its mails to the log",
            "set AUTHCENTER_ENV=production",
            "README, Running it",
        )


def untrusted_proxies(facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    if not settings.issuer.startswith("https://") or settings.tls_cert is not None or settings.trusted_networks:
        return
    yield Finding(
        "proxies.untrusted",
        Severity.ERROR if facts.production else Severity.WARNING,
        "AUTHCENTER_TRUSTED_PROXIES",
        "the issuer is https and TLS does not end here, so there is a proxy, but none is trusted: all requests seem to"
        " come from its address, and share one limit for failed logins",
        "name the networks that the proxies connect from, and see that nobody else reaches the listener",
        "RFC 9700 §4.13",
    )


def everybody_is_a_proxy(facts: Facts) -> Iterator[Finding]:
    for network in facts.settings.trusted_networks:
        if network.prefixlen < _LEAST_PREFIX[network.version]:
            yield Finding(
                "proxies.everybody",
                Severity.ERROR,
                "AUTHCENTER_TRUSTED_PROXIES",
                f"{network} is trusted: anybody says which address they come from, and evades every limit",
                "name only the networks of the proxies",
                "RFC 9700 §4.13",
            )


def public_operations(facts: Facts) -> Iterator[Finding]:
    host = facts.settings.ops_host
    if is_loopback(host) or _is_private(host):
        return
    yield Finding(
        "operations.public",
        Severity.WARNING if host not in {"0.0.0.0", "::"} else Severity.HINT,  # noqa: S104 - looked for, not bound to
        "AUTHCENTER_OPS_HOST",
        f"the operators' listener, which asks nobody who they are, is bound to {host}",
        "bind it to the loopback interface or a private network, or see that a firewall keeps others away",
        "README, Running it",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``, a name or an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_HOSTS


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified
