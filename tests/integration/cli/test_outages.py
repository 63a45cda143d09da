"""Commands where the settings are wrong or the record cannot be had."""

import pytest

from tests.integration.cli.console import Console

PASSWORD = "of-the-database"

LISTS = pytest.mark.parametrize("noun", ["clients", "resources", "users", "keys"])


@LISTS
def test_a_database_that_cannot_be_opened_is_one_line(console: Console, noun: str) -> None:
    console.environment["AUTHCENTER_DATABASE_URL"] = f"sqlite+aiosqlite:///{console.policy}/authcenter.db"
    assert "policy.yaml" in console.refused(noun, "list", exit_code=2)


@LISTS
def test_a_database_that_does_not_answer_is_one_line(console: Console, noun: str) -> None:
    console.environment["AUTHCENTER_DATABASE_URL"] = f"postgresql+asyncpg://nobody:{PASSWORD}@127.0.0.1:1/authcenter"
    assert PASSWORD not in console.refused(noun, "list", exit_code=1)


@LISTS
def test_a_wrong_setting_is_named(console: Console, noun: str) -> None:
    console.environment["AUTHCENTER_PORT"] = "many"
    assert "port" in console.refused(noun, "list", exit_code=2).lower()


def test_a_policy_that_does_not_hold_is_named(console: Console) -> None:
    console.policy.write_text("tokens: {signing_alg: HS256}")
    assert "signing_alg" in console.refused("keys", "rotate", exit_code=2)


def test_in_development_any_command_may_come_first(console: Console) -> None:
    console.database.unlink()
    assert console.told("clients", "list") == []


def test_in_production_a_schema_that_is_behind_is_named(console: Console) -> None:
    console.database.unlink()
    console.environment |= {"AUTHCENTER_ENV": "production", "AUTHCENTER_ISSUER": "https://login.example"}
    assert "authcenter db upgrade" in console.refused("clients", "list", exit_code=1)
