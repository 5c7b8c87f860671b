"""Addresses of the protocol register: part of the addresses of the organisations app."""

from __future__ import annotations

from django.urls import path

from edatrs.organisations.views import (
    agreement_acts,
    agreement_edit,
    agreement_leaving,
    agreements,
    signatories,
)

_ORGANISATION = "o/<slug:organisation>/"
_ONE = f"{_ORGANISATION}agreements/<uuid:pk>/"

agreement_patterns = [
    path("sharing-agreements/", agreements.PublicAgreementListView.as_view(), name="public-agreements"),
    path(
        "sharing-agreements/<slug:agreement>/",
        agreements.PublicAgreementView.as_view(),
        name="public-agreement",
    ),
    path(f"{_ORGANISATION}agreements/", agreements.AgreementListView.as_view(), name="agreements"),
    path(f"{_ORGANISATION}agreements/new/", agreements.NewAgreementView.as_view(), name="agreement-new"),
    path(f"{_ORGANISATION}contact/", agreement_edit.ContactView.as_view(), name="contact"),
    path(f"{_ORGANISATION}signatories/", signatories.SignatoryListView.as_view(), name="signatories"),
    path(
        f"{_ORGANISATION}signatories/<uuid:pk>/last-day/",
        signatories.SignatoryEndView.as_view(),
        name="signatory-end",
    ),
    path(_ONE, agreements.AgreementView.as_view(), name="agreement"),
    path(f"{_ONE}details/", agreement_edit.DetailsView.as_view(), name="agreement-details"),
    path(f"{_ONE}contents/", agreement_edit.ContentsView.as_view(), name="agreement-contents"),
    path(f"{_ONE}documents/", agreement_edit.DocumentsView.as_view(), name="agreement-documents"),
    path(f"{_ONE}parties/", agreement_edit.PartiesView.as_view(), name="agreement-parties"),
    path(
        f"{_ONE}parties/<uuid:party>/remove/",
        agreement_edit.RemovePartyView.as_view(),
        name="agreement-party-remove",
    ),
    path(f"{_ONE}own-part/", agreement_edit.OwnPartView.as_view(), name="agreement-own-part"),
    path(f"{_ONE}status/", agreement_acts.StatusView.as_view(), name="agreement-status"),
    path(f"{_ONE}approve/", agreement_acts.ApproveView.as_view(), name="agreement-approve"),
    path(f"{_ONE}sign/", agreement_acts.SignView.as_view(), name="agreement-sign"),
    path(f"{_ONE}leave/", agreement_leaving.LeaveView.as_view(), name="agreement-leave"),
    path(f"{_ONE}stay/", agreement_leaving.StayView.as_view(), name="agreement-stay"),
    path(f"{_ONE}certificate/", agreement_leaving.CertificateView.as_view(), name="agreement-certificate"),
    path(f"{_ONE}review/", agreement_acts.ReviewView.as_view(), name="agreement-review"),
    path(f"{_ONE}new-version/", agreement_acts.NewVersionView.as_view(), name="agreement-version"),
    path(f"{_ONE}publication/", agreement_acts.PublicationView.as_view(), name="agreement-publication"),
]
