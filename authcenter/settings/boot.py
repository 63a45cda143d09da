"""Boot settings: what needs a restart (CONTRACT "Boot settings"). Every wrong value is named in one line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from authcenter.core.secret import Secret
from authcenter.settings.boot_fields import (
    ConsulUrl,
    DatabaseUrl,
    FilePath,
    Host,
    Issuer,
    MailAddress,
    Network,
    NetworkList,
    OptionalPath,
    Passphrases,
    Port,
    Prefix,
    ProviderSecrets,
    RedisUrl,
    SecretKeys,
    SmtpUrl,
    Workers,
    parse_networks,
    parse_passphrases,
    parse_provider_secrets,
    parse_secret_keys,
)
from authcenter.settings.boot_sources import PREFIX, gather, unreadable
from authcenter.settings.errors import SettingsError
from authcenter.settings.wording import got, sentence

# Settings whose value is, or may contain, a secret: never echoed, and accepted as `..._FILE` too.
SECRETS = (
    "secret_key",
    "key_passphrase",
    "consul_token",
    "database_url",
    "redis_url",
    "smtp_url",
    "identity_provider_secrets",
)


class BootSettings(BaseModel):
    """All boot settings. Make one with ``load_boot_settings``, which also checks what only holds for them together."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: Literal["development", "production"] = Field(
        default="development",
        description="development, production; production refuses an http issuer and missing secrets",
    )
    issuer: Issuer = Field(
        default="http://127.0.0.1:8080",
        description="the iss of every token, without trailing slash; links and checks come from it, never from Host",
    )
    host: Host = Field(default="127.0.0.1", description="address of the public listener")
    port: Port = Field(default=8080, description="port of the public listener, 0..65535; 0: any free port")
    tls_cert: OptionalPath = Field(
        default=None, description="PEM certificate chain of the public listener; empty: no TLS"
    )
    tls_key: OptionalPath = Field(default=None, description="PEM private key of that certificate")
    ops_host: Host = Field(default="127.0.0.1", description="address of the operators' listener; never public")
    ops_port: Port = Field(default=9090, description="port of the operators' listener, 0..65535; 0: any free port")
    database_url: DatabaseUrl = Field(
        default="sqlite+aiosqlite:///var/authcenter.db",
        repr=False,
        description="sqlite+aiosqlite:///file or postgresql+asyncpg://user:password@host/database",
    )
    redis_url: RedisUrl = Field(
        default="",
        repr=False,
        description="redis://, rediss://, redis+sentinel://h1,h2/service or redis+cluster://h1,h2;"
        " empty: in-process twin, one worker",
    )
    consul_url: ConsulUrl = Field(
        default="",
        repr=False,
        description="http:// or https:// of a Consul agent, which then holds the hot policy and the signing keys;"
        " empty: the policy file and the database. TLS also by CONSUL_CACERT, CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY",
    )
    consul_prefix: Prefix = Field(default="authcenter", description="prefix of the Consul keys")
    consul_token: SecretStr = Field(default=SecretStr(""), description="Consul ACL token")
    policy_file: FilePath = Field(
        default=Path("config/policy.yaml"), description="hot policy without Consul; watched for changes"
    )
    state_dir: FilePath = Field(default=Path("var"), description="directory of local files")
    secret_key: SecretKeys = Field(
        default=SecretStr(""),
        description="root secrets, base64url of at least 32 bytes, comma separated: the first makes, all verify;"
        " development: generated once into the state dir",
    )
    key_passphrase: Passphrases = Field(
        default=SecretStr(""),
        description="passphrases of private keys at rest, comma separated: the first makes, all open;"
        " development: generated once into the state dir",
    )
    breached_passwords_file: OptionalPath = Field(
        default=None,
        description="passwords that nobody may choose: sorted lines of upper-case SHA-1, as Have I Been Pwned's;"
        " empty: only the most common ones are refused",
    )
    workers: Workers = Field(default=1, description="processes behind one listening socket, 1..256")
    trusted_proxies: NetworkList = Field(
        default="", description="comma separated CIDRs whose Forwarded and X-Forwarded-* headers are believed"
    )
    smtp_url: SmtpUrl = Field(
        default="",
        repr=False,
        description="smtp:// (STARTTLS where offered; port 587) or smtps:// (port 465), user:password@ before the host;"
        " empty: development writes mail to the log, production leaves it to a process that has one",
    )
    identity_provider_secrets: ProviderSecrets = Field(
        default=SecretStr(""),
        description="client secrets at the policy's identity_providers: name=secret, comma separated or a line each,"
        ' or {"name": "secret"} as JSON',
    )
    mail_from: MailAddress = Field(default="", description="sender of mail; needed with smtp_url")

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """The decoded root secrets; the first makes, all verify. Empty where none is given."""
        return parse_secret_keys(self.secret_key.get_secret_value())

    @property
    def key_passphrases(self) -> tuple[bytes, ...]:
        """The passphrases of private keys at rest; the first makes, all open. Empty where none is given."""
        return parse_passphrases(self.key_passphrase.get_secret_value())

    @property
    def provider_secrets(self) -> Mapping[str, Secret]:
        """The client secrets at identity providers, by the provider's name."""
        found = parse_provider_secrets(self.identity_provider_secrets.get_secret_value())
        return {name: Secret(secret) for name, secret in found.items()}

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The networks whose forwarding headers are believed."""
        return parse_networks(self.trusted_proxies)

    @property
    def policy_key(self) -> str:
        """The key of the policy document in Consul."""
        return f"{self.consul_prefix}/policy"

    @property
    def policy_copy(self) -> Path:
        """The last good policy that came from Consul."""
        return self.state_dir / "policy.last.yaml"

    @property
    def keys_key(self) -> str:
        """The key of the signing keys in Consul."""
        return f"{self.consul_prefix}/keys"

    @property
    def keys_copy(self) -> Path:
        """The last good signing keys that came from Consul."""
        return self.state_dir / "keys.last.json"

    @property
    def audit_spool(self) -> Path:
        """Audit rows that the database has not taken yet."""
        return self.state_dir / "audit-spool"

    @property
    def policy_file_is_default(self) -> bool:
        """Whether nobody named the policy file, so that its absence means the built-in policy."""
        return "policy_file" not in self.model_fields_set


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def load_boot_settings(file: Path | None, environ: Mapping[str, str]) -> BootSettings:
    """Read and check the boot settings.

    A command line option overrides by being put into ``environ``, so that it is checked like everything else.

    Args:
        file: The settings file of ``--settings``, or None.
        environ: The environment variables; they win over the file.

    Raises:
        SettingsError: With one line for each wrong or unknown name, all of them at once.
    """
    found = gather(file, environ, BootSettings.model_fields, SECRETS)
    values = {name: written.value for name, written in found.written.items()}
    wrong: dict[str, str] = {}
    try:
        settings = BootSettings(**values)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            name = str(each["loc"][0])
            # Whatever holds an @ may be a URL with a password in it, pasted into the wrong place.
            echo = name not in SECRETS and "@" not in str(each["input"])
            wrong[name] = f"{found.written[name].origin}: {sentence(each, echo=echo)}"
        # The rest is checked all the same: an operator should not meet the next problem only at the next start.
        settings = BootSettings(**{name: value for name, value in values.items() if name not in wrong})
    told = found.unreadable | set(wrong)
    origins = {name: written.origin for name, written in found.written.items()}
    unusable = [
        f"{origins.get(name, variable(name))}: {problem}" for name, problem in _unusable(settings) if name not in told
    ]
    if problems := (*found.problems, *wrong.values(), *unusable):
        raise SettingsError(*problems)
    return settings


def _unusable(settings: BootSettings) -> Iterator[tuple[str, str]]:
    """What each value allows and all of them together do not: field and problem."""
    if settings.env == "production":
        yield from _unsafe_in_production(settings)
    if settings.workers > 1 and not settings.redis_url:
        yield "workers", f"more than one worker needs {variable('redis_url')} (got {settings.workers})"
    if settings.ops_port and (settings.ops_host, settings.ops_port) == (settings.host, settings.port):
        yield "ops_port", f"must differ from {variable('port')} on the same address (got {settings.ops_port})"
    if settings.smtp_url and not settings.mail_from:
        yield "mail_from", f"must be given together with {variable('smtp_url')}"
    for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        path = getattr(settings, name)
        if path is None and getattr(settings, other) is not None:
            yield name, f"must be given together with {variable(other)}"
        elif path is not None and (cause := unreadable(path)):
            yield name, f"cannot be read: {cause} ({str(path)!a})"
    if settings.breached_passwords_file and (cause := unreadable(settings.breached_passwords_file)):
        yield "breached_passwords_file", f"cannot be read: {cause} ({str(settings.breached_passwords_file)!a})"


def _unsafe_in_production(settings: BootSettings) -> Iterator[tuple[str, str]]:
    if settings.issuer.startswith("http://"):
        yield "issuer", f"must be https in production{got(settings.issuer)}"
    for name in ("secret_key", "key_passphrase"):
        if not getattr(settings, name).get_secret_value():
            yield name, f"must be given in production, also as {variable(name)}_FILE"
