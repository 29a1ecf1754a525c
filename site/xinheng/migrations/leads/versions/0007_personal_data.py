"""Personal data: tombstones, counts of what was deleted, when housekeeping ran; requests of persons.

And an index by which deleting an enquiry finds its events: without it each deletion reads the whole table."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
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
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("receipt", sa.String(length=14), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("lead_id", sa.String(length=32), nullable=False),
        sa.Column("proof", sa.String(length=4), nullable=False),
        sa.Column("carried_out", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"], name="fk_privacy_requests_closed_by_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_requests"),
        sa.UniqueConstraint("receipt", name="uq_privacy_requests_receipt"),
    )
    op.create_index("ix_privacy_requests_open", "privacy_requests", ["closed_at", "due_at"])
    op.create_index("ix_privacy_requests_lead_id", "privacy_requests", ["lead_id"])
    op.create_index("ix_lead_events_enquiry", "lead_events", ["enquiry_id"])


def downgrade() -> None:
    op.drop_index("ix_lead_events_enquiry", table_name="lead_events")
    op.drop_table("privacy_requests")
    op.drop_table("housekeeping")
    op.drop_table("deleted_counts")
    op.drop_table("tombstones")
