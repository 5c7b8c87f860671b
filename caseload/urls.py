"""Addresses of the caseload pages."""

from __future__ import annotations

from django.urls import path, register_converter

from caseload import address
from caseload.views import (
    allocation,
    client_edit,
    clients,
    discharge,
    emergency,
    entries,
    episode_forms,
    episodes,
    export,
    history,
    known_elsewhere,
    linking,
    merge,
    my_caseload,
    outcomes,
    protection,
    register,
    shared,
    timeline,
    top_form,
)

app_name = "caseload"
_LIST = "o/<slug:organisation>/clients/"
_ONE = f"{_LIST}<uuid:pk>/"

_SHARED = "o/<slug:organisation>/shared/"
_EMERGENCY = "o/<slug:organisation>/emergency/"
_EXPORTS = "o/<slug:organisation>/exports/"
_PROTECTION = "o/<slug:organisation>/protection/"
_LINKS = "o/<slug:organisation>/links/"
_WORK = "o/<slug:organisation>/caseload/"

urlpatterns = [
    path(_WORK, my_caseload.MyCaseloadView.as_view(), name="my-caseload"),
    path(f"{_WORK}views/", my_caseload.SavedViewsView.as_view(), name="saved-views"),
    path(f"{_WORK}views/new/", my_caseload.SaveViewView.as_view(), name="saved-view-new"),
    path(f"{_WORK}waiting/", allocation.WaitingReferralsView.as_view(), name="waiting-referrals"),
    path(f"{_WORK}allocation/", allocation.AllocationView.as_view(), name="allocation"),
    path(f"{_WORK}allocation/<uuid:pk>/", allocation.AllocationRunView.as_view(), name="allocation-run"),
    path(_EMERGENCY, emergency.EmergencyView.as_view(), name="emergency"),
    path(f"{_EMERGENCY}open/", emergency.EmergencyOpenView.as_view(), name="emergency-open"),
    path(f"{_EMERGENCY}review/", emergency.EmergencyReviewListView.as_view(), name="emergency-reviews"),
    path(f"{_EMERGENCY}review/<uuid:pk>/", emergency.EmergencyReviewView.as_view(), name="emergency-review"),
    path(
        f"{_EMERGENCY}<uuid:pk>/account/", emergency.EmergencyAccountView.as_view(), name="emergency-account"
    ),
    path(f"{_EMERGENCY}<uuid:pk>/", emergency.EmergencyRecordView.as_view(), name="emergency-record"),
    path(f"{_EMERGENCY}<uuid:pk>/end/", emergency.EmergencyEndView.as_view(), name="emergency-end"),
    path(_EXPORTS, export.ExportListView.as_view(), name="exports"),
    path(f"{_EXPORTS}new/", export.ExportNewView.as_view(), name="export-new"),
    path(f"{_EXPORTS}<uuid:pk>/", export.ExportView.as_view(), name="export"),
    path(f"{_EXPORTS}<uuid:pk>/file/", export.ExportFileView.as_view(), name="export-file"),
    path(f"{_EXPORTS}<uuid:pk>/end/", export.ExportEndView.as_view(), name="export-end"),
    path(_PROTECTION, protection.ProtectionListView.as_view(), name="protection"),
    path(
        f"{_PROTECTION}sensitive/<uuid:pk>/", protection.ProtectionFlagView.as_view(), name="protection-flag"
    ),
    path(
        f"{_PROTECTION}conflicts/<uuid:pk>/",
        protection.ProtectionConflictView.as_view(),
        name="protection-conflict",
    ),
    path(_LINKS, linking.LinksView.as_view(), name="links"),
    path(f"{_LINKS}new/<uuid:pk>/", linking.LinkNewView.as_view(), name="link-new"),
    path(f"{_LINKS}<uuid:pk>/", linking.LinkView.as_view(), name="link"),
    path(_SHARED, shared.SharedListView.as_view(), name="shared"),
    path(f"{_SHARED}<uuid:pk>/", shared.SharedClientView.as_view(), name="shared-client"),
    path(_LIST, clients.ClientListView.as_view(), name="clients"),
    path(f"{_LIST}new/", register.RegisterView.as_view(), name="client-new"),
    path(f"{_LIST}entered-in-error/", client_edit.VoidedView.as_view(), name="clients-void"),
    path(f"{_LIST}entered-in-error/<uuid:pk>/", client_edit.RestoreView.as_view(), name="client-restore"),
    path(f"{_ONE}details/", client_edit.DetailsView.as_view(), name="client-details"),
    path(f"{_ONE}details/identity/", client_edit.EditIdentityView.as_view(), name="client-edit-identity"),
    path(f"{_ONE}details/contact/", client_edit.EditContactView.as_view(), name="client-edit-contact"),
    path(f"{_ONE}details/equality/", client_edit.EditEqualityView.as_view(), name="client-edit-equality"),
    path(
        f"{_ONE}details/disability/", client_edit.EditDisabilityView.as_view(), name="client-edit-disability"
    ),
    path(
        f"{_ONE}details/circumstances/",
        client_edit.EditCircumstancesView.as_view(),
        name="client-edit-circumstances",
    ),
    path(f"{_ONE}void/", client_edit.VoidView.as_view(), name="client-void"),
    path(f"{_ONE}known-elsewhere/", known_elsewhere.KnownElsewhereView.as_view(), name="known-elsewhere"),
    path(f"{_ONE}sensitive/", protection.SensitiveView.as_view(), name="client-sensitive"),
    path(f"{_ONE}conflict/", protection.ConflictView.as_view(), name="client-conflict"),
    path(f"{_ONE}merge/", merge.MergeFindView.as_view(), name="client-merge-find"),
    path(f"{_ONE}merge/<uuid:other>/", merge.MergeView.as_view(), name="client-merge"),
    path(f"{_ONE}merged/<uuid:merge_pk>/undo/", merge.UnmergeView.as_view(), name="client-unmerge"),
    path(_ONE, clients.ClientView.as_view(), name="client"),
    path(f"{_ONE}episodes/", clients.ClientEpisodesView.as_view(), name="client-episodes"),
    path(f"{_ONE}who-looked/", clients.WhoLookedView.as_view(), name="client-who-looked"),
]

# ---- episodes -----------------------------------------------------------------------------------------------------
register_converter(address.SectionKey, "section")
register_converter(address.ListKey, "list")
register_converter(address.AnyListKey, "any_list")
register_converter(address.DetailKey, "detail")
_EPISODES = f"{_ONE}episodes/"
_EPISODE = f"{_EPISODES}<uuid:episode>/"

urlpatterns += [
    path(f"{_EPISODES}new/", episodes.EpisodeNewView.as_view(), name="episode-new"),
    path(f"{_EPISODES}entered-in-error/", episodes.EpisodesVoidedView.as_view(), name="episodes-void"),
    path(_EPISODE, episodes.EpisodeView.as_view(), name="episode"),
    path(f"{_EPISODE}void/", episodes.EpisodeVoidView.as_view(), name="episode-void"),
    path(f"{_EPISODE}entered-in-error/", entries.EntriesVoidedView.as_view(), name="entries-void"),
    path(f"{_EPISODE}confidentiality/", episode_forms.ConfidentialityView.as_view(), name="confidentiality"),
    path(f"{_EPISODE}triage/", episode_forms.TriageView.as_view(), name="episode-triage"),
    path(f"{_EPISODE}discharge/", discharge.DischargeView.as_view(), name="episode-discharge"),
    path(f"{_EPISODE}reopen/", discharge.ReopenView.as_view(), name="episode-reopen"),
    path(f"{_EPISODE}<section:section>/", episode_forms.SectionView.as_view(), name="episode-section"),
    path(f"{_EPISODE}<any_list:section>/", entries.EntryListView.as_view(), name="episode-section"),
    path(f"{_EPISODE}<list:list>/new/", entries.EntryNewView.as_view(), name="entry-new"),
    path(f"{_EPISODE}<list:list>/<uuid:entry>/", entries.EntryView.as_view(), name="entry"),
    path(f"{_EPISODE}<any_list:list>/<uuid:entry>/void/", entries.EntryVoidView.as_view(), name="entry-void"),
    path(
        f"{_ONE}details/<detail:detail>/history/",
        history.DetailHistoryView.as_view(),
        name="client-detail-history",
    ),
    path(
        f"{_EPISODE}<section:section>/history/", history.SectionHistoryView.as_view(), name="section-history"
    ),
    path(
        f"{_EPISODE}<any_list:list>/<uuid:entry>/history/",
        history.EntryHistoryView.as_view(),
        name="entry-history",
    ),
    path(f"{_ONE}timeline/", timeline.TimelineView.as_view(), name="client-timeline"),
]

# ---- outcomes -----------------------------------------------------------------------------------------------------
urlpatterns += [
    path(f"{_ONE}outcomes/", outcomes.OutcomesView.as_view(), name="client-outcomes"),
    path(f"{_EPISODE}tops/new/", top_form.TopNewView.as_view(), name="top-new"),
    path(f"{_EPISODE}tops/<uuid:entry>/", top_form.TopView.as_view(), name="top"),
]
