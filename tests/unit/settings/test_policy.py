"""The policy document: defaults, ranges, every refusal by field."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from authcenter.settings.errors import PolicyError
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.policy_sections import JwksPolicy, TokenPolicy
from authcenter.settings.rate import Rate

# CONTRACT, "Hot policy", word for word.
CONTRACT = """
tokens:
  access_ttl: 900              # seconds, 5..86400
  refresh_ttl: 2592000         # of each token
  refresh_max_lifetime: 7776000  # of the family
  id_token_ttl: 300
  authorization_code_ttl: 60   # at most 600; at most 60 for fapi2 clients
  refresh_reuse_grace: 0       # seconds in which a spent refresh token is answered as a retry, not as theft
  signing_alg: ES256           # of access tokens: ES256, RS256, EdDSA, PS256
  leeway: 30                   # clock skew accepted in exp, nbf, iat
  status_list: false           # access tokens name their place in a Token Status List
revocation:
  mode: replica                # replica: no network on the hot path; strict: Redis is asked at every validation too
  on_outage: open              # open: go on with what is known; closed: refuse what cannot be checked
  max_staleness: 10            # closed: how old the replica may be
  short_hash_bytes: 8          # 4..16
cache:
  ttl: 60
  negative_ttl: 5
  jitter: 0.1                  # each TTL is drawn from ttl * [1 - jitter, 1 + jitter]
  lock_ttl: 5
  stale_if_error: 600
jwks:
  max_age: 600
keys:
  rotate_every: 7776000        # 0: only by hand
  publish_before_use: 1200     # at least jwks.max_age: how long a new key is published before it signs
rate_limits:
  token_per_client: 6000/minute          # counted after client authentication
  client_auth_failures_per_ip: 60/minute
  login_failures_per_ip: 10/hour         # failures; a success gives its slot back
  login_failures_per_account: 10/hour
  signup_per_ip: 10/hour
  mail_per_address: 5/hour
sessions:
  max_per_user: 5
  when_full: evict_oldest      # evict_oldest | reject (a page lets the person end one of them)
  idle_ttl: 28800
  max_ttl: 2592000
accounts: {signup: false, reset_ttl: 3600, verify_ttl: 86400}
registration: {mode: "off", profile: oidc, grants: [authorization_code, refresh_token], scopes: [openid, profile, email, address, phone, offline_access], unused_ttl: 2592000}
audit: {checkpoint_every: 10, explain_ttl: 604800}
fetch: {allow_private: []}     # networks that outbound fetches may reach although they are private
gateways: {}                   # name: {audience: …, scopes: […]} for /oauth/validate/{name}
identity_providers: {}         # name: {kind: openid, issuer: …, client_id: …} for /federation/{name}
brand: {name: authcenter, logo: "", color: ""}
logging: {level: INFO}
"""  # noqa: E501


def problems(text: str, source: str = "file") -> tuple[str, ...]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, source=source)
    return refused.value.problems


def test_the_defaults_are_those_of_the_contract() -> None:
    written = parse_policy(CONTRACT, source="file")
    assert written == Policy()
    assert written.version == Policy().version
    # Both ways: no field of ours is missing from the contract.
    assert yaml.safe_load(CONTRACT) == Policy().model_dump(mode="json")


@pytest.mark.parametrize("text", ["", "   \n", "# nothing differs\n", "---\n...\n", "{}", "\ufeff{}", "null"])
def test_an_empty_file_is_the_default_policy(text: str) -> None:
    assert parse_policy(text, source="file") == Policy()


@pytest.mark.parametrize("text", ["", "# nothing differs\n", "null"])
def test_an_empty_answer_of_another_source_is_refused(text: str) -> None:
    assert problems(text, source="consul") == ("the document must be a mapping of sections (is empty)",)


GOOD = [
    pytest.param("tokens: {access_ttl: 5}", "tokens.access_ttl", 5, id="lower end"),
    pytest.param("tokens: {access_ttl: 86400}", "tokens.access_ttl", 86400, id="upper end"),
    pytest.param("tokens: {signing_alg: EdDSA}", "tokens.signing_alg", "EdDSA", id="algorithm"),
    pytest.param('{"tokens":\n\t{"access_ttl": 7}}', "tokens.access_ttl", 7, id="JSON indented by tabs"),
    pytest.param("{tokens: {access_ttl: 7}}", "tokens.access_ttl", 7, id="YAML in flow style"),
    pytest.param("registration: {mode: off}", "registration.mode", "off", id="off unquoted"),
    pytest.param("registration: {mode: 'off'}", "registration.mode", "off", id="off quoted"),
    pytest.param("cache: {jitter: 0}", "cache.jitter", 0.0, id="whole number for a fraction"),
    pytest.param("keys: {rotate_every: 0}", "keys.rotate_every", 0, id="rotation by hand"),
    pytest.param("rate_limits: {signup_per_ip: 1/second}", "rate_limits.signup_per_ip", Rate(1, 1), id="rate"),
    pytest.param("rate_limits: {signup_per_ip: 9/day}", "rate_limits.signup_per_ip", Rate(9, 86400), id="daily rate"),
    pytest.param("brand: {name: Über uns}", "brand.name", "Über uns", id="letters beyond ASCII"),
    pytest.param("brand: {name: 2026-01-01}", "brand.name", "2026-01-01", id="a date is text"),
]


@pytest.mark.parametrize(("text", "path", "expected"), GOOD)
def test_a_good_value_is_read(text: str, path: str, expected: object) -> None:
    section, field = path.split(".")
    assert getattr(getattr(parse_policy(text, source="file"), section), field) == expected


def test_gateways_and_networks_are_typed() -> None:
    policy = parse_policy(
        "gateways: {shop: {audience: 'https://shop.example', scopes: [read]}}\nfetch: {allow_private: [10.0.0.0/8]}",
        source="file",
    )
    assert policy.gateways["shop"].scopes == ("read",)
    assert policy.fetch.allow_private[0].prefixlen == 8


WRONG = [
    pytest.param("tokens: {access_ttl: 1}", "tokens.access_ttl: must be at least 5 (got 1)", id="too small"),
    pytest.param("tokens: {access_ttl: 86401}", "tokens.access_ttl: must be at most 86400 (got 86401)", id="too large"),
    pytest.param("tokens: {access_ttl: '9'}", "tokens.access_ttl: must be a whole number (got '9')", id="text"),
    pytest.param("tokens: {access_ttl: true}", "tokens.access_ttl: must be a whole number (got True)", id="boolean"),
    pytest.param("tokens: {access_ttl: 9.0}", "tokens.access_ttl: must be a whole number (got 9.0)", id="fraction"),
    pytest.param("tokens: {access_ttl: }", "tokens.access_ttl: must be a whole number (is empty)", id="nothing"),
    pytest.param(f"tokens: {{access_ttl: {'9' * 99}}}", "tokens.access_ttl: must be at most 86400", id="huge"),
    pytest.param(f"tokens: {{access_ttl: {'9' * 9999}}}", "tokens.access_ttl: must be a whole number", id="huger"),
    pytest.param(
        "tokens: {authorization_code_ttl: 601}", "tokens.authorization_code_ttl: must be at most 600", id="code"
    ),
    pytest.param("tokens: {signing_alg: none}", "tokens.signing_alg: must be 'ES256', 'RS256', 'EdDSA'", id="none"),
    pytest.param("tokens: {signing_alg: HS256}", "tokens.signing_alg: must be 'ES256'", id="symmetric"),
    pytest.param("tokens: {acces_ttl: 9}", "tokens.acces_ttl: unknown field; did you mean access_ttl?", id="typo"),
    pytest.param("token: {}", "token: unknown field; did you mean tokens?", id="section typo"),
    pytest.param("tokens: []", "tokens: must be a mapping", id="list for section"),
    pytest.param("tokens:", "tokens: must be a mapping (is empty)", id="section without fields"),
    pytest.param(
        "revocation: {short_hash_bytes: 3}", "revocation.short_hash_bytes: must be at least 4", id="short hash"
    ),
    pytest.param(
        "revocation: {short_hash_bytes: 17}", "revocation.short_hash_bytes: must be at most 16", id="long hash"
    ),
    pytest.param("revocation: {mode: maybe}", "revocation.mode: must be 'replica' or 'strict'", id="mode"),
    pytest.param("revocation: {on_outage: true}", "revocation.on_outage: must be 'open' or 'closed'", id="outage"),
    pytest.param("cache: {jitter: .nan}", "cache.jitter: must be a finite number", id="no number"),
    pytest.param("cache: {jitter: 1}", "cache.jitter: must be at most 0.5 (got 1)", id="jitter"),
    pytest.param("cache: {jitter: true}", "cache.jitter: must be a number (got True)", id="boolean jitter"),
    pytest.param('{"cache": {"jitter": Infinity}}', "cache.jitter: must be a finite number", id="JSON infinity"),
    pytest.param(
        "cache: {negative_ttl: 61}", "cache.negative_ttl: must be at most cache.ttl, 60", id="negative entries"
    ),
    pytest.param("accounts: {signup: 1}", "accounts.signup: must be true or false (got 1)", id="number for boolean"),
    pytest.param("accounts: {signup: 'yes'}", "accounts.signup: must be true or false", id="text for boolean"),
    pytest.param("registration: {mode: on}", "registration.mode: must be 'off', 'token' or 'open'", id="on"),
    pytest.param(
        "registration: {mode: 0}", "registration.mode: must be 'off', 'token' or 'open'", id="zero is not off"
    ),
    pytest.param("registration: {scopes: openid}", "registration.scopes: must be a list", id="text for list"),
    pytest.param("registration: {scopes: ['a b']}", "registration.scopes.0: must be a scope value", id="two in one"),
    pytest.param("registration: {grants: [1]}", "registration.grants.0: must be text (got 1)", id="number for text"),
    pytest.param("rate_limits: {signup_per_ip: 5}", "rate_limits.signup_per_ip: must be a rate", id="no rate"),
    pytest.param("rate_limits: {signup_per_ip: 0/hour}", "rate_limits.signup_per_ip: must be a rate", id="zero rate"),
    pytest.param("rate_limits: {signup_per_ip: 5/week}", "rate_limits.signup_per_ip: must be a rate", id="period"),
    pytest.param("rate_limits: {signup_per_ip: ٣/hour}", "rate_limits.signup_per_ip: must be a rate", id="digits"),
    pytest.param("fetch: {allow_private: [10.0.0.1/8]}", "fetch.allow_private.0: must be a network", id="host bits"),
    pytest.param("fetch: {allow_private: [10]}", "fetch.allow_private.0: must be a network", id="number as network"),
    pytest.param("gateways: {'a b': {audience: x}}", "gateways.a b: must be a name of letters", id="gateway name"),
    pytest.param("gateways: {a: {}}", "gateways.a.audience: must be given", id="gateway without audience"),
    pytest.param(
        "gateways: {a: {audience: x, scope: y}}", "gateways.a.scope: unknown field; did you mean", id="gateway"
    ),
    pytest.param("gateways: []", "gateways: must be a mapping", id="gateways as list"),
    pytest.param(
        "identity_providers: {A: {kind: google, client_id: x}}",
        "identity_providers.A: must be a name of small letters",
        id="provider name",
    ),
    pytest.param(
        "identity_providers: {a: {kind: x, client_id: x}}",
        "identity_providers.a.kind: must be 'openid'",
        id="provider kind",
    ),
    pytest.param(
        "identity_providers: {a: {kind: google}}",
        "identity_providers.a.client_id: must be given",
        id="provider without client",
    ),
    pytest.param(
        "identity_providers: {a: {kind: openid, client_id: x}}",
        "identity_providers.a: must name an issuer",
        id="no issuer",
    ),
    pytest.param(
        "identity_providers: {a: {kind: openid, client_id: x, issuer: 'http://id.example'}}",
        "identity_providers.a.issuer: must be an https URL",
        id="issuer over http",
    ),
    pytest.param(
        "identity_providers: {a: {kind: openid, client_id: x, issuer: 'https://id.example?x'}}",
        "identity_providers.a.issuer: must be an https URL",
        id="issuer with query",
    ),
    pytest.param(
        "identity_providers: {a: {kind: google, client_id: x, secret: y}}",
        "identity_providers.a.secret: unknown field",
        id="secret",
    ),
    pytest.param("brand: {logo: 'javascript:x'}", "brand.logo: must be empty, an https URL or a path", id="script"),
    pytest.param(
        "brand: {logo: '//evil.example/x'}", "brand.logo: must be empty, an https URL or a path", id="slashes"
    ),
    pytest.param("brand: {color: red}", "brand.color: must be empty or a color", id="color name"),
    pytest.param("brand: {name: '<b>'}", "brand.name: must be 1 to 100 printable", id="markup"),
    pytest.param("logging: {level: info}", "logging.level: must be 'DEBUG', 'INFO'", id="level in small letters"),
    pytest.param("jwks: {max_age: 1201}", "keys.publish_before_use: must be at least jwks.max_age, 1201", id="publish"),
    pytest.param(
        "tokens: {refresh_max_lifetime: 60}",
        "tokens.refresh_max_lifetime: must be at least tokens.refresh_ttl, 2592000 (got 60)",
        id="family shorter than a token",
    ),
    pytest.param("keys: {rotate_every: 1200}", "keys.rotate_every: must be 0 or more than keys.publish", id="rotation"),
    pytest.param("sessions: {max_ttl: 60}", "sessions.max_ttl: must be at least sessions.idle_ttl", id="session"),
    pytest.param("[]", "the document must be a mapping of sections", id="list"),
    pytest.param("tokens", "the document must be a mapping of sections", id="word"),
    pytest.param(
        "tokens: {}\ntokens: {}", "the document is refused: the key 'tokens' is given twice", id="section twice"
    ),
    pytest.param(
        '{"jwks": {"max_age": 1, "max_age": 2}}', "the document is refused: the key 'max_age'", id="JSON twice"
    ),
    pytest.param("tokens: &a {}\njwks: *a", "the document is refused: anchors and aliases", id="alias"),
    pytest.param("a: &a [*a]", "the document is refused: anchors and aliases", id="alias of itself"),
    pytest.param("&a a: 1", "the document is refused: anchors and aliases", id="anchored key"),
    pytest.param("<<: {tokens: {}}", "<<: unknown field", id="merge key"),
    pytest.param("jwks: {max_age: !!python/name:os.system x}", "the document is refused: tags", id="Python tag"),
    pytest.param("jwks: !ours {}", "the document is refused: tags", id="tag on mapping"),
    pytest.param("fetch: {allow_private: !!set []}", "the document is refused: tags", id="tag on list"),
    pytest.param("!!str a: 1", "the document is refused: tags", id="tag on key"),
    pytest.param("[1]: 2", "the document is refused: keys must be text", id="list as key"),
    pytest.param("--- {}\n--- {}", "the document must be a single document", id="two documents"),
    pytest.param("a: =", "the document is refused: merge keys and other special", id="special value"),
    pytest.param("a: [", "the document is neither YAML nor JSON", id="unfinished"),
    pytest.param("\x00", "the document is neither YAML nor JSON: unreadable character", id="control character"),
    pytest.param("\udcff", "the document must be UTF-8 text", id="not UTF-8"),
    pytest.param("[" * 50_000, "the document is nested more than 32 levels deep", id="deep YAML"),
    pytest.param('{"a":' * 50_000, "the document is nested more than 32 levels deep", id="deep JSON"),
    pytest.param("#" * (1024 * 1024 + 1), "the document must be at most 1048576 bytes", id="large"),
    pytest.param('"a\\nb": 1', "a\\nb: unknown field", id="line break in a key"),
    pytest.param("'': 1", "'': unknown field", id="empty key"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_document_names_the_field_in_one_line(text: str, said: str) -> None:
    (line,) = problems(text)
    assert line.startswith(said)
    assert "\n" not in line
    assert len(line) < 250


def test_everything_wrong_is_told_at_once() -> None:
    told = problems("tokens: {access_ttl: 1, leeway: -1}\njwks: {max_age: x}\nbrnd: {}")
    assert [line.partition(":")[0] for line in told] == ["tokens.access_ttl", "tokens.leeway", "jwks.max_age", "brnd"]
    told = problems("jwks: {max_age: 86400}\nsessions: {max_ttl: 60}")
    assert [line.partition(":")[0] for line in told] == ["keys.publish_before_use", "sessions.max_ttl"]


def test_json_and_yaml_are_the_same_document() -> None:
    document = {"tokens": {"access_ttl": 60}, "gateways": {"a": {"audience": "b"}}}
    from_json = parse_policy(json.dumps(document), source="file")
    assert from_json == parse_policy(yaml.safe_dump(document), source="file")


def test_the_version_follows_the_meaning_not_the_text() -> None:
    assert Policy().version == parse_policy("tokens: {access_ttl: 900}", source="file").version
    other = parse_policy("tokens: {access_ttl: 901}", source="file")
    assert other.version != Policy().version
    assert len(other.version) == 12
    assert Policy().model_copy(update={"tokens": TokenPolicy(access_ttl=901)}).version == other.version


def test_a_policy_is_frozen_and_checked_however_it_is_made() -> None:
    policy = Policy()
    with pytest.raises(ValidationError):
        policy.tokens.access_ttl = 5  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Policy(jwks=JwksPolicy(max_age=86400))
    with pytest.raises(ValidationError):
        policy.model_copy(update={"jwks": JwksPolicy(max_age=86400)})


@given(st.text())
def test_no_text_raises_anything_but_a_policy_error(text: str) -> None:
    try:
        parse_policy(text, source="file")
    except PolicyError as error:
        assert error.problems  # noqa: PT017


@given(st.text(alphabet="{}[]:,-?!&*<>='\"|%@#\n\t \\0.1eE_:xob~tokensjwk", max_size=60))
def test_no_punctuation_raises_anything_but_a_policy_error(text: str) -> None:
    try:
        parse_policy(text, source="file")
    except PolicyError as error:
        assert all("\n" not in problem for problem in error.problems)  # noqa: PT017


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = sorted(
    {field for name in Policy.model_fields for field in getattr(type(getattr(Policy(), name)), "model_fields", ())}
)
_DOCUMENTS = st.dictionaries(
    st.sampled_from(sorted(Policy.model_fields)),
    st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=4) | _VALUES,
)


@given(_DOCUMENTS)
def test_no_document_raises_anything_but_a_policy_error(document: dict[str, object]) -> None:
    try:
        policy = parse_policy(json.dumps(document), source="file")
    except PolicyError as error:
        assert all("\n" not in problem for problem in error.problems)  # noqa: PT017
    else:
        assert parse_policy(policy.model_dump_json(), source="file") == policy


@given(st.integers(1, 999_999_999), st.sampled_from(["second", "minute", "hour", "day"]))
def test_a_rate_prints_as_it_was_written(limit: int, period: str) -> None:
    assert str(Rate.parse(f"{limit}/{period}")) == f"{limit}/{period}"
