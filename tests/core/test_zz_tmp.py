import pytest
from tests.architecture import catalogue
@pytest.mark.django_db
def test_x():
    print([k[:3] for k in catalogue.foreign_keys() if k[0] in ("consent_consentact","ndtms_nationalholding")])
