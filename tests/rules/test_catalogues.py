"""The catalogue of facts: every key of a fact is read, families lend their words, later files win."""

from pathlib import Path

import pytest

from incident_tracker.rules.authorities import Authority, read_authorities
from incident_tracker.rules.catalogues import Catalogue, FactSpec, TriggerSpec, read_catalogue
from incident_tracker.rules.chronicles import Chronicle, Start
from incident_tracker.rules.facts import Moment
from incident_tracker.rules.places import default_places
from incident_tracker.rules.sources import RegimeError, parse_yaml

FACTS = """weather:
  kind: choice
  label: Weather
  question: What is the weather?
  help: Look out.
  group: outside
  choices: {fair: fair weather, foul: foul weather}
  ordered: true
  implies: {foul: [wind, rain]}
  assumed: fair
  unit: degrees
  each: What is the weather in {place}?
  per: place
  of: places
sea: {kind: flag, label: Sea, question: "Is there a sea in {place}?", per: regime}
tide: {kind: flag, label: Tide, derive: [any_in_group, sea, EU]}
"""
TRIGGERS = "storm: {label: The storm began, moments: [storm, wind]}\n"


def catalogue(folder: Path, facts: str = FACTS, triggers: str = TRIGGERS) -> Catalogue:
    (folder / "facts.yaml").write_text(facts, encoding="utf-8")
    (folder / "triggers.yaml").write_text(triggers, encoding="utf-8")
    return read_catalogue(folder)


def test_every_key_of_a_fact_is_read(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    assert found["weather"] == FactSpec(
        "weather", "choice", "Weather", "What is the weather?", "Look out.", "outside", (("fair", "fair weather"), ("foul", "foul weather")), True, "place", "places",
        (("foul", ("wind", "rain")),), (), "fair", "degrees", "What is the weather in {place}?",
    )
    assert found["tide"] == FactSpec("tide", "flag", "Tide", "", derive=("any_in_group", "sea", "EU"))
    assert (found["tide"].ordered, found["weather"].choice_values, found["weather"].label_of("foul"), found["weather"].label_of("mild")) == (
        False, ("fair", "foul"), "foul weather", "mild",
    )
    assert found.triggers == {"storm": TriggerSpec("storm", "The storm began", ("storm", "wind"))}
    assert (list(found), len(found)) == (["weather", "sea", "tide"], 3)


def test_a_member_of_a_family_has_its_place_in_its_words(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    member = found["weather.DE"]
    assert (member.name, member.label, member.question, member.per, member.kind) == ("weather.DE", "Weather (DE)", "What is the weather in DE?", None, "choice")
    assert found["sea.us-ny"].question == "Is there a sea in us-ny?"
    assert found["weather.DE"] is member
    assert (found.family("weather.DE"), found.family("tide.DE"), found.family("weather"), found.family("wind.DE")) == (("weather", "DE"), None, None, None)
    assert found.find("tide.DE") is None
    with pytest.raises(KeyError, match=r"wind\.DE"):
        found["wind.DE"]


def test_a_later_catalogue_wins_and_adds(tmp_path: Path) -> None:
    first = catalogue(tmp_path)
    other = Catalogue({"sea": FactSpec("sea", "flag", "Ocean", "?"), "sun": FactSpec("sun", "flag", "Sun", "?")}, {"dawn": TriggerSpec("dawn", "Dawn", ("dawn",))})
    merged = first.merged(other)
    assert (merged["sea"].label, merged["weather"].label, list(merged), sorted(merged.triggers)) == ("Ocean", "Weather", ["weather", "sea", "tide", "sun"], ["dawn", "storm"])
    assert len(read_catalogue(tmp_path / "none")) == 0


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("x: {kind: mood, label: X, question: Q}", "'mood' is not one of flag, choice, set, count, moment, text, number"),
        ("x: {kind: flag, label: X}", "a fact that is not derived needs a question"),
        ("x: {kind: choice, label: X, question: Q}", "a choice needs its choices"),
        ("x: {kind: flag, label: X, derive: [magic]}", "'magic' is not one of any_in_group, personal_information, highest_by_place, hours_between, concerned_in"),
        ("x: {kind: flag, label: X, question: Q, per: person}", "'person' is not one of place, regime"),
        ("x: {kind: flag, label: X, question: Q, ordered: yes}", "'yes' is not one of true, false"),
        ("x: {kind: flag, question: Q}", "the key 'label' is missing"),
    ],
)
def test_a_fact_that_cannot_be_asked_is_refused(tmp_path: Path, facts: str, message: str) -> None:
    with pytest.raises(RegimeError, match=f"^facts.yaml:1: {message}"):
        catalogue(tmp_path, facts)


def moment(day: int) -> Moment:
    return Moment.parse(f"2026-11-{day:02d}", zone="UTC")


STORM = {"storm": TriggerSpec("storm", "The storm began", ("gust", "wind", "rain"))}


@pytest.mark.parametrize(
    ("moments", "start"),
    [
        ({"storm": moment(1), "gust": moment(2)}, Start(moment(1), "The storm began")),
        ({"gust": moment(2), "wind": moment(1)}, Start(moment(2), "The storm began")),
        ({"wind": moment(3), "rain": moment(1)}, Start(moment(3), "Wind came up", stands_in_for="The storm began")),
        ({"rain": moment(4)}, Start(moment(4), "rain", stands_in_for="The storm began")),
        ({"sun": moment(5)}, None),
    ],
)
def test_a_clock_starts_with_the_law_s_own_moment_else_with_the_next_that_stands_in(moments: dict[str, Moment], start: Start | None) -> None:
    assert Chronicle(moments, {}, STORM).start("storm", {"wind": "Wind came up", "gust": "A gust"}) == start


def test_a_duty_was_done_when_it_was_done_for_this_recipient_for_all_or_first_for_any() -> None:
    done = {"one@a": moment(5), "one@b": moment(3), "two": moment(4), "two@a": moment(2), "onerous@a": moment(1)}
    found = Chronicle({}, done, {})
    assert [found.completion("one", who) for who in ("a", "b", "c", "")] == [moment(5), moment(3), moment(3), moment(3)]
    assert [found.completion("two", who) for who in ("a", "b")] == [moment(2), moment(4)]
    assert found.completion("three") is None
    assert found.first_completion(("one", "two", "three"), "a") == moment(2)
    assert found.first_completion(("one", "two"), "c") == moment(3)
    assert found.first_completion(("three",)) is None


OFFICE = "XO: {place: DE-BE, kind: agency, name: The office, language: de}\n"


def test_an_authority_has_the_zone_and_the_calendar_of_its_place_unless_it_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "authorities.yaml").write_text(OFFICE + "XF: {place: US, kind: csirt, name: F, language: en}\n", encoding="utf-8")
    found = read_authorities(default_places(), tmp_path / "none", tmp_path)
    assert found["XO"] == Authority("XO", "DE-BE", "agency", "The office", "de", "Europe/Berlin", "DE-BE", None, "memory")
    assert found["XF"].calendar == "us-federal"
    more = OFFICE.replace("}", ", zone: UTC, calendar: FR, portal: 'https://x.example/', confidence: text_read, notes: n}")
    (tmp_path / "authorities.yaml").write_text(more, encoding="utf-8")
    assert read_authorities(default_places(), tmp_path)["XO"] == Authority("XO", "DE-BE", "agency", "The office", "de", "UTC", "FR", "https://x.example/", "text_read")


@pytest.mark.parametrize(("old", "new", "message"), [("DE-BE", "QQ", "the place 'QQ' is not in places.yaml"), ("agency", "king", "'king' is not one of data_protection")])
def test_an_authority_without_a_place_or_a_kind_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "authorities.yaml").write_text(OFFICE.replace(old, new), encoding="utf-8")
    with pytest.raises(RegimeError, match=f"^authorities.yaml:1: {message}"):
        read_authorities(default_places(), tmp_path)


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("[1]", "mapping", "expected a mapping of keys to values"),
        ("a: 1", "items", "expected a list"),
        ("[1]", "text", "expected text"),
        ("~", "text", "expected text"),
        ("few", "integer", "expected a whole number, found 'few'"),
        ("yes", "flag", "'yes' is not one of true, false"),
        ("2026-13-01", "day", "expected a day as YYYY-MM-DD, found '2026-13-01'"),
        ("[[1]]", "texts", "expected text"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_with_its_line(text: str, read: str, message: str) -> None:
    node = parse_yaml(f"\nkey: {text}\n" if text[0] != "a" else f"\nkey: {{{text}}}\n", "x.yaml").mapping()["key"]
    with pytest.raises(RegimeError, match=rf"^x.yaml:2: {message}$".replace("[", r"\[")):
        getattr(node, read)()


def test_values_are_read_in_their_forms() -> None:
    keys = parse_yaml("{n: 012, f: 'true', g: 'false', d: 2026-11-27, e: ~, t: one, l: [one, two], q: 'null', z: ''}", "x.yaml").mapping("n f", "g d e t l q z")
    assert (keys["n"].integer(), keys["f"].flag(), keys["g"].flag(), keys["d"].day() is None, keys["e"].day()) == (12, True, False, False, None)
    assert (keys["t"].texts(), keys["l"].texts(), keys["e"].texts(), keys["e"].text_or_none(), keys["t"].text_or_none()) == (("one",), ("one", "two"), (), None, "one")
    assert (keys["q"].text(), keys["z"].text(), list(keys["e"].items())) == ("null", "", [])
    assert parse_yaml("", "x.yaml").mapping() == {}
    assert (parse_yaml("", "x.yaml").file, parse_yaml("", "x.yaml").line) == ("x.yaml", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: the key 'a' is written twice"),
        ("a: 1\nb: [\n", "x.yaml:3: not readable as YAML: "),
        ("a: 1\nc: 2\n", "x.yaml:2: unknown key 'c'; known here: a, b"),
        ("b: 2\n", "x.yaml:1: the key 'a' is missing"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(RegimeError) as refused:
        parse_yaml(text, "x.yaml").mapping("a", "b")
    assert str(refused.value).startswith(message)
