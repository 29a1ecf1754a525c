"""What visitors did by week: by the kind of place they came from, and by article. Where a check was begun from.

The reads that are counted already are added up; where earlier checks were begun from, nobody knows.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

KEYS = {"source_weeks": ("source", 8), "article_weeks": ("article", 80)}


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    monday = "date(day, '-6 days', 'weekday 1')" if sqlite else "CAST(date_trunc('week', day) AS date)"
    for table, (key, length) in KEYS.items():
        op.create_table(
            table,
            sa.Column("week", sa.Date(), nullable=False),
            sa.Column(key, sa.String(length), nullable=False),
            *(sa.Column(name, sa.Integer(), nullable=False) for name in ("reads", "begun", "finished")),
            sa.PrimaryKeyConstraint("week", key, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
        op.execute(
            f"INSERT INTO {table} (week, {key}, reads, begun, finished)"  # noqa: S608 (names of our own)
            f" SELECT {monday}, {key}, sum(reads), 0, 0 FROM read_counts GROUP BY 1, 2"
        )
    op.add_column("check_drafts", sa.Column("source", sa.String(8), nullable=False, server_default="direct"))
    op.add_column("check_drafts", sa.Column("article", sa.String(80), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("article", "source"):
        op.drop_column("check_drafts", name)
    for table in reversed(KEYS):
        op.drop_table(table)
