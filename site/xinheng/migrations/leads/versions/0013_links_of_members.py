"""Links by which members set a password: invited, or theirs forgotten."""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "staff_links",
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_links_staff_id_staff"),
        sa.PrimaryKeyConstraint("staff_id", name="pk_staff_links"),
        sa.UniqueConstraint("secret_hash", name="uq_staff_links_secret_hash"),
    )


def downgrade() -> None:
    op.drop_table("staff_links")
