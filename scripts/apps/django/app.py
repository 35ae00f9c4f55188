"""A form that Django guards by a token and, from its version 4, by the Origin, which has to be the host with its port."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.template import engines
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", "not one"),
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_X_FORWARDED_HOST=True,
)
VERSION = open("version").read().strip()


def page(request):
    return HttpResponse(f"django v{VERSION} says {os.environ.get('GREETING', '')} from {os.environ['HOSTNAME']}\n")


def form(request):
    if request.method == "POST":
        return HttpResponse(f"thanks, {request.POST['name']}, at {request.build_absolute_uri('/')}")
    template = engines["django"].from_string('<form method="post">{% csrf_token %}<input name="name"></form>')
    return HttpResponse(template.render({}, request))


urlpatterns = [path("", page), path("form", form)]
application = get_wsgi_application()
