"""Every page of the tracker, looked at on a desktop, on a phone and in the dark."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from incident_tracker.factory import create_app
from tests import addresses
from tests.addresses import Told
from tests.browser.example import Story
from tests.browser.pages import BY_STEPS, LOOKS, NO_PAGES, Look
from tests.conftest import test_config


def _address(story: Story, one: Look) -> str:
    rule = next(rule for rule in addresses.routes(story.site.app, "GET") if rule.endpoint == one.endpoint)
    blanks = one.blanks(story.blanks)
    return addresses.address(rule, Told(str(blanks["reference"]), dict(blanks))) + one.query


@pytest.mark.parametrize("one", LOOKS, ids=[one.name for one in LOOKS])
def test_it_reads_well(story: Story, as_person: Callable[..., BrowserContext], look: Callable[[Page, str], None], one: Look) -> None:
    page = as_person(one.who).new_page()
    answer = page.goto(_address(story, one))
    assert answer is not None
    assert (answer.status, page.locator("h1").count()) == (one.status, 1), page.url
    look(page, one.name)


def test_it_looks_at_every_page(tmp_path: Path) -> None:
    app = create_app(test_config(tmp_path, f"sqlite:///{tmp_path / 'never-opened.sqlite3'}", debug=True))
    pages = {rule.endpoint for rule in addresses.pages(app, "GET")}
    looked_at = {one.endpoint for one in LOOKS}
    assert pages - looked_at - BY_STEPS - NO_PAGES == set(), "give it its line in tests/browser/pages.py"
    assert (looked_at | BY_STEPS | NO_PAGES) - pages == set()


def test_it_gives_every_look_a_name_of_its_own() -> None:
    assert len({one.name for one in LOOKS}) == len(LOOKS)
