"""What the tracker says of the law it can cite."""

import pytest

from incident_tracker import library
from incident_tracker.rules.regimes import Obligation


@pytest.fixture(scope="module")
def obligations() -> list[Obligation]:
    return list(library.fill().law.obligations.values())


def unsupported(looked_at: list[Obligation]) -> list[str]:
    """Obligations that do not say where they stand, where that was read, and how sure we are."""
    return [f"{one.id}: {name}" for one in looked_at for name in ("citation", "source", "confidence", "title") if not str(getattr(one, name, "") or "").strip()]


def test_it_cites_every_obligation(obligations: list[Obligation]) -> None:
    assert len(obligations) > 30
    assert unsupported(obligations) == []


def test_it_has_obligations_by_their_own_names(obligations: list[Obligation]) -> None:
    assert {one.id for one in obligations} == set(library.fill().law.obligations)


def test_it_would_notice_an_obligation_without_a_citation() -> None:
    class Planted:
        id, citation, source, confidence, title = "eu-x", " ", "a gazette", "text_read", "Tell them"

    assert unsupported([Planted()]) == ["eu-x: citation"]  # type: ignore[list-item]
