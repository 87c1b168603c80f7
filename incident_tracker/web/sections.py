"""Long lists of choices under headings, so that nobody reads a hundred lines to tick one."""

from collections.abc import Iterable
from typing import Any

#: a list shorter than this needs no headings
LONG = 30

#: heading and the beginnings of the values under it, tried in order; what fits nothing stands with the United States
HEADINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("none_of_these",)),
    ("European Union", ("eu_", "nis2_", "dora_", "eudi_", "cer_", "cra_", "ai_")),
    ("United Kingdom", ("uk_",)),
    ("Contracts and insurance", ("card_schemes", "cyber_insured", "transfer_clauses")),
    ("Insurers in the United States", ("insurance_licensee_",)),
    ("Public bodies of US states", ("ga_", "hi_", "il_", "ky_", "nd_", "pa_", "ri_", "ut_", "va_", "ny_", "ca_licensed")),
    ("Other countries", ("ch_", "ca_", "mx_", "cl_", "au_", "sg_", "hk_", "kr_", "cn_", "tw_", "in_", "my_", "ae_", "qa_", "kw_")),
    ("United States", ("",)),
)


def sectioned(options: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    """The options of a set of boxes by heading; one part without a heading where there are few."""
    listed = list(options)
    if len(listed) < LONG:
        return [("", listed)]
    parts: dict[str, list[Any]] = {heading: [] for heading, _ in HEADINGS}
    for option in listed:
        parts[next(heading for heading, begins in HEADINGS if str(option.data).startswith(begins))].append(option)
    return [(heading, found) for heading, found in parts.items() if found]
