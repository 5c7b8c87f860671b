"""The calendar of submissions, and nil returns."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.models import Service
from edatrs.organisations.selectors import services_of
from ndtms import months, selectors_months
from ndtms.choices import MonthState
from ndtms.months import Month
from ndtms.services import calendar
from ndtms.views import present

BADGES = {
    MonthState.NOT_OPEN: "none",
    MonthState.UNKNOWN: "none",
    MonthState.DUE: "soon",
    MonthState.LATE: "late",
    MonthState.MISSED: "late",
    MonthState.BUILDING: "info",
    MonthState.FAILED: "late",
    MonthState.BUILT: "info",
    MonthState.DOWNLOADED: "info",
    MonthState.REFUSED: "late",
    MonthState.LOADED: "ok",
    MonthState.NIL: "none",
}
NEXT = {
    MonthState.DUE: "Build",
    MonthState.LATE: "Build now",
    MonthState.MISSED: "See what happened",
    MonthState.BUILDING: "Building",
    MonthState.FAILED: "See why",
    MonthState.BUILT: "Check and download",
    MonthState.DOWNLOADED: "Record what NDTMS said",
    MonthState.REFUSED: "Put right and send again",
    MonthState.LOADED: "Done",
    MonthState.NIL: "Done",
}


# Of the twelve months so many fit beside each other; the page leads to the others.
FEW = 6


def service_called(agency: str) -> Service | None:
    """The service of the organisation acted for with an agency code, or None."""
    return next((s for s in services_of(current_organisation()) if s.agency_code == agency), None)


def month_in(text: str) -> dt.date | None:
    """The month that an address or a form names, as 2026-10; None where it is none of the calendar."""
    return next((m for m in months.shown_on(clock.today()) if f"{m:%Y-%m}" == text), None)


class CalendarPage(OrganisationView, abstract=True):
    """What shows the calendar."""

    area = "submissions"
    title = "Calendar of submissions"
    template_name = "ndtms/calendar.html"

    def show(
        self,
        request: HttpRequest,
        slug: str,
        agency: str,
        month: str,
        *,
        problem: str = "",
        status: int = 200,
    ) -> HttpResponse:
        """The page; with one month opened, and what is wrong with its nil return."""
        today = clock.today()
        rows = selectors_months.calendar(today)
        wanted = month_in(month)
        opened = next(
            (
                _opened(row.service, found, slug)
                for row in rows
                if row.service.agency_code == agency
                for found in row.months
                if found.month == wanted
            ),
            None,
        )
        now = months.month_of(today)
        heads = months.shown_on(today)
        whole = request.GET.get("all") == "1" or (opened is not None and wanted not in heads[-FEW:])
        heads = heads if whole else heads[-FEW:]
        return self.page(
            request,
            status=status,
            heads=[{"month": m, "now": m == now} for m in heads],
            rows=[_row(row, slug, len(heads)) for row in rows],
            whole=whole,
            opened=opened,
            problem=problem,
            now=now,
            due=months.due_of(now),
            days=(months.due_of(now) - today).days,
            may_sign=access.may(NilView.act),
        )


class CalendarView(CalendarPage):
    """Each agency code and month: due, built, downloaded, loaded, refused, nil, missed. Numbers and states, no rows."""

    act = "submissions.view"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?service= &month= opens one month with every attempt."""
        return self.show(request, organisation, request.GET.get("service", ""), request.GET.get("month", ""))


class NilView(CalendarPage):
    """Say that a month has nothing to report, or take that back."""

    act = "extract.confirm"

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """`service`, `month` as 2026-10, and `take_back` where it is taken back."""
        agency, text = request.POST.get("service", ""), request.POST.get("month", "")
        service, month = service_called(agency), month_in(text)
        if service is None or month is None:
            raise Denied(self.act, "not found")
        back = f"{reverse('ndtms:calendar', args=[organisation])}?service={agency}&month={text}"
        if request.POST.get("take_back"):
            calendar.end_nil(service=service, month=month)
            messages.success(request, f"Taken back. {month:%B %Y} of {agency} waits for a file.")
            return HttpResponseRedirect(back)
        try:
            calendar.record_nil(service=service, month=month)
        except calendar.Refused as refused:
            return self.show(request, organisation, agency, text, problem=f"{refused}.", status=422)
        messages.success(request, f"Recorded: nothing to report for {month:%B %Y} of {agency}.")
        return HttpResponseRedirect(back)


def _cell(row: Any, found: Month, slug: str) -> dict[str, Any]:
    state = MonthState(found.state)
    words: str = state.label
    if state == MonthState.DUE:
        words = f"Due {found.due.day} {found.due:%b}"
    badge = BADGES[state]
    if found.mismatches and state == MonthState.LOADED:
        badge = "late"
        words = "1 mismatch" if found.mismatches == 1 else f"{found.mismatches} mismatches"
    return {
        "month": found.month,
        "badge": badge,
        "words": words,
        "quiet": state == MonthState.UNKNOWN,
        "url": f"{reverse('ndtms:calendar', args=[slug])}?service={row.service.agency_code}&month={found.month:%Y-%m}#month",
    }


def _row(row: selectors_months.Row, slug: str, shown: int) -> dict[str, Any]:
    last = row.months[-1]
    # What is late or missed, or has mismatches, goes before what is only due.
    pressing = [m for m in row.months if m.state in (MonthState.LATE, MonthState.REFUSED) or m.mismatches]
    work = pressing[0] if pressing else last
    words, url = NEXT.get(MonthState(work.state), ""), ""
    if work.mismatches and work.state not in (MonthState.LATE, MonthState.REFUSED):
        words = "Settle the mismatches"
        if access.may("extract.preview"):
            url = f"{reverse('ndtms:mismatches', args=[slug])}?service={row.service.agency_code}"
    elif work.state in (MonthState.DUE, MonthState.LATE, MonthState.REFUSED):
        url = f"{reverse('ndtms:submissions', args=[slug])}#build" if access.may("extract.build") else ""
    elif work.attempts and work.state not in (MonthState.LOADED, MonthState.NIL):
        url = present.url("submission", slug, work.attempts[0].of)
    return {
        "agency": row.service.agency_code,
        "name": row.service.name,
        "dataset": row.service.get_dataset_display(),
        "cells": [_cell(row, m, slug) for m in row.months[-shown:]],
        "next": words,
        "next_month": work.month,
        "next_url": url,
    }


def _opened(service: Service, found: Month, slug: str) -> dict[str, Any]:
    state = MonthState(found.state)
    return {
        "agency": service.agency_code,
        "name": service.name,
        "month": found.month,
        "key": f"{found.month:%Y-%m}",
        "due": found.due,
        "badge": BADGES[state],
        "words": state.label,
        "nil": found.nil,
        "mismatches": found.mismatches,
        "attempts": [
            present.row(attempt.of, slug)
            | {
                "sha256": attempt.of.sha256,
                "file_name": attempt.of.file_name,
                "decided_at": attempt.of.decided_at,
                "decided_by": attempt.of.decided_by_label,
                "refused_reason": attempt.of.refused_reason,
                "problem": attempt.of.problem,
            }
            for attempt in found.attempts
        ],
        "may_be_nil": state in (MonthState.DUE, MonthState.LATE, MonthState.MISSED, MonthState.FAILED),
    }
