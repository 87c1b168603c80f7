"""The tables of notices."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_notice()
    _index_notice()
    _create_notice_version()
    _create_filing()
    _index_filing()
    _create_review()
    _index_review()
    _create_submission()
    _index_submission()


def downgrade() -> None:
    op.drop_table("submission")
    op.drop_table("review")
    op.drop_table("filing")
    op.drop_table("notice_version")
    op.drop_table("notice")


def _create_notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("state_at", UTCDateTime(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("fillings", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_notice_created_by_id_person")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_notice_duty_id_duty")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_notice_incident_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )


def _index_notice() -> None:
    op.create_index(op.f("ix_notice_duty_id"), "notice", ["duty_id"], unique=False)
    op.create_index(op.f("ix_notice_incident_id"), "notice", ["incident_id"], unique=False)
    op.create_index("ix_notice_state", "notice", ["state", "incident_id"], unique=False)
    op.create_index(
        "uq_notice_open_duty_id",
        "notice",
        ["duty_id"],
        unique=True,
        postgresql_where=sa.text("state != 'filed'"),
        sqlite_where=sa.text("state != 'filed'"),
    )


def _create_notice_version() -> None:
    op.create_table(
        "notice_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_notice_version_author_id_person")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_version_notice_id_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_version")),
        sa.UniqueConstraint("notice_id", "number", name=op.f("uq_notice_version_notice_id_number")),
    )


def _create_filing() -> None:
    op.create_table(
        "filing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("notice_version_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filed_at", UTCDateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("precision", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=True),
        sa.Column("late_reasons", sa.Text(), nullable=False),
        sa.Column("early_reasons", sa.Text(), nullable=False),
        sa.Column("lacking", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("outcome_text", sa.Text(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_filing_duty_id_duty")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_filing_notice_id_notice")),
        sa.ForeignKeyConstraint(["notice_version_id"], ["notice_version.id"], name=op.f("fk_filing_notice_version_id_notice_version")),
        sa.ForeignKeyConstraint(["receipt_id"], ["attachment.id"], name=op.f("fk_filing_receipt_id_attachment")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["person.id"], name=op.f("fk_filing_recorded_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
    )


def _index_filing() -> None:
    op.create_index(op.f("ix_filing_duty_id"), "filing", ["duty_id"], unique=False)
    op.create_index(op.f("ix_filing_notice_id"), "filing", ["notice_id"], unique=False)


def _create_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("notice_version_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lacking", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_review_notice_id_notice")),
        sa.ForeignKeyConstraint(["notice_version_id"], ["notice_version.id"], name=op.f("fk_review_notice_version_id_notice_version")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_review_reviewer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )


def _index_review() -> None:
    op.create_index(op.f("ix_review_notice_id"), "review", ["notice_id"], unique=False)


def _create_submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("notice_version_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_submission_by_id_person")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_submission_notice_id_notice")),
        sa.ForeignKeyConstraint(["notice_version_id"], ["notice_version.id"], name=op.f("fk_submission_notice_version_id_notice_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )


def _index_submission() -> None:
    op.create_index(op.f("ix_submission_notice_id"), "submission", ["notice_id"], unique=False)
