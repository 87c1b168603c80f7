"""The ground of the browser tests: a real Chromium, a running tracker, somebody signed in, and a close look at a page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests import postgres
from tests.browser import example
from tests.browser.site import Site, run_site
from tests.conftest import missing
from tests.guards.sources import ROOT

SCREENSHOTS = ROOT / "screenshots"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
AXE = Axe().axe_script
#: so many browsers at once, each in a test process of its own
GROUPS = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is driven by a browser, and keep it together: each process that gets such a test starts a Chromium."""
    here = [item for item in items if Path(item.path).is_relative_to(Path(__file__).parent)]
    for number, item in enumerate(here):
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.xdist_group(f"browser-{number * GROUPS // max(1, len(here))}"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, which needs no download by Playwright."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing("Chromium is missing: apt-get install chromium, or set CHROMIUM to the program")
    plain = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    return {**browser_type_launch_args, "executable_path": found, "args": plain}


@pytest.fixture
def database_kind() -> str:
    """The pages do not know what lies beneath them: one kind of database is enough here."""
    return "sqlite"


@pytest.fixture
def site(database_url: str, home: Path) -> Iterator[Site]:
    """A running tracker of this test's own: the cast is hired, nothing has happened yet. Its worker beats, its mails arrive in `site.office`."""
    with run_site(home, database_url, with_worker=True) as running:
        yield running
        assert running.complaints == []


@pytest.fixture(scope="session")
def story_of_this_process(home: Path) -> Iterator[tuple[Site, example.Story]]:
    """The example organisation, for looking only; made once a run."""
    shared = Path(os.environ[postgres.RUN_FOLDER])
    with postgres.locked(shared / "story.lock"):
        if not (shared / "story").exists():
            example.make(shared / "story-draft")
            (shared / "story-draft").rename(shared / "story")
    mine = home.with_name(f"{home.name}-story")
    shutil.copytree(shared / "story", mine)
    # nobody beats its heart while it is looked at, and nothing new falls due
    with run_site(mine, f"sqlite:///{mine / 'tracker.sqlite3'}", with_worker=False, debug=True, stale_seconds=86_400) as running:
        yield running, example.finish(running)


@pytest.fixture
def story(story_of_this_process: tuple[Site, example.Story]) -> Iterator[example.Story]:
    """A running tracker full of incidents. Change nothing there: it is shared."""
    running, told = story_of_this_process
    running.complaints.clear()
    yield told
    assert running.complaints == []


@pytest.fixture
def as_person(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """`as_person("ines")`: a browser signed in as her, at the `story` if the test asks for it, else at its own `site`; `as_person()`: a stranger's."""
    running: Site = request.getfixturevalue("story").site if "story" in request.fixturenames else request.getfixturevalue("site")
    opened: list[BrowserContext] = []

    def open_one(name: str | None = None, **options: Any) -> BrowserContext:
        opened.append(running.open(browser, name, **options))
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def look() -> Callable[[Page, str], None]:
    """`look(page, "board")`: pictures of the page on a desktop, on a phone and in the dark, into screenshots/; refuses what axe finds and what overflows."""
    return look_at


def look_at(page: Page, name: str) -> None:
    """Look closely at the page as it is now. Raises AssertionError with everything that is wrong."""
    SCREENSHOTS.mkdir(exist_ok=True)
    problems = []
    for what, size, scheme in (("phone", PHONE, "light"), ("desktop", DESKTOP, "light"), ("dark", DESKTOP, "dark")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=SCREENSHOTS / f"{name}.{what}.png", full_page=True, animations="disabled")
        wide = page.evaluate(WIDER_THAN_PAGE)
        problems += [f"{what}: wider than the page: {one}" for one in wide]
        if what != "phone":
            problems += [f"{what}: {one}" for one in _violations(page)]
    page.emulate_media(color_scheme="light")
    if problems:
        pytest.fail("\n".join([f"{name} at {page.url}:", *problems]), pytrace=False)


def _violations(page: Page) -> list[str]:
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']}).then(results => results.violations)")
    return [f"{one['id']} ({one['impact']}): {node['html'][:200]}" for one in found for node in one["nodes"]]


#: the elements that make the page scroll sideways
WIDER_THAN_PAGE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll("body *")].filter(element => element.getBoundingClientRect().right > width + 1);
  return wide.slice(0, 5).map(element => element.outerHTML.slice(0, 160)).concat(`${document.documentElement.scrollWidth} px`);
}"""
