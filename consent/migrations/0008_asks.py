"""Asks to a partner and what became of them; referrals to a partner and their steps. All of it only grows.

An ask is delivered inside the database, as role `matcher`, to whoever holds the person: who asks learns neither to whom nor whether.
"""

import importlib
import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import edatrs.core.database
from edatrs.core.database import NOT_HIDDEN, OWN_ORGANISATION, Grant, Policy, RowSecurity

TABLES = (
    "consent_ask",
    "consent_askend",
    "consent_askdelivery",
    "consent_askanswer",
    "consent_partnerreferral",
    "consent_partnerreferralstep",
    "consent_referralhandover",
)
SEQUENCES = ("consent_ask_number", "consent_partner_referral_number")
# Inside a definer function the current user is the owner of the function. `owner` is a member of `matcher` and does not pass by that.
AS_MATCHER = "(SELECT current_user) = 'matcher'"
# Not for `matcher`: it asks for nobody, and what it delivers is of another organisation than the person who asks.
HIDDEN = {
    "consent_ask": f"client_id IS NULL OR {NOT_HIDDEN.format(client='client_id')}",
    "consent_askdelivery": NOT_HIDDEN.format(client="client_id"),
    "consent_askanswer": NOT_HIDDEN.format(client="client_id"),
}
ASKED = "id, organisation_id, client_id, recorded_by, recorded_by_label, recorded_at, act, purpose, categories, message, how, told, answer_by, number, holder_id, held_client"
DELIVERED = "organisation_id, client_id, ask, asker_id, id"
ANSWERED = "organisation_id, client_id, delivery_id, kind, opened, recorded_at, recorded_by_label"
MATCHER = [
    *(
        (
            f"CREATE POLICY hidden ON {table} AS RESTRICTIVE FOR ALL TO app USING ({using})",
            f"DROP POLICY hidden ON {table}",
        )
        for table, using in HIDDEN.items()
    ),
    *(
        (
            f"CREATE POLICY {name} ON {table} FOR {command} TO matcher {clause} ({AS_MATCHER})",
            f"DROP POLICY {name} ON {table}",
        )
        for table in ("consent_askdelivery", "consent_askanswer")
        for name, command, clause in (("matching", "SELECT", "USING"), ("delivered", "INSERT", "WITH CHECK"))
    ),
    *(
        (f"GRANT {right} ON {table} TO matcher", f"REVOKE {right} ON {table} FROM matcher")
        for table, right in (
            ("consent_ask", f"SELECT ({ASKED})"),
            (
                "consent_askend",
                "SELECT (ask_id, organisation_id, recorded_by, recorded_by_label, recorded_at, act)",
            ),
            ("consent_askdelivery", f"SELECT ({DELIVERED}), INSERT"),
            ("consent_askanswer", f"SELECT ({ANSWERED}), INSERT"),
        )
    ),
]


def _put(text, old, new):
    """`new` for the one `old`."""
    if text.count(old) != 1:
        raise ValueError(f"{text.count(old)} times: {old}")
    return text.replace(old, new)


def _holders():
    """The comparison of "known elsewhere", word for word, which gives the records where that one says yes."""
    text = importlib.import_module("caseload.migrations.0010_known_elsewhere").KNOWN_ELSEWHERE
    text = _put(
        text,
        "caseload_known_elsewhere(asked uuid) RETURNS boolean",
        "consent_holders_of(asked uuid) RETURNS TABLE (client uuid, organisation uuid)",
    )
    text = _put(
        text,
        "    IF own.nhs <> '' AND EXISTS (\n        SELECT FROM caseload_matchkey k\n",
        "    IF own.nhs <> '' THEN\n        RETURN QUERY SELECT k.client_id, k.organisation_id FROM caseload_matchkey k\n",
    )
    text = _put(
        text,
        "AND k.of_person <> own.of_person\n    ) THEN\n        RETURN true;\n    END IF;",
        "AND k.of_person <> own.of_person;\n    END IF;",
    )
    text = _put(
        text,
        "SELECT k.fore, k.fore_spelt, k.fore_sounds, k.sur, k.sur_spelt, k.sur_sounds, k.earlier, k.first, k.full_name, k.born, k.sex,\n",
        "SELECT k.client_id, k.organisation_id, k.fore, k.fore_spelt, k.fore_sounds, k.sur, k.sur_spelt, k.sur_sounds, k.earlier, k.first, k.full_name, k.born, k.sex,\n",
    )
    text = _put(
        text,
        "IF bits >= enough THEN\n            RETURN true;",
        "IF bits >= enough THEN\n            client := other.client_id;\n            organisation := other.organisation_id;\n            RETURN NEXT;",
    )
    return text.replace("RETURN false;", "RETURN;")


# To whoever holds the person of the asker's own client, or to the one holder of a record that is shared already. Nothing comes back.
DELIVER = """
CREATE FUNCTION consent_deliver_ask(asked uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    own record;
BEGIN
    SELECT * INTO own FROM (SELECT COLUMNS FROM consent_ask) a
    WHERE a.id = asked AND a.organisation_id = nullif(current_setting('app.organisation', true), '')::uuid;
    IF own.id IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO consent_askdelivery (
        organisation_id, client_id, recorded_by, recorded_by_label, recorded_at, act,
        purpose, categories, message, how, told, answer_by, ask, number, asker_id, directed
    )
    SELECT found.organisation, found.client, own.recorded_by, own.recorded_by_label, own.recorded_at, own.act,
        own.purpose, own.categories, own.message, own.how, own.told, own.answer_by, own.id, own.number, own.organisation_id,
        own.held_client IS NOT NULL
    FROM (
        SELECT h.client, h.organisation FROM consent_holders_of(own.client_id) h WHERE own.client_id IS NOT NULL
        UNION ALL
        SELECT k.client_id, k.organisation_id FROM caseload_matchkey k
        WHERE k.client_id = own.held_client AND k.organisation_id = own.holder_id AND NOT k.voided AND NOT k.sensitive
          AND k.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))
    ) found;
END
$$
""".replace("COLUMNS", ASKED)
# Who asked has taken it back: every holder that got it is told.
TAKE_BACK = """
CREATE FUNCTION consent_take_back_ask(asked uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO consent_askanswer (
        organisation_id, client_id, delivery_id, kind, reason, recorded_by, recorded_by_label, recorded_at, act
    )
    SELECT d.organisation_id, d.client_id, d.id, 'taken_back', '', e.recorded_by, e.recorded_by_label, e.recorded_at, e.act
    FROM consent_askdelivery d JOIN consent_askend e ON e.ask_id = d.ask AND e.organisation_id = d.asker_id
    WHERE d.ask = asked AND d.asker_id = nullif(current_setting('app.organisation', true), '')::uuid;
END
$$
"""
# What holders agreed to, of asks of one's own: who, and, where they opened it, which record. No other answer comes out.
AGREED = """
CREATE FUNCTION consent_agreed(asks uuid[])
RETURNS TABLE (ask uuid, holder uuid, held_client uuid, kind text, said_at timestamptz, said_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT DISTINCT ON (d.id) d.ask, d.organisation_id, a.opened,
            a.kind::text, a.recorded_at, a.recorded_by_label
        FROM consent_askdelivery d JOIN consent_askanswer a ON a.delivery_id = d.id AND a.organisation_id = d.organisation_id
        WHERE d.ask = ANY (asks)
          AND d.asker_id = nullif(current_setting('app.organisation', true), '')::uuid
          AND a.kind IN ('agreed', 'named')
          AND d.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))
        ORDER BY d.id, a.kind, a.recorded_at DESC;
END
$$
"""
OWNED = {
    "consent_holders_of(uuid)": (_holders(), "matcher"),
    "consent_deliver_ask(uuid)": (DELIVER, "app"),
    "consent_take_back_ask(uuid)": (TAKE_BACK, "app"),
    "consent_agreed(uuid[])": (AGREED, "app"),
}


def _given(function, role):
    """To a role alone, with the rights of `matcher`, which may create in the schema for this moment only."""
    return (
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO {role}; "
        f"GRANT CREATE ON SCHEMA public TO matcher; ALTER FUNCTION {function} OWNER TO matcher; "
        "REVOKE CREATE ON SCHEMA public FROM matcher"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0011_emergency"),
        ("consent", "0007_sharing_by_consent"),
        ("organisations", "0010_protocol_more"),
    ]

    operations = [
        *(
            operation
            for name in SEQUENCES
            for operation in (
                migrations.RunSQL(f"CREATE SEQUENCE {name} START 2001", f"DROP SEQUENCE {name}"),
                migrations.RunSQL(
                    f"GRANT USAGE, SELECT ON SEQUENCE {name} TO app",
                    f"REVOKE USAGE, SELECT ON SEQUENCE {name} FROM app",  # noqa: S608  # names of ours
                ),
            )
        ),
        migrations.CreateModel(
            name="Ask",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                ("purpose", models.TextField()),
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
                    "message",
                    models.TextField(blank=True, db_default="", default="", help_text="No clinical content"),
                ),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("here", "Here with me, or was today"),
                            ("referred", "Referred to us, and we have the referral"),
                            ("phoned", "Phoned us"),
                            ("shared", "Their record is shared with us already"),
                        ],
                        max_length=10,
                    ),
                ),
                ("told", models.BooleanField(help_text="The person knows that this is asked")),
                ("answer_by", models.DateField()),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("consent_ask_number"), function="nextval"),
                        editable=False,
                        help_text="For people to read",
                    ),
                ),
                (
                    "held_client",
                    models.UUIDField(help_text="Of the holder; an id, no foreign key", null=True),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        null=True,
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="AskDelivery",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                ("purpose", models.TextField()),
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
                    "message",
                    models.TextField(blank=True, db_default="", default="", help_text="No clinical content"),
                ),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("here", "Here with me, or was today"),
                            ("referred", "Referred to us, and we have the referral"),
                            ("phoned", "Phoned us"),
                            ("shared", "Their record is shared with us already"),
                        ],
                        max_length=10,
                    ),
                ),
                ("told", models.BooleanField(help_text="The person knows that this is asked")),
                ("answer_by", models.DateField()),
                (
                    "ask",
                    models.UUIDField(
                        help_text="The row of who asks; an id, no foreign key: neither side reads the other's"
                    ),
                ),
                ("number", models.BigIntegerField()),
                (
                    "directed",
                    models.BooleanField(help_text="About a record that the asker sees a part of already"),
                ),
                (
                    "asker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "client",
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="AskAnswer",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("kept", "An answer is recorded, nothing is open yet"),
                            ("agreed", "Agreed"),
                            ("named", "Named ourselves, nothing is open"),
                            ("refused", "Refused"),
                            ("reopened", "Opened again"),
                            ("taken_back", "Taken back by who asked"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, db_default="", default="", help_text="Stays with the holder"
                    ),
                ),
                (
                    "source",
                    models.UUIDField(help_text="The consent or the decision that answers; an id", null=True),
                ),
                (
                    "opened",
                    models.UUIDField(
                        help_text="The record that it opened: after a merge the one that lives", null=True
                    ),
                ),
                (
                    "client",
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
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="consent.askdelivery",
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
            name="AskEnd",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "ask",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="endings",
                        to="consent.ask",
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
            name="PartnerReferral",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("consent_partner_referral_number"), function="nextval"
                        ),
                        editable=False,
                        help_text="For people to read",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("referral", "Referral: they begin, and we go on too"),
                            ("transfer", "Transfer: they take over, and we discharge"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "urgency",
                    models.CharField(
                        choices=[
                            ("routine", "Routine"),
                            ("soon", "Soon: within two working days"),
                            ("urgent", "Urgent: today"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "message",
                    models.TextField(blank=True, db_default="", default="", help_text="No clinical content"),
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
                    "client",
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
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.service",
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
            name="PartnerReferralStep",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("taken_back", "Taken back"),
                            ("done", "Done"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, db_default="", default="")),
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
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="consent.partnerreferral",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
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
            name="ReferralHandOver",
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
                    "form_key",
                    models.UUIDField(
                        editable=False,
                        help_text="Of the page it was sent from: sent twice, it records once",
                        null=True,
                    ),
                ),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
                ("referral", models.UUIDField(help_text="The row of the sender; an id, no foreign key")),
                ("is_new", models.BooleanField()),
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
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "client",
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="ask",
            index=models.Index(fields=["organisation", "client"], name="ask_of_record"),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="ask_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.UniqueConstraint(fields=("organisation", "id"), name="ask_key"),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.UniqueConstraint(fields=("organisation", "number"), name="ask_number_once"),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.UniqueConstraint(fields=("organisation", "form_key"), name="ask_once_a_form"),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("client__isnull", False), ("held_client__isnull", True), ("holder__isnull", True)
                    ),
                    models.Q(
                        ("client__isnull", True), ("held_client__isnull", False), ("holder__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="ask_of_somebody_or_of_a_shared_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.CheckConstraint(
                condition=models.Q(("categories__len__gt", 0), ("purpose__gt", "")),
                name="ask_says_what_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="ask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("holder__isnull", True),
                    models.Q(("holder", models.F("organisation")), _negated=True),
                    _connector="OR",
                ),
                name="ask_of_another",
            ),
        ),
        migrations.AddIndex(
            model_name="askdelivery",
            index=models.Index(fields=["ask"], name="ask_delivery_of_ask"),
        ),
        migrations.AddConstraint(
            model_name="askdelivery",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="ask_delivery_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="askdelivery",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "id"), name="ask_delivery_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="askdelivery",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "ask"), name="ask_delivered_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="askdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("asker", models.F("organisation")), _negated=True),
                name="ask_delivery_of_another",
            ),
        ),
        migrations.AddIndex(
            model_name="askanswer",
            index=models.Index(fields=["organisation", "client"], name="ask_answer_of_record"),
        ),
        migrations.AddConstraint(
            model_name="askanswer",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "delivery"),
                name="ask_answer_of_delivery",
                to="consent.AskDelivery",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="askanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "refused"), _negated=True), ("reason__gt", ""), _connector="OR"
                ),
                name="ask_refusal_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="askend",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "ask"),
                name="ask_end_of_ask",
                to="consent.Ask",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="askend",
            constraint=models.UniqueConstraint(fields=("organisation", "ask"), name="ask_end_once"),
        ),
        migrations.AddIndex(
            model_name="partnerreferral",
            index=models.Index(fields=["organisation", "client"], name="partner_referral_of_record"),
        ),
        migrations.AddIndex(
            model_name="partnerreferral",
            index=models.Index(fields=["receiver"], name="partner_referral_received"),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="partner_referral_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("receiver", "service"),
                name="partner_referral_at_its_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=models.UniqueConstraint(
                fields=("organisation", "receiver", "id"), name="partner_referral_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "form_key"), name="partner_referral_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=models.CheckConstraint(
                condition=models.Q(("categories__len__gt", 0), ("reason__gt", "")),
                name="partner_referral_says_why_and_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferral",
            constraint=models.CheckConstraint(
                condition=models.Q(("receiver", models.F("organisation")), _negated=True),
                name="partner_referral_to_another",
            ),
        ),
        migrations.AddIndex(
            model_name="partnerreferralstep",
            index=models.Index(fields=["sender"], name="partner_referral_step_sender"),
        ),
        migrations.AddConstraint(
            model_name="partnerreferralstep",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("sender", "receiver", "referral"),
                name="partner_referral_step_of_referral",
                to="consent.PartnerReferral",
                to_fields=("organisation", "receiver", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferralstep",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["accepted", "rejected", "taken_back"])),
                fields=("referral",),
                name="partner_referral_decided_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferralstep",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "done")), fields=("referral",), name="partner_referral_done_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferralstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["accepted", "rejected"]), ("organisation", models.F("receiver"))),
                    models.Q(("kind__in", ["taken_back", "done"]), ("organisation", models.F("sender"))),
                    _connector="OR",
                ),
                name="partner_referral_step_of_its_side",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerreferralstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "rejected"), _negated=True), ("reason__gt", ""), _connector="OR"
                ),
                name="partner_referral_rejection_has_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="referralhandover",
            index=models.Index(fields=["organisation", "client"], name="referral_hand_over_of_record"),
        ),
        migrations.AddConstraint(
            model_name="referralhandover",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="referral_hand_over_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="referralhandover",
            constraint=models.UniqueConstraint(
                fields=("organisation", "referral"), name="referral_hand_over_once"
            ),
        ),
        migrations.AlterField(
            model_name="disclosure",
            name="way",
            field=models.CharField(
                choices=[
                    ("letter", "Letter"),
                    ("phone", "Phone"),
                    ("email", "Secure e-mail"),
                    ("in_person", "In person"),
                    ("print", "Print-out"),
                    ("export", "Export"),
                    ("hand_over", "Hand-over to a partner"),
                ],
                max_length=10,
            ),
        ),
        # They only grow: no UPDATE, no DELETE.
        Grant("app", "SELECT, INSERT", *TABLES),
        Grant("destroyer", "SELECT, DELETE", *TABLES),
        *(RowSecurity(table) for table in TABLES),
        Policy(
            "consent_partnerreferral",
            "received",
            OWN_ORGANISATION.replace("organisation_id", "receiver_id", 1),
        ),
        Policy(
            "consent_partnerreferralstep",
            "of_both",
            f"{OWN_ORGANISATION.replace('organisation_id', 'sender_id', 1)} "
            f"OR {OWN_ORGANISATION.replace('organisation_id', 'receiver_id', 1)}",
        ),
        *(
            Policy(table, "hidden", NOT_HIDDEN.format(client="client_id"), command="ALL", restrictive=True)
            for table in ("consent_partnerreferral", "consent_referralhandover")
        ),
        *(migrations.RunSQL(make, take) for make, take in MATCHER),
        *(
            operation
            for function, (make, role) in OWNED.items()
            for operation in (
                migrations.RunSQL(make, f"DROP FUNCTION {function}"),
                migrations.RunSQL(_given(function, role), migrations.RunSQL.noop),
            )
        ),
    ]
