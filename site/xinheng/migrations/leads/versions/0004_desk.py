"""What the desk adds to leads: owner, plan, queue, priority; drafts and saved views; whom a notice is for."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from xinheng.referrers import referrer_kind

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

FILTERS = ("status", "owner_id", "need", "source", "level", "closed")
SORTS = ("last_enquiry_at", "follow_up_at", "priority")
SHARED = ("status", "closed", "need", "source", "level", "restricted")
INDEXES: dict[str, tuple[str, ...]] = (
    {f"ix_leads_{sort}": (sort, "id") for sort in SORTS}
    | {f"ix_leads_{name}_{sort}": (name, sort, "id") for name in FILTERS for sort in SORTS}
    | {
        "ix_leads_owner_id_last_enquiry_at": (
            *("owner_id", "last_enquiry_at", "id", *SHARED),
            *("follow_up_at", "priority"),
        ),
        "ix_leads_owner_id_follow_up_at": ("owner_id", "follow_up_at", "id", *SHARED),
        "ix_leads_owner_id_priority": ("owner_id", "priority", "id", *SHARED),
        "ix_leads_days": ("last_enquiry_at", "id", "follow_up_at", "priority", "restricted"),
        "ix_leads_queue": ("queue", "follow_up_at", "id", "last_enquiry_at", "priority", "restricted"),
        "ix_leads_owner_queue": (
            *("owner_id", "queue", "follow_up_at", "id"),
            *("last_enquiry_at", "priority", "restricted"),
        ),
        "ix_leads_waiting": ("queue", "last_enquiry_at", "id", "restricted"),
        "ix_leads_owner_waiting": ("owner_id", "queue", "last_enquiry_at", "id", "restricted"),
        "ix_leads_last_four": ("last_four_index", "last_enquiry_at", "id"),
        "ix_leads_name": ("name_index", "last_enquiry_at", "id"),
    }
)


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("closed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("reason", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("queue", sa.String(length=8), nullable=False, server_default="first"),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column(
            "follow_up_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.text("'9999-12-31 00:00:00.000000'"),
        ),
        sa.Column("next_step", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="-1"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("need", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("source", sa.String(length=8), nullable=False, server_default="direct"),
        sa.Column("level", sa.String(length=12), nullable=False, server_default=""),
    ]


def upgrade() -> None:
    for name in ("ix_leads_last_four_index", "ix_leads_name_index", "ix_leads_newest"):
        op.drop_index(name, table_name="leads")
    with op.batch_alter_table("leads") as leads:
        for column in _new_columns():
            leads.add_column(column)
        leads.create_foreign_key("fk_leads_owner_id_staff", "staff", ["owner_id"], ["id"])
    _fill()
    with op.batch_alter_table("leads") as leads:
        for column in _new_columns():
            leads.alter_column(column.name, server_default=None)
    for name, columns in INDEXES.items():
        op.create_index(name, "leads", list(columns))
    with op.batch_alter_table("lead_events") as events:
        events.add_column(sa.Column("staff_id", sa.String(length=32), nullable=True))
        events.add_column(sa.Column("detail", sa.JSON(), nullable=False, server_default="{}"))
        events.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        events.create_foreign_key("fk_lead_events_staff_id_staff", "staff", ["staff_id"], ["id"])
    with op.batch_alter_table("lead_events") as events:
        for name in ("detail", "version"):
            events.alter_column(name, server_default=None)
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("recipient", sa.String(length=254), nullable=False, server_default=""))
        outbox.add_column(sa.Column("acknowledged_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("recipient", server_default=None)
    op.create_table(
        "lead_drafts",
        sa.Column("lead_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_lead_drafts_lead_id_leads"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_lead_drafts_staff_id_staff"),
        sa.PrimaryKeyConstraint("lead_id", "staff_id", name="pk_lead_drafts"),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("query", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_saved_views_staff_id_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("staff_id", "name", name="uq_saved_views_staff_id"),
    )


def _fill() -> None:
    """Leads that are there already wait for what their status says, and have the need of their last enquiry."""
    op.execute("UPDATE leads SET closed = true, queue = 'closed' WHERE status IN ('won', 'lost', 'invalid')")
    op.execute("UPDATE leads SET queue = 'stuck' WHERE status IN ('contacted', 'interested', 'proposal')")
    op.execute("UPDATE leads SET queue = 'held' WHERE restricted")
    op.execute(
        "UPDATE leads SET need = coalesce((SELECT need FROM enquiries WHERE lead_id = leads.id "
        "ORDER BY created_at DESC LIMIT 1), '')"
    )
    _fill_sources()


def _fill_sources() -> None:
    """Where each person came from first, as far as the referrer's host tells."""
    connection = op.get_bind()
    enquiries = sa.table(
        "enquiries", sa.column("lead_id"), sa.column("first_touch", sa.JSON()), sa.column("created_at")
    )
    leads = sa.table("leads", sa.column("id"), sa.column("source"))
    rows = connection.execute(
        sa.select(enquiries.c.lead_id, enquiries.c.first_touch).order_by(enquiries.c.created_at.desc())
    )
    kinds = {row.lead_id: referrer_kind((row.first_touch or {}).get("host", ""), "") for row in rows}
    for lead_id, kind in kinds.items():
        connection.execute(leads.update().where(leads.c.id == lead_id).values(source=kind))


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_table("lead_drafts")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("acknowledged_at")
        outbox.drop_column("recipient")
    with op.batch_alter_table("lead_events") as events:
        events.drop_constraint("fk_lead_events_staff_id_staff", type_="foreignkey")
        for name in ("version", "detail", "staff_id"):
            events.drop_column(name)
    for name in INDEXES:
        op.drop_index(name, table_name="leads")
    with op.batch_alter_table("leads") as leads:
        leads.drop_constraint("fk_leads_owner_id_staff", type_="foreignkey")
        for column in reversed(_new_columns()):
            leads.drop_column(column.name)
    op.create_index("ix_leads_last_four_index", "leads", ["last_four_index"])
    op.create_index("ix_leads_name_index", "leads", ["name_index"])
    op.create_index("ix_leads_newest", "leads", ["last_enquiry_at", "id"])
