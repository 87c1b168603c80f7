"""What changed between two texts: readable, and nothing lost of either."""


from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.rules.differences import difference

OLD = "To: the authority\n\n## Nature\n\nA laptop was lost on a train.\n\n## Measures\n\nNone yet.\n\n## Contact\n\nAda"


def states(before: str, after: str) -> list[tuple[str, str]]:
    return [(one.heading, one.state) for one in difference(before, after)]


def runs(before: str, after: str, heading: str) -> list[tuple[str, str]]:
    return [(run.kind, run.text) for one in difference(before, after) if one.heading == heading for run in one.runs]


def test_the_same_text_differs_in_nothing():
    assert difference(OLD, OLD) == ()


def test_it_shows_the_words_that_changed_and_the_rest_around_them():
    found = runs(OLD, OLD.replace("on a train", "in a taxi in Berlin"), "Nature")
    assert found == [
        ("same", "A laptop was lost "),
        ("removed", "on"),
        ("added", "in"),
        ("same", " a "),
        ("removed", "train"),
        ("added", "taxi in Berlin"),
        ("same", "."),
    ]


def test_it_reads_a_changed_phrase_as_one_change():
    found = runs("## A\nsmall red apple here", "## A\nlarge green pear here", "A")
    assert found == [("removed", "small red apple"), ("added", "large green pear"), ("same", " here")]


def test_a_placeholder_changes_as_a_whole():
    found = runs("## A\n[categories of people] there", "## A\npatients and people there", "A")
    assert found == [("removed", "[categories of people]"), ("added", "patients and people"), ("same", " there")]


def test_it_tells_added_removed_and_moved_sections():
    assert states(OLD, OLD + "\n\n## Annex\n\nMore")[-1] == ("Annex", "added")
    without = OLD.replace("## Measures\n\nNone yet.\n\n", "")
    assert states(OLD, without) == [("", "same"), ("Nature", "same"), ("Measures", "removed"), ("Contact", "same")]
    swapped = "To: the authority\n\n## Measures\n\nNone yet.\n\n## Nature\n\nA laptop was lost on a train.\n\n## Contact\n\nAda"
    assert "moved" in {state for _, state in states(OLD, swapped)}
    assert len(states(OLD, swapped)) == 4


def test_it_keeps_sections_of_one_name_apart():
    assert states("## A\none\n## A\ntwo", "## A\none\n## A\nthree") == [("A", "same"), ("A", "changed")]


def test_it_says_when_only_spaces_changed():
    found = difference("## A\n\none\n\n\n## B\nx", "## A\n\none\n## B\nx")
    assert [(one.state, one.runs[0].text) for one in found] == [("changed", "Only spaces or blank lines changed.")]


def test_it_carries_markup_as_text():
    assert ("added", "<script>alert(1)</script>") in runs("## A\nx ", "## A\nx <script>alert(1)</script>", "A")


@given(st.text(alphabet="ab \n#é", max_size=60), st.text(alphabet="ab \n#é", max_size=60))
def test_no_word_of_either_text_is_lost(before, after):
    found = difference(before, after)
    if not found or (found[0].runs and found[0].runs[0].text.startswith("Only spaces")):
        assert before.replace("#", "").split() == after.replace("#", "").split()
        return
    kept = "".join(
        f"\n## {one.heading} " * bool(one.heading) + "".join(run.text for run in one.runs if run.kind != "removed")
        for one in found
        if one.state != "removed"
    )
    assert sorted(kept.replace("#", "").split()) == sorted(after.replace("#", "").split())


def test_a_long_hostile_text_is_compared():
    assert difference("a b " * 12_000, "b a a " * 12_000)
    assert difference("\n".join("ab"[n % 2] for n in range(40_000)), "\n".join("ba"[n % 3 == 0] for n in range(40_000)))
