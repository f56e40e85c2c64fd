"""The API's map; its description is public, what it answers is not."""

from importlib.metadata import version

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError

from aftersale.api import ask, refuse
from aftersale.api.tokens import Token
from aftersale.rights import needs


def stranger(request: HttpRequest, error: AuthenticationError | type[AuthenticationError]) -> HttpResponse:
    """The same for whatever is no live token."""
    return _told("没有带上有效的令牌", 401)


def refused(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    """In one sentence, as every answer that cannot be given."""
    assert isinstance(error, HttpError)
    return _told(error.message, error.status_code)


def _told(why: str, status: int) -> HttpResponse:
    return JsonResponse({"error": why}, status=status, json_dumps_params={"ensure_ascii": False})


api = NinjaAPI(
    title="Aftersale 售后台",
    version=version("aftersale"),
    description="Machine access with the same rights and limits as the person whose token is used. A token ends, and "
    "reads only unless it was made to act as well. What is refused is told as `error`, in one sentence.",
    docs_url=None,
    auth=Token(),
    urls_namespace="api",
)
api.add_router("", ask.router)
api.add_router("", refuse.router)
api.add_exception_handler(AuthenticationError, stranger)
api.add_exception_handler(HttpError, refused)

urls = api.urls
for _route in urls[0]:
    assert _route.callback is not None
    needs("api")(_route.callback)  # the token is the login
