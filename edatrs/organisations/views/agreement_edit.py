"""Writing an agreement while it is a draft, each party's own part, and the contact items of one's own organisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.forms.protocol import (
    ContactForm,
    ContentsForm,
    DetailsForm,
    DocumentsForm,
    OwnPartForm,
    PartyForm,
)
from edatrs.organisations.models import Agreement, AgreementParty, Organisation
from edatrs.organisations.services import contacts
from edatrs.organisations.services import protocol as writing
from edatrs.organisations.services.protocol import ProtocolRefused, StaleAgreement
from edatrs.organisations.views.agreements import AgreementsView

STALE = "Somebody saved this agreement after you opened it. What they saved stands beside yours: look, then save again"


def version_of(request: HttpRequest) -> int:
    """The version that the form was opened at. Raises BadRequest."""
    sent = request.POST.get("version_opened", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 10):
        raise BadRequest("no version")
    return int(sent)


def _shown(form: Any, name: str, value: Any) -> str:
    """A value of a box in words."""
    choices = {str(key): str(words) for key, words in getattr(form.fields[name], "choices", [])}
    values = value if isinstance(value, list | tuple) else [value]
    return ", ".join(choices.get(str(v), str(v or "")) for v in values) or "Not recorded"


def differences(saved: Any, typed: Any) -> list[dict[str, str]]:
    """Where what is saved and what was typed say something else, in words."""
    found = []
    for name, field in typed.fields.items():
        theirs, mine = saved.get_initial_for_field(field, name), typed[name].value()
        if field.has_changed(theirs, mine):
            found.append(
                {
                    "label": str(field.label),
                    "theirs": _shown(typed, name, theirs),
                    "mine": _shown(typed, name, mine),
                }
            )
    return found


class EditView(DraftedView, AgreementsView, abstract=True):
    """A form about the whole of a draft, for whoever writes it."""

    act = "protocol.edit"
    template_name = "organisations/agreement_edit.html"
    form_class: Any = None
    lead = ""

    def to_edit(self, pk: UUID) -> Agreement:
        """The draft. Raises Denied for who does not write it, ProtocolRefused when it is no draft."""
        agreement = self.agreement(pk)
        if not agreements.leads(agreement, current_organisation()):
            raise Denied(self.act, "not the owner", subject=str(pk))
        if not agreements.edits_whole(agreement, current_organisation()):
            raise ProtocolRefused("This version is no draft any more, so its text stays as it is")
        return agreement

    def check_draft(self, request: HttpRequest) -> None:
        """As the page itself. Raises Denied."""
        if not agreements.leads(self.agreement(self.kwargs["pk"]), current_organisation()):
            raise Denied(self.act, "not the owner", subject=str(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        try:
            agreement = self.to_edit(pk)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        typed = self.typed(request)
        form = self.form_class(typed, agreement=agreement, unchecked=typed is not None)
        opened = typed.get("version_opened", "") if typed else ""
        version = int(opened) if opened.isascii() and opened.isdigit() else agreement.row_version
        return self._show(request, agreement, form, version=version)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Save it."""
        try:
            agreement = self.to_edit(pk)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        form = self.form_class(request.POST, agreement=agreement)
        if not form.is_valid():
            return self._show(request, agreement, form, version=version_of(request), status=422)
        try:
            self.save(request, agreement, form, version_of(request))
        except StaleAgreement:
            saved = self.form_class(agreement=agreement)
            return self._show(
                request,
                agreement,
                form,
                version=agreement.row_version,
                status=409,
                differences=differences(saved, form),
                stale=STALE,
            )
        except ProtocolRefused as why:
            form.add_error(None, str(why))
            return self._show(request, agreement, form, version=version_of(request), status=422)
        messages.success(request, "Saved")
        return self.to_agreement(pk)

    def save(self, request: HttpRequest, agreement: Agreement, form: Any, version: int) -> None:
        """Write it."""
        raise NotImplementedError

    def _show(
        self,
        request: HttpRequest,
        agreement: Agreement,
        form: Any,
        *,
        version: int,
        status: int = 200,
        **more: Any,
    ) -> HttpResponseBase:
        return self.page(
            request, status=status, agreement=agreement, form=form, version_opened=version, **more
        )


class DetailsView(EditView):
    """Title, version, owner, authors, plain words, retention."""

    draft = "organisations.agreement_details"
    title = "Title, owner and version"
    form_class = DetailsForm
    lead = "What is blank stays blank: it stops the approval and is never filled in for you."

    def save(self, request: HttpRequest, agreement: Agreement, form: Any, version: int) -> None:
        """Write it."""
        user: Any = request.user
        writing.change_details(
            agreement_id=agreement.pk,
            version=version,
            owner=form.owner_chosen(),
            values=form.cleaned_data,
            acting_user=user,
        )


class ContentsView(EditView):
    """Purposes, information, legal bases, rights."""

    draft = "organisations.agreement_contents"
    title = "Purposes, information, legal bases and rights"
    form_class = ContentsForm
    lead = (
        "Consent is not the legal basis of sharing here: it is what a client is asked before another partner sees their record. "
        "A right that you take out loses the partners' confirmations."
    )

    def save(self, request: HttpRequest, agreement: Agreement, form: Any, version: int) -> None:
        """Write it."""
        user: Any = request.user
        writing.set_contents(
            agreement_id=agreement.pk,
            version=version,
            chosen=form.chosen(),
            own=form.own(),
            acting_user=user,
        )


class DocumentsView(EditView):
    """The five kinds of supporting document."""

    draft = "organisations.agreement_documents"
    title = "Supporting documents"
    form_class = DocumentsForm
    template_name = "organisations/agreement_documents.html"
    lead = "All kinds but “Other” are needed before approval, each with somebody who answers for it."

    def save(self, request: HttpRequest, agreement: Agreement, form: Any, version: int) -> None:
        """Write it."""
        user: Any = request.user
        writing.set_documents(
            agreement_id=agreement.pk, version=version, documents=form.values(), acting_user=user
        )


class PartiesView(EditView):
    """Who is a party, and as what."""

    draft = "organisations.agreement_parties"
    title = "Parties"
    template_name = "organisations/agreement_parties.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The parties and the form."""
        try:
            agreement = self.to_edit(pk)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        typed = self.typed(request)
        return self._parties(request, agreement, PartyForm(typed, unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Add a party or change its roles."""
        user: Any = request.user
        try:
            agreement = self.to_edit(pk)
            form = PartyForm(request.POST)
            if not form.is_valid():
                return self._parties(request, agreement, form, status=422)
            chosen = form.known[form.cleaned_data["party"]]
            writing.set_party(
                agreement_id=pk, organisation=chosen, roles=form.cleaned_data["roles"], acting_user=user
            )
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(request, f"{chosen.name} is a party")
        return HttpResponseRedirect(request.path)

    def _parties(
        self, request: HttpRequest, agreement: Agreement, form: PartyForm, status: int = 200
    ) -> HttpResponseBase:
        return self.page(request, status=status, agreement=agreement, o=self.overview(agreement), form=form)


class RemovePartyView(AgreementsView):
    """A party that is taken out of a draft."""

    act = "protocol.edit"
    title = "Take out a party"
    template_name = "organisations/agreement_party_remove.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, party: UUID) -> HttpResponseBase:
        """The question."""
        return self._in_draft(request, pk, party, lambda a, p: self.page(request, agreement=a, party=p))

    def post(self, request: HttpRequest, organisation: str, pk: UUID, party: UUID) -> HttpResponseBase:
        """Do it."""
        user: Any = request.user

        def remove(agreement: Agreement, found: AgreementParty) -> HttpResponseBase:
            writing.remove_party(agreement_id=pk, party_id=party, acting_user=user)
            messages.success(request, f"{found.organisation.name} is no party any more")
            return HttpResponseRedirect(
                reverse("organisations:agreement-parties", args=[organisation, agreement.pk])
            )

        return self._in_draft(request, pk, party, remove)

    def _in_draft(
        self,
        request: HttpRequest,
        pk: UUID,
        party: UUID,
        then: Callable[[Agreement, AgreementParty], HttpResponseBase],
    ) -> HttpResponseBase:
        agreement = self.agreement(pk)
        found = next((p for p in agreement.parties.all() if p.pk == party), None)
        if found is None or not agreements.leads(agreement, current_organisation()):
            raise Denied(self.act, "not the owner, or no such party", subject=str(pk))
        try:
            if not agreements.edits_whole(agreement, current_organisation()):
                raise ProtocolRefused("This version is no draft any more, so its parties stay")
            return then(agreement, found)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)


class OwnPartView(AgreementsView):
    """One's own organisation's part in an agreement."""

    act = "protocol.edit"
    title = "Your organisation's part"
    template_name = "organisations/agreement_own_part.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        agreement, party = self._own(pk)
        return self._show(request, agreement, party, OwnPartForm(agreement=agreement, party=party))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Save it."""
        user: Any = request.user
        agreement, party = self._own(pk)
        form = OwnPartForm(request.POST, agreement=agreement, party=party)
        if form.is_valid():
            try:
                writing.set_own_part(
                    agreement_id=pk,
                    breach_emails=form.cleaned_data["breach_emails"],
                    confirmed=form.rights(),
                    acting_user=user,
                )
            except ProtocolRefused as why:
                form.add_error("confirmed", str(why))
            else:
                messages.success(request, "Saved")
                return self.to_agreement(pk)
        return self._show(request, agreement, party, form, status=422)

    def _own(self, pk: UUID) -> tuple[Agreement, AgreementParty]:
        agreement = self.agreement(pk)
        party = agreements.own_party(agreement, current_organisation())
        if party is None:
            raise Denied(self.act, "no party", subject=str(pk))
        return agreement, party

    def _show(
        self,
        request: HttpRequest,
        agreement: Agreement,
        party: AgreementParty,
        form: OwnPartForm,
        status: int = 200,
    ) -> HttpResponseBase:
        return self.page(request, status=status, agreement=agreement, party=party, form=form)


class ContactView(DraftedView, AgreementsView):
    """The six contact items of one's own organisation, and what they were."""

    act = "protocol.edit"
    draft = "organisations.contact"
    title = "Contact details of your organisation"
    template_name = "organisations/contact.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The form and the history."""
        typed = self.typed(request)
        if typed is not None:
            return self._show(request, ContactForm(typed, unchecked=True))
        return self._show(request, ContactForm(initial=self._initial()))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Save it; what stood before is kept with its dates."""
        user: Any = request.user
        form = ContactForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        values = {name: form.cleaned_data[name] for name in contacts.ITEMS}
        try:
            changed = contacts.change(
                values=values, opened_at=form.cleaned_data["opened_at"], acting_user=user
            )
        except ProtocolRefused as why:
            form.add_error("emails", str(why))
            return self._show(request, form, status=422)
        except StaleAgreement:
            saved = ContactForm(initial=self._initial())
            again = request.POST.copy()
            again["opened_at"] = contacts.stamp(self._organisation())
            return self._show(
                request,
                ContactForm(again),
                status=409,
                stale=STALE.replace("this agreement", "the contact details"),
                differences=[d for d in differences(saved, ContactForm(again)) if d["label"] != "Opened at"],
            )
        if changed:
            messages.success(request, "Saved. What stood before is kept below with its dates.")
        else:
            messages.info(request, "Nothing was changed.")
        return HttpResponseRedirect(request.path)

    def _organisation(self) -> Organisation:
        return Organisation.objects.get(pk=current_organisation())

    def _initial(self) -> dict[str, str]:
        organisation = self._organisation()
        initial = {name: getattr(organisation, name) for name in contacts.ITEMS}
        for name in ("emails", "ico_references"):
            initial[name] = "\n".join(initial[name])
        return {**initial, "opened_at": contacts.stamp(organisation)}

    def _show(
        self, request: HttpRequest, form: ContactForm, status: int = 200, **more: Any
    ) -> HttpResponseBase:
        history = list(agreements.contact_history(current_organisation())[:50])
        return self.page(request, status=status, form=form, history=history, **more)
