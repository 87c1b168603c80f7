"""The tables of playbooks."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_checklist()
    _create_step()
    _index_step()
    _create_attachment()
    _index_attachment()
    _create_step_entry()
    _index_step_entry()


def downgrade() -> None:
    op.drop_table("step_entry")
    op.drop_table("attachment")
    op.drop_table("step")
    op.drop_table("checklist")


def _create_checklist() -> None:
    op.create_table(
        "checklist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("playbook_id", sa.String(length=80), nullable=False),
        sa.Column("playbook_version", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_checklist_incident_id_incident")),
        sa.ForeignKeyConstraint(["started_by_id"], ["person.id"], name=op.f("fk_checklist_started_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist")),
        sa.UniqueConstraint("incident_id", "playbook_id", name=op.f("uq_checklist_incident_id_playbook_id")),
    )


def _create_step() -> None:
    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checklist_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("due", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("evidence_asked", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("csf", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["person.id"], name=op.f("fk_step_assignee_id_person")),
        sa.ForeignKeyConstraint(["checklist_id"], ["checklist.id"], name=op.f("fk_step_checklist_id_checklist")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_step_ended_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("checklist_id", "key", name=op.f("uq_step_checklist_id_key")),
    )


def _index_step() -> None:
    op.create_index(
        "ix_step_open_due_at",
        "step",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )


def _create_attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["person.id"], name=op.f("fk_attachment_added_by_id_person")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_attachment_incident_id_incident")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_attachment_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )


def _index_attachment() -> None:
    op.create_index(op.f("ix_attachment_incident_id"), "attachment", ["incident_id"], unique=False)
    op.create_index(op.f("ix_attachment_step_id"), "attachment", ["step_id"], unique=False)


def _create_step_entry() -> None:
    op.create_table(
        "step_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_step_entry_by_id_person")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_step_entry_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_entry")),
    )


def _index_step_entry() -> None:
    op.create_index(op.f("ix_step_entry_step_id"), "step_entry", ["step_id"], unique=False)
