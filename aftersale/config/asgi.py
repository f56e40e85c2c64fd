"""The pages as an ASGI application, static files included."""

import os

from django.core.asgi import get_asgi_application

from aftersale.config.static import with_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")

pages = with_files(get_asgi_application())
