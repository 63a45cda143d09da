"""What a person does with their own account, in a browser without scripts."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.walking import expect_page, press, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


async def test_a_person_writes_a_profile_takes_it_along_and_goes(
    site: Site, contexts: Contexts, tmp_path: Path
) -> None:
    page, name = await contexts.open(java_script_enabled=False), site.somebody()
    await page.goto(f"{site.issuer}/account")
    await sign_in(page, name)
    await expect_page(page, "Your account")

    await page.get_by_role("link", name="Profile", exact=True).click()
    await page.get_by_label("Full name").fill("Ada Lovelace")
    await page.get_by_label("Street and number").fill("St James's Square 12\nSecond floor")
    await press(page, "Save")
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    await expect(page.get_by_label("Street and number")).to_have_value("St James's Square 12\nSecond floor")

    await page.get_by_role("link", name="Back to your account").click()
    await page.get_by_role("link", name="Download my data").click()
    async with page.expect_download() as started:
        await press(page, "Download")
    file = tmp_path / "account.json"
    await (await started.value).save_as(file)
    told = json.loads(file.read_text())
    assert (told["account"]["username"], told["account"]["claims"]["name"]) == (name, "Ada Lovelace")
    assert (await started.value).suggested_filename == "account.json"

    await page.get_by_role("link", name="Back to your account").click()
    await page.get_by_role("link", name="Delete my account").click()
    await page.get_by_label("To confirm, type your user name").fill(name)
    await press(page, "Delete my account for good")
    await expect_page(page, "Account deleted")

    await page.goto(f"{site.issuer}/account")
    await sign_in(page, name)
    await expect(page.get_by_role("alert")).to_contain_text("do not go together")
