"""Finished health checks, and which of them an enquiry brought with it."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("previous_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("retain_until", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version"], ["form_versions.version"], name="fk_assessments_version_form_versions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.UniqueConstraint("token_hash", name="uq_assessments_token_hash"),
    )
    op.create_index("ix_assessments_retain_until", "assessments", ["retain_until"])
    # no foreign key: SQLite would write the whole table anew for it; the program deletes both together
    op.add_column("enquiries", sa.Column("assessment_id", sa.String(length=32), nullable=True))
    op.create_index("ix_enquiries_assessment_id", "enquiries", ["assessment_id"])


def downgrade() -> None:
    op.drop_index("ix_enquiries_assessment_id", table_name="enquiries")
    op.drop_column("enquiries", "assessment_id")
    op.drop_table("assessments")
