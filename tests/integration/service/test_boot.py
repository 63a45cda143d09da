"""What a process refuses to start on: one line for each wrong value, exit code 2, never a traceback."""

import socket
from pathlib import Path

import pytest

from tests.servers.authcenter import AuthcenterProcess, authcenter_cli

REFUSED = [
    pytest.param(
        {
            "AUTHCENTER_ENV": "staging",
            "AUTHCENTER_ISSUER": "ftp://x",
            "AUTHCENTER_PORT": "70000",
            "AUTHCENTER_DATABASE_URL": "mysql://root:hunter2hunter2@db/x",
            "AUTHCENTER_SECRET_KEY": "dG9vIHNob3J0",
            "AUTHCENTER_TLS_CERT": "/no/such/file",
            "AUTHCENTER_WORKERS": "2",
            "AUTHCENTER_TRUSTED_PROXIES": "10.0.0.1/8",
            "AUTHCENTER_NO_SUCH_SETTING": "1",
        },
        (
            "AUTHCENTER_ENV", "AUTHCENTER_ISSUER", "AUTHCENTER_PORT", "AUTHCENTER_DATABASE_URL",
            "AUTHCENTER_SECRET_KEY", "AUTHCENTER_TLS_CERT", "AUTHCENTER_TLS_KEY", "AUTHCENTER_WORKERS",
            "AUTHCENTER_TRUSTED_PROXIES", "AUTHCENTER_NO_SUCH_SETTING",
        ),
        id="wrong values, all at once",
    ),
    pytest.param(
        {"AUTHCENTER_ENV": "production", "AUTHCENTER_SECRET_KEY": "", "AUTHCENTER_KEY_PASSPHRASE": ""},
        ("AUTHCENTER_ISSUER", "AUTHCENTER_SECRET_KEY", "AUTHCENTER_KEY_PASSPHRASE"),
        id="unsafe in production",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "named"), REFUSED)
def test_wrong_settings_are_named_one_a_line(tmp_path: Path, settings: dict[str, str], named: tuple[str, ...]) -> None:
    environment = AuthcenterProcess(tmp_path, settings=settings).environment
    done = authcenter_cli(environment, "serve")
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert sorted(line.removeprefix("authcenter: ").partition(":")[0] for line in lines) == sorted(named)
    assert "hunter2" not in done.stderr


def test_a_policy_that_does_not_validate_is_named(tmp_path: Path) -> None:
    process = AuthcenterProcess(tmp_path)
    process.policy_file.write_text("tokens: {access_ttl: 1}")
    done = process.cli("serve")
    assert done.returncode == 2
    assert "tokens.access_ttl" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    process = AuthcenterProcess(tmp_path)
    with socket.create_server(("127.0.0.1", process.ops_port)):
        done = process.cli("serve")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
