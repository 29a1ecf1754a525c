"""By when somebody must try to reach a person who asked, when they did, and what was done meanwhile.

Leads that nobody has contacted yet get a day from their last enquiry; of them nobody is told, or all would be at once.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

ALL_STEPS_TAKEN = 99
INDEXES = {
    "waiting": ("queue", "{}", "id", "restricted"),
    "owner_waiting": ("owner_id", "queue", "{}", "id", "restricted"),
}
_UNANSWERED = sa.text("responded_at IS NULL")
_DAY_LATER = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', last_enquiry_at, '+1 day') || '000'",
    "postgresql": "last_enquiry_at + interval '1 day'",
}


def upgrade() -> None:
    never = sa.text("'9999-12-31 00:00:00.000000'")
    with op.batch_alter_table("leads") as leads:
        leads.add_column(sa.Column("first_response_due", sa.DateTime(), nullable=False, server_default=never))
        leads.add_column(sa.Column("responded_at", sa.DateTime(), nullable=True))
        leads.add_column(sa.Column("escalation", sa.SmallInteger(), nullable=False, server_default="0"))
        leads.add_column(sa.Column("response_minutes", sa.Integer(), nullable=True))
    op.execute(
        f"UPDATE leads SET first_response_due = {_DAY_LATER[op.get_bind().dialect.name]}, "  # noqa: S608
        f"escalation = {ALL_STEPS_TAKEN} WHERE status = 'new' AND attempts = 0"
    )
    with op.batch_alter_table("leads") as leads:
        for name in ("first_response_due", "escalation"):
            leads.alter_column(name, server_default=None)
    _sort_by("first_response_due")
    op.create_index(
        "ix_leads_unanswered",
        "leads",
        ["first_response_due", "id"],
        sqlite_where=_UNANSWERED,
        postgresql_where=_UNANSWERED,
    )


def downgrade() -> None:
    op.drop_index("ix_leads_unanswered", table_name="leads")
    for name in INDEXES:
        op.drop_index(f"ix_leads_{name}", table_name="leads")
    with op.batch_alter_table("leads") as leads:
        for name in ("response_minutes", "escalation", "responded_at", "first_response_due"):
            leads.drop_column(name)
    for name, columns in INDEXES.items():
        op.create_index(f"ix_leads_{name}", "leads", [each.format("last_enquiry_at") for each in columns])


def _sort_by(column: str) -> None:
    for name, columns in INDEXES.items():
        op.drop_index(f"ix_leads_{name}", table_name="leads")
        op.create_index(f"ix_leads_{name}", "leads", [each.format(column) for each in columns])
