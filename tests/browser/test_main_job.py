"""The main job, walked as three people: an officer on a Friday evening, counsel, and the manager who watches."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from playwright.sync_api import Page, expect

from tests import stories
from tests.browser.site import Site
from tests.post_office import Received

#: Friday 27 November 2026, 17:31 in Berlin
FRIDAY = datetime(2026, 11, 27, 16, 31, tzinfo=UTC)


@pytest.fixture
def friday() -> Any:
    """The tracker's clock shows a Friday evening, and goes on."""
    with time_machine.travel(FRIDAY, tick=True):
        yield


def report(page: Page) -> str:
    """Ines logs the breach in the two-minute report; returns its reference."""
    page.goto("/incidents/report")
    page.get_by_label("What happened, in a few words").fill("Mailbox of the billing team taken over")
    page.get_by_label("What is known so far").fill("A forwarding rule sent invoices to an outside address.")
    page.get_by_label("Break-in or stolen log-ins").check()
    page.get_by_label("Date", exact=True).fill("2026-11-27")
    page.get_by_label("Time if known").fill("17:30")
    page.get_by_label("Yes, as of the time above").check()
    page.get_by_label("Ours (controller)").check()
    page.get_by_label("How sure", exact=True).select_option("about")
    page.get_by_label("Number of people", exact=True).fill("1200")
    page.get_by_label("Country or state 1").fill("Germany")
    page.get_by_label("How sure, row 1").select_option("about")
    page.get_by_label("Number of people, row 1").fill("1200")
    page.get_by_role("button", name="Log it and start the clocks").click()
    expect(page.get_by_role("status")).to_contain_text("is logged")
    return page.url.rsplit("/", 1)[1]


def answer_the_risk(page: Page) -> None:
    """What is asked next is answered: there is a risk to people."""
    page.get_by_role("link", name="How likely is it that the breach harms the people affected?").click()
    page.get_by_label("a risk", exact=True).check()
    page.get_by_role("button", name="Record").click()


def wait_for_mail(page: Page, site: Site, to: str, reference: str) -> Received:
    """The first mail to this address that names the incident; it comes within seconds."""
    for _ in range(150):
        for letter in site.office.letters:
            if letter.to == to and reference in letter.subject:
                return letter
        page.wait_for_timeout(100)
    raise AssertionError(f"no mail to {to}: {[(letter.to, letter.subject) for letter in site.office.letters]}")


def test_the_main_job(site: Site, as_person: Any, look: Any, friday: None) -> None:
    with site.app.app_context():
        stories.set_profile(now=FRIDAY)
    ines, laura, mona = (as_person(name).new_page() for name in ("ines", "laura", "mona"))

    # the officer reports, and sees both readings with their reasons
    reference = report(ines)
    answer_the_risk(ines)
    card = ines.locator("article.duty", has_text="GDPR art. 33(1)")
    expect(card).to_contain_text("running")
    expect(card).to_contain_text("Mon 30 Nov 2026, 17:30")
    expect(card).to_contain_text("Statutory reading: Mon 30 Nov 2026, 18:00")
    card.get_by_role("link").first.click()
    expect(ines.get_by_role("main")).to_contain_text("1182/71 art. 3(1)")
    expect(ines.get_by_role("main")).to_contain_text("not moved off a weekend")
    look(ines, "main-job-duty")

    # she follows the checklist
    ines.goto(f"/incidents/{reference}/checklist")
    ines.get_by_role("button", name="Start").first.click()
    step = ines.locator("details.step[open]").first
    title = step.locator("h3").inner_text()
    step.get_by_label("Note").fill("The log is kept in the case folder.")
    step.get_by_role("button", name="Done", exact=True).click()
    expect(ines.locator("details.step-done", has_text=title)).to_be_visible()

    # the warning of the start arrives at a real mail server
    mail = wait_for_mail(ines, site, "ines@harbour.example", reference)
    assert "billing" not in mail.subject.lower()
    assert "Mon 30 Nov 2026, 17:30" in mail.part("plain")

    # the manager sees it on the board
    mona.goto("/board")
    expect(mona.locator(".board-three-days")).to_contain_text(reference)

    # the draft goes to counsel, comes back, is edited, and is approved
    ines.goto(f"/incidents/{reference}/notices")
    ines.locator("li", has_text="GDPR art. 33(1)").get_by_role("button", name="Start the draft").click()
    draft = ines.url
    expect(ines.get_by_role("main")).to_contain_text("about 1,200")
    ines.get_by_role("button", name="Hand in for review").click()
    mona.goto("/board")
    expect(mona.locator(".board-legal")).to_contain_text(reference)
    laura.goto("/reviews")
    laura.get_by_role("link", name="Notify the supervisory authority").first.click()
    laura.get_by_label("Reason").fill("Say what people should do now.")
    laura.get_by_role("button", name="Send back").click()
    ines.goto(draft)
    expect(ines.get_by_role("main")).to_contain_text("Say what people should do now.")
    ines.get_by_role("link", name="Edit the text").first.click()
    body = ines.get_by_label("Text", exact=True)
    body.fill(body.input_value() + "\n\nPeople should check their invoices of this month.\n")
    ines.get_by_role("button", name="Save as version 2").click()
    ines.get_by_role("button", name="Hand in for review").click()
    laura.goto("/reviews")
    laura.get_by_role("link", name="Notify the supervisory authority").first.click()
    expect(laura.locator("ins", has_text="People should check their invoices")).to_be_visible()
    look(laura, "main-job-review")
    laura.get_by_label("Reason").fill("Complete enough for a first notification.")
    laura.get_by_role("button", name="Approve this text").click()

    # the filing is recorded, and the clock reads met
    ines.goto(draft)
    ines.get_by_role("link", name="Send it and record the proof").click()
    ines.get_by_label("Date", exact=True).fill("2026-11-27")
    ines.get_by_label("Time if known").fill(f"{datetime.now(ZoneInfo('Europe/Berlin')) + timedelta(minutes=1):%H:%M}")
    ines.get_by_label("How it went out").fill("Web form of the authority")
    ines.get_by_label("Reference that the recipient gave").fill("711.412.1-2026")
    ines.get_by_label("Receipt").set_input_files({"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 received"})
    ines.get_by_role("button", name="Record the filing").click()
    expect(ines.get_by_role("main")).to_contain_text("receipt.pdf")
    ines.goto(f"/incidents/{reference}")
    expect(ines.locator("article.duty", has_text="GDPR art. 33(1)")).to_contain_text("met")
    look(ines, "main-job-met")

    # the board has changed
    mona.goto("/board")
    expect(mona.locator(".board-three-days")).not_to_contain_text(reference)
    expect(mona.locator(".board-legal")).not_to_contain_text(reference)
    look(mona, "main-job-board")
