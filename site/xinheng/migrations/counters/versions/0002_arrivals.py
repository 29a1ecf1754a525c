"""How many enquiries came lately, and which proofs of work were used."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    seconds = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "arrivals",
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("enquiry", sa.LargeBinary(16), nullable=False),
        sa.Column("until", seconds, nullable=False),
        sa.PrimaryKeyConstraint("key", "enquiry", name="pk_arrivals"),
    )
    op.create_index("ix_arrivals_until", "arrivals", ["until"])
    op.create_table(
        "spent_proofs",
        sa.Column("proof", sa.LargeBinary(32), nullable=False),
        sa.Column("enquiry", sa.LargeBinary(16), nullable=False),
        sa.Column("until", seconds, nullable=False),
        sa.PrimaryKeyConstraint("proof", name="pk_spent_proofs"),
    )
    op.create_index("ix_spent_proofs_until", "spent_proofs", ["until"])


def downgrade() -> None:
    for table in ("spent_proofs", "arrivals"):
        op.drop_table(table)
