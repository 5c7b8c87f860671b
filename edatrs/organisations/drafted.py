"""Forms that keep a draft: what is typed is on the server a second after typing stops, and comes back on any machine.

A page with such a form derives from `DraftedView` and names it in `draft`; its template writes `{% drafted %}` into the form's tag and
includes `components/draft.html` in the form. The draft is brought back whenever its author opens the page again, and taken away when the
form was saved (any redirect of `post`) or thrown away.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.urls import Resolver404, resolve

from edatrs.core import access, errors
from edatrs.core.clock import LONDON
from edatrs.core.registry import Registry
from edatrs.core.views import OrganisationView
from edatrs.organisations.models import Draft
from edatrs.organisations.services import drafts

ACTION = "_draft"
PAGE = "_page"
LONGEST_NAME = 80
# Every form that keeps a draft: its name, and the words of it in the list of one's drafts.
drafted_forms: Registry[str] = Registry("forms that keep a draft")


def words_of(form: str) -> str:
    """What people call a form; its name where it is no longer there."""
    return drafted_forms.get(form) if form in drafted_forms.keys() else form  # noqa: SIM118  # not a dictionary


class DraftedView(OrganisationView, abstract=True):
    """A page whose form keeps a draft. `draft` is the name of the form, the same for all objects; `draft_words` what people call it."""

    draft: ClassVar[str] = ""
    draft_words: ClassVar[str] = ""

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(abstract=abstract, **kwargs)
        if not abstract:
            if not cls.draft:
                raise TypeError(f"{cls.__name__} must name its form in draft")
            drafted_forms.add(cls.draft, cls.draft_words or cls.title)

    # ---- what a page may say otherwise -----------------------------------------------------------------------

    def draft_object(self) -> str:
        """What the draft is about: the ids in the address, so that two clients never share one."""
        ids = [str(v) for k, v in sorted(self.kwargs.items()) if k != "organisation"]
        named = ",".join(ids)
        return named if len(named) <= LONGEST_NAME else hashlib.sha256(named.encode()).hexdigest()

    def draft_client(self) -> UUID | None:
        """The client that the form is about, if one: `pk` of a client's page."""
        return None

    def check_draft(self, request: HttpRequest) -> None:
        """Whether the person may use this form for this object: called before a draft is kept. Raises Denied."""

    def speaks(self, request: HttpRequest) -> dict[str, list[str]]:
        """What the rules say of what is typed, by the name of the field; '' for the form. Asked with each autosave."""
        return {}

    # ---- what a page uses ------------------------------------------------------------------------------------

    def held_draft(self) -> Draft | None:
        """The draft that stands, read once a request."""
        if not hasattr(self, "_held"):
            self._held = drafts.find(form=self.draft, object_id=self.draft_object())
        return self._held

    def typed(self, request: HttpRequest) -> QueryDict | None:
        """What was typed and not saved, to fill the form with (`Form(..., unchecked=True)`); None without a draft."""
        held = self.held_draft()
        self._resumed = held is not None
        return drafts.typed(held) if held else None

    def version_typed(self, current: int) -> int:
        """The version that the form was opened at: the draft's, where one was brought back, else the current one."""
        held = self.held_draft() if getattr(self, "_resumed", False) else None
        return held.version if held else current

    # ---- how it works ----------------------------------------------------------------------------------------

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As every page's. A post with `_draft` keeps or throws away; any other that ends in a redirect closes the draft."""
        if request.method == "POST":
            chosen, view = request.POST.get(ACTION, ""), cast(Any, self)
            inner = view.post
            # For this request only: the page's own `post` is not asked, or what it answers closes the draft.
            view.post = (
                (lambda *a, **k: self._draft_asked(request, chosen))
                if chosen
                else (lambda *a, **k: self._closing(request, inner(*a, **k)))
            )
        return super().dispatch(request, *args, **kwargs)

    def page(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        """As every page's, with what the draft's line and notice need."""
        held = self.held_draft() if getattr(self, "_resumed", False) else None
        context.setdefault(
            "draft",
            {
                "address": request.path,
                "page": request.POST.get(PAGE) or str(uuid4()),
                "resumed": held is not None,
                "kept_at": held.kept_at if held else None,
                "client": str(self.draft_client() or ""),
            },
        )
        return super().page(request, status=status, **context)

    def _closing(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        if 300 <= answer.status_code < 400:
            drafts.close(form=self.draft, object_id=self.draft_object(), page=request.POST.get(PAGE, "")[:36])
        return answer

    def _draft_asked(self, request: HttpRequest, chosen: str) -> HttpResponse:
        self.check_draft(request)
        by_script = request.headers.get("X-Autosave") == "1"
        page = request.POST.get(PAGE, "")[:36]
        if chosen == "discard":
            drafts.close(form=self.draft, object_id=self.draft_object(), page=page)
            messages.info(request, "The draft is thrown away. What was saved before is unchanged.")
            return HttpResponseRedirect(request.path)
        version = request.POST.get("version", "")
        try:
            kept = drafts.keep(
                form=self.draft,
                object_id=self.draft_object(),
                client=self.draft_client(),
                address=request.path,
                version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
                page=page,
                data=request.POST,
            )
        except drafts.AlreadySaved:
            return JsonResponse({"saved": True})
        except drafts.TooLong as problem:
            if by_script:
                return JsonResponse({"problem": str(problem)}, status=413)
            messages.error(request, str(problem))
            return HttpResponseRedirect(request.path)
        if by_script:
            at = kept.kept_at.astimezone(LONDON)
            return JsonResponse({"kept": f"{at:%H:%M}", "speaks": self.speaks(request)})
        messages.success(
            request, "Kept as a draft. It comes back when you open this page, on any machine, for 30 days."
        )
        return HttpResponseRedirect(request.path)


def check_may_continue(request: HttpRequest, address: str) -> None:
    """Ask the form of an address, as its page would, whether the person acting may use it for what it is about. Raises Denied."""
    try:
        match = resolve(address)
    except Resolver404:
        raise access.Denied("tasks.own", "the form of this draft is no longer there") from None
    kind = getattr(match.func, "view_class", None)
    if kind is None or not issubclass(kind, DraftedView):
        raise access.Denied("tasks.own", "the form of this draft is no longer there")
    access.require(kind.changing_act or kind.act, kind.category)
    view = kind()
    view.setup(request, *match.args, **match.kwargs)
    view.check_draft(request)


def keep_typed(request: HttpRequest) -> bool:
    """Keep what a form sent that cannot be saved now (time-out, a token of an ended sign-in). Returns whether it is kept.

    The view itself is asked, with all its checks; only its draft can be written.
    """
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    view = getattr(match.func, "view_class", None)
    if request.method != "POST" or view is None or not issubclass(view, DraftedView):
        return False
    data = request.POST.copy()
    data[ACTION] = "keep"
    request.POST = data  # type: ignore[assignment]  # what the view reads
    request.META["HTTP_X_AUTOSAVE"] = "1"
    request.__dict__.pop("headers", None)
    return True


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of an ended sign-in. What was typed is kept as a draft, if the browser says that our own page sent it."""
    sent_by = request.headers.get("Origin", "")
    ours = bool(sent_by) and urlsplit(sent_by).netloc == request.get_host()
    slug = getattr(getattr(request, "organisation", None), "slug", "")
    if ours and slug and request.path_info.startswith(f"/o/{slug}/") and keep_typed(request):
        match = resolve(request.path_info)
        try:
            answer = match.func(request, *match.args, **match.kwargs)
        except access.Denied:
            return errors.csrf_failure(request, reason)
        if answer.status_code == 200:
            messages.warning(
                request,
                "Nothing was saved: you had signed in again since this page was opened. What you typed is below as a draft. "
                "Look at it, then save.",
            )
            return HttpResponseRedirect(request.path)
    return errors.csrf_failure(request, reason)
