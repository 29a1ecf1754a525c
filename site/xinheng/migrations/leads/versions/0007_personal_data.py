"""Personal data: tombstones, counts of what was deleted, when housekeeping ran; requests of persons."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
    )
    op.create_table(
        "deleted_counts",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("need", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.Column("enquiries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "need", "source", "status", name="pk_deleted_counts"),
    )
    op.create_table(
        "housekeeping",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ran_at", sa.DateTime(), nullable=False),
        sa.Column("refused_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_housekeeping_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_housekeeping"),
    )


def downgrade() -> None:
    op.drop_table("housekeeping")
    op.drop_table("deleted_counts")
    op.drop_table("tombstones")
