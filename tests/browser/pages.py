"""Every page that can be looked at: who looks, at which endpoint, and what stands for its blanks if not the usual values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Blanks = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """A page as `who` sees it (None: a stranger). `blanks` gives values of its own for some blanks; `query` comes behind the address."""

    name: str
    endpoint: str
    who: str | None = "ines"
    blanks: Callable[[Blanks], Blanks] = lambda usual: usual
    query: str = ""
    status: int = 200


def _with_notice(state: str) -> Callable[[Blanks], Blanks]:
    """The incident and the notice of the demo that is in this state."""

    def blanks(usual: Blanks) -> Blanks:
        notice = usual["notices"][state]
        return {**usual, "reference": notice["reference"], "notice_id": notice["id"], "duty_id": notice["duty_id"]}

    return blanks


LOOKS = (
    Look("board", "board.index"),
    Look("board-of-a-manager", "board.index", "mona"),
    Look("wall", "board.wall", "mona"),
    Look("components", "components.index"),
    Look("settings", "settings.index", "adam"),
    Look("health", "health.index", "adam"),
    Look("incidents", "incidents.index"),
    Look("incidents-filtered", "incidents.index", query="?q=no+such+words"),
    Look("incident", "incidents.show"),
    Look("incident-of-an-auditor", "incidents.show", "olga"),
    Look("incident-edit", "incidents.edit"),
    Look("incident-stage", "incidents.stage"),
    Look("incident-record", "records.index", "olga"),
    Look("incident-people", "members.index"),
    Look("awareness", "awareness.confirm"),
    Look("report", "reports.report"),
    Look("law", "law.index", "laura"),
    Look("law-one", "law.show", "laura", lambda usual: {**usual, "obligation_id": "eu-gdpr-33-1"}),
    Look("facts", "facts.index"),
    Look("facts-group", "facts.edit"),
    Look("places", "facts.places"),
    Look("holds", "holds.index"),
    Look("hold-new", "holds.add"),
    Look("hold-edit", "holds.edit"),
    Look("moved", "movements.index"),
    Look("incident-by-recipient", "incidents.show", query="?by=recipient"),
    Look("duty", "duties.show"),
    Look("duty-filed", "duties.show", blanks=_with_notice("filed")),
    Look("checklist", "checklists.show"),
    Look("checklist-choose", "checklists.choose"),
    Look("evidence", "evidence.index"),
    Look("notices", "notices.index"),
    Look("notice-in-review", "notices.show"),
    Look("notice-sent-back", "notices.show", blanks=_with_notice("sent_back")),
    Look("notice-approved", "notices.show", blanks=_with_notice("approved")),
    Look("notice-filed", "notices.show", blanks=_with_notice("filed")),
    Look("notice-edit", "notices.edit", "ravi", blanks=_with_notice("sent_back")),
    Look("notice-update", "notices.update", "ravi", blanks=_with_notice("sent_back")),
    Look("notice-compare", "notices.compare", "ravi", blanks=_with_notice("sent_back")),
    Look("notice-file", "notices.filings.record", blanks=_with_notice("approved")),
    Look("notice-words", "notices.words.edit"),
    Look("review", "notices.reviews.show", "laura"),
    Look("reviews", "reviews.index", "laura"),
    Look("playbooks", "playbooks.index"),
    Look("playbook", "playbooks.show"),
    Look("record", "records.everything", "olga"),
    Look("warnings", "bell.index"),
    Look("rota", "rotas.index", "mona"),
    Look("rota-hours", "rotas.add_shift", "mona"),
    Look("rota-away", "absences.add"),
    Look("acknowledge", "acknowledgements.show", None),
    Look("warnings-lost", "alerts.lost", "mona"),
    Look("organisation", "organisations.edit", "laura"),
    Look("channels", "destinations.index", "adam"),
    Look("channel-choose", "destinations.choose", "adam"),
    Look("channel-new", "destinations.add", "adam"),
    Look("channel-edit", "destinations.edit", "adam"),
    Look("people", "people.index", "adam"),
    Look("person", "people.show", "adam"),
    Look("invite", "people.invite", "adam"),
    Look("me", "accounts.me"),
    Look("me-confirm", "accounts.confirm"),
    Look("me-password", "accounts.password"),
    Look("me-second-factor", "accounts.second_factor"),
    Look("passkey-new", "passkeys.add"),
    Look("passkey-rename", "passkeys.rename"),
    Look("me-tokens", "tokens.index"),
    Look("me-tokens-none", "tokens.index", "mona"),
    Look("me-token-new", "tokens.make"),
    Look("me-calendar", "feeds.index"),
    Look("me-calendar-off", "feeds.index", "mona"),
    Look("help-api", "programs.index"),
    Look("kept-text", "parking.show"),
    Look("sign-in", "security.login", None),
    Look("forgotten-password", "resets.ask", None),
    Look("new-password", "resets.reset", None),
    Look("invitation", "invitations.accept", None),
    Look("set-up-over", "invitations.set_up", None, status=410),
    Look("invitation-over", "invitations.accept", None, blanks=lambda usual: {**usual, "secret": "used-up"}, status=410),
    Look("incident-of-nobody", "incidents.show", blanks=lambda usual: {**usual, "reference": "INC-2026-9999"}, status=404),
    Look("people-of-an-officer", "people.index", "ines", status=403),
)

#: pages that one comes to only by signing in; test_passkeys.py walks there
BY_STEPS = {"security.code", "security.recovery", "security.set_up_code"}

#: what answers GET and is no page: files, lists for spreadsheets, ways on, the health for machines
NO_PAGES = {"static", "health.healthz", "health.readyz", "metrics.show", "incidents.export", "people.export", "evidence.download", "notices.text", "board.home", "checklists.find", "security.logout", "feeds.read"}
