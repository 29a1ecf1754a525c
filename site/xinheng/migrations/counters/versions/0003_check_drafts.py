"""Health checks under way, and how often each of their questions was shown, answered and left."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "check_drafts",
        sa.Column("token_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("answered", sa.SmallInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("is_left", sa.Boolean(), nullable=False),
        sa.Column("touched_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_check_drafts"),
    )
    op.create_index("ix_check_drafts_touched_at", "check_drafts", ["touched_at"])
    op.create_table(
        "question_counts",
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("question", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("left_here", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version", "question", "day", name="pk_question_counts"),
    )


def downgrade() -> None:
    for table in ("question_counts", "check_drafts"):
        op.drop_table(table)
