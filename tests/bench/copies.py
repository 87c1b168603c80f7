"""A large register, copied row by row from a few incidents: the same duties, warnings, facts and notices at other moments."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, insert, select, text, update
from sqlalchemy.engine import Connection

from incident_tracker.models.alerts import Rung
from incident_tracker.models.base import Base, UTCDateTime
from tests.bench.seeds import Seed

#: rows of other tables are not an incident's own; the trail is a chain that copies would break
LEFT_OUT = {"audit_entry"}
#: so many duties of an incident are copied, however many laws there are: of an open one, of an ended one
DUTIES = {True: 5, False: 3}
#: so many rows go to the database together
BATCH = 5000
#: open incidents are due from so many days ago to so many days ahead; ended ones ended within these years
DUE_DAYS, ENDED_DAYS = (-3, 40), 1000
DEPARTMENTS = ("Billing", "Claims", "Human resources", "Hamburg clinic", "Bremen clinic", "Customer portal", "Research", "Logistics", "Sales", "Reception", "Archive", "Laboratory")

Row = dict[str, Any]


@dataclass
class Plan:
    """What is copied of one incident: its rows by table."""

    seed: Seed
    rows: dict[str, list[Row]] = field(default_factory=dict)


class Copier:
    """Copies incidents inside one transaction; the same `chance` gives the same register."""

    def __init__(self, connection: Connection, seeds: Sequence[Seed], now: datetime) -> None:
        self.connection, self.now = connection, now
        self.chance = random.Random(7)
        self.tables = list(_tables())
        self.moments = {table.name: [column.name for column in table.columns if isinstance(column.type, UTCDateTime)] for table in self.tables}
        self.links = {table.name: list(_links(table, {one.name for one in self.tables})) for table in self.tables}
        self.plans = [self._plan(seed) for seed in seeds]
        self.last = {table.name: connection.scalar(select(func.max(table.c.id))) or 0 for table in self.tables}
        self.leads = list(connection.scalars(text("SELECT person_id FROM person_role JOIN role ON role.id = role_id WHERE role.name = 'officer' ORDER BY person_id")))
        self.waiting: dict[str, list[Row]] = {table.name: [] for table in self.tables}

    def copy(self, open_count: int, ended_count: int) -> None:
        """Add so many open and so many ended incidents."""
        for is_open, count in ((True, open_count), (False, ended_count)):
            plans = [plan for plan in self.plans if plan.seed.is_open is is_open]
            for plan in self.chance.choices(plans, [plan.seed.share for plan in plans], k=count):
                self._copy(plan)
                if len(self.waiting[self.tables[-1].name]) > BATCH or sum(map(len, self.waiting.values())) > 10 * BATCH:
                    self._write()
        self._write()
        # what would have fired before now has fired
        self.connection.execute(update(Rung).where(Rung.ended_at.is_(None), Rung.due_at <= self.now).values(ended_at=Rung.due_at, outcome="fired"))
        catch_up(self.connection)

    def _plan(self, seed: Seed) -> Plan:
        plan, kept = Plan(seed), dict[str, set[int]]()
        for table in self.tables:
            links = self.links[table.name]
            if table.name == "incident":
                query = select(table).where(table.c.reference == seed.reference)
            else:
                column, target = next((name, target) for name, target in links if (target != table.name and not table.c[name].nullable) or name == "incident_id")
                query = select(table).where(table.c[column].in_(kept[target]))
            rows = [dict(row) for row in self.connection.execute(query.order_by(table.c.id)).mappings()]
            if table.name == "duty":
                rows = sorted(rows, key=lambda row: (row["state"] == "undecided", row["conservative_at"] is None, row["id"]))[:DUTIES[seed.is_open]]
            kept[table.name] = {row["id"] for row in rows}
            plan.rows[table.name] = [row for row in rows if all(row[name] is None or row[name] in kept[target] for name, target in links)]
            kept[table.name] = {row["id"] for row in plan.rows[table.name]}
        return plan

    def _copy(self, plan: Plan) -> None:
        delta = self._delta(plan)
        new: dict[str, dict[int, int]] = {}
        for table in self.tables:
            first = self.last[table.name] + 1
            new[table.name] = {row["id"]: first + number for number, row in enumerate(plan.rows[table.name])}
            self.last[table.name] += len(plan.rows[table.name])
        for table in self.tables:
            moments, links, change = self.moments[table.name], self.links[table.name], getattr(self, f"_change_{table.name}", None)
            for row in plan.rows[table.name]:
                made = {**row, "id": new[table.name][row["id"]]}
                for name in moments:
                    if (at := row[name]) is not None:
                        made[name] = at + delta
                for name, target in links:
                    if row[name] is not None:
                        made[name] = new[target][row[name]]
                if change is not None:
                    change(made, delta)
                self.waiting[table.name].append(made)

    def _delta(self, plan: Plan) -> timedelta:
        """How much later, or earlier, the copy happens: whole minutes."""
        incident = plan.rows["incident"][0]
        if not plan.seed.is_open:
            return timedelta(minutes=-self.chance.randrange(1440, ENDED_DAYS * 1440))
        due = incident["next_due_at"] or incident["reported_at"]
        return self.now.replace(second=0, microsecond=0) + timedelta(minutes=self.chance.randrange(DUE_DAYS[0] * 1440, DUE_DAYS[1] * 1440)) - due

    def _change_incident(self, row: Row, delta: timedelta) -> None:
        row["reference"] = f"INC-{row['reported_at'].year}-{row['id'] + 1000:04d}"
        row["title"] = f"{row['title']} ({self.chance.choice(DEPARTMENTS)}, case {self.last['incident']})"
        row["summary"] = f"{row['summary']} Told by {self.chance.choice(DEPARTMENTS)}, ticket {self.chance.randrange(10**6):06d}. " + "The first account is kept in the ledger. " * 6
        row["search_text"] = f"{row['reference']} {row['title']} {row['summary']}".lower()
        row["next_due_value"] = _shifted(row["next_due_value"], delta)
        row["open_duty_count"], row["undecided_count"] = min(row["open_duty_count"], DUTIES[True]), min(row["undecided_count"], DUTIES[True] - 2)
        if not row["restricted"]:
            row["lead_id"] = self.chance.choice(self.leads)

    def _change_duty(self, row: Row, delta: timedelta) -> None:
        for name in ("conservative_value", "statutory_value"):
            row[name] = _shifted(row[name], delta)

    def _change_fact(self, row: Row, delta: timedelta) -> None:
        if isinstance(row["value"], dict) and row["value"].get("at"):
            row["value"] = {**row["value"], "at": _shifted(row["value"]["at"], delta)}

    def _change_notice(self, row: Row, delta: timedelta) -> None:
        if row["state"] == "in_review" and self.chance.random() < 0.9:
            row["state"] = "draft"

    def _change_message(self, row: Row, delta: timedelta) -> None:
        if row["message_id"]:
            row["message_id"] = f"{row['kind']}.{row['id']:032x}"
            row["sent_at"], row["next_attempt_at"] = row["created_at"], None
        elif self.chance.random() < 0.9:
            row["seen_at"] = row["created_at"]

    def _write(self) -> None:
        for table in self.tables:
            rows = self.waiting[table.name]
            if rows:
                self.connection.execute(insert(table), rows)
                rows.clear()


def catch_up(connection: Connection) -> None:
    """Let PostgreSQL go on counting behind the numbers that were given by hand, and learn how many rows there are; it does so by itself in use."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement is not False:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT coalesce(max(id), 1) FROM {table.name}))"))
    connection.execute(text("ANALYZE"))


def _tables() -> Iterator[Table]:
    """The tables that hold parts of an incident, those that are pointed to first."""
    found: set[str] = set()
    for table in Base.metadata.sorted_tables:
        if table.name not in LEFT_OUT and (table.name == "incident" or found & {key.column.table.name for key in table.foreign_keys}):
            found.add(table.name)
            yield table


def _links(table: Table, copied: set[str]) -> Iterator[tuple[str, str]]:
    for key in table.foreign_keys:
        if key.column.table.name in copied:
            yield key.parent.name, key.column.table.name


def _shifted(value: str | None, delta: timedelta) -> str | None:
    """A day or an instant in ISO 8601, moved."""
    if value is None:
        return None
    if len(value) == 10:
        return (date.fromisoformat(value) + timedelta(days=delta // timedelta(days=1))).isoformat()
    at = datetime.fromisoformat(value)
    return (at.astimezone(UTC) + delta).astimezone(at.tzinfo).isoformat()
