"""loops

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stream", sa.String(length=40), nullable=False, server_default="changes"))
        batch_op.drop_constraint(op.f("uq_cursors_practice_id_source"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_cursors_practice_id_source_stream"), ["practice_id", "source", "stream"]
        )
    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.alter_column("stream", server_default=None)
    op.create_table(
        "probes",
        sa.Column("practice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_probes_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
        sa.UniqueConstraint("practice_id", "source", name=op.f("uq_probes_practice_id_source")),
    )
    op.create_table(
        "allowances",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allowances")),
        sa.UniqueConstraint("tenant", name=op.f("uq_allowances_tenant")),
    )


def downgrade() -> None:
    op.drop_table("allowances")
    op.drop_table("probes")
    op.execute("DELETE FROM cursors WHERE stream <> 'changes'")
    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_cursors_practice_id_source_stream"), type_="unique")
        batch_op.drop_column("stream")
        batch_op.create_unique_constraint(op.f("uq_cursors_practice_id_source"), ["practice_id", "source"])
