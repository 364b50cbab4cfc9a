"""django-oauth-toolkit with its own defaults and its own consent page, and the clients of the target file."""

import os
import secrets
from pathlib import Path

import django
from django.conf import settings

env, folder = os.environ, Path(os.environ["FOLDER"])
database = folder / "db.sqlite3"
for old in folder.glob("db.sqlite3*"):
    old.unlink()

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(40),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "oauth2_provider",
    ],
    # As django-admin startproject has them.
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]},
    }],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.sqlite3", "NAME": database,
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"},
    }},
    LOGIN_URL="/accounts/login/",
    # As Django advises for tests: client secrets are hashed, too, and the default takes a good part of a second for each request.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
    # Without DEBUG an exception would be told to nobody.
    LOGGING={
        "version": 1, "handlers": {"log": {"class": "logging.StreamHandler"}}, "loggers": {"django.request": {"handlers": ["log"], "level": "ERROR"}},
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OAUTH2_PROVIDER={"SCOPES": {"photos": "Your photos", "profile": "Your name", "notes": "Your notes"}, "DEFAULT_SCOPES": ["profile"]},
)
django.setup()

from django.contrib.auth import views  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402


@protected_resource()
def anything(request):
    return JsonResponse({"open": True})


@protected_resource(scopes=["photos"])
def photos(request):
    return JsonResponse({"photos": []})


@protected_resource(scopes=["profile"])
def me(request):
    if request.resource_owner is None:
        return JsonResponse({"error": "access_denied"}, status=403)
    return JsonResponse({"username": request.resource_owner.get_username()})


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("accounts/login/", views.LoginView.as_view(template_name="login.html")),
    path("api/any", anything),
    path("api/me", me),
    path("api/photos", photos),
]

call_command("migrate", verbosity=0)
owner = User.objects.create_user("owner")
for name in ("alice", "bob", "victim"):
    User.objects.create_user(name, password=env[f"DJANGO_{name.upper()}_PASSWORD"])
User.objects.create_user("zoe", password=env["DJANGO_ZOE_ODD_PASSWORD"])


def register(name, grant, uris=(), public=False):
    Application.objects.create(
        name=name, client_id=name, user=owner, redirect_uris=" ".join(uris), authorization_grant_type=grant,
        client_type=Application.CLIENT_PUBLIC if public else Application.CLIENT_CONFIDENTIAL,
        client_secret="" if public else env[f"DJANGO_{name.upper()}_SECRET"],
    )


code = Application.GRANT_AUTHORIZATION_CODE
register("service", Application.GRANT_CLIENT_CREDENTIALS)
register("teller", Application.GRANT_PASSWORD)
register("web", code, ["https://app.acme.test/authorized", "https://app.acme.test/second"])
register("partner", code, ["https://app.acme.test/authorized"])
register("spa", Application.GRANT_IMPLICIT, ["https://app.acme.test/spa"], public=True)
register("mobile", code, ["http://127.0.0.1:7777/callback"], public=True)
register("query", code, ["https://app.acme.test/cb?t=1"])
register("spare", Application.GRANT_CLIENT_CREDENTIALS)

server = ThreadedWSGIServer(("127.0.0.1", int(env["PORT"])), WSGIRequestHandler)
server.set_app(get_wsgi_application())
server.serve_forever()
