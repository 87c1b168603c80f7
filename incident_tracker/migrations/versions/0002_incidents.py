"""The tables of incidents."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_sequence()
    _create_incident()
    _index_incident()
    _create_organisation_fact()
    _create_fact()
    _index_fact()
    _create_membership()
    _index_membership()
    _create_stage_change()
    _index_stage_change()


def downgrade() -> None:
    op.drop_table("stage_change")
    op.drop_table("membership")
    op.drop_table("fact")
    op.drop_table("organisation_fact")
    op.drop_table("incident")
    op.drop_table("sequence")


def _create_sequence() -> None:
    op.create_table(
        "sequence",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_sequence")),
    )


def _create_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("reported_at", UTCDateTime(), nullable=False),
        sa.Column("reported_by_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("next_due_at", UTCDateTime(), nullable=True),
        sa.Column("next_due_value", sa.String(length=40), nullable=True),
        sa.Column("next_due_zone", sa.String(length=64), nullable=True),
        sa.Column("next_duty_title", sa.String(length=200), nullable=True),
        sa.Column("undecided_due_at", UTCDateTime(), nullable=True),
        sa.Column("undecided_count", sa.Integer(), nullable=False),
        sa.Column("open_duty_count", sa.Integer(), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("stale_since", UTCDateTime(), nullable=True),
        sa.Column("stale_reason", sa.String(length=300), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["person.id"], name=op.f("fk_incident_lead_id_person")),
        sa.ForeignKeyConstraint(["reported_by_id"], ["person.id"], name=op.f("fk_incident_reported_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("reference", name=op.f("uq_incident_reference")),
    )


def _index_incident() -> None:
    op.create_index(
        "ix_incident_open_next_due_at",
        "incident",
        ["next_due_at", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_incident_restricted",
        "incident",
        ["id"],
        unique=False,
        postgresql_where=sa.text("restricted"),
        sqlite_where=sa.text("restricted = 1"),
    )
    op.create_index("ix_incident_stage_next_due_at", "incident", ["stage", "next_due_at"], unique=False)
    op.create_index(
        "ix_incident_stale",
        "incident",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("stale_since IS NOT NULL"),
        sqlite_where=sa.text("stale_since IS NOT NULL"),
    )


def _create_organisation_fact() -> None:
    op.create_table(
        "organisation_fact",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("set_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["set_by_id"], ["person.id"], name=op.f("fk_organisation_fact_set_by_id_person")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_organisation_fact")),
    )


def _create_fact() -> None:
    op.create_table(
        "fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("certainty", sa.String(length=20), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("superseded_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_fact_author_id_person")),
        sa.ForeignKeyConstraint(["corrects_id"], ["fact.id"], name=op.f("fk_fact_corrects_id_fact")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_fact_incident_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )


def _index_fact() -> None:
    op.create_index("ix_fact_incident_id_name", "fact", ["incident_id", "name", "id"], unique=False)
    op.create_index(
        "uq_fact_current",
        "fact",
        ["incident_id", "name"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )


def _create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["person.id"], name=op.f("fk_membership_added_by_id_person")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_membership_incident_id_incident")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("incident_id", "person_id", name=op.f("uq_membership_incident_id_person_id")),
    )


def _index_membership() -> None:
    op.create_index(op.f("ix_membership_person_id"), "membership", ["person_id"], unique=False)


def _create_stage_change() -> None:
    op.create_table(
        "stage_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_stage_change_by_id_person")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_stage_change_incident_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_change")),
    )


def _index_stage_change() -> None:
    op.create_index(op.f("ix_stage_change_incident_id"), "stage_change", ["incident_id"], unique=False)
