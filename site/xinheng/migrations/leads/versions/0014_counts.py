"""What reports count: how far each lead came, the article it came from, sums by the week of the first enquiry, and what
became of enquiries that were held back. What is there already is counted.

The triggers are the databases' own: whatever changes a lead, by one row or by many, is in the counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

KEY = ("source", "need", "level", "article", "reached")
ROAD = ("new", "contacted", "interested", "proposal", "won")
COUNTED = ("created_at", *KEY, "counted")
INDEX = (
    *("created_at", "id", "status", "closed", "need", "source", "level", "reached"),
    *("article", "owner_id", "restricted", "response_minutes"),
)


def upgrade() -> None:
    op.add_column("leads", sa.Column("reached", sa.String(12), nullable=False, server_default="new"))
    op.add_column("leads", sa.Column("article", sa.String(80), nullable=False, server_default=""))
    op.add_column("leads", sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "lead_counts",
        *_counts(),
        sa.PrimaryKeyConstraint("week", *KEY, name="pk_lead_counts"),
        sqlite_with_rowid=False,
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "lead_count_changes",
        sa.Column("id", number, nullable=False),
        *_counts(),
        sa.PrimaryKeyConstraint("id", name="pk_lead_count_changes"),
    )
    op.create_table(
        "spam_counts",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("held", "spam", "released")),
        sa.PrimaryKeyConstraint("week", "reason", name="pk_spam_counts"),
    )
    op.drop_table("deleted_counts")  # by month, of what lead_counts has by week; no release had it
    _fill()
    op.create_index("ix_leads_created_at", "leads", list(INDEX))
    for statement in _triggers():
        op.execute(statement)


def _counts() -> Iterator[sa.Column[object]]:
    yield sa.Column("week", sa.Date(), nullable=False)
    for name, length in zip(KEY, (8, 32, 12, 80, 12), strict=True):
        yield sa.Column(name, sa.String(length), nullable=False)
    yield sa.Column("leads", sa.Integer(), nullable=False)


def _fill() -> None:
    op.execute(
        "UPDATE leads SET article = coalesce((SELECT article FROM enquiries WHERE lead_id = leads.id "
        "ORDER BY created_at LIMIT 1), '')"
    )
    _fill_reached()
    names = ", ".join(KEY)
    op.execute(
        f"INSERT INTO lead_counts (week, {names}, leads)"  # noqa: S608 (names of our own)
        f" SELECT {_week('created_at')}, {names}, count(*) FROM leads GROUP BY 1, {names}"
    )
    _fill_spam()


def _fill_reached() -> None:
    """The farthest of what the timeline tells; a deal that was taken back doesn't count."""
    connection = op.get_bind()
    leads = sa.table("leads", sa.column("id"), sa.column("status"), sa.column("reached"))
    events = sa.table(
        "lead_events",
        *(sa.column(name) for name in ("id", "lead_id", "kind", "happened_at")),
        sa.column("detail", sa.JSON()),
    )
    connection.execute(leads.update().where(leads.c.status.in_(ROAD)).values(reached=leads.c.status))
    connection.execute(leads.update().where(leads.c.status == "lost").values(reached="contacted"))
    moved = sa.select(events.c.lead_id, events.c.detail).where(events.c.kind == "status")
    farthest: dict[str, str] = {}
    for lead_id, detail in connection.execute(moved.order_by(events.c.happened_at, events.c.id)):
        known, to = farthest.get(lead_id, "new"), detail.get("to")
        if detail.get("from") == "won":
            farthest[lead_id] = to
        elif to in ROAD:
            farthest[lead_id] = max(known, to, key=ROAD.index)
    for stage in ROAD[1:]:
        ids = [lead_id for lead_id, known in farthest.items() if known == stage]
        for first in range(0, len(ids), 500):
            mine = leads.c.id.in_(ids[first : first + 500])
            connection.execute(leads.update().where(mine).values(reached=stage))


def _fill_spam() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(f"SELECT {_week('created_at')} AS week, state, suspicion FROM enquiries").columns(  # noqa: S608
            week=sa.Date(), state=sa.String(), suspicion=sa.JSON()
        )
    )
    counts: dict[tuple[object, str], list[int]] = {}
    for week, state, suspicion in rows:
        for reason in ("", *suspicion) if suspicion else ():
            numbers = counts.setdefault((week, reason), [0, 0, 0])
            numbers[0] += 1
            numbers[1] += state == "spam"
            numbers[2] += state == "accepted"
    table = sa.table(
        "spam_counts",
        sa.column("week", sa.Date()),
        *(sa.column(name) for name in ("reason", "held", "spam", "released")),
    )
    for (week, reason), (held, spam, released) in counts.items():
        connection.execute(
            table.insert().values(week=week, reason=reason, held=held, spam=spam, released=released)
        )


def _week(moment: str) -> str:
    """The Monday, in Shanghai, of a moment in UTC."""
    if op.get_bind().dialect.name == "sqlite":
        return f"date({moment}, '+8 hours', '-6 days', 'weekday 1')"
    return f"CAST(date_trunc('week', {moment} + interval '8 hours') AS date)"


def _change(row: str, number: int) -> str:
    values = ", ".join(f"{row}.{name}" for name in KEY)
    names = ", ".join(KEY)
    return (
        f"INSERT INTO lead_count_changes (week, {names}, leads)"
        f" SELECT {_week(f'{row}.created_at')}, {values}, {number} WHERE {row}.counted;"
    )


def _triggers() -> Iterator[str]:
    before, after = (", ".join(f"{row}.{name}" for name in COUNTED) for row in ("OLD", "NEW"))
    updated = f"AFTER UPDATE OF {', '.join(COUNTED)} ON leads FOR EACH ROW"
    if op.get_bind().dialect.name == "sqlite":
        yield f"CREATE TRIGGER leads_count_new AFTER INSERT ON leads FOR EACH ROW BEGIN {_change('NEW', 1)} END"
        yield (
            f"CREATE TRIGGER leads_count_changed {updated} WHEN ({before}) IS NOT ({after})"
            f" BEGIN {_change('OLD', -1)} {_change('NEW', 1)} END"
        )
        return
    for name, body in (
        ("count_new_lead", _change("NEW", 1)),
        ("count_changed_lead", _change("OLD", -1) + _change("NEW", 1)),
    ):
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    yield "CREATE TRIGGER leads_count_new AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION count_new_lead()"
    yield (
        f"CREATE TRIGGER leads_count_changed {updated} WHEN (({before}) IS DISTINCT FROM ({after}))"
        " EXECUTE FUNCTION count_changed_lead()"
    )


def downgrade() -> None:
    on = "" if op.get_bind().dialect.name == "sqlite" else " ON leads"
    for name in ("leads_count_changed", "leads_count_new"):
        op.execute(f"DROP TRIGGER {name}{on}")
    if on:
        for name in ("count_changed_lead", "count_new_lead"):
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_leads_created_at", table_name="leads")
    for table in ("spam_counts", "lead_count_changes", "lead_counts"):
        op.drop_table(table)
    for name in ("counted", "article", "reached"):
        op.drop_column("leads", name)
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
