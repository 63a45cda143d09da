"""The types that boot settings are made of. Every message completes the sentence "AUTHCENTER_X: ..."."""

import base64
import json
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from authcenter.settings.smtp_url import parse_smtp_url

MIN_SECRET_BYTES = 32
REDIS_SCHEMES = ("redis", "rediss", "redis+sentinel", "redis+cluster")
DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")

_BASE64URL = re.compile(r"([A-Za-z0-9_-]+)={0,2}")
_HOSTNAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_VISIBLE = re.compile(r"[!-~]+")
_PROVIDER = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_WHOLE = re.compile(r"[0-9]{1,9}")

Network = IPv4Network | IPv6Network


def _whole_number(least: int, most: int) -> BeforeValidator:
    def read(value: Any) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            hint = ""
            if isinstance(value, str) and value.startswith("tcp://"):
                hint = "; Kubernetes set it for a Service of this name: use enableServiceLinks: false"
            raise ValueError(f"must be between {least} and {most}{hint}")
        return value

    return BeforeValidator(read)


def _issuer(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or parts.scheme not in ("http", "https") or not _VISIBLE.fullmatch(value):
        raise ValueError("must be an http or https URL with a host")
    if not value.startswith(f"{parts.scheme}://"):
        raise ValueError("must begin with http:// or https:// in lower case")
    if "?" in value or "#" in value:
        raise ValueError("must have no query and no fragment")
    if "@" in parts.netloc:
        raise ValueError("must have no user name or password")
    if value.endswith("/"):
        raise ValueError("must not end with a slash")
    return value


def _host(value: str) -> str:
    if _HOSTNAME.fullmatch(value) and not re.fullmatch(r"[0-9.]+", value):
        return value
    try:
        ip_address(value)
    except ValueError:
        raise ValueError("must be an IP address or a host name, without a port") from None
    return value


def _database_url(value: str) -> str:
    driver, separator, rest = value.partition("://")
    if not separator or driver not in DRIVERS:
        raise ValueError(f"must begin with {' or '.join(f'{name}://' for name in DRIVERS)}")
    if driver.startswith("sqlite") and not re.match(r"/.", rest):
        raise ValueError("must name a file: sqlite+aiosqlite:///relative/path or sqlite+aiosqlite:////absolute/path")
    if driver.startswith("postgresql") and not re.fullmatch(r"[^/?#]*/[^/?#]+(\?.*)?", rest):
        raise ValueError("must name a host and a database: postgresql+asyncpg://user:password@host/database")
    return value


def _redis_url(value: str) -> str:
    if not value:
        return value
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in REDIS_SCHEMES:
        raise ValueError(f"must begin with {' or '.join(f'{name}://' for name in REDIS_SCHEMES)}")
    hosts, _, path = rest.rpartition("@")[2].partition("/")
    if not all(map(_is_address, hosts.split(","))):
        raise ValueError("must name its hosts as host or host:port, several of them comma separated")
    if "," in hosts and scheme in ("redis", "rediss"):
        raise ValueError("must name one host; several: redis+sentinel://h1,h2/service or redis+cluster://h1,h2")
    if scheme == "redis+sentinel" and not re.fullmatch(r"[A-Za-z0-9._-]+", path):
        raise ValueError("must name the service that the sentinels watch: redis+sentinel://h1,h2/service")
    if scheme == "redis+cluster" and path:
        raise ValueError("must name no database: a cluster has one")
    if scheme in ("redis", "rediss") and not re.fullmatch(r"[0-9]*(\?.*)?", path):
        raise ValueError("must name a database by its number: redis://host:6379/0")
    return value


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(f"redis://{text}")
        return bool(parts.hostname and _VISIBLE.fullmatch(text)) and parts.netloc == text and parts.port != 0
    except ValueError:
        return False


def _optional_path(value: Any) -> Any:
    return None if value == "" else _path(value)


def _path(value: Any) -> Any:
    if value == "":
        raise ValueError("must not be empty")
    if "\0" in str(value):
        raise ValueError("must be a path, without a null character")
    return value


def _networks(value: Any) -> Any:
    # A YAML list says the same as the comma separated text of the environment.
    text = ",".join(map(str, value)) if isinstance(value, list) else value
    if isinstance(text, str):
        parse_networks(text)
    return text


def parse_networks(text: str) -> tuple[Network, ...]:
    """Comma separated CIDRs or addresses.

    Raises:
        ValueError: One of them is neither, or has host bits.
    """
    networks = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError:
            raise ValueError(
                f"must be comma separated networks such as 10.0.0.0/8, without host bits; {part!a:.60} is none"
            ) from None
    return tuple(networks)


def _secret_keys(secret: SecretStr) -> SecretStr:
    parse_secret_keys(secret.get_secret_value())
    return secret


def parse_secret_keys(text: str) -> tuple[bytes, ...]:
    """Comma separated base64url secrets, decoded; padding is optional, empty text is no secret.

    Raises:
        ValueError: One of them is not base64url, is shorter than 32 bytes, or is there twice. It is told by its place.
    """
    keys: list[bytes] = []
    for place, part in enumerate(text.split(",") if text else (), start=1):
        written = _BASE64URL.fullmatch(part.strip())
        if written is None or len(written[1]) % 4 == 1:
            raise ValueError(f"must be base64url, comma separated; secret {place} is not")
        key = base64.urlsafe_b64decode(written[1] + "=" * (-len(written[1]) % 4))
        if len(key) < MIN_SECRET_BYTES:
            raise ValueError(f"must be at least {MIN_SECRET_BYTES} bytes each; secret {place} has {len(key)}")
        if key in keys:
            raise ValueError(f"must name each secret once; secret {place} is there twice")
        keys.append(key)
    return tuple(keys)


def _passphrases(secret: SecretStr) -> SecretStr:
    parse_passphrases(secret.get_secret_value())
    return secret


def parse_passphrases(text: str) -> tuple[bytes, ...]:
    """Comma separated passphrases, as UTF-8; spaces belong to them. Empty text is none.

    Raises:
        ValueError: One of several is empty. It is told by its place.
    """
    phrases = text.split(",") if text else []
    for place, phrase in enumerate(phrases, start=1):
        if not phrase.strip():
            raise ValueError(f"must be comma separated passphrases; passphrase {place} is empty")
    return tuple(phrase.encode() for phrase in phrases)


def _provider_secrets(secret: SecretStr) -> SecretStr:
    parse_provider_secrets(secret.get_secret_value())
    return secret


def parse_provider_secrets(text: str) -> dict[str, str]:
    """Secrets by the name of the identity provider: ``name=secret``, comma separated or a line each, or JSON.

    Raises:
        ValueError: One of them is not so written, or a name is there twice. It is told by its place.
    """
    if text.lstrip().startswith("{"):
        return _json_secrets(text)
    secrets: dict[str, str] = {}
    for place, part in enumerate(filter(None, map(str.strip, re.split(r"[,\n]", text))), start=1):
        name, separator, secret = part.partition("=")
        if not (separator and secret and _PROVIDER.fullmatch(name)):
            raise ValueError(f"must be name=secret, comma separated or a line each; entry {place} is not")
        if name in secrets:
            raise ValueError(f"must name each provider once; entry {place} repeats one")
        secrets[name] = secret
    return secrets


def _json_secrets(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("begins with { and is not JSON") from None
    if not all(isinstance(secret, str) and secret and _PROVIDER.fullmatch(name) for name, secret in found.items()):
        raise ValueError("must be a JSON object of names and secrets")
    return dict(found)


def _consul_url(value: str) -> str:
    if value == "":
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or not _VISIBLE.fullmatch(value):
        raise ValueError("must be an http or https URL with a host")
    if parts.path not in ("", "/") or "?" in value or "#" in value:
        raise ValueError("must end after the port: the path is consul_prefix")
    if "@" in parts.netloc:
        raise ValueError("must have no user name or password: the token is consul_token")
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", value):
        raise ValueError("must be a path of letters, digits, . _ - without a slash at either end")
    return value


def _smtp_url(value: str) -> str:
    if value:
        parse_smtp_url(value)
    return value


def _mail_address(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+|[^<>\r\n]+ <[^@\s<>]+@[^@\s<>]+>", value):
        raise ValueError("must be a mail address, or a name and a mail address in angle brackets")
    return value


Port = Annotated[int, _whole_number(0, 65535)]
Workers = Annotated[int, _whole_number(1, 256)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Host = Annotated[str, AfterValidator(_host)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
FilePath = Annotated[Path, BeforeValidator(_path)]
OptionalPath = Annotated[Path | None, BeforeValidator(_optional_path)]
NetworkList = Annotated[str, BeforeValidator(_networks)]
SecretKeys = Annotated[SecretStr, AfterValidator(_secret_keys)]
ProviderSecrets = Annotated[SecretStr, AfterValidator(_provider_secrets)]
Passphrases = Annotated[SecretStr, AfterValidator(_passphrases)]
ConsulUrl = Annotated[str, AfterValidator(_consul_url)]
Prefix = Annotated[str, AfterValidator(_prefix)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
