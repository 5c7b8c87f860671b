"""Pages of no app: health for machines."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from edatrs.core.views import PublicView


class LiveView(PublicView):
    """The process answers."""

    public_because = "health of the process: holds nothing"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Always ok."""
        return JsonResponse({"live": True, "version": settings.VERSION})


class ReadyView(PublicView):
    """The database answers, as the role that may not pass by row security. Redis is only a hint and is not asked."""

    public_because = "health of the process: holds nothing"

    def get(self, request: HttpRequest) -> HttpResponse:
        """200 or 503."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
                unsafe = cursor.fetchone()[0]
        except Exception:  # noqa: BLE001  # whatever is wrong with the database, the answer is: not ready
            return JsonResponse({"ready": False}, status=503)
        return JsonResponse({"ready": not unsafe}, status=503 if unsafe else 200)
