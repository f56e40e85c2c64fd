"""The API's map; its description is public, what it answers is not."""

from importlib.metadata import version

from ninja import NinjaAPI

from aftersale.api import ask
from aftersale.api.tokens import Token
from aftersale.rights import needs

api = NinjaAPI(
    title="Aftersale 售后台",
    version=version("aftersale"),
    description="Machine access with the same rights and limits as the person whose token is used.",
    docs_url=None,
    auth=Token(),
    urls_namespace="api",
)
api.add_router("", ask.router)

urls = api.urls
for _route in urls[0]:
    assert _route.callback is not None
    needs("api")(_route.callback)  # the token is the login
