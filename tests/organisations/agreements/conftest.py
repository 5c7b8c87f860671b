"""Fixtures of these tests."""

from __future__ import annotations

import pytest
from django.test import Client

from edatrs.organisations.models import (
    Organisation,
)
from tests.factories.organisations import make_organisation, sign_in
from tests.organisations.agreements.desk import Browse


@pytest.fixture
def council() -> Organisation:
    return make_organisation("council", name="Council", emails=["dpo@council.example"])


@pytest.fixture
def clinic() -> Organisation:
    return make_organisation("clinic", name="Clinic", emails=["dpo@clinic.example"])


@pytest.fixture
def browse() -> Browse:
    return lambda user: sign_in(Client(), user)
