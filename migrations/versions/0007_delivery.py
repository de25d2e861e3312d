"""delivery

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("claim_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parcel", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("parcel_name", sa.String(length=220), nullable=True))
        batch_op.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("fault", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("claim_files", schema=None) as batch_op:
        for name in ("next_try_at", "fault", "tries", "parcel_name", "parcel"):
            batch_op.drop_column(name)
