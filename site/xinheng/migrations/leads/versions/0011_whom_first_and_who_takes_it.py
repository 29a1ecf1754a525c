"""Who is on duty and how much they take; what each took on a day; by which rules leads are ranked."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("staff") as staff:
        staff.add_column(sa.Column("on_duty", sa.Boolean(), nullable=False, server_default=sa.true()))
        staff.add_column(sa.Column("absent_until", sa.DateTime(), nullable=True))
        staff.add_column(sa.Column("capacity", sa.Integer(), nullable=True))
        staff.add_column(sa.Column("last_assigned_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("staff") as staff:
        staff.alter_column("on_duty", server_default=None)
    op.create_table(
        "lead_turns",
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_lead_turns_staff_id_staff"),
        sa.PrimaryKeyConstraint("staff_id", "day", name="pk_lead_turns"),
    )
    op.create_table(
        "ranked",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.String(length=16), nullable=False),
        sa.Column("down_to", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ranked_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_ranked"),
    )


def downgrade() -> None:
    op.drop_table("ranked")
    op.drop_table("lead_turns")
    with op.batch_alter_table("staff") as staff:
        for name in ("last_assigned_at", "capacity", "absent_until", "on_duty"):
            staff.drop_column(name)
