"""django-guardian behind one module (style rule 4): direct-foreign-key tables, groups only, no global permissions.

Grants are for sharing between organisations; ownership is a column. The group of an organisation is `organisation:<id>`. This module says
who holds a permission; when it counts (dates, suspension, a protocol in force today) is for `caseload.shared` and for row security.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models
from guardian.shortcuts import get_objects_for_group

M = TypeVar("M", bound=models.Model)


def group_of(organisation_id: UUID) -> Group:
    """The one group of an organisation, made when first needed."""
    group, _ = Group.objects.get_or_create(name=f"organisation:{organisation_id}")
    return group


def shared_with(
    organisation_id: UUID, permissions: list[str], rows: models.QuerySet[M]
) -> models.QuerySet[M]:
    """The rows among `rows` that a grant of any of `permissions` ("app.codename") opens to an organisation.

    Global permissions never count: a model-wide permission given by mistake must not open every row.
    """
    found: Any = get_objects_for_group(
        group_of(organisation_id), permissions, klass=rows, any_perm=True, accept_global_perms=False
    )
    return found
