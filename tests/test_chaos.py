"""A short storm: workers are killed, the mail server and the database go away, the clock is moved, and every warning arrives. `make chaos` is the long one."""

import pytest

from tests.chaos.run import Storm, blow

SHORT = {"warnings": 150, "due_within": 8, "seconds": 12, "patience": 330}


@pytest.mark.slow
@pytest.mark.parametrize("storm", [Storm("postgresql", 3, **SHORT), Storm("sqlite", 1, **SHORT)], ids=["three workers on postgresql", "one on sqlite"])  # type: ignore[arg-type]
def test_every_warning_arrives_and_none_twice_without_a_way_to_tell(storm: Storm) -> None:
    outcome = blow(storm)
    assert outcome.lost == []
    assert outcome.doubled == []
    assert outcome.dead == 0
    assert outcome.repeated <= outcome.damage.total
    assert outcome.damage.kills >= 1, "nothing was killed: the test tests nothing"
    assert outcome.mails == outcome.planted + outcome.repeated
