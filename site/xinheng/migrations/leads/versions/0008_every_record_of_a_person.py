"""What a person asks reaches every record of theirs: an index of the phones of enquiries, which finds those in quarantine;
the enquiry that a request is about; and what may no longer be done with a record, to be known again after a restore.

The index of enquiries that are here already is made at the next start: it takes the keys.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("enquiries", sa.Column("phone_index", sa.LargeBinary(length=16), nullable=True))
    op.create_index("ix_enquiries_phone_index", "enquiries", ["phone_index"])
    with op.batch_alter_table("privacy_requests") as requests:
        requests.add_column(sa.Column("enquiry_id", sa.String(32), nullable=False, server_default=""))
        requests.add_column(sa.Column("corrected", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("privacy_requests") as requests:
        for name in ("enquiry_id", "corrected"):
            requests.alter_column(name, server_default=None)
    for name in ("enquiry_id", "phone_index"):
        op.create_index(f"ix_privacy_requests_{name}", "privacy_requests", [name])
    op.create_table(
        "restraints",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("id", "what", "since", name="pk_restraints"),
    )


def downgrade() -> None:
    op.drop_table("restraints")
    for name in ("enquiry_id", "phone_index"):
        op.drop_index(f"ix_privacy_requests_{name}", table_name="privacy_requests")
    with op.batch_alter_table("privacy_requests") as requests:
        for name in ("corrected", "enquiry_id"):
            requests.drop_column(name)
    op.drop_index("ix_enquiries_phone_index", table_name="enquiries")
    with op.batch_alter_table("enquiries") as enquiries:
        enquiries.drop_column("phone_index")
