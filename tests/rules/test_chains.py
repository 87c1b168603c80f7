"""The hash chain of the audit trail: whatever was changed, taken out, added or cut off shows, and where."""

from hashlib import sha256
from typing import Any

from incident_tracker.rules.chains import ROOT, find_break, link

Entry = tuple[dict[str, Any], str, str]


def chain(*deeds: str) -> list[Entry]:
    entries: list[Entry] = []
    last = ROOT
    for number, deed in enumerate(deeds, 1):
        content = {"id": number, "deed": deed}
        own = link(last, content)
        entries.append((content, last, own))
        last = own
    return entries


def found(entries: list[Entry], head_id: int | None = None, head_hash: str | None = None) -> tuple[int, str] | None:
    at = find_break(entries, len(entries) if head_id is None else head_id, (entries[-1][2] if entries else ROOT) if head_hash is None else head_hash)
    return (at.entry_id, at.text) if at else None


WHOLE = chain("opened", "Größe geschätzt", "closed")


def test_a_whole_chain_holds_and_so_does_an_empty_one() -> None:
    assert found(WHOLE) is None
    assert found([]) is None
    assert ROOT == "0" * 64


def test_a_link_is_the_hash_of_the_one_before_and_of_the_sorted_content() -> None:
    text = f'{ROOT}\n{{"a":"ü","b":[1,2]}}'
    assert link(ROOT, {"b": [1, 2], "a": "ü"}) == sha256(text.encode("utf-8")).hexdigest()


def test_what_was_changed_shows_where_it_was_changed() -> None:
    content, before, own = WHOLE[1]
    assert found([WHOLE[0], ({**content, "deed": "nothing"}, before, own), WHOLE[2]]) == (2, "entry 2 was changed after it was written")


def test_what_was_changed_and_hashed_anew_breaks_the_next_link() -> None:
    content, before, _ = WHOLE[1]
    forged = {**content, "deed": "nothing"}
    assert found([WHOLE[0], (forged, before, link(before, forged)), WHOLE[2]]) == (3, "entry 3 does not follow the entry before it")


def test_what_was_taken_out_is_missing() -> None:
    assert found([WHOLE[0], WHOLE[2]]) == (2, "entry 2 is missing")
    assert found(WHOLE[1:]) == (1, "entry 1 is missing")


def test_a_trail_cut_short_is_noticed_by_its_head() -> None:
    assert found(WHOLE[:2], 3, WHOLE[2][2]) == (2, "the trail ends at entry 2, but 3 were written")
    assert found([], 3, WHOLE[2][2]) == (0, "the trail ends at entry 0, but 3 were written")
    assert found(WHOLE, 3, WHOLE[1][2]) == (3, "the trail ends at entry 3, but 3 were written")
    assert found(WHOLE, 4, WHOLE[2][2]) == (3, "the trail ends at entry 3, but 4 were written")
