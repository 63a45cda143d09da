"""Boot settings: where they come from, and how each wrong one is named."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from authcenter.settings.boot import BootSettings, load_boot_settings, variable
from authcenter.settings.errors import SettingsError

KEY = "a" * 43
OTHER_KEY = "b" * 43
PRODUCTION = {
    "AUTHCENTER_ENV": "production",
    "AUTHCENTER_ISSUER": "https://as.example",
    "AUTHCENTER_SECRET_KEY": KEY,
    "AUTHCENTER_KEY_PASSPHRASE": "correct horse",
}


def problems(environ: dict[str, str], file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load_boot_settings(file, environ)
    return refused.value.problems


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load_boot_settings(None, {})
    assert settings.env == "development"
    assert settings.issuer == "http://127.0.0.1:8080"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert (settings.tls_cert, settings.tls_key) == (None, None)
    assert (settings.ops_host, settings.ops_port) == ("127.0.0.1", 9090)
    assert settings.database_url == "sqlite+aiosqlite:///var/authcenter.db"
    assert (settings.redis_url, settings.consul_url, settings.smtp_url, settings.mail_from) == ("", "", "", "")
    assert settings.consul_prefix == "authcenter"
    assert (settings.policy_file, settings.state_dir) == (Path("config/policy.yaml"), Path("var"))
    assert (settings.secret_keys, settings.key_passphrases, settings.trusted_networks) == ((), (), ())
    assert settings.workers == 1
    assert settings.policy_file_is_default


GOOD = [
    pytest.param({"AUTHCENTER_PORT": "0"}, "port", 0, id="port 0 is a free port"),
    pytest.param({"AUTHCENTER_ISSUER": "https://as.example/tenant"}, "issuer", "https://as.example/tenant", id="path"),
    pytest.param({"AUTHCENTER_ISSUER": "https://as.example"}, "issuer", "https://as.example", id="no slash added"),
    pytest.param({"AUTHCENTER_ISSUER": "https://[::1]:8443"}, "issuer", "https://[::1]:8443", id="IPv6 issuer"),
    pytest.param({"AUTHCENTER_HOST": "::"}, "host", "::", id="IPv6 wildcard"),
    pytest.param({"AUTHCENTER_HOST": "localhost"}, "host", "localhost", id="host name"),
    pytest.param({"AUTHCENTER_TLS_CERT": "", "AUTHCENTER_TLS_KEY": ""}, "tls_cert", None, id="empty is no TLS"),
    pytest.param({"AUTHCENTER_REDIS_URL": ""}, "redis_url", "", id="empty redis"),
    pytest.param({"AUTHCENTER_SECRET_KEY": f"{KEY}, {OTHER_KEY}="}, "secret_keys", 2, id="two secrets, one padded"),
    pytest.param({"AUTHCENTER_KEY_PASSPHRASE": "a b,c"}, "key_passphrases", (b"a b", b"c"), id="two passphrases"),
    pytest.param({"AUTHCENTER_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}, "trusted_networks", 2, id="two networks"),
    pytest.param({"AUTHCENTER_POLICY_FILE": "p.yaml"}, "policy_file_is_default", False, id="a named policy file"),
    pytest.param({"AUTHCENTER_MAIL_FROM": "Us <us@as.example>"}, "mail_from", "Us <us@as.example>", id="named sender"),
    pytest.param({"OTEL_SDK_DISABLED": "true", "PATH": "/bin"}, "port", 8080, id="other variables are not ours"),
    pytest.param({"AUTHCENTER_SERVICE_HOST": "10.1.1.1"}, "port", 8080, id="Kubernetes service host"),
    pytest.param({"AUTHCENTER_PORT_80_TCP_ADDR": "10.1.1.1"}, "port", 8080, id="Kubernetes port address"),
    pytest.param({"AUTHCENTER_DB_PORT": "tcp://10.1.1.1:5432"}, "port", 8080, id="Kubernetes link of a neighbour"),
]


@pytest.mark.parametrize(("environ", "name", "expected"), GOOD)
def test_a_good_value_is_read(environ: dict[str, str], name: str, expected: object) -> None:
    value = getattr(load_boot_settings(None, environ), name)
    assert (len(value) if name in ("secret_keys", "trusted_networks") else value) == expected


WRONG = [
    pytest.param("ENV", "staging", "must be 'development' or 'production' (got 'staging')", id="unknown env"),
    pytest.param("ENV", "", "must be 'development' or 'production' (got '')", id="empty env"),
    pytest.param("ISSUER", "ftp://as.example", "must be an http or https URL with a host", id="issuer scheme"),
    pytest.param("ISSUER", "https://", "must be an http or https URL with a host", id="issuer without host"),
    pytest.param("ISSUER", "https://as.example:99999", "must be an http or https URL", id="issuer port"),
    pytest.param("ISSUER", "https://[::1", "must be an http or https URL with a host", id="issuer bracket"),
    pytest.param("ISSUER", "https://as.example/a b", "must be an http or https URL", id="issuer with space"),
    pytest.param("ISSUER", "https://as.example\n", "must be an http or https URL", id="issuer with line break"),
    pytest.param("ISSUER", "HTTPS://as.example", "in lower case", id="issuer in capitals"),
    pytest.param("ISSUER", "https://as.example/", "must not end with a slash", id="issuer with slash"),
    pytest.param("ISSUER", "https://as.example?", "must have no query and no fragment", id="issuer with query"),
    pytest.param("ISSUER", "https://as.example#x", "must have no query and no fragment", id="issuer with fragment"),
    pytest.param("ISSUER", "https://u:hunter2@as.example", "must have no user name", id="issuer with userinfo"),
    pytest.param("HOST", "", "must be an IP address or a host name", id="empty host"),
    pytest.param("HOST", "127.0.0.1:80", "must be an IP address or a host name", id="host with port"),
    pytest.param("HOST", "300.1.1.1", "must be an IP address or a host name", id="host no address"),
    pytest.param("PORT", "abc", "must be between 0 and 65535 (got 'abc')", id="port in letters"),
    pytest.param("PORT", "65536", "must be between 0 and 65535 (got '65536')", id="port too large"),
    pytest.param("PORT", "-1", "must be between 0 and 65535 (got '-1')", id="negative port"),
    pytest.param("PORT", "", "must be between 0 and 65535 (got '')", id="empty port"),
    pytest.param("PORT", "tcp://10.1.1.1:80", "enableServiceLinks: false", id="Kubernetes service link"),
    pytest.param("OPS_PORT", "8080", "must differ from AUTHCENTER_PORT", id="both listeners on one port"),
    pytest.param("OPS_HOST", "a b", "must be an IP address or a host name", id="ops host"),
    pytest.param("DATABASE_URL", "postgresql://u:hunter2@h/d", "must begin with sqlite+aiosqlite://", id="driver"),
    pytest.param("DATABASE_URL", "mysql+aiomysql://u:hunter2@h/d", "postgresql+asyncpg://", id="other database"),
    pytest.param("DATABASE_URL", "sqlite+aiosqlite://", "must name a file", id="sqlite in memory"),
    pytest.param("DATABASE_URL", "sqlite+aiosqlite://var/x.db", "must name a file", id="sqlite two slashes"),
    pytest.param("DATABASE_URL", "postgresql+asyncpg://hunter2", "must name a host and a database", id="no database"),
    pytest.param("CONSUL_URL", "consul:8500", "must be an http or https URL with a host", id="consul without scheme"),
    pytest.param("CONSUL_URL", "http://h:99999", "must be an http or https URL with a host", id="consul port"),
    pytest.param("CONSUL_URL", "http://h/v1/kv", "the path is consul_prefix", id="consul with a path"),
    pytest.param("CONSUL_URL", "http://u:hunter2@h", "the token is consul_token", id="consul with a password"),
    pytest.param("REDIS_URL", "http://:hunter2@h", "must begin with redis:// or rediss://", id="redis scheme"),
    pytest.param("REDIS_URL", "redis://:hunter2@", "must name its hosts as host or host:port", id="redis without host"),
    pytest.param("REDIS_URL", "redis://:hunter2@h:x", "must name its hosts", id="redis port"),
    pytest.param("REDIS_URL", "redis://:hunter2@h/db", "must name a database by its number", id="redis database"),
    pytest.param("REDIS_URL", "redis://:hunter2@h1,h2", "must name one host", id="several hosts of one redis"),
    pytest.param("REDIS_URL", "redis+sentinel://:hunter2@h1,h2", "must name the service", id="sentinel service"),
    pytest.param("REDIS_URL", "redis+cluster://:hunter2@h1,,h2", "must name its hosts", id="empty cluster host"),
    pytest.param("REDIS_URL", "redis+cluster://:hunter2@h1/1", "must name no database", id="cluster database"),
    pytest.param("SMTP_URL", "mail.example", "must be smtp:// or smtps:// and a host", id="smtp without scheme"),
    pytest.param("SMTP_URL", "http://u:hunter2@h", "must be smtp:// or smtps:// and a host", id="smtp scheme"),
    pytest.param("SMTP_URL", "smtp://u:hunter2@", "must be smtp:// or smtps:// and a host", id="smtp host"),
    pytest.param("SMTP_URL", "smtp://u:hunter2@h:99999", "must be smtp:// or smtps:// and a host", id="smtp port"),
    pytest.param("SMTP_URL", "smtp://u:hunter2@h/inbox", "must end after the port", id="smtp path"),
    pytest.param("SMTP_URL", "smtp://u:hunter2#@h", "must be smtp:// or smtps:// and a host", id="smtp fragment"),
    pytest.param("SMTP_URL", "smtp://hunter2@h", "a user name and a password, or neither", id="smtp user alone"),
    pytest.param("CONSUL_PREFIX", "/a/", "without a slash at either end", id="prefix with slashes"),
    pytest.param("POLICY_FILE", "", "must not be empty", id="empty policy file"),
    pytest.param("STATE_DIR", "", "must not be empty", id="empty state dir"),
    pytest.param("SECRET_KEY", "hunter2", "must be at least 32 bytes each; secret 1 has 5", id="short secret"),
    pytest.param(
        "SECRET_KEY", f"{KEY},hunter2+/", "must be base64url, comma separated; secret 2 is not", id="alphabet"
    ),
    pytest.param("SECRET_KEY", f"{KEY},", "secret 2 is not", id="trailing comma"),
    pytest.param("SECRET_KEY", f"{KEY},{KEY}", "secret 2 is there twice", id="secret twice"),
    pytest.param("SECRET_KEY", "a" * 45, "secret 1 is not", id="impossible length"),
    pytest.param("KEY_PASSPHRASE", "hunter2,,x", "passphrase 2 is empty", id="empty passphrase"),
    pytest.param("KEY_PASSPHRASE", "  ", "passphrase 1 is empty", id="blank passphrase"),
    pytest.param("WORKERS", "0", "must be between 1 and 256 (got '0')", id="no workers"),
    pytest.param("WORKERS", "2", "more than one worker needs AUTHCENTER_REDIS_URL (got 2)", id="workers without redis"),
    pytest.param("TRUSTED_PROXIES", "10.0.0.1/8", "without host bits; '10.0.0.1/8' is none", id="host bits"),
    pytest.param("TRUSTED_PROXIES", "proxy", "'proxy' is none", id="network by name"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", "hunter2", "entry 1 is not", id="provider secret without a name"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", "a=x,b=", "entry 2 is not", id="empty provider secret"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", "a=x,a=hunter2", "entry 2 repeats one", id="provider secret twice"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", '{"a": hunter2}', "is not JSON", id="provider secrets not JSON"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", '{"A b": "hunter2"}', "a JSON object of names", id="provider name"),
    pytest.param("IDENTITY_PROVIDER_SECRETS", '{"a": 1}', "a JSON object of names", id="provider secret a number"),
    pytest.param("MAIL_FROM", "nobody", "must be a mail address", id="mail address"),
    pytest.param("MAIL_FROM", "a@b\r\nBcc: c@d", "must be a mail address", id="mail header injection"),
    pytest.param("TLS_CERT", "/nonexistent/c.pem", "cannot be read: No such file or directory", id="no certificate"),
    pytest.param("BREACHED_PASSWORDS_FILE", "/nonexistent/list", "cannot be read: No such", id="no list of passwords"),
]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("google=x=y", {"google": "x=y"}, id="one"),
        pytest.param(" google=x , github=y,", {"google": "x", "github": "y"}, id="commas"),
        pytest.param("google=x\n\ngit-hub=y z\n", {"google": "x", "git-hub": "y z"}, id="lines"),
        pytest.param('{"google": "x,y\\n"}', {"google": "x,y\n"}, id="JSON"),
    ],
)
def test_secrets_of_identity_providers_are_read(written: str, expected: dict[str, str]) -> None:
    found = load_boot_settings(None, {"AUTHCENTER_IDENTITY_PROVIDER_SECRETS": written}).provider_secrets
    assert {name: secret.reveal() for name, secret in found.items()} == expected


REDIS_URLS = [
    "redis://h",
    "redis://u:p@h:6380/2",
    "rediss://h/0?ssl_cert_reqs=none",
    "redis://[::1]:6379",
    "redis+sentinel://:p@h1:26379,h2/main",
    "redis+cluster://h1:7000,h2:7001",
]


@pytest.mark.parametrize("url", REDIS_URLS)
def test_redis_is_named_by_one_node_or_by_several(url: str) -> None:
    assert load_boot_settings(None, {"AUTHCENTER_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_value_is_named_in_one_line(name: str, value: str, said: str) -> None:
    told = problems({f"AUTHCENTER_{name}": value})
    line = next(line for line in told if line.startswith(f"AUTHCENTER_{name}: "))
    assert said in line
    assert sum(line.startswith(f"AUTHCENTER_{name}: ") for line in told) == 1
    for line in told:
        assert "\n" not in line
        assert "\r" not in line
        assert "hunter2" not in line


def test_a_wrong_secret_appears_neither_in_the_error_nor_in_the_settings() -> None:
    told = problems({"AUTHCENTER_SECRET_KEY": "hunter2", "AUTHCENTER_PORT": "https://u:hunter2@h"})
    assert "hunter2" not in str(SettingsError(*told))
    good = load_boot_settings(
        None, {"AUTHCENTER_SECRET_KEY": KEY, "AUTHCENTER_DATABASE_URL": "postgresql+asyncpg://u:hunter2@h/d"}
    )
    assert KEY not in repr(good)
    assert "hunter2" not in repr(good)


UNKNOWN = [
    pytest.param("AUTHCENTER_ISUER", "AUTHCENTER_ISUER: unknown variable; did you mean AUTHCENTER_ISSUER?", id="typo"),
    pytest.param("AUTHCENTER_COLOUR", "AUTHCENTER_COLOUR: unknown variable", id="nothing like it"),
    pytest.param("authcenter_port", "authcenter_port: unknown variable; did you mean AUTHCENTER_PORT?", id="case"),
    pytest.param("AUTHCENTER_PORT_FILE", "AUTHCENTER_PORT_FILE: unknown variable", id="no secret, no file"),
]


@pytest.mark.parametrize(("name", "said"), UNKNOWN)
def test_an_unknown_variable_is_named(name: str, said: str) -> None:
    (line,) = problems({name: "hunter2"})
    assert line.startswith(said)
    assert "hunter2" not in line


def test_everything_wrong_is_told_at_once() -> None:
    told = problems(
        {
            "AUTHCENTER_ENV": "production",
            "AUTHCENTER_PORT": "x",
            "AUTHCENTER_TLS_KEY": "/nonexistent/k.pem",
            "AUTHCENTER_SURPRISE": "1",
            "AUTHCENTER_KEY_PASSPHRASE_FILE": "/nonexistent/p",
        }
    )
    assert [line.partition(":")[0] for line in told] == [
        "AUTHCENTER_SURPRISE",
        "AUTHCENTER_KEY_PASSPHRASE_FILE",
        "AUTHCENTER_PORT",
        "AUTHCENTER_ISSUER",
        "AUTHCENTER_SECRET_KEY",
        "AUTHCENTER_TLS_CERT",
        "AUTHCENTER_TLS_KEY",
    ]


PRODUCTION_REFUSES = [
    pytest.param("AUTHCENTER_ISSUER", "http://as.example", "AUTHCENTER_ISSUER: must be https", id="http issuer"),
    pytest.param("AUTHCENTER_SECRET_KEY", "", "AUTHCENTER_SECRET_KEY: must be given", id="no secret key"),
    pytest.param("AUTHCENTER_KEY_PASSPHRASE", "", "AUTHCENTER_KEY_PASSPHRASE: must be given", id="no passphrase"),
]


@pytest.mark.parametrize(("name", "value", "said"), PRODUCTION_REFUSES)
def test_production_refuses_what_is_unsafe(name: str, value: str, said: str) -> None:
    (line,) = problems({**PRODUCTION, name: value})
    assert line.startswith(said)


def test_production_starts_when_nothing_is_unsafe() -> None:
    assert load_boot_settings(None, PRODUCTION).secret_keys == (bytes.fromhex("69a69a" * 10 + "69a6"),)


def test_tls_needs_both_files(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_text("c")
    key.write_text("k")
    assert "AUTHCENTER_TLS_KEY: must be given together" in problems({"AUTHCENTER_TLS_CERT": str(certificate)})[0]
    assert "AUTHCENTER_TLS_CERT: must be given together" in problems({"AUTHCENTER_TLS_KEY": str(key)})[0]
    both = {"AUTHCENTER_TLS_CERT": str(certificate), "AUTHCENTER_TLS_KEY": str(key)}
    assert load_boot_settings(None, both).tls_key == key
    assert "Is a directory" in problems({**both, "AUTHCENTER_TLS_KEY": str(tmp_path)})[0]


@pytest.mark.parametrize("name", ["secret_key", "key_passphrase", "database_url"])
def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path, name: str) -> None:
    value = "postgresql+asyncpg://u:p@h/d" if name == "database_url" else KEY
    (tmp_path / "it").write_bytes(value.encode() + b"\r\n")
    settings = load_boot_settings(None, {f"{variable(name)}_FILE": str(tmp_path / "it")})
    found = getattr(settings, name)
    assert (found if isinstance(found, str) else found.get_secret_value()) == value


SECRET_FILES = [
    pytest.param(None, "cannot be read: No such file or directory", id="absent"),
    pytest.param(b"", "the file is empty", id="empty"),
    pytest.param(b"\n", "the file is empty", id="only a line end"),
    pytest.param(b"\xff", "cannot be read: not UTF-8", id="not text"),
    pytest.param(b"hunter2\n", "must be at least 32 bytes", id="wrong value"),
    pytest.param(b"x" * (1024 * 1024 + 1), "cannot be read: larger than", id="huge"),
]


@pytest.mark.parametrize(("content", "said"), SECRET_FILES)
def test_a_bad_secret_file_is_named_by_its_variable(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "it").write_bytes(content)
    (line,) = problems({"AUTHCENTER_SECRET_KEY_FILE": str(tmp_path / "it")})
    assert line.startswith(f"AUTHCENTER_SECRET_KEY_FILE: {said}")
    assert "hunter2" not in line


def test_a_value_and_its_file_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "it").write_text(KEY)
    environ = {"AUTHCENTER_SECRET_KEY_FILE": str(tmp_path / "it")}
    (line,) = problems({**environ, "AUTHCENTER_SECRET_KEY": KEY})
    assert line == "AUTHCENTER_SECRET_KEY: must not be given together with AUTHCENTER_SECRET_KEY_FILE"
    assert load_boot_settings(None, {**environ, "AUTHCENTER_SECRET_KEY": ""}).secret_keys
    assert load_boot_settings(None, {"AUTHCENTER_SECRET_KEY_FILE": ""}).secret_keys == ()


def test_a_settings_file_is_read_with_and_without_the_prefix(tmp_path: Path) -> None:
    file = tmp_path / "boot.yaml"
    (tmp_path / "key").write_text(KEY + "\n")
    file.write_text(
        "authcenter_issuer: https://as.example\nport: 0\ntrusted_proxies: [10.0.0.0/8, 192.0.2.1]\n"
        f"redis_url:\nsecret_key_file: {tmp_path / 'key'}\n"
    )
    settings = load_boot_settings(file, {})
    assert (settings.issuer, settings.port, settings.redis_url) == ("https://as.example", 0, "")
    assert [str(network) for network in settings.trusted_networks] == ["10.0.0.0/8", "192.0.2.1/32"]
    assert len(settings.secret_keys) == 1


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "boot.yaml"
    file.write_text(f"port: 1\nops_port: 2\nsecret_key_file: /nonexistent\nkey_passphrase: one\nconsul_token: {KEY}\n")
    (tmp_path / "phrase").write_text("two")
    environ = {
        "AUTHCENTER_PORT": "3",
        "AUTHCENTER_SECRET_KEY": KEY,
        "AUTHCENTER_KEY_PASSPHRASE_FILE": str(tmp_path / "phrase"),
        "AUTHCENTER_CONSUL_TOKEN": "",
    }
    settings = load_boot_settings(file, environ)
    assert (settings.port, settings.ops_port, settings.key_passphrases) == (3, 2, (b"two",))
    assert settings.consul_token.get_secret_value() == ""


WRONG_FILES = [
    pytest.param("isuer: x", "isuer in {}: unknown setting; did you mean issuer?", id="unknown key"),
    pytest.param("port: true", "port in {}: must be between 0 and 65535 (got True)", id="boolean for a number"),
    pytest.param("key_passphrase: 12345", "key_passphrase in {}: must be text", id="number for text"),
    pytest.param("port: 1\nauthcenter_port: 1", "port in {}: given twice", id="both spellings"),
    pytest.param("port: 1\nport: 1", "{}: the document is refused: the key 'port' is given twice", id="key twice"),
    pytest.param("[port]", "{}: must be a mapping of settings", id="a list"),
    pytest.param("port: [", "{}: the document is refused: is neither YAML nor JSON", id="no YAML"),
    pytest.param("? !!python/name:os.system x\n: 1", "{}: the document is refused: tags are not", id="a tag"),
    pytest.param("secret_key: hunter2", "secret_key in {}: must be at least 32 bytes", id="a secret"),
    pytest.param("trusted_proxies: [1.2.3.4/8]", "trusted_proxies in {}: must be comma separated", id="a network"),
    pytest.param("tls_cert: [x]", "tls_cert in {}: ", id="a list for a path"),
    pytest.param('tls_key: "/a\\0b"', "tls_key in {}: must be a path", id="a null character"),
    pytest.param("issuer: {a: b}", "issuer in {}: must be text", id="a mapping for text"),
    pytest.param("secret_key_file: [x]", "secret_key_file in {}: cannot be read", id="a list for a secret file"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_FILES)
def test_a_wrong_settings_file_names_key_and_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "boot.yaml"
    file.write_text(text)
    (line,) = problems({}, file)
    assert line.startswith(said.format(file))
    assert "hunter2" not in line


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_an_unreadable_settings_file_is_named(tmp_path: Path, name: str) -> None:
    (line,) = problems({}, tmp_path / name)
    assert line.startswith(f"{tmp_path / name}: cannot be read: ")


def test_an_empty_settings_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "boot.yaml").write_text("# nothing\n")
    assert load_boot_settings(tmp_path / "boot.yaml", {}) == load_boot_settings(None, {})


def test_settings_are_frozen_and_blind_to_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("AUTHCENTER_PORT", "1")
    settings = load_boot_settings(None, {})
    assert settings.port == BootSettings().port == 8080
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_the_example_files_load(tmp_path: Path) -> None:
    config = Path(__file__).parents[3] / "config"
    assert load_boot_settings(config / "development.yaml", {}) == load_boot_settings(
        None, {"AUTHCENTER_POLICY_FILE": "config/policy.yaml"}
    )
    text = (config / "production.yaml").read_text()
    mounts = set(re.findall(r"^(\w+)_file: (/run/\S+)$", text, re.MULTILINE))
    values = {"database_url": "postgresql+asyncpg://u:p@h/d", "secret_key": KEY, "key_passphrase": "correct horse"}
    assert {name for name, _ in mounts} == set(values)
    environ = {"AUTHCENTER_ISSUER": "https://as.example"}
    for name, _ in mounts:
        (tmp_path / name).write_text(values[name] + "\n")
        text = re.sub(rf"^{name}_file: .*$", f"{name}_file: {tmp_path / name}", text, flags=re.MULTILINE)
    (tmp_path / "production.yaml").write_text(text)
    settings = load_boot_settings(tmp_path / "production.yaml", environ)
    assert (settings.env, settings.issuer) == ("production", "https://as.example")
    # The same with the mounts named by the environment, the file untouched.
    environ |= {f"{variable(name)}_FILE": str(tmp_path / name) for name in values}
    assert load_boot_settings(config / "production.yaml", environ).database_url == values["database_url"]


_VALUES = st.text(max_size=30) | st.sampled_from(
    ["https://a", "sqlite+aiosqlite:///x", KEY, "10.0.0.0/8", "\udcff", "a\0b"]
)
_ENVIRONMENTS = st.dictionaries(
    st.sampled_from([variable(name) + more for name in BootSettings.model_fields for more in ("", "_FILE")]), _VALUES
)


@given(_ENVIRONMENTS)
def test_no_environment_raises_anything_but_a_settings_error(environ: dict[str, str]) -> None:
    try:
        load_boot_settings(None, environ)
    except SettingsError as error:
        assert all(len(problem.splitlines()) == 1 for problem in error.problems)  # noqa: PT017
