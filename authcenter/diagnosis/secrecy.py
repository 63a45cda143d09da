"""The secrets of the deployment itself, and the hashes of people's passwords (RFC 6819 §5.1.4, RFC 9106)."""

import math
from collections import Counter
from collections.abc import Iterator

from authcenter.diagnosis.facts import Facts, RecordFacts
from authcenter.diagnosis.finding import Finding, Severity
from authcenter.diagnosis.hashes import LEAST_BCRYPT_COST, is_cheap
from authcenter.settings.boot import variable

_MAKE = "openssl rand -base64 32 | tr '+/' '-_' | tr -d '='"
_LEAST_BITS = 96
_READABLE = range(0x20, 0x7F)


def weak_root_secrets(facts: Facts) -> Iterator[Finding]:
    for number, root in enumerate(facts.settings.secret_keys, 1):
        if entropy(root) < _LEAST_BITS:
            yield Finding(
                "secret.root_guessable",
                Severity.ERROR,
                variable("secret_key"),
                f"key {number} of it does not look random: who guesses it makes refresh tokens, and unseals",
                f"put a random one in front, and take the old one out once all has been made anew: {_MAKE}",
                "RFC 6819 §5.1.4.2.2, RFC 4086 §3",
            )


def readable_root_secrets(facts: Facts) -> Iterator[Finding]:
    for number, root in enumerate(facts.settings.secret_keys, 1):
        # 32 random bytes never are.
        if entropy(root) >= _LEAST_BITS and all(byte in _READABLE for byte in root):
            yield Finding(
                "secret.root_text",
                Severity.WARNING,
                variable("secret_key"),
                f"key {number} of it is readable text: where a person made it up it is guessed, however long it is",
                f"unless it is random bytes written as text, put one in front that is random: {_MAKE}",
                "RFC 6819 §5.1.4.2.2, RFC 4086 §3",
            )


def weak_passphrases(facts: Facts) -> Iterator[Finding]:
    for number, passphrase in enumerate(facts.settings.key_passphrases, 1):
        if entropy(passphrase) < _LEAST_BITS * 2 // 3:
            yield Finding(
                "secret.passphrase_guessable",
                Severity.ERROR if facts.production else Severity.WARNING,
                variable("key_passphrase"),
                f"passphrase {number} of it is short: who gets a copy of the database tries it offline, and then signs",
                f"put a random one in front and run `authcenter keys reencrypt`: {_MAKE}",
                "RFC 6819 §5.1.4.2.2, NIST SP 800-132 §5",
            )


def development_secrets(facts: Facts) -> Iterator[Finding]:
    if not facts.production:
        return
    for name in sorted(facts.development_secrets):
        yield Finding(
            "secret.of_development",
            Severity.ERROR,
            variable(name),
            f"production uses the secret that a development server left in {facts.settings.state_dir / name}",
            f"give production one of its own, and delete the file: {_MAKE}",
            "RFC 6819 §5.1.4.1",
        )


def cheap_password_hashes(facts: Facts) -> Iterator[Finding]:
    if not isinstance(facts.record, RecordFacts):
        return
    cheap = sum(count for cost, count in facts.record.hash_costs.items() if is_cheap(cost))
    if cheap:
        yield Finding(
            "secret.cheap_hashes",
            Severity.WARNING,
            "users",
            f"{cheap} passwords are kept as hashes that are cheap to guess (bcrypt under cost {LEAST_BCRYPT_COST}, or"
            " little argon2); each is replaced when its owner signs in",
            "have those who do not come choose a new one: `authcenter users require-reset`",
            "RFC 9106 §4",
        )


def entropy(secret: bytes) -> float:
    """Bits, by how its bytes vary: an upper bound that only tells what is certainly weak."""
    size = len(secret)
    return -sum(count * math.log2(count / size) for count in Counter(secret).values())
