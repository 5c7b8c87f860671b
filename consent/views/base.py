"""What the consent pages share: who may open them, and what an answer does in words."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from caseload import present
from caseload.dataset.window import next_due, window_start
from caseload.models import Client, Episode
from caseload.selectors import episodes_of
from caseload.views.base import ClientPage
from consent import selectors
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.dates import long_date

SUPERSEDED = "Something was recorded after you opened this page"
SUPERSEDED_MORE = (
    "It is in the history now. Nothing of yours is recorded yet, and nothing is lost: look at both, "
    "then record again what still holds."
)


class ConsentPage(ClientPage, abstract=True):
    """A page about the NDTMS consent of one client: only for those who record it and may see treatment."""

    act = "consent.ndtms.record"
    category = ""
    part = "consent"
    shows = ("identity", "treatment")

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        if not access.may("client.view", "treatment"):
            raise Denied("client.view", "role")
        return super().client(pk)

    def episode_in(self, client: Client) -> Episode:
        """The episode in the address, of this client. Raises Denied."""
        wanted: UUID = self.kwargs["episode"]
        found: Episode | None = episodes_of(client).filter(pk=wanted).first()
        if found is None:
            raise Denied(self.act, "not found", subject=str(wanted))
        return found

    def same_client(self, request: HttpRequest, client: Client) -> None:
        """The client in the form must be the one in the address: two tabs must not mix. Raises Denied."""
        if request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))

    @staticmethod
    def begin_again(request: HttpRequest) -> None:
        """After something came in between: say so, and let the page that is shown now be a new one, which may record."""
        messages.warning(request, f"{SUPERSEDED}. {SUPERSEDED_MORE}")
        data = request.POST.copy()
        data.pop("_page", None)
        request.POST = data  # type: ignore[assignment]  # what the frame of the draft reads

    def with_history(
        self,
        request: HttpRequest,
        client: Client,
        episodes: list[Episode],
        *,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        """The page with the history beside it."""
        history = selectors.history_of(client, episodes)
        return self.client_page(
            request,
            client,
            status=status,
            called=called(client),
            history=history,
            withdrawals=selectors.withdrawals_of(history),
            next_due=next_due(clock.today()),
            agreed=sum(1 for e in episodes if e.consent == "Y"),
            **context,
        )


def called(client: Client) -> str:
    """How the pages speak of a client."""
    who = getattr(client, "clientidentity", None)
    return (who.forename if who else "") or "the client"


def number_in(request: HttpRequest) -> int | None:
    """How much of the history the page had seen; None where that is no number."""
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def page_key(request: HttpRequest) -> UUID | None:
    """The key of the page that was sent; None where that is none."""
    try:
        return UUID(request.POST.get("_page", ""))
    except ValueError:
        return None


def registration_of(episode: Episode) -> str:
    """How NDTMS knows the client at the service of an episode."""
    return f"client ID {episode.registration.client_id_text} at {episode.service.agency_code}"


def effects(episode: Episode, held: dt.datetime | None) -> dict[str, str]:
    """What each answer would do with the next file, said before it is given."""
    start = window_start(clock.today())
    late = episode.discharged_on is not None and episode.discharged_on < start
    yes = "It goes into the next file, unless a rule holds it back."
    if late:
        yes = f"It goes into the next full file. The monthly file only goes back to {long_date(start)}."
    no = "Nothing about this episode leaves us. Treatment goes on as before."
    if held:
        no = (
            f"With the next file NDTMS is told to take out what it may hold of {registration_of(episode)}. "
            "Treatment goes on as before."
        )
    if episode.consent == "Y" and episode.consent_on:
        no = (
            f"This takes back the yes of {long_date(episode.consent_on)} for this episode alone. "
            f"“Withdraw NDTMS consent” takes back all at once. {no}"
        )
    return {
        "Y": yes,
        "N": no,
        "not-now": "Not an answer yet. Nothing is sent, and the reminder stays.",
    }


def period(episode: Episode) -> str:
    """When an episode was, in words."""
    begin = long_date(episode.referred_on) if episode.referred_on else "a day not recorded"
    return (
        f"from {begin} to {long_date(episode.discharged_on)}"
        if episode.discharged_on
        else f"from {begin}, open"
    )


def episode_rows(episodes: list[Episode]) -> list[dict[str, Any]]:
    """The episodes for lists."""
    return [{**present.episode_row(e), "period": period(e)} for e in episodes]
