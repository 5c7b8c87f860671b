"""The desk as a file without names."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.dataset.rules import RULES
from edatrs.core import clock
from edatrs.core.views import OrganisationView
from ndtms import desk
from ndtms.desk import CONSENT, EFFECTS, Asked
from ndtms.services import quality_export
from ndtms.views.quality import AGE_WORDS, asked_of, query


def _asked(data: Any) -> Asked:
    """What is exported: what fails. Who was not asked for consent fails nothing and is not in it."""
    asked = asked_of(data)
    return replace(asked, effect="") if asked.effect == CONSENT else asked


class QualityExportView(OrganisationView):
    """Look at what the file would be, then take it: made at that moment, kept nowhere, on the trail."""

    act = quality_export.ACT
    by = frozenset("O")
    area = "data-quality"
    title = "Export the data-quality list"
    template_name = "ndtms/quality_export.html"
    fresh_second_factor = True

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The filters of the desk come along in the address."""
        asked = _asked(request.GET)
        return self.page(
            request,
            narrowing=_words(asked),
            hidden=[(name, value) for name, value in vars(asked).items() if value],
            columns=quality_export.HEADING,
            episodes=desk.failing(asked).count(),
            back=reverse("ndtms:data-quality", args=[organisation]) + query(asked),
        )

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The file as an attachment. Its name says nothing of what is in it."""
        asked = _asked(request.POST)
        try:
            written = quality_export.take(asked)
        except quality_export.Refused as refused:
            messages.error(request, f"{refused}.")
            return HttpResponseRedirect(request.path + query(asked))
        return FileResponse(
            io.BytesIO(written.content),
            as_attachment=True,
            filename=f"data-quality-{clock.today():%Y-%m-%d}.csv",
            content_type="text/csv; charset=utf-8",
        )


def _words(asked: Asked) -> list[str]:
    """The filter in words; a keyworker is not named here."""
    return list(
        filter(
            None,
            (
                f"{RULES[asked.rule].words} ({asked.rule})" if asked.rule else "",
                EFFECTS.get(asked.effect, ""),
                f"Service {asked.service}" if asked.service else "",
                "One keyworker" if asked.keyworker else "",
                AGE_WORDS.get(asked.age, ""),
            ),
        )
    )
