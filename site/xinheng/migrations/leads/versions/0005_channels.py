"""A notice has a row for each channel it leaves by."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("channel", sa.String(length=8), nullable=False, server_default=""))
    # what has left, left by mail; what waits is spread to the channels that are on
    op.execute("UPDATE outbox SET channel = 'mail' WHERE state IN ('sent', 'failed')")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("channel", server_default=None)
        outbox.drop_index("ix_outbox_due_at")
        outbox.create_index("ix_outbox_due", ["state", "channel", "due_at"])


def downgrade() -> None:
    # an older program sends all by mail: of what several channels were given, one row stays
    op.execute(
        "DELETE FROM outbox WHERE channel NOT IN ('', 'mail') AND EXISTS (SELECT 1 FROM outbox AS other "
        "WHERE other.reference = outbox.reference AND other.kind = outbox.kind "
        "AND other.recipient = outbox.recipient AND other.created_at = outbox.created_at "
        "AND (other.channel IN ('', 'mail') OR other.id < outbox.id))"
    )
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_index("ix_outbox_due")
        outbox.create_index("ix_outbox_due_at", ["due_at"])
        outbox.drop_column("channel")
