"""Duplicates: a lead's company and further numbers, merges that can be undone, and leads that are not the same person.

Whether a lead may be a duplicate is found when it is shown, and no column any more.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("company", sa.LargeBinary(), nullable=True))
    op.add_column("leads", sa.Column("company_index", sa.LargeBinary(length=16), nullable=True))
    there = sa.text("company_index IS NOT NULL")
    op.create_index(
        "ix_leads_company_index", "leads", ["company_index"], sqlite_where=there, postgresql_where=there
    )
    op.drop_column("leads", "possible_duplicate")
    op.create_table(
        "lead_phones",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("lead_id", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("extension", sa.LargeBinary(), nullable=False),
        sa.Column("phone_kind", sa.String(length=8), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("last_four_index", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_lead_phones_lead_id_leads"),
        sa.PrimaryKeyConstraint("id", name="pk_lead_phones"),
    )
    for name in ("lead_id", "phone_index", "last_four_index"):
        op.create_index(f"ix_lead_phones_{name}", "lead_phones", [name])
    op.create_table(
        "merges",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kept_id", sa.String(length=32), nullable=False),
        sa.Column("merged_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("merged_at", sa.DateTime(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["kept_id"], ["leads.id"], name="fk_merges_kept_id_leads"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_merges_staff_id_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
        sa.UniqueConstraint("merged_id", name="uq_merges_merged_id"),
    )
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])
    op.create_table(
        "leads_apart",
        sa.Column("lead_id", sa.String(length=32), nullable=False),
        sa.Column("other_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_leads_apart_staff_id_staff"),
        sa.PrimaryKeyConstraint("lead_id", "other_id", name="pk_leads_apart"),
    )


def downgrade() -> None:
    """A merge stays done: the two rows of before can't be made without the keys."""
    for table in ("leads_apart", "merges", "lead_phones"):
        op.drop_table(table)
    op.drop_index("ix_leads_company_index", table_name="leads")
    with op.batch_alter_table("leads") as leads:
        leads.drop_column("company_index")
        leads.drop_column("company")
        leads.add_column(
            sa.Column("possible_duplicate", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("leads") as leads:
        leads.alter_column("possible_duplicate", server_default=None)
