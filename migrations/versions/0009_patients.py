"""patients

Revision: 0009, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "patients",
        sa.Column("practice_id", _BIG, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("told", sa.String(length=32), nullable=False),
        sa.Column("demographics", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_patients_practice_id_practices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("key", name=op.f("uq_patients_key")),
    )
    op.create_index(op.f("ix_patients_practice_id_changed_at"), "patients", ["practice_id", "changed_at"])
    op.create_table(
        "patient_search_keys",
        sa.Column("patient_id", _BIG, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name=op.f("fk_patient_search_keys_patient_id_patients")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_search_keys")),
        sa.UniqueConstraint("key", "patient_id", name=op.f("uq_patient_search_keys_key_patient_id")),
    )
    op.create_index(op.f("ix_patient_search_keys_patient_id"), "patient_search_keys", ["patient_id"])
    op.create_table(
        "patient_links",
        sa.Column("practice_id", _BIG, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("told", sa.String(length=32), nullable=False),
        sa.Column("patient_id", _BIG, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_patient_links_practice_id_practices")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_patient_links_patient_id_patients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_links")),
        sa.UniqueConstraint("subject", name=op.f("uq_patient_links_subject")),
    )
    op.create_index(op.f("ix_patient_links_patient_id"), "patient_links", ["patient_id"])


def downgrade() -> None:
    op.drop_table("patient_links")
    op.drop_table("patient_search_keys")
    op.drop_table("patients")
