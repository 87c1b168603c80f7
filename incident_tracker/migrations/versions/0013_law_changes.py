"""The tables of movements: what a change of law, profile or facts moved; and the law packs that were in use."""

import sqlalchemy as sa
from alembic import op

from incident_tracker.models.base import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OPEN = sa.text("accepted_at IS NULL")


def upgrade() -> None:
    _create_law_pack()
    _create_movement()
    with op.batch_alter_table("incident") as batch:
        batch.add_column(sa.Column("stale_kind", sa.String(length=10), nullable=True))
        batch.add_column(sa.Column("pack", sa.String(length=160), nullable=True))
        batch.add_column(sa.Column("unaccepted_count", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("incident") as batch:
        batch.alter_column("unaccepted_count", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("incident") as batch:
        batch.drop_column("unaccepted_count")
        batch.drop_column("pack")
        batch.drop_column("stale_kind")
    op.drop_table("movement")
    op.drop_table("law_pack")


def _create_law_pack() -> None:
    op.create_table(
        "law_pack",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("tzdata", sa.String(length=40), nullable=False),
        sa.Column("holidays", sa.String(length=40), nullable=False),
        sa.Column("digests", sa.JSON(), nullable=False),
        sa.Column("used_since", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_law_pack")),
    )
    op.create_index(op.f("ix_law_pack_name"), "law_pack", ["name"])


def _create_movement() -> None:
    op.create_table(
        "movement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pack_before", sa.String(length=160), nullable=False),
        sa.Column("pack_after", sa.String(length=160), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=True),
        sa.Column("accepted_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["accepted_by_id"], ["person.id"], name=op.f("fk_movement_accepted_by_id_person")),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_movement_by_id_person")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_movement_incident_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
    )
    op.create_index("ix_movement_incident_id", "movement", ["incident_id", "id"])
    op.create_index("ix_movement_open", "movement", ["incident_id"], postgresql_where=_OPEN, sqlite_where=_OPEN)
