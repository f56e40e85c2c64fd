"""What every page says about itself."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import is_valid_path
from django.utils import translation
from django.utils.http import escape_leading_slashes

Next = Callable[[HttpRequest], HttpResponse]

# Own files only: no inline script or style, no eval, no foreign host, no frame.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def page_headers(following: Next) -> Next:
    """The content policy; and pages with people's data stay out of caches."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = following(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def bare_address(following: Next) -> Next:
    """An address that is there but for a slash at its end leads to the page, with its query; only for readers."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = following(request)
        bare = request.path.rstrip("/")
        if response.status_code != 404 or bare in ("", request.path) or request.method not in ("GET", "HEAD"):
            return response
        if not is_valid_path(bare):
            return response
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(escape_leading_slashes(bare) + (f"?{query}" if query else ""))

    return answer


def language(following: Next) -> Next:
    """Chinese until a person chooses otherwise; the browser's own language does not decide."""
    known = {code for code, _ in settings.LANGUAGES}

    def answer(request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        with translation.override(chosen if chosen in known else settings.LANGUAGE_CODE):
            request.LANGUAGE_CODE = translation.get_language()
            return following(request)

    return answer
