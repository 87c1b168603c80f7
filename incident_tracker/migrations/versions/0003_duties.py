"""The tables of duties."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_duty()
    _index_duty()
    _create_duty_change()
    _index_duty_change()
    _create_duty_decision()
    _index_duty_decision()


def downgrade() -> None:
    op.drop_table("duty_decision")
    op.drop_table("duty_change")
    op.drop_table("duty")


def _create_duty() -> None:
    op.create_table(
        "duty",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("obligation_id", sa.String(length=120), nullable=False),
        sa.Column("recipient_key", sa.String(length=80), nullable=False),
        sa.Column("recipient_name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("jurisdiction", sa.String(length=40), nullable=False),
        sa.Column("citation", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("trigger_at", UTCDateTime(), nullable=True),
        sa.Column("trigger_precision", sa.String(length=10), nullable=True),
        sa.Column("conservative_at", UTCDateTime(), nullable=True),
        sa.Column("conservative_value", sa.String(length=40), nullable=True),
        sa.Column("statutory_at", UTCDateTime(), nullable=True),
        sa.Column("statutory_value", sa.String(length=40), nullable=True),
        sa.Column("not_before_at", UTCDateTime(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("target_at", UTCDateTime(), nullable=True),
        sa.Column("warned_with_id", sa.Integer(), nullable=True),
        sa.Column("law_version", sa.String(length=64), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("computed_at", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_duty_incident_id_incident")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_duty_owner_id_person")),
        sa.ForeignKeyConstraint(["warned_with_id"], ["duty.id"], name=op.f("fk_duty_warned_with_id_duty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint("incident_id", "obligation_id", "recipient_key", name=op.f("uq_duty_incident_id_obligation_id_recipient_key")),
    )


def _index_duty() -> None:
    op.create_index(op.f("ix_duty_incident_id"), "duty", ["incident_id"], unique=False)
    op.create_index(
        "ix_duty_open_conservative_at",
        "duty",
        ["state", "conservative_at", "incident_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )


def _create_duty_change() -> None:
    op.create_table(
        "duty_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_duty_change_by_id_person")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_duty_change_duty_id_duty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_change")),
    )


def _index_duty_change() -> None:
    op.create_index(op.f("ix_duty_change_duty_id"), "duty_change", ["duty_id"], unique=False)


def _create_duty_decision() -> None:
    op.create_table(
        "duty_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("refused_at", UTCDateTime(), nullable=True),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["approved_by_id"], ["person.id"], name=op.f("fk_duty_decision_approved_by_id_person")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["person.id"], name=op.f("fk_duty_decision_asked_by_id_person")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_duty_decision_duty_id_duty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_decision")),
    )


def _index_duty_decision() -> None:
    op.create_index(op.f("ix_duty_decision_duty_id"), "duty_decision", ["duty_id"], unique=False)
