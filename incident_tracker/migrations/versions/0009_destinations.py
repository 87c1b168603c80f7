"""The tables of destinations, and the messages that go to them."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_destination()
    op.create_index("ix_destination_active", "destination", ["active"], unique=False)
    with op.batch_alter_table("message") as batch:
        batch.add_column(sa.Column("destination_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(op.f("fk_message_destination_id_destination"), "destination", ["destination_id"], ["id"])
        batch.create_unique_constraint(op.f("uq_message_rung_id_destination_id_kind"), ["rung_id", "destination_id", "kind"])
    op.create_index(
        "ix_message_destination_id",
        "message",
        ["destination_id"],
        unique=False,
        postgresql_where=sa.text("destination_id IS NOT NULL"),
        sqlite_where=sa.text("destination_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_message_destination_id", table_name="message")
    with op.batch_alter_table("message") as batch:
        batch.drop_constraint(op.f("uq_message_rung_id_destination_id_kind"), type_="unique")
        batch.drop_constraint(op.f("fk_message_destination_id_destination"), type_="foreignkey")
        batch.drop_column("destination_id")
    op.drop_table("destination")


def _create_destination() -> None:
    op.create_table(
        "destination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("use", sa.String(length=10), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("shown", sa.String(length=300), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("resting_until", UTCDateTime(), nullable=True),
        sa.Column("last_ok_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_error_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_destination_created_by_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_destination_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destination")),
        sa.UniqueConstraint("person_id", "kind", name=op.f("uq_destination_person_id_kind")),
    )
