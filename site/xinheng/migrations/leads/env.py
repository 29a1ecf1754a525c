"""Alembic's entry for the leads database; the connection is handed over by `migrations.upgrade`."""

from alembic import context

from xinheng.db import LeadsBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=LeadsBase.metadata,
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
