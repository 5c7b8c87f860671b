"""Who the record is about: the person, an organisation's client, and what is known of them by category.

A category is a property of a table, so that row security can guard it: identity, contact, equality and disability are tables of their own.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now

from caseload.choices import Category
from caseload.models.base import KeyedRecord, Record, Voidable
from edatrs.core.database import TenantForeignKey
from edatrs.core.history import frozen, stamp, tracked
from edatrs.core.managers import TenantModel


class Person(models.Model):
    """A bare id: the clients of several organisations that are the same person point at it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)

    def __str__(self) -> str:
        return str(self.id)


class PersonKey(models.Model):
    """The operator's key of a person in bundles: it belongs to the partnership and only an operator's scope sees it."""

    key = models.TextField(primary_key=True)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="operator_key")

    def __str__(self) -> str:
        return self.key


@tracked()
class Client(Voidable, TenantModel):
    """One organisation's record of a person. `record_number` is what people and the trail call it; it is never used again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    record_number = models.BigIntegerField(
        unique=True, editable=False, db_default=Func(Value("caseload_record_number"), function="nextval")
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    act = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        triggers = [stamp()]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="client_with_organisation"),
            models.UniqueConstraint(fields=["organisation", "person"], name="one_client_a_person"),
        ]
        # What a grant opens (guardian): one permission a category.
        permissions = [(f"see_{c.value}", f"Can see {c.label.lower()}") for c in Category]

    def __str__(self) -> str:
        return f"R{self.record_number}"


def of_client(name: str, client: str = "client", *, organisation: str = "organisation") -> TenantForeignKey:
    """The constraint that ties a row to its client, with the organisation that holds the client in it."""
    return TenantForeignKey(
        fields=(organisation, client),
        to="caseload.Client",
        to_fields=("organisation", "id"),
        name=f"{name}_of_client",
    )


class ClientPart(Record):
    """One row of a client in a category of its own."""

    client = models.OneToOneField(
        Client, primary_key=True, on_delete=models.PROTECT, db_constraint=False, related_name="%(class)s"
    )

    class Meta(Record.Meta):
        abstract = True


@tracked()
class ClientIdentity(ClientPart):
    """Category identity. Missing stays missing: an empty text, or no date of birth."""

    title = models.TextField(blank=True, default="", db_default="")
    forename = models.TextField(blank=True, default="", db_default="")
    surname = models.TextField(blank=True, default="", db_default="")
    date_of_birth = models.DateField(null=True, blank=True)
    sex = models.TextField(blank=True, default="", db_default="")
    nhs_number = models.TextField(blank=True, default="", db_default="")

    class Meta(ClientPart.Meta):
        constraints = [of_client("identity")]

    def __str__(self) -> str:
        return str(self.client_id)


@tracked()
class ClientContact(ClientPart):
    """Category contact."""

    address_line_1 = models.TextField(blank=True, default="", db_default="")
    address_line_2 = models.TextField(blank=True, default="", db_default="")
    town = models.TextField(blank=True, default="", db_default="")
    postcode = models.TextField(blank=True, default="", db_default="")
    phone = models.TextField(blank=True, default="", db_default="")
    email = models.TextField(blank=True, default="", db_default="")

    class Meta(ClientPart.Meta):
        constraints = [of_client("contact")]

    def __str__(self) -> str:
        return str(self.client_id)


@tracked()
class ClientEquality(ClientPart):
    """Category equality."""

    ethnicity = models.TextField(blank=True, default="", db_default="")
    nationality = models.TextField(blank=True, default="", db_default="")
    religion = models.TextField(blank=True, default="", db_default="")
    sexual_orientation = models.TextField(blank=True, default="", db_default="")

    class Meta(ClientPart.Meta):
        constraints = [of_client("equality")]

    def __str__(self) -> str:
        return str(self.client_id)


@tracked()
class ClientDisability(ClientPart):
    """Category disability."""

    disability_1 = models.TextField(blank=True, default="", db_default="")
    disability_2 = models.TextField(blank=True, default="", db_default="")
    disability_3 = models.TextField(blank=True, default="", db_default="")

    class Meta(ClientPart.Meta):
        constraints = [of_client("disability")]

    def __str__(self) -> str:
        return str(self.client_id)


@tracked()
class ClientItems(KeyedRecord):
    """Other data-set items of a client, one row a category: JSON keyed by CSV header, only what is recorded."""

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="item_rows"
    )
    category = models.CharField(max_length=20)
    items = models.JSONField(default=dict, db_default={})

    class Meta(KeyedRecord.Meta):
        constraints = [
            of_client("client_items"),
            models.UniqueConstraint(fields=["client", "category"], name="client_items_once_a_category"),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.client_id}"


@tracked()
class Registration(KeyedRecord):
    """Ties a client to a service by the agency's CLIENTID, which is kept exactly as it came: the national match hangs on it (O-141)."""

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="registrations"
    )
    service = models.ForeignKey(
        "organisations.Service", on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    client_id_text = models.TextField("CLIENTID", db_column="clientid")
    reference = models.TextField("CLIENT", blank=True, default="", db_default="")

    class Meta(KeyedRecord.Meta):
        triggers = [stamp(), frozen("client_id_text", "service")]
        constraints = [
            of_client("registration"),
            TenantForeignKey(
                fields=("organisation", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="registration_at_own_service",
            ),
            models.UniqueConstraint(fields=["service", "client_id_text"], name="clientid_once_an_agency"),
            models.UniqueConstraint(
                fields=["organisation", "client", "service", "id"], name="registration_with_client"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "client_id_text", "id"], name="registration_in_order")
        ]

    def __str__(self) -> str:
        return self.client_id_text


class SearchToken(TenantModel):
    """What a client is found by, one row a token (caseload.search). Written again whenever names, ids or dates change; no history."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="search_tokens"
    )
    kind = models.CharField(max_length=12)
    token = models.TextField()

    class Meta(TenantModel.Meta):
        constraints = [
            of_client("search_token"),
            models.UniqueConstraint(fields=["client", "kind", "token"], name="search_token_once"),
        ]
        indexes = [
            models.Index(fields=["organisation", "token", "kind", "client"], name="search_token_found")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.client_id}"


class Opening(TenantModel):
    """Who opened which client last when: the list of recently opened clients of a person. The trail says everything else."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            of_client("opening"),
            models.UniqueConstraint(fields=["organisation", "user", "client"], name="opening_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} opened {self.client_id}"
