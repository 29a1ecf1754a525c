"""Read counts, their marks and salts; favourites."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "read_counts",
        sa.Column("article", sa.String(80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("article", "day", "source", name="pk_read_counts"),
    )
    op.create_table(
        "read_marks",
        sa.Column("article", sa.String(80), nullable=False),
        sa.Column("reader", sa.LargeBinary(16), nullable=False),
        sa.Column("counted_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("article", "reader", name="pk_read_marks"),
    )
    op.create_index("ix_read_marks_counted_at", "read_marks", ["counted_at"])
    op.create_table(
        "daily_salts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_daily_salts"),
    )
    op.create_table(
        "favourites",
        sa.Column("article", sa.String(80), nullable=False),
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        sa.Column("kept_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("article", "device", name="pk_favourites"),
    )


def downgrade() -> None:
    for table in ("favourites", "daily_salts", "read_marks", "read_counts"):
        op.drop_table(table)
