"""Consent to share, its endings, witnesses and signatures; decisions without consent; disclosures. All of it only grows."""

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.database
import uuid
from django.db import migrations, models


TABLES = (
    "consent_sharingconsent",
    "consent_sharingend",
    "consent_sharingwitness",
    "consent_sharingsignature",
    "consent_lawfuldecision",
    "consent_lawfulreview",
    "consent_disclosure",
)
SEQUENCES = ("consent_sharing_number", "consent_decision_number")


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0009_sharing"),
        ("consent", "0006_hidden"),
        ("organisations", "0007_protocol"),
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
            name="LawfulDecision",
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
                        db_default=models.Func(models.Value("consent_decision_number"), function="nextval"),
                        editable=False,
                        help_text="For people to read",
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
                ("decided_by", models.TextField(help_text="Name of whoever decided")),
                ("decided_as", models.TextField(help_text="Their role: Caldicott Guardian, team manager …")),
                ("decided_on", models.DateField()),
                ("reason", models.TextField()),
                ("review_on", models.DateField()),
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
                    "recipient",
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
            name="LawfulReview",
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
                    "outcome",
                    models.CharField(choices=[("goes_on", "It goes on"), ("ends", "It ends")], max_length=8),
                ),
                ("reason", models.TextField()),
                ("review_on", models.DateField(null=True)),
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
                    "decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="consent.lawfuldecision",
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
            name="SharingConsent",
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
                        db_default=models.Func(models.Value("consent_sharing_number"), function="nextval"),
                        editable=False,
                        help_text="For people to read",
                    ),
                ),
                ("answer", models.CharField(choices=[("given", "Yes"), ("refused", "No")], max_length=8)),
                ("recipient_name", models.TextField(blank=True, db_default="", default="")),
                ("purposes", models.TextField(help_text="In the client's own words")),
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
                ("decided_on", models.DateField()),
                (
                    "ends",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("date", "On a date"),
                            ("episode", "When the treatment episode ends"),
                            ("open", "No end date"),
                        ],
                        db_default="",
                        default="",
                        max_length=8,
                    ),
                ),
                ("until", models.DateField(help_text="The last day, included", null=True)),
                ("told_who_sees", models.BooleanField(null=True)),
                ("told_notice", models.BooleanField(null=True)),
                ("notice_version", models.CharField(blank=True, db_default="", default="", max_length=40)),
                (
                    "way",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("drawn", "Signed on screen"),
                            ("paper", "Signed on paper"),
                            ("witnessed", "Spoken and witnessed"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("spoken_words", models.TextField(blank=True, db_default="", default="")),
                (
                    "witness",
                    models.UUIDField(
                        help_text="The colleague who is to confirm; an id, no foreign key", null=True
                    ),
                ),
                ("witness_label", models.TextField(blank=True, db_default="", default="")),
                (
                    "note",
                    models.TextField(
                        blank=True, db_default="", default="", help_text="Of a refusal, if they said why"
                    ),
                ),
                (
                    "renews",
                    models.UUIDField(
                        help_text="The earlier consent that this one takes the place of, if one", null=True
                    ),
                ),
                (
                    "asked",
                    models.UUIDField(
                        help_text="The request of a partner that this answers, if one", null=True
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
                    "recipient",
                    models.ForeignKey(
                        null=True,
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
            name="Disclosure",
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
                    "way",
                    models.CharField(
                        choices=[
                            ("letter", "Letter"),
                            ("phone", "Phone"),
                            ("email", "Secure e-mail"),
                            ("in_person", "In person"),
                            ("print", "Print-out"),
                            ("export", "Export"),
                        ],
                        max_length=10,
                    ),
                ),
                ("recipient_name", models.TextField(blank=True, db_default="", default="")),
                ("what", models.TextField(help_text="In a few words: prescription summary")),
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
                ("purpose", models.TextField()),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("consent", "Consent to share"),
                            ("standing", "Standing recipient"),
                            ("lawful", "Without consent, on a lawful ground"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "standing",
                    models.CharField(
                        blank=True,
                        choices=[("gp", "GP"), ("pharmacy", "Pharmacy"), ("next_of_kin", "Next of kin")],
                        db_default="",
                        default="",
                        max_length=12,
                    ),
                ),
                (
                    "condition",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("prescribing", "For prescribing"),
                            ("dispensing", "For dispensing"),
                            ("emergency", "In an emergency"),
                            ("contact_lost", "To confirm wellbeing, contact is lost"),
                        ],
                        db_default="",
                        default="",
                        max_length=14,
                    ),
                ),
                (
                    "lawful_ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("welfare", "Protecting someone’s welfare"),
                            ("law", "Law or court order"),
                            ("crime", "A criminal investigation or proceedings"),
                            ("public_body", "Another public body’s statutory function"),
                            ("own_function", "Our own statutory function"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("given_on", models.DateField()),
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
                    "recipient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disclosures",
                        to="consent.sharingconsent",
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
            name="SharingEnd",
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
                            ("withdrawn", "Withdrawn"),
                            ("invalidated", "Recorded in error"),
                            ("episode_over", "The treatment episode ended"),
                        ],
                        max_length=12,
                    ),
                ),
                ("on", models.DateField(help_text="The day it was said, or found")),
                ("reason", models.TextField(blank=True, db_default="", default="")),
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
                    "consent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="endings",
                        to="consent.sharingconsent",
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
            name="SharingSignature",
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
                        choices=[("pdf", "PDF"), ("png", "PNG"), ("jpeg", "JPEG")], max_length=4
                    ),
                ),
                ("size", models.PositiveIntegerField(help_text="Bytes of the file as it came")),
                ("sha256", models.CharField(help_text="Of the file as it came, in hex", max_length=64)),
                (
                    "sealed",
                    models.BinaryField(help_text="Encrypted, bound to the consent (edatrs.core.crypto.seal)"),
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
                    "consent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="consent.sharingconsent",
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
            name="SharingWitness",
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
                    "answer",
                    models.CharField(
                        choices=[("heard", "I heard it"), ("not_heard", "I did not hear it")], max_length=10
                    ),
                ),
                ("note", models.TextField(blank=True, db_default="", default="")),
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
                    "consent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="witnesses",
                        to="consent.sharingconsent",
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
            model_name="lawfuldecision",
            index=models.Index(fields=["organisation", "client"], name="lawful_decision_of_record"),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="lawful_decision_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "id"), name="lawful_decision_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.UniqueConstraint(
                fields=("organisation", "number"), name="lawful_decision_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "form_key"), name="lawful_decision_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("recipient", models.F("organisation")), _negated=True),
                name="lawful_decision_to_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("categories__len__gt", 0),
                    ("decided_as__gt", ""),
                    ("decided_by__gt", ""),
                    ("reason__gt", ""),
                ),
                name="lawful_decision_says_who_why_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfuldecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("review_on__gte", models.F("decided_on"))),
                name="lawful_decision_reviewed_after",
            ),
        ),
        migrations.AddIndex(
            model_name="lawfulreview",
            index=models.Index(fields=["organisation", "client"], name="lawful_review_of_record"),
        ),
        migrations.AddConstraint(
            model_name="lawfulreview",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "decision"),
                name="lawful_review_of_decision",
                to="consent.LawfulDecision",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfulreview",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "form_key"), name="lawful_review_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="lawfulreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__gt", ""),
                    models.Q(
                        models.Q(("outcome", "ends"), ("review_on__isnull", True)),
                        models.Q(("outcome", "goes_on"), ("review_on__isnull", False)),
                        _connector="OR",
                    ),
                ),
                name="lawful_review_says_what",
            ),
        ),
        migrations.AddIndex(
            model_name="sharingconsent",
            index=models.Index(fields=["organisation", "client"], name="sharing_consent_of_record"),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="sharing_consent_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "id"), name="sharing_consent_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.UniqueConstraint(
                fields=("organisation", "number"), name="sharing_consent_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "form_key"), name="sharing_consent_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("recipient__isnull", False), ("recipient_name", "")),
                    models.Q(("recipient__isnull", True), ("recipient_name__gt", "")),
                    _connector="OR",
                ),
                name="sharing_consent_one_recipient",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recipient__isnull", True),
                    models.Q(("recipient", models.F("organisation")), _negated=True),
                    _connector="OR",
                ),
                name="sharing_consent_to_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer", "refused"),
                    models.Q(
                        ("ends__gt", ""),
                        ("purposes__gt", ""),
                        ("told_notice", True),
                        ("told_who_sees", True),
                        ("way__gt", ""),
                        ("categories__len__gt", 0),
                    ),
                    _connector="OR",
                ),
                name="sharing_consent_given_has_evidence",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer", "given"),
                    models.Q(("ends", ""), ("until__isnull", True), ("way", "")),
                    _connector="OR",
                ),
                name="sharing_refusal_grants_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until__isnull", True), ("until__gte", models.F("decided_on")), _connector="OR"
                ),
                name="sharing_consent_ends_after_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ends", "date"), ("until__isnull", False)),
                    models.Q(models.Q(("ends", "date"), _negated=True), ("until__isnull", True)),
                    _connector="OR",
                ),
                name="sharing_consent_has_the_end_it_says",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("way", "witnessed"), _negated=True), ("witness__isnull", False), _connector="OR"
                ),
                name="sharing_consent_has_a_witness",
            ),
        ),
        migrations.AddIndex(
            model_name="disclosure",
            index=models.Index(fields=["organisation", "client", "given_on"], name="disclosure_of_record"),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="disclosure_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "consent"),
                name="disclosure_of_consent",
                to="consent.SharingConsent",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "form_key"), name="disclosure_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("recipient__isnull", False), ("recipient_name", "")),
                    models.Q(("recipient__isnull", True), ("recipient_name__gt", "")),
                    _connector="OR",
                ),
                name="disclosure_one_recipient",
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purpose__gt", ""),
                    ("what__gt", ""),
                    models.Q(
                        models.Q(
                            ("consent__isnull", False),
                            ("ground", "consent"),
                            ("lawful_ground", ""),
                            ("standing", ""),
                        ),
                        models.Q(
                            ("condition__gt", ""),
                            ("consent__isnull", True),
                            ("ground", "standing"),
                            ("lawful_ground", ""),
                            ("standing__gt", ""),
                        ),
                        models.Q(
                            ("consent__isnull", True),
                            ("ground", "lawful"),
                            ("lawful_ground__gt", ""),
                            ("standing", ""),
                        ),
                        _connector="OR",
                    ),
                ),
                name="disclosure_says_its_ground",
            ),
        ),
        migrations.AddIndex(
            model_name="sharingend",
            index=models.Index(fields=["organisation", "client"], name="sharing_end_of_record"),
        ),
        migrations.AddConstraint(
            model_name="sharingend",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "consent"),
                name="sharing_end_of_consent",
                to="consent.SharingConsent",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingend",
            constraint=models.UniqueConstraint(
                fields=("organisation", "consent", "kind"), name="sharing_end_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingend",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "invalidated"), _negated=True), ("reason__gt", ""), _connector="OR"
                ),
                name="sharing_invalidation_has_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="sharingsignature",
            index=models.Index(fields=["organisation", "client"], name="sharing_signature_of_record"),
        ),
        migrations.AddConstraint(
            model_name="sharingsignature",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "consent"),
                name="sharing_signature_of_consent",
                to="consent.SharingConsent",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingsignature",
            constraint=models.UniqueConstraint(
                fields=("organisation", "consent"), name="sharing_signature_once"
            ),
        ),
        migrations.AddIndex(
            model_name="sharingwitness",
            index=models.Index(fields=["organisation", "client"], name="sharing_witness_of_record"),
        ),
        migrations.AddConstraint(
            model_name="sharingwitness",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "consent"),
                name="sharing_witness_of_consent",
                to="consent.SharingConsent",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="sharingwitness",
            constraint=models.UniqueConstraint(
                fields=("organisation", "consent"), name="sharing_witness_once"
            ),
        ),
        # Acts are never edited: no UPDATE, no DELETE.
        edatrs.core.database.Grant("app", "SELECT, INSERT", *TABLES),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", *TABLES),
        *(edatrs.core.database.RowSecurity(table) for table in TABLES),
        *(
            edatrs.core.database.Policy(
                table,
                "hidden",
                edatrs.core.database.NOT_HIDDEN.format(client="client_id"),
                command="ALL",
                restrictive=True,
            )
            for table in TABLES
        ),
    ]
