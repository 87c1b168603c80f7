"""What watches the watcher: signs of life, jumps of the clock, outages of mail; and how each person wants digests."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SIGNS = (
    ("alive_at", UTCDateTime()), ("counts", sa.JSON()), ("mail_down_at", UTCDateTime()), ("pinged_at", UTCDateTime()), ("ping_error", sa.String(length=200)),
)


def upgrade() -> None:
    with op.batch_alter_table("heartbeat") as heartbeat:
        for name, kind in _SIGNS:
            heartbeat.add_column(sa.Column(name, kind, nullable=True))
    went = sa.text("channel = 'email' AND sent_at IS NOT NULL")
    op.create_index("ix_message_mailed", "message", ["sent_at"], unique=False, postgresql_where=went, sqlite_where=went)
    _create_clock_jump()
    _create_outage()
    _create_digest_choice()


def downgrade() -> None:
    op.drop_table("digest_choice")
    op.drop_table("outage")
    op.drop_table("clock_jump")
    op.drop_index("ix_message_mailed", table_name="message")
    with op.batch_alter_table("heartbeat") as heartbeat:
        for name, _ in reversed(_SIGNS):
            heartbeat.drop_column(name)


def _create_clock_jump() -> None:
    op.create_table(
        "clock_jump",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("expected_at", UTCDateTime(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_jump")),
    )


def _create_outage() -> None:
    op.create_table(
        "outage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.Column("noticed_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index("uq_outage_open_channel", "outage", ["channel"], unique=True, postgresql_where=is_open, sqlite_where=is_open)


def _create_digest_choice() -> None:
    op.create_table(
        "digest_choice",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.Column("weekly", sa.Boolean(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.String(length=5), nullable=True),
        sa.Column("quiet_to", sa.String(length=5), nullable=True),
        sa.Column("daily_on", sa.Date(), nullable=True),
        sa.Column("weekly_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_digest_choice_person_id_person"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_digest_choice")),
    )
