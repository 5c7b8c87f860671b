"""Addresses of the consent pages."""

from __future__ import annotations

from django.urls import path

from consent.views import (
    asks,
    change,
    decisions,
    ndtms,
    papers,
    referrals,
    requests,
    sharing,
    sharing_papers,
    sharing_record,
    withdraw,
)

app_name = "consent"
_ONE = "o/<slug:organisation>/clients/<uuid:pk>/consent/"
_EPISODE = f"{_ONE}<uuid:episode>/"
_ACT = f"{_ONE}acts/<uuid:consent_act>/"
_SHARING = "o/<slug:organisation>/clients/<uuid:pk>/sharing/"
_CONSENT = f"{_SHARING}consents/<uuid:consent>/"
_REQUESTS = "o/<slug:organisation>/requests/"

urlpatterns = [
    path(_ONE, ndtms.ConsentStartView.as_view(), name="ndtms"),
    path(f"{_ONE}withdraw/", withdraw.WithdrawView.as_view(), name="withdraw"),
    path(f"{_ONE}letter/", withdraw.LetterView.as_view(), name="letter"),
    path(_EPISODE, ndtms.ConsentView.as_view(), name="ndtms-episode"),
    path(f"{_EPISODE}form/", papers.BlankFormView.as_view(), name="ndtms-form"),
    path(f"{_ACT}copy/", papers.CopyView.as_view(), name="ndtms-copy"),
    path(f"{_ACT}signed-form/", papers.SignedFormView.as_view(), name="signed-form"),
    path(f"{_ACT}recorded-in-error/", change.ErrorView.as_view(), name="recorded-in-error"),
    path(_SHARING, sharing.WhoCanSeeView.as_view(), name="sharing"),
    path(f"{_SHARING}printed/", sharing.PrintedView.as_view(), name="sharing-printed"),
    path(f"{_SHARING}consents/new/", sharing_record.RecordView.as_view(), name="share"),
    path(f"{_SHARING}consents/blank/", sharing.BlankView.as_view(), name="share-blank"),
    path(_CONSENT, sharing.OneView.as_view(), name="share-one"),
    path(f"{_CONSENT}copy/", sharing.CopyView.as_view(), name="share-copy"),
    path(f"{_CONSENT}signed-form/", sharing_papers.SignatureView.as_view(), name="share-signature"),
    path(f"{_CONSENT}withdraw/", sharing.WithdrawView.as_view(), name="share-withdraw"),
    path(f"{_CONSENT}in-error/", sharing.InvalidateView.as_view(), name="share-in-error"),
    path(f"{_CONSENT}witness/", sharing.WitnessView.as_view(), name="share-witness"),
    path(f"{_SHARING}decisions/new/", decisions.DecideView.as_view(), name="decide"),
    path(f"{_SHARING}decisions/<uuid:decision>/", decisions.DecisionView.as_view(), name="decision"),
    path(f"{_SHARING}given/", decisions.DisclosuresView.as_view(), name="disclosures"),
    path(f"{_SHARING}asks/", asks.AsksView.as_view(), name="asks"),
    path(f"{_SHARING}asks/new/", asks.AskView.as_view(), name="ask"),
    path("o/<slug:organisation>/shared/<uuid:pk>/ask/", asks.AskMoreView.as_view(), name="ask-more"),
    path(_REQUESTS, requests.RequestsView.as_view(), name="requests"),
    path(f"{_REQUESTS}<uuid:pk>/", requests.RequestView.as_view(), name="request"),
    path(f"{_SHARING}refer/", referrals.ReferView.as_view(), name="refer"),
    path(f"{_REQUESTS}referrals/", referrals.ReferralsView.as_view(), name="referrals"),
    path(f"{_REQUESTS}referrals/<uuid:referral>/", referrals.ReferralView.as_view(), name="referral"),
    path(f"{_REQUESTS}ours/<uuid:ask>/", asks.AskedView.as_view(), name="asked"),
    path(f"{_SHARING}given/new/", decisions.DiscloseView.as_view(), name="disclose"),
]
