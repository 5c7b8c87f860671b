"""Pages for what went wrong: the same bytes for absent and forbidden, and never a detail."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    response = HttpResponse(render_to_string(template, {}), status=status)
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404, for what is absent and for what is forbidden."""
    return _page(request, "errors/not_found.html", 404)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Also the page of 404: forbidden answers like absent."""
    return _page(request, "errors/not_found.html", 404)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(request, "errors/bad_request.html", 400)


def failure(request: HttpRequest) -> HttpResponse:
    """500: nothing was saved."""
    return _page(request, "errors/failure.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or of an ended sign-in."""
    return _page(request, "errors/form_expired.html", 403)
