"""Enquiries that look odd wait in quarantine, without a lead, until somebody has looked."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("enquiries") as enquiries:
        enquiries.alter_column("lead_id", existing_type=sa.String(length=32), nullable=True)
        enquiries.add_column(
            sa.Column("state", sa.String(length=12), nullable=False, server_default="accepted")
        )
        enquiries.add_column(sa.Column("suspicion", sa.JSON(), nullable=False, server_default="[]"))
        enquiries.add_column(sa.Column("retain_until", sa.DateTime(), nullable=True))
    with op.batch_alter_table("enquiries") as enquiries:
        for name in ("state", "suspicion"):
            enquiries.alter_column(name, server_default=None)
    op.create_index("ix_enquiries_state", "enquiries", ["state", "id"])
    op.create_index("ix_enquiries_retain_until", "enquiries", ["retain_until"])


def downgrade() -> None:
    """What is still in quarantine has no lead and no place in the earlier schema: it is deleted, with its consents."""
    op.execute("DELETE FROM consents WHERE enquiry_id IN (SELECT id FROM enquiries WHERE lead_id IS NULL)")
    op.execute("DELETE FROM enquiries WHERE lead_id IS NULL")
    for name in ("ix_enquiries_retain_until", "ix_enquiries_state"):
        op.drop_index(name, table_name="enquiries")
    with op.batch_alter_table("enquiries") as enquiries:
        for name in ("retain_until", "suspicion", "state"):
            enquiries.drop_column(name)
        enquiries.alter_column("lead_id", existing_type=sa.String(length=32), nullable=False)
