"""Rows as CSV that a spreadsheet opens without running anything in it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

#: a cell that begins with one of these would be taken for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV with a head line, CRLF line ends (RFC 4180); text that looks like a formula is quoted with an apostrophe."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _harmless(value) for name, value in row.items()})
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
