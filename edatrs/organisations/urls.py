"""Addresses of sign-in, of one's own account, and of the pages about an organisation's people."""

from __future__ import annotations

from django.urls import path

from edatrs.organisations.views import account, frame, home, passwords, people, set_up, sign_in

app_name = "organisations"
_ORGANISATION = "o/<slug:organisation>/"
_PERSON = f"{_ORGANISATION}people/<uuid:pk>/"

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
    path("account/recovery-codes/", account.NewRecoveryCodesView.as_view(), name="new-recovery-codes"),
    path("account/sign-out-everywhere/", account.SignOutEverywhereView.as_view(), name="sign-out-everywhere"),
    path(_ORGANISATION, home.HomeView.as_view(), name="home"),
    path(f"{_ORGANISATION}tasks/<uuid:pk>/done/", home.TaskDoneView.as_view(), name="task-done"),
    path(f"{_ORGANISATION}people/", people.PersonListView.as_view(), name="people"),
    path(f"{_ORGANISATION}people/invite/", people.InviteView.as_view(), name="person-invite"),
    path(_PERSON, people.PersonView.as_view(), name="person"),
    path(f"{_PERSON}roles/<int:membership>/end/", people.EndRoleView.as_view(), name="role-end"),
    path(f"{_PERSON}disable/", people.DisableView.as_view(), name="person-disable"),
    path(f"{_PERSON}second-factor/", people.ResetSecondFactorView.as_view(), name="second-factor-reset"),
]
