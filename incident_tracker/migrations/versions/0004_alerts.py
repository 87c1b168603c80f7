"""The tables of alerts."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_heartbeat()
    _create_acknowledgement()
    _index_acknowledgement()
    _create_rung()
    _index_rung()
    _create_message()
    _index_message()


def downgrade() -> None:
    op.drop_table("message")
    op.drop_table("rung")
    op.drop_table("acknowledgement")
    op.drop_table("heartbeat")


def _create_heartbeat() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("beat_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeat")),
    )


def _create_acknowledgement() -> None:
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("deadline_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_acknowledgement_duty_id_duty")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_acknowledgement_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )


def _index_acknowledgement() -> None:
    op.create_index(op.f("ix_acknowledgement_duty_id"), "acknowledgement", ["duty_id"], unique=False)


def _create_rung() -> None:
    op.create_table(
        "rung",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("planned_at", UTCDateTime(), nullable=False),
        sa.Column("deadline_at", UTCDateTime(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("loudness", sa.String(length=10), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("overtaken_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_rung_duty_id_duty")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_rung_incident_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rung")),
        sa.UniqueConstraint("duty_id", "deadline_at", "key", name=op.f("uq_rung_duty_id_deadline_at_key")),
    )


def _index_rung() -> None:
    op.create_index(op.f("ix_rung_incident_id"), "rung", ["incident_id"], unique=False)
    op.create_index(
        "ix_rung_waiting_due_at",
        "rung",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_rung_waiting_duty_id",
        "rung",
        ["duty_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rung_id", sa.Integer(), nullable=True),
        sa.Column("duty_id", sa.Integer(), nullable=True),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=255), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("leased_by", sa.String(length=80), nullable=True),
        sa.Column("carried_by_id", sa.Integer(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("dead_at", UTCDateTime(), nullable=True),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["carried_by_id"], ["message.id"], name=op.f("fk_message_carried_by_id_message")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_message_duty_id_duty")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_message_incident_id_incident")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id_person")),
        sa.ForeignKeyConstraint(["rung_id"], ["rung.id"], name=op.f("fk_message_rung_id_rung")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message_message_id")),
        sa.UniqueConstraint("rung_id", "person_id", "channel", name=op.f("uq_message_rung_id_person_id_channel")),
    )


def _index_message() -> None:
    op.create_index(
        "ix_message_carried_by_id",
        "message",
        ["carried_by_id"],
        unique=False,
        postgresql_where=sa.text("carried_by_id IS NOT NULL"),
        sqlite_where=sa.text("carried_by_id IS NOT NULL"),
    )
    op.create_index(
        "ix_message_dead",
        "message",
        ["dead_at"],
        unique=False,
        postgresql_where=sa.text("dead_at IS NOT NULL"),
        sqlite_where=sa.text("dead_at IS NOT NULL"),
    )
    op.create_index(
        "ix_message_due",
        "message",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_message_incident_id"), "message", ["incident_id"], unique=False)
    op.create_index(
        "ix_message_on_its_way",
        "message",
        ["person_id", "incident_id", "channel"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index("ix_message_person_id_channel", "message", ["person_id", "channel", "id"], unique=False)
    op.create_index(
        "ix_message_unseen",
        "message",
        ["person_id", "channel", "seen_at", "incident_id"],
        unique=False,
        postgresql_where=sa.text("channel = 'bell' AND seen_at IS NULL"),
        sqlite_where=sa.text("channel = 'bell' AND seen_at IS NULL"),
    )
