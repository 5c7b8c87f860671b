import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import edatrs.core.crypto
import edatrs.core.database
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


NEW = (
    "caseload_sharinggrant",
    "caseload_sensitiverecord",
    "caseload_namedteammember",
    "caseload_conflictofinterest",
    "caseload_emergencyaccess",
)
HISTORIES = (
    "caseload_sharinggranthistory",
    "caseload_sensitiverecordhistory",
    "caseload_namedteammemberhistory",
    "caseload_conflictofinteresthistory",
)
# A table has one category; row security opens it to the holder of a grant of that category.
OF_CATEGORY = {
    "caseload_clientidentity": "identity",
    "caseload_clientcontact": "contact",
    "caseload_clientequality": "equality",
    "caseload_clientdisability": "disability",
    "caseload_episode": "treatment",
    "caseload_intervention": "treatment",
    "caseload_subinterventionreview": "treatment",
    "caseload_timeintreatment": "treatment",
    "caseload_outcome": "treatment",
    "caseload_clientinformationreview": "treatment",
}
# Every other table with a client that a person may not find there.
HIDES = (
    *OF_CATEGORY,
    "caseload_clientitems",
    "caseload_episodeitems",
    "caseload_registration",
    "caseload_searchtoken",
    "caseload_opening",
    "caseload_allocation",
    "caseload_episodequality",
    "caseload_confidentialityexplained",
    "caseload_episodeclosing",
    "caseload_clientmerge",
)
# Row history holds what the rows held.
HIDES_HISTORY = (
    *(f"{table}history" for table in OF_CATEGORY),
    "caseload_clientitemshistory",
    "caseload_episodeitemshistory",
    "caseload_registrationhistory",
    "caseload_allocationhistory",
    "caseload_confidentialityexplainedhistory",
    "caseload_episodeclosinghistory",
    "caseload_sensitiverecordhistory",
    "caseload_namedteammemberhistory",
    "caseload_conflictofinteresthistory",
)
ORGANISATION = "(SELECT nullif(current_setting('app.organisation', true), '')::uuid)"
# PostgreSQL asks policies in the reverse order of their names: `own` first, and of one's own rows nothing else is asked.
ALSO = "also_reached"
HELD = f"holder_id = {ORGANISATION}"
OF_OUR_CLIENT = f"client_organisation_id = {ORGANISATION}"
ONE = "client_id IN (SELECT reached FROM caseload_reached('{category}') AS reached)"
ANY = "{client} IN (SELECT reached FROM caseload_reached() AS reached)"
EACH = "(client_id, category) IN (SELECT reached, category FROM caseload_reached_categories())"
FOUND_BY = "kind <> 'postcode' AND " + ONE.format(category="identity")

# plpgsql keeps its plan for the life of a connection, so a policy adds nothing to the planning of every statement; it runs once a statement,
# because nothing in it depends on the row.
DECLARED = """
DECLARE
    ours uuid := nullif(current_setting('app.organisation', true), '')::uuid;
    person uuid := nullif(current_setting('app.person', true), '')::uuid;
    today date := (edatrs_now() AT TIME ZONE 'Europe/London')::date;
BEGIN
    IF ours IS NULL THEN
        RETURN;
    END IF;
"""
# Grants that live, from partners with a protocol in force today.
GRANTS = """
        FROM caseload_sharinggrant held
        WHERE held.holder_id = ours
          AND held.suspended_at IS NULL
          AND held.valid_from <= today
          AND (held.valid_until IS NULL OR today <= held.valid_until)
          AND held.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))
"""
# What the person acting has opened in an emergency, for as long as it is open.
EMERGENCY = """
        FROM caseload_emergencyaccess opened, unnest(opened.categories) part
        WHERE opened.organisation_id = ours
          AND opened.user_id = person
          AND opened.ended_at IS NULL
          AND opened.opened_at <= edatrs_now()
          AND edatrs_now() < opened.ends_at
          AND opened.client_organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))
"""
FUNCTIONS = {
    # What the organisation acted for reaches today of other organisations' clients: all of it by category, one category, or whatever.
    "caseload_reached_categories()": f"""
CREATE FUNCTION caseload_reached_categories() RETURNS TABLE (reached uuid, category text) LANGUAGE plpgsql STABLE AS $$
{DECLARED}
    RETURN QUERY
        SELECT held.client_id, held.category::text {GRANTS}
        UNION ALL
        SELECT opened.opened_client_id, part::text {EMERGENCY};
END
$$
""",
    "caseload_reached(text)": f"""
CREATE FUNCTION caseload_reached(of_category text) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
{DECLARED}
    RETURN QUERY
        SELECT held.client_id {GRANTS} AND held.category = of_category
        UNION ALL
        SELECT opened.opened_client_id {EMERGENCY} AND part = of_category;
END
$$
""",
    "caseload_reached()": f"""
CREATE FUNCTION caseload_reached() RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
{DECLARED}
    RETURN QUERY
        SELECT held.client_id {GRANTS}
        UNION ALL
        SELECT opened.opened_client_id {EMERGENCY};
END
$$
""",
    # Whom the person acting may not find, whatever their role. A worker is no person: an extract holds everybody. Asked by every statement for
    # every table, so what was found is noted in a setting of the transaction, for the person and the organisation it was found for.
    "caseload_hidden()": """
CREATE FUNCTION caseload_hidden() RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    person uuid := nullif(current_setting('app.person', true), '')::uuid;
    noted_for text := person::text || ' ' || current_setting('app.organisation', true);
    found text;
BEGIN
    IF person IS NULL THEN
        RETURN;
    END IF;
    IF current_setting('app.hidden_for', true) IS DISTINCT FROM noted_for THEN
        SELECT string_agg(hidden.client_id::text, ' ') INTO found FROM (
            SELECT c.client_id FROM caseload_conflictofinterest c WHERE c.user_id = person AND c.ended_at IS NULL
            UNION ALL
            SELECT s.client_id
            FROM caseload_sensitiverecord s
            WHERE s.lifted_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM caseload_namedteammember t
                  WHERE t.client_id = s.client_id AND t.user_id = person AND t.removed_at IS NULL
              )
        ) hidden;
        PERFORM set_config('app.hidden', coalesce(found, ''), true), set_config('app.hidden_for', noted_for, true);
    END IF;
    IF current_setting('app.hidden') <> '' THEN
        RETURN QUERY SELECT unnest(string_to_array(current_setting('app.hidden'), ' ')::uuid[]);
    END IF;
END
$$
""",
}


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("caseload", "0008_acts_of_an_episode"),
        ("organisations", "0007_protocol"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # The list of clients, page by page in the order of CLIENTID, reads no more rows in a bigger organisation.
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["organisation", "client_id_text", "id"], name="registration_in_order"),
        ),
        migrations.AlterModelOptions(
            name="client",
            options={
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "permissions": [
                    ("see_identity", "Can see identity"),
                    ("see_contact", "Can see contact"),
                    ("see_equality", "Can see equality"),
                    ("see_disability", "Can see disability"),
                    ("see_circumstances", "Can see circumstances"),
                    ("see_health", "Can see health"),
                    ("see_prescribing", "Can see prescribing"),
                    ("see_safeguarding", "Can see safeguarding"),
                    ("see_offending", "Can see offending"),
                    ("see_risk", "Can see risk"),
                    ("see_treatment", "Can see treatment"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConflictOfInterest",
            fields=[
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conflicts",
                        to="caseload.client",
                    ),
                ),
                (
                    "declared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ConflictOfInterestHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "declared_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="caseload.conflictofinterest",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="EmergencyAccess",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("identity", "Identity"),
                                ("contact", "Contact"),
                                ("equality", "Equality"),
                                ("disability", "Disability"),
                                ("circumstances", "Circumstances"),
                                ("health", "Health"),
                                ("prescribing", "Prescribing"),
                                ("safeguarding", "Safeguarding"),
                                ("offending", "Offending"),
                                ("risk", "Risk"),
                                ("treatment", "Treatment"),
                            ],
                            max_length=20,
                        ),
                        size=None,
                    ),
                ),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("welfare", "Protecting someone’s welfare"),
                            ("law", "Law or court order"),
                            ("crime", "A criminal investigation or proceedings"),
                            ("public_body", "Another public body’s statutory function"),
                            ("own_function", "Our own statutory function"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("opened_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("accounted_at", models.DateTimeField(blank=True, null=True)),
                ("account", edatrs.core.crypto.EncryptedTextField(blank=True, default="")),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("review", edatrs.core.crypto.EncryptedTextField(blank=True, default="")),
                ("justified", models.BooleanField(null=True)),
                (
                    "client_organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "opened_client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="NamedTeamMember",
            fields=[
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="named_team",
                        to="caseload.client",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="NamedTeamMemberHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="caseload.namedteammember",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SensitiveRecord",
            fields=[
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("staff", "Works for a partner"),
                            ("relative", "Related to somebody who works for a partner"),
                            ("at_risk", "At risk if the address is found"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("flagged_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sensitive",
                        to="caseload.client",
                    ),
                ),
                (
                    "flagged_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SensitiveRecordHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("staff", "Works for a partner"),
                            ("relative", "Related to somebody who works for a partner"),
                            ("at_risk", "At risk if the address is found"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("flagged_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "flagged_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="caseload.sensitiverecord",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SharingGrant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("identity", "Identity"),
                            ("contact", "Contact"),
                            ("equality", "Equality"),
                            ("disability", "Disability"),
                            ("circumstances", "Circumstances"),
                            ("health", "Health"),
                            ("prescribing", "Prescribing"),
                            ("safeguarding", "Safeguarding"),
                            ("offending", "Offending"),
                            ("risk", "Risk"),
                            ("treatment", "Treatment"),
                        ],
                        max_length=20,
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "content_object",
                    models.ForeignKey(
                        db_column="client_id",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="caseload.client",
                    ),
                ),
                ("group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group")),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission"),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SharingGrantHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("identity", "Identity"),
                            ("contact", "Contact"),
                            ("equality", "Equality"),
                            ("disability", "Disability"),
                            ("circumstances", "Circumstances"),
                            ("health", "Health"),
                            ("prescribing", "Prescribing"),
                            ("safeguarding", "Safeguarding"),
                            ("offending", "Offending"),
                            ("risk", "Risk"),
                            ("treatment", "Treatment"),
                        ],
                        max_length=20,
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "content_object",
                    models.ForeignKey(
                        db_column="client_id",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="auth.permission",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="caseload.sharinggrant",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="conflictofinterest",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="conflict_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="conflictofinterest",
            constraint=models.UniqueConstraint(fields=("client", "user"), name="conflict_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conflictofinterest",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="dce33fc9c49c9266575160c3fec6859b885f9cdb",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_5c257",
                    table="caseload_conflictofinterest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conflictofinterest",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_conflictofinteresthistory" ("act", "client_id", "created_at", "declared_by_id", "ended_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "user_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."declared_by_id", old_values."ended_at", old_values."id", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reason", old_values."user_id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="872b25b8b4f996f3bcad2ffb8ca7430f6c5a861a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_a8d7d",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_conflictofinterest",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conflictofinterest",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_conflictofinteresthistory" ("act", "client_id", "created_at", "declared_by_id", "ended_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "user_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."declared_by_id", old_values."ended_at", old_values."id", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reason", old_values."user_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f98ec0c094a0e41f27b0b029eb595c676ff94389",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_4d04b",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_conflictofinterest",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="conflictofinteresthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="45f6103daa8761b5d7d897b2b57651912ccbe6c3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e85fa",
                    table="caseload_conflictofinteresthistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="emergencyaccess",
            index=models.Index(fields=["organisation", "user", "ends_at"], name="emergency_of_person"),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("client_organisation", "opened_client"),
                name="emergency_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "ends_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("opened_at"), "+", models.Value(datetime.timedelta(seconds=3600))
                        ),
                    )
                ),
                name="emergency_at_most_an_hour",
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(("client_organisation", models.F("organisation")), _negated=True),
                name="emergency_at_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="namedteammember",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="named_team_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="namedteammember",
            constraint=models.UniqueConstraint(fields=("client", "user"), name="named_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="namedteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="1bb03a9d08d1dd9fce1852a2d7852d672674135c",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_da1db",
                    table="caseload_namedteammember",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="namedteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_namedteammemberhistory" ("act", "client_id", "created_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "user_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."id", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."removed_at", old_values."user_id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="c25bbf5a6834dad6ffd0464705f68e77bc598f15",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_91292",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_namedteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="namedteammember",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_namedteammemberhistory" ("act", "client_id", "created_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "user_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."id", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."removed_at", old_values."user_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="2a451da66ba758d45754959cb443d5201ba37815",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_a1ea7",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_namedteammember",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="namedteammemberhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="643a549833111c7a34cb072a7810f67199b3b6b1",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_3d9c2",
                    table="caseload_namedteammemberhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="sensitiverecord",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="sensitive_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensitiverecord",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="6326903bbf1d8fd1e3f8928ec6b1aeb42a5cf190",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_11469",
                    table="caseload_sensitiverecord",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensitiverecord",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_sensitiverecordhistory" ("act", "client_id", "created_at", "flagged_at", "flagged_by_id", "id", "kind", "lifted_at", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."flagged_at", old_values."flagged_by_id", old_values."id", old_values."kind", old_values."lifted_at", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reason", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="400f3eaa7f14fa6411311ef8a65880ec832bc2d7",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_0de34",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_sensitiverecord",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensitiverecord",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_sensitiverecordhistory" ("act", "client_id", "created_at", "flagged_at", "flagged_by_id", "id", "kind", "lifted_at", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."flagged_at", old_values."flagged_by_id", old_values."id", old_values."kind", old_values."lifted_at", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reason", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="d47747ae4332cfeb044efd9a1707d879abe2845b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_7aeb2",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_sensitiverecord",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sensitiverecordhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="04a111e5a0bff5f25774ccd6c799a0f27e9bfbc0",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_52da7",
                    table="caseload_sensitiverecordhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="sharinggrant",
            index=models.Index(fields=["holder", "category", "content_object"], name="grant_held"),
        ),
        migrations.AddConstraint(
            model_name="sharinggrant",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "content_object"),
                name="grant_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="sharinggrant",
            constraint=models.UniqueConstraint(
                fields=("content_object", "holder", "category"), name="grant_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharinggrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("holder", models.F("organisation")), _negated=True),
                name="grant_to_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharinggrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until__isnull", True),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="grant_ends_after_it_starts",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sharinggrant",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="14815edef88da030985f26c26e0ac2d31cfa14f5",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_5f29b",
                    table="caseload_sharinggrant",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sharinggrant",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_sharinggranthistory" ("act", "category", "client_id", "created_at", "group_id", "holder_id", "id", "organisation_id", "permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "suspended_at", "valid_from", "valid_until", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."group_id", old_values."holder_id", old_values."id", old_values."organisation_id", old_values."permission_id", NOW(), \'changed\', old_values."id", old_values."suspended_at", old_values."valid_from", old_values."valid_until", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="cdccfa39af6eefb31f2e3b4389e9d9608b325734",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_f3926",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_sharinggrant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sharinggrant",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_sharinggranthistory" ("act", "category", "client_id", "created_at", "group_id", "holder_id", "id", "organisation_id", "permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "suspended_at", "valid_from", "valid_until", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."group_id", old_values."holder_id", old_values."id", old_values."organisation_id", old_values."permission_id", NOW(), \'deleted\', old_values."id", old_values."suspended_at", old_values."valid_from", old_values."valid_until", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="56ffcbdf3db23c20dea94ed6bfc5fddb2aa22fab",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_5c123",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_sharinggrant",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sharinggranthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="2cac69079944279b90bac6adedc1356dad9a7fad",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e3a45",
                    table="caseload_sharinggranthistory",
                    when="BEFORE",
                ),
            ),
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT, UPDATE",
            "caseload_sharinggrant",
            "caseload_sensitiverecord",
            "caseload_namedteammember",
            "caseload_conflictofinterest",
            "caseload_emergencyaccess",
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT",
            "caseload_sharinggranthistory",
            "caseload_sensitiverecordhistory",
            "caseload_namedteammemberhistory",
            "caseload_conflictofinteresthistory",
        ),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", *NEW, *HISTORIES),
        *(migrations.RunSQL(make, f"DROP FUNCTION {name}") for name, make in FUNCTIONS.items()),
        *(edatrs.core.database.RowSecurity(table) for table in (*NEW, *HISTORIES)),
        edatrs.core.database.Policy("caseload_sharinggrant", "held", HELD),
        edatrs.core.database.Policy("caseload_emergencyaccess", "of_our_client", OF_OUR_CLIENT),
        *(
            edatrs.core.database.Policy(table, ALSO, ANY.format(client="client_id"))
            for table in ("caseload_sensitiverecord", "caseload_namedteammember", "caseload_registration")
        ),
        edatrs.core.database.Policy("caseload_client", ALSO, ANY.format(client="id")),
        *(
            edatrs.core.database.Policy(table, ALSO, ONE.format(category=category))
            for table, category in OF_CATEGORY.items()
        ),
        *(
            edatrs.core.database.Policy(table, ALSO, EACH)
            for table in ("caseload_clientitems", "caseload_episodeitems")
        ),
        edatrs.core.database.Policy("caseload_searchtoken", ALSO, FOUND_BY),
        *(
            edatrs.core.database.Policy(
                table,
                "hidden",
                edatrs.core.database.NOT_HIDDEN.format(client="id"),
                command="ALL",
                restrictive=True,
            )
            for table in ("caseload_client", "caseload_clienthistory")
        ),
        *(
            edatrs.core.database.Policy(
                table,
                "hidden",
                edatrs.core.database.NOT_HIDDEN.format(client="client_id"),
                command="ALL",
                restrictive=True,
            )
            for table in (*HIDES, *HIDES_HISTORY)
        ),
    ]
