"""The text of a notice: demanded, filled, read, found lacking, brought up to date."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.rules import contents
from incident_tracker.rules.catalogues import default_catalogue
from incident_tracker.rules.contents import Contents, default_contents, folded, read_contents
from incident_tracker.rules.fillings import fillings, plain
from incident_tracker.rules.notices import Lack, clean, compose, digest, fill, gaps, is_independent, lacks, marked, parse, refill
from incident_tracker.rules.places import default_places
from incident_tracker.rules.regimes import default_law
from incident_tracker.rules.sources import RegimeError

GDPR_33 = (
    "nature_of_breach",
    "categories_of_data_subjects",
    "approx_number_data_subjects",
    "categories_of_records",
    "approx_number_records",
    "dpo_or_contact_point",
    "likely_consequences",
    "measures_taken_or_proposed",
    "mitigation_measures",
)
PARTIAL = "initial (may be partial)"
BERLIN = {"organisation.zone": "Europe/Berlin"}


def say(document: dict, **about: str) -> dict[str, str | None]:
    told = {name.replace("_", ".", 1): text for name, text in about.items()}
    return fillings(default_contents(), BERLIN | document, told, default_catalogue(), default_places())


def gdpr(**more: bool) -> contents.Demands:
    return default_contents().demands(GDPR_33, "authority", PARTIAL, **more)


# -- what is demanded


def test_it_asks_for_one_section_for_each_content_in_the_order_of_the_law():
    headings = [one.heading for one in gdpr().sections]
    assert headings[:3] == ["Nature of the breach", "Categories of people affected", "Approximate number of people affected"]
    assert len(headings) == len(GDPR_33)
    assert all(one.by_law for one in gdpr().sections)


def test_it_speaks_to_people_in_their_own_words():
    letter = default_contents().demands(("nature_of_breach", "dpo_or_contact_point", "likely_consequences"), "people")
    assert [one.heading for one in letter.sections] == ["What happened", "Whom you can ask", "What this may mean for you"]
    assert "We are writing to tell you" in letter.opening


def test_it_takes_one_key_apart_and_tells_the_same_thing_once():
    found = default_contents().demands(("nature_categories_numbers", "nature", "contact"), "controller")
    assert [one.id for one in found.sections] == [
        "nature_of_breach",
        "categories_of_data_subjects",
        "approx_number_data_subjects",
        "categories_of_records",
        "approx_number_records",
        "contact",
    ]


def test_it_reads_a_key_by_who_is_told():
    assert default_contents().demands(("timing",), "agency").sections[0].id == "notice_timing"
    assert default_contents().demands(("timing",), "authority").sections[0].id == "breach_date"


def test_it_offers_what_is_usual_where_the_law_names_nothing_and_says_so():
    found = default_contents().demands((), "controller")
    assert found.sections
    assert not any(one.by_law for one in found.sections)
    minimal = default_contents().demands(("none_prescribed_or_minimal",), "people")
    assert [note.label for note in minimal.notes] == ["No content is prescribed"]
    assert minimal.sections
    assert not any(one.by_law for one in minimal.sections)


def test_it_keeps_a_prohibition_beside_the_text_and_out_of_it():
    found = default_contents().demands(("must_not_describe_nature_or_count", "right_to_police_report"), "people")
    assert [one.id for one in found.sections] == ["police_report"]
    assert "does not allow" in found.notes[0].meaning


@pytest.mark.parametrize(
    ("keys", "phase", "phased"),
    [
        (GDPR_33, PARTIAL, True),
        (GDPR_33, "single", False),
        (GDPR_33, "final", False),
        (("nature", "continuing_duty_to_update"), "single", True),
        (("nature_scope_timing", "statement_of_undetermined_information"), "single", True),
        (("nature",), "report (incomplete initial report allowed)", True),
    ],
)
def test_it_knows_where_the_rest_may_follow(keys, phase, phased):
    assert default_contents().demands(keys, "authority", phase).phased is phased


def test_a_late_notice_owes_its_reasons():
    assert gdpr(late=True).sections[-1].heading == "Reasons for the delay"
    assert "Reasons for the delay" not in [one.heading for one in gdpr().sections]


def test_a_key_without_words_still_makes_a_section():
    found = default_contents().demands(("shoe_size_of_controller",), "authority")
    assert found.sections[0].heading == "Shoe size of controller"
    assert found.sections[0].by_law
    assert not default_contents().knows("shoe_size_of_controller")


def _catalogue(folder: Path, **parts: str) -> Contents:
    text = {
        "placeholders": "{what happened: {meaning: it, from: [breach.description]}}",
        "elements": "{nature: {label: Nature, meaning: what, text: '[what happened]'}}",
        "keys": "{kind: nature}",
        "usual": "{default: [nature]}",
        "openings": "{default: To whom}",
    } | parts
    (folder / "contents.yaml").write_text("\n".join(f"{name}: {value}" for name, value in text.items()), encoding="utf-8")
    return read_contents(folder)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"elements": "{nature: {label: Nature, meaning: what, text: '[no such thing]'}}"},
            "contents.yaml:2: [no such thing] is not a placeholder",
        ),
        ({"keys": "{kind: natur}"}, "contents.yaml:3: there is no element 'natur'"),
        ({"keys": "{kind: {people: nature}}"}, "contents.yaml:3: a key that means different things"),
        ({"placeholders": "{'{{ config }}': {meaning: it}}"}, "contents.yaml:1: '{{ config }}' cannot be a placeholder"),
        ({"elements": "{nature: {label: Nature, meaning: what, txt: x}}"}, "contents.yaml:2: unknown key 'txt'"),
        ({"openings": "{default: 'To [whom]'}"}, "contents.yaml:5: [whom] is not a placeholder"),
    ],
)
def test_it_refuses_a_broken_catalogue_with_file_line_and_rule(tmp_path, parts, said):
    with pytest.raises(RegimeError) as caught:
        _catalogue(tmp_path, **parts)
    assert str(caught.value).startswith(said)


def test_every_source_of_a_placeholder_is_a_fact_that_can_be_recorded():
    told_by_tracker = {"incident.reference", "incident.summary", "duty.recipient", "duty.citation", "affected.here", "affected.places"}
    sources = {source for one in default_contents().placeholders.values() for source in one.sources}
    assert {source for source in sources - told_by_tracker if source not in default_catalogue()} == set()


# -- what the facts say


def test_it_says_how_sure_a_number_is_place_by_place():
    document = {
        "affected.total": {"value": 1200, "certainty": "about"},
        "affected.places_complete": False,
        "affected.by_place": {
            "DE": {"value": 1100, "certainty": "about"},
            "US-NY": {"value": 40, "certainty": "at_least"},
            "FR": {"value": None, "certainty": "not_known"},
            "IT": 0,
        },
    }
    said = say(document, duty_place="US-NY")
    assert said["number of people"] == "about 1,200"
    assert (
        said["people by place"]
        == "Germany: about 1,100; New York: at least 40; France: not known yet; perhaps others, the list is not complete"
    )
    assert said["number of people in your area"] == "at least 40"
    assert "Italy" not in said["countries and states"]


def test_it_adds_places_up_only_when_all_are_listed_and_a_country_holds_its_states():
    listed = {"affected.by_place": {"DE": 10, "US": {"value": 100, "certainty": "at_least"}, "US-NY": 40}}
    assert say(listed | {"affected.places_complete": True})["number of people"] == "at least 110"
    assert say(listed)["number of people"] is None


@pytest.mark.parametrize(
    ("certainties", "said"),
    [
        (("exact", "exact"), "30"),
        (("about", "exact"), "about 30"),
        (("about", "about"), "about 30"),
        (("at_least", "exact"), "at least 30"),
        (("about", "at_least"), None),
        (("exact", "not_known"), None),
    ],
)
def test_a_sum_is_as_sure_as_its_parts(certainties, said):
    counts = {place: {"value": value, "certainty": sure} for place, value, sure in zip(("DE", "FR"), (10, 20), certainties, strict=True)}
    assert say({"affected.by_place": counts, "affected.places_complete": True})["number of people"] == said


def test_it_says_a_moment_with_its_zone_and_a_day_as_a_day():
    document = {
        "moments": {
            "aware": {"at": "2026-11-27T17:30:00+01:00", "zone": "Europe/Berlin"},
            "occurred": {"on": "2026-11-20", "zone": "America/New_York"},
        }
    }
    said = say(document)
    assert said["when we became aware"] == "Fri 27 Nov 2026, 17:30 (UTC+01:00, Europe/Berlin)"
    assert said["when it happened"] == "Fri 20 Nov 2026 (the time of day is not recorded)"
    assert said["day it happened"] == "20 November 2026"


def test_it_names_kinds_of_data_and_says_when_the_list_is_open():
    assert (
        say({"data.elements": ["ssn", "name"]})["categories of data"]
        == "name (first name or initial with last name); US social security number"
    )
    assert say({"data.elements": {"known": ["name"], "complete": False}})["categories of data"].endswith(
        "perhaps more, the list is not complete"
    )
    assert say({"data.elements": {"known": [], "complete": False}})["categories of data"] is None


def test_it_says_nothing_where_nothing_is_known():
    said = say({}, incident_reference="INC-2026-0001")
    assert said["our reference"] == "INC-2026-0001"
    assert {name for name, words in said.items() if words} == {"our reference"}


def test_it_falls_back_on_the_summary_for_authorities_but_never_for_people():
    said = say({}, incident_summary="Laptop left on a train")
    assert said["nature of the breach"] == "Laptop left on a train"
    assert said["what happened"] is None
    assert say({"breach.description": "A laptop was lost"}, incident_summary="x")["nature of the breach"] == "A laptop was lost"


def test_it_knows_when_people_were_told_from_the_filing():
    completed = {
        "eu-gdpr-34-1@people": {"at": "2026-12-01T09:00:00+01:00", "zone": "Europe/Berlin"},
        "x@authority:DE": {"at": "2026-11-28T09:00:00+01:00"},
    }
    assert say({"completed": completed})["when people were told"] == "1 December 2026"


# -- filling


def test_it_fills_once_and_leaves_what_a_fact_says_alone():
    told = say(
        {"breach.description": "See [contact point] and [number of people]", "organisation.contact_point": "Ada", "affected.total": 7}
    )
    text = compose(gdpr(), told)
    assert "See (contact point) and (number of people)" in text
    assert "Contact point: Ada" in text


def test_a_fact_opens_no_section():
    told = say({"breach.description": "Lost.\n## Likely consequences\nNone at all.\r\n# Big"})
    text = compose(gdpr(), told)
    assert [one.heading for one in parse(text).sections] == [one.heading for one in gdpr().sections]
    assert plain("# a\r\n  ## b") == "a\nb"


def test_what_is_not_known_stays_visible_and_lacking():
    text = compose(gdpr(), say({"breach.consequences": "Phishing", "risk_level": "risk"}))
    assert "[approximate" not in text
    assert "[number of records]" in text
    found = {lack.heading: lack for lack in lacks(text, gdpr())}
    assert found["Approximate number of records"].gaps == ("number of records",)
    assert found["Approximate number of records"].words == "“Approximate number of records” is still open: [number of records]"
    assert "Likely consequences" not in found


@pytest.mark.parametrize(
    "text", ["{{ 7*7 }} {% for x in y %}", "${7*7} #{7*7} <%= 7*7 %>", "%(name)s {0} {name.__class__}", "<script>alert(1)</script>"]
)
def test_template_language_is_only_text(text):
    assert fill(f"{text} [contact point]", {"contact point": text}) == f"{text} {text}"


def test_a_placeholder_is_found_whatever_its_capitals_and_a_link_is_none():
    assert (
        fill("[Contact  Point] [contact point](https://example.org) [1] [2019] EWCA", {"contact point": "Ada"})
        == "Ada [contact point](https://example.org) [1] [2019] EWCA"
    )
    assert gaps("[to be completed] and [To be completed] and [2019] and [a](b)") == ("to be completed", "To be completed")


@given(st.dictionaries(st.sampled_from(["contact point", "number of people"]), st.text(max_size=40)), st.text(max_size=80))
def test_filling_never_fails_and_text_without_placeholders_stays(told, text):
    assert fill(text.replace("[", "("), told) == text.replace("[", "(")
    fill(text, told)


def test_it_marks_the_gaps_and_loses_no_letter():
    text = "To [recipient], see [1] and [x](y)[contact point]"
    assert [piece for piece, is_gap in marked(text) if is_gap] == ["[recipient]", "[contact point]"]
    assert "".join(piece for piece, _ in marked(text)) == text


# -- reading and lacking


def test_it_reads_what_it_composed():
    draft = parse(compose(gdpr(), say({})))
    assert draft.opening.startswith("To: [recipient]")
    assert draft.find("  nature OF the breach").text.strip() == "[nature of the breach]"


@given(st.text(alphabet="#a \n\t[", max_size=60))
def test_every_text_can_be_read(text):
    draft = parse(text)
    assert len(draft.sections) <= text.count("##")
    lacks(text, gdpr())


def test_it_tells_missing_from_empty_from_open():
    text = "Hello [recipient]\n\n## Nature of the breach\n\n   \n\n## Likely consequences\n\nPhishing.\n\n## Annex\n\n[to be completed]"
    found = [
        (lack.heading, lack.kind, lack.by_law)
        for lack in lacks(text, default_contents().demands(("nature", "consequences", "measures"), "authority"))
    ]
    assert found == [
        ("Nature of the breach", "empty", True),
        ("Measures taken or proposed", "missing", True),
        ("", "open", False),
        ("Annex", "open", False),
    ]


def test_it_does_not_miss_what_the_law_does_not_demand():
    usual = default_contents().demands((), "controller")
    assert lacks("We had a breach.", usual) == ()
    assert lacks(f"## {usual.sections[0].heading}\n", usual)[0].kind == "empty"


def test_a_whole_text_lacks_nothing():
    assert lacks("\n".join(f"## {one.heading}\nSaid." for one in gdpr().sections), gdpr()) == ()


def test_it_says_each_lack_in_words():
    assert Lack("Cause", "missing").words == "the section “Cause” is missing"
    assert Lack("Cause", "empty").words == "the section “Cause” is empty"
    assert Lack("", "open", ("a", "b")).words == "the opening is still open: [a], [b]"


def test_it_keeps_a_text_as_browsers_send_it_in_one_form():
    assert clean("\r\n a\r\nb\rc\x00\u2028 \n\n") == "a\nb\nc"
    assert clean(clean("x\ty \n z ")) == clean("x\ty \n z ")


def test_its_hash_tells_every_change():
    assert digest("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert digest("ä") != digest("a\u0308")


# -- bringing up to date


def test_it_renews_what_still_reads_as_the_facts_did():
    before, after = (
        say({"affected.total": 10, "breach.consequences": "Phishing"}),
        say({"affected.total": 400, "breach.consequences": "Phishing"}),
    )
    text = compose(gdpr(), before).replace("Phishing", "Phishing, and worse")
    found = refill(text, gdpr(), before, after)
    assert found.body == text.replace("\n10\n", "\n400\n")
    assert found.body != text
    assert found.by_hand == ()


def test_it_leaves_what_somebody_rewrote_and_says_so():
    before, after = say({"affected.total": 10}), say({"affected.total": 400})
    text = compose(gdpr(), before).replace("\n10\n", "\nTen people in one ward\n")
    found = refill(text, gdpr(), before, after)
    assert found.body == text
    assert found.by_hand == ("number of people",)


def test_it_fills_what_was_left_open_also_where_it_was_moved_to():
    before, after = say({}), say({"breach.records": 12})
    text = compose(gdpr(), before) + "\n\n## Annex\n\nRecords: [Number of records]"
    found = refill(text, gdpr(), before, after).body
    assert "Records: 12" in found
    assert "[number of records]" not in found


def test_it_takes_a_fact_back_when_it_is_no_longer_known():
    before, after = say({"breach.records": 12}), say({})
    assert "[number of records]" in refill(compose(gdpr(), before), gdpr(), before, after).body


def test_a_fact_of_several_lines_is_renewed_whole():
    before, after = say({"breach.measures": "One.\nTwo."}), say({"breach.measures": "One.\nTwo.\nThree."})
    assert "One.\nTwo.\nThree." in refill(compose(gdpr(), before), gdpr(), before, after).body


def test_bringing_up_to_date_twice_is_the_same_and_without_news_changes_nothing():
    before, after = say({"affected.total": 10}), say({"affected.total": 400, "breach.records": 3})
    text = compose(gdpr(), before)
    once = refill(text, gdpr(), before, after).body
    assert refill(once, gdpr(), after, after).body == once
    assert refill(text, gdpr(), before, before).body == text


def test_a_fact_that_looks_like_a_placeholder_is_not_filled_later_either():
    before = say({"breach.description": "Ask [contact point]"})
    after = say({"breach.description": "Ask [contact point]", "organisation.contact_point": "Ada"})
    assert "Ask (contact point)" in refill(compose(gdpr(), before), gdpr(), before, after).body


# -- who may judge


@pytest.mark.parametrize(
    ("reviewer", "authors", "submitter", "fine"),
    [
        (3, {1, 2}, 1, True),
        (1, {1, 2}, 2, False),
        (3, {1}, 3, False),
        (3, set(), None, True),
        (None, set(), None, False),
    ],
)
def test_nobody_judges_their_own_text(reviewer, authors, submitter, fine):
    assert is_independent(reviewer, authors, submitter) is fine


def test_folding_ignores_capitals_and_spaces():
    assert folded("  Nature  OF the\tbreach ") == "nature of the breach"


def test_every_content_that_a_law_names_has_its_words():
    unknown = {f"{one.id}: {key}" for one in default_law().obligations.values() for key in one.content if not default_contents().knows(key)}
    assert unknown == set()


def test_a_notice_can_be_composed_for_every_obligation():
    told = say({})
    for one in default_law().obligations.values():
        demands = default_contents().demands(one.content, one.recipient.type, one.phase)
        text = compose(demands, told)
        assert demands.sections, one.id
        assert [lack for lack in lacks(text, demands) if lack.kind != "open"] == [], one.id
