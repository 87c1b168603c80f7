"""The board beyond its first look: on paper, on a wall, and by itself."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.example import Story


def test_the_board_fits_one_page_of_paper(story: Story, as_person: Any) -> None:
    page = as_person("mona").new_page()
    page.goto("/board")
    paper = page.pdf(format="A4", landscape=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1


def test_the_wall_renews_itself_without_a_script(story: Story, as_person: Any) -> None:
    page = as_person("mona", java_script_enabled=False).new_page()
    page.goto("/board/wall")
    expect(page.locator('meta[http-equiv="refresh"]')).to_have_attribute("content", "30")
    expect(page.locator(".board-overdue li").first).to_be_visible()


def test_the_next_deadline_counts_down(story: Story, as_person: Any) -> None:
    page = as_person("mona").new_page()
    page.goto("/board")
    left = page.locator("[data-countdown]").first
    page.evaluate("element => { element.dataset.countdown = new Date(Date.now() + 30500).toISOString() }", left.element_handle())
    expect(left).to_have_text(re.compile(r"^2\d s left$"), timeout=5000)


def test_the_board_is_said_to_a_screen_reader(story: Story, as_person: Any) -> None:
    page = as_person("mona").new_page()
    page.goto("/board")
    lanes = page.locator(".axis-lane ul li")
    assert lanes.count() > 3
    assert re.search(r"20\d\d, \d\d:\d\d", lanes.first.inner_text())
