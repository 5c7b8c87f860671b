"""Addresses of sign-in, of one's own account, and of the pages about an organisation's people."""

from __future__ import annotations

from django.urls import path

from edatrs.organisations.agreement_urls import agreement_patterns
from edatrs.organisations.views import (
    access_review,
    account,
    clearances,
    frame,
    home,
    leavers,
    passkeys,
    passwords,
    people,
    set_up,
    sign_in,
)

app_name = "organisations"
_ORGANISATION = "o/<slug:organisation>/"
_PERSON = f"{_ORGANISATION}people/<uuid:pk>/"
_LEAVER = f"{_ORGANISATION}leavers/<uuid:pk>/"

urlpatterns = [
    path("", sign_in.StartView.as_view(), name="start"),
    path("sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path("confirm/", sign_in.ConfirmView.as_view(), name="confirm"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign-out"),
    path("set-up/", set_up.SetUpView.as_view(), name="set-up"),
    path("set-up/recovery-codes/", set_up.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("set-up/recovery-codes.txt", set_up.RecoveryCodesFileView.as_view(), name="recovery-codes-file"),
    path("cannot-sign-in/", passwords.CannotSignInView.as_view(), name="cannot-sign-in"),
    path("new-password/<str:token>/", passwords.NewPasswordView.as_view(), name="new-password"),
    path("organisation/", account.ChooseOrganisationView.as_view(), name="choose"),
    path("account/", account.AccountView.as_view(), name="account"),
    path("account/stay/", frame.StayView.as_view(), name="stay"),
    path("account/password/", account.ChangePasswordView.as_view(), name="change-password"),
    path("account/passkeys/", passkeys.PasskeysView.as_view(), name="passkeys"),
    path("account/passkeys/needed/", passkeys.PasskeyNeededView.as_view(), name="passkey-needed"),
    path("account/passkeys/<int:pk>/remove/", passkeys.RemovePasskeyView.as_view(), name="passkey-remove"),
    path("account/recovery-codes/", account.NewRecoveryCodesView.as_view(), name="new-recovery-codes"),
    path("account/sign-out-everywhere/", account.SignOutEverywhereView.as_view(), name="sign-out-everywhere"),
    path(_ORGANISATION, home.HomeView.as_view(), name="home"),
    path(f"{_ORGANISATION}tasks/<uuid:pk>/done/", home.TaskDoneView.as_view(), name="task-done"),
    path(f"{_ORGANISATION}people/", people.PersonListView.as_view(), name="people"),
    path(f"{_ORGANISATION}people/invite/", people.InviteView.as_view(), name="person-invite"),
    path(f"{_ORGANISATION}people/required/", clearances.RequirementsView.as_view(), name="requirements"),
    path(_PERSON, people.PersonView.as_view(), name="person"),
    path(f"{_PERSON}checks/<slug:kind>/", clearances.ClearanceView.as_view(), name="clearance"),
    path(f"{_PERSON}roles/<int:membership>/end/", people.EndRoleView.as_view(), name="role-end"),
    path(f"{_PERSON}leaving/", leavers.StartLeavingView.as_view(), name="leaving-start"),
    path(f"{_ORGANISATION}access-review/", access_review.AccessReviewView.as_view(), name="access-review"),
    path(f"{_ORGANISATION}leavers/", leavers.LeaverListView.as_view(), name="leavers"),
    path(_LEAVER, leavers.LeaverView.as_view(), name="leaver"),
    path(f"{_LEAVER}undo/", leavers.UndoLeavingView.as_view(), name="leaving-undo"),
    path(f"{_LEAVER}tasks/", leavers.TakeTasksView.as_view(), name="leaver-tasks"),
    path(f"{_LEAVER}drafts/", leavers.SealDraftsView.as_view(), name="leaver-drafts"),
    path(f"{_LEAVER}drafts/<uuid:draft>/", leavers.OpenDraftView.as_view(), name="leaver-draft"),
    path(f"{_PERSON}invitation/", people.InvitationAgainView.as_view(), name="invitation-again"),
    path(f"{_PERSON}invitation/revoke/", people.InvitationRevokeView.as_view(), name="invitation-revoke"),
    path(f"{_PERSON}disable/", people.DisableView.as_view(), name="person-disable"),
    path(f"{_PERSON}second-factor/", people.ResetSecondFactorView.as_view(), name="second-factor-reset"),
    *agreement_patterns,
]
