"""What the policy lets strangers do, and what it tells them (RFC 7591 §5, RFC 9700 §2)."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from authcenter.diagnosis.facts import Facts
from authcenter.diagnosis.finding import Finding, Severity

_WIDE_PREFIX = {4: 16, 6: 48}
_METADATA = (ip_address("169.254.169.254"), ip_address("fd00:ec2::254"))
"""Where clouds tell any process on a machine the machine's own credentials."""

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def open_registration(facts: Facts) -> Iterator[Finding]:
    policy = facts.policy.registration
    if policy.mode != "open":
        return
    yield Finding(
        "registration.open",
        Severity.WARNING,
        "policy registration.mode",
        "anybody registers clients, under any name and logo, and people see them on the consent page",
        "set it to token, and hand out initial access tokens; or to off",
        "RFC 7591 §5",
    )
    if not policy.unused_ttl:
        yield Finding(
            "registration.unused_stay",
            Severity.WARNING,
            "policy registration.unused_ttl",
            "clients that strangers registered and never used stay for ever",
            "give it a number of seconds",
            "RFC 7591 §5",
        )


def sign_up_without_mail(facts: Facts) -> Iterator[Finding]:
    if not facts.policy.accounts.signup or facts.settings.smtp_url:
        return
    yield Finding(
        "signup.no_mail",
        Severity.ERROR if facts.production else Severity.WARNING,
        "AUTHCENTER_SMTP_URL",
        "people may sign up, and this process sends no mail: nobody gets the link that opens the account"
        if facts.production
        else "people may sign up, and the links that open their accounts are written to the log",
        "give AUTHCENTER_SMTP_URL and AUTHCENTER_MAIL_FROM here, or see that a worker has them",
        "README, Accounts",
    )


def wide_fetches(facts: Facts) -> Iterator[Finding]:
    for network in facts.policy.fetch.allow_private:
        inside = [address for address in _METADATA if address in network]
        loopback = any(one.version == network.version and network.overlaps(one) for one in _LOOPBACK)
        wide = network.prefixlen < _WIDE_PREFIX[network.version]
        if not (inside or loopback or wide):
            continue
        what = (
            f"the cloud's metadata service ({inside[0]}) is among them"
            if inside
            else "this machine's own services are among them"
            if loopback
            else "that is more than the few hosts that clients' documents lie on"
        )
        yield Finding(
            "fetch.wide",
            Severity.ERROR if inside or loopback else Severity.WARNING,
            "policy fetch.allow_private",
            f"whoever names a jwks_uri makes this server ask any address of {network}: {what}",
            "name single hosts, as /32 or /128",
            "RFC 9126 §7.2, RFC 7591 §5",
        )


def talkative_log(facts: Facts) -> Iterator[Finding]:
    if facts.policy.logging.level == "DEBUG":
        yield Finding(
            "logging.debug",
            Severity.WARNING if facts.production else Severity.HINT,
            "policy logging.level",
            "DEBUG says more of people and of requests than anybody should keep, and costs time",
            "set it to INFO",
            "RFC 6819 §5.1.4.1",
        )
