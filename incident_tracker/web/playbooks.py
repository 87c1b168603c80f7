"""The library of playbooks: which there are, and what each asks for."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from incident_tracker import library
from incident_tracker.errors import NotFound
from incident_tracker.rules.playbooks import CLOCKS, KINDS, PHASES, ROLES, START, DueRule, Playbook
from incident_tracker.web.facts import label_of

pages = Blueprint("playbooks", __name__)


@pages.get("/playbooks")
def index() -> ResponseReturnValue:
    """All playbooks, by title."""
    playbooks = sorted(library.shelf().playbooks.values(), key=lambda one: one.title)
    return render_template("playbooks/index.html", playbooks=playbooks, kind_words=KINDS)


@pages.get("/playbooks/<playbook_id>")
def show(playbook_id: str) -> ResponseReturnValue:
    """One playbook, step by step."""
    playbook = named(playbook_id)
    base_title = named(playbook.extends).title if playbook.extends else ""
    return render_template("playbooks/show.html", playbook=playbook, base_title=base_title, kind_words=KINDS, **words(playbook))


def named(playbook_id: str) -> Playbook:
    """The playbook with this id. Raises NotFound."""
    found: Playbook | None = library.shelf().playbooks.get(playbook_id)
    if found is None:
        raise NotFound("playbook")
    return found


def words(*playbooks: Playbook) -> dict[str, object]:
    """What the templates need to speak of the steps of `playbooks`: roles, due times, titles and facts in words."""
    titles = {(one.id, step.id): step.title for one in playbooks for step in one.steps}
    return {"phase_words": PHASES, "role_words": ROLES, "due_words": due_words, "fact_words": label_of, "titles": titles}


def due_words(rule: DueRule) -> str:
    """`2 h after “Became aware”`."""
    return rule.words(anchor_words(rule.anchor))


def anchor_words(anchor: str) -> str:
    """What a due time is counted from, in words."""
    if anchor == START:
        return "the checklist is started"
    return CLOCKS[anchor][0] if anchor in CLOCKS else f"“{label_of(anchor)}”"
