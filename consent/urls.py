"""Addresses of the consent pages."""

from __future__ import annotations

from django.urls import path

from consent.views import change, ndtms, papers

app_name = "consent"
_ONE = "o/<slug:organisation>/clients/<uuid:pk>/consent/"
_EPISODE = f"{_ONE}<uuid:episode>/"
_ACT = f"{_ONE}acts/<uuid:consent_act>/"

urlpatterns = [
    path(_ONE, ndtms.ConsentStartView.as_view(), name="ndtms"),
    path(f"{_ONE}withdraw/", change.WithdrawView.as_view(), name="withdraw"),
    path(_EPISODE, ndtms.ConsentView.as_view(), name="ndtms-episode"),
    path(f"{_EPISODE}form/", papers.BlankFormView.as_view(), name="ndtms-form"),
    path(f"{_ACT}copy/", papers.CopyView.as_view(), name="ndtms-copy"),
    path(f"{_ACT}signed-form/", papers.SignedFormView.as_view(), name="signed-form"),
    path(f"{_ACT}recorded-in-error/", change.ErrorView.as_view(), name="recorded-in-error"),
]
