"""How the program that takes its users from Django is tested."""

from __future__ import annotations

import asyncio
import types
from pathlib import Path

from tests.docs.stage import Stage
from tests.docs.uses.users import you_are


async def lets_in_by_django(stage: Stage, argument: str) -> None:
    """A user who is logged in to Django has that name in the room; staff are moderators; others are guests."""
    cookies = await asyncio.to_thread(a_django, stage.folder)
    url = await stage.serve()
    assert await you_are(f"{url}/chat/ws", cookies=cookies) == {
        "id": "user:1",
        "name": "ada",
        "roles": ["moderator"],
        "name_fixed": True,
    }
    assert await you_are(f"{url}/chat/ws") is None
    assert await you_are(f"{url}/chat/ws", cookies={"sessionid": "forged"}) is None
    assert (await stage.get(f"{url}/nothing"))[0] == 404
    assert "data-pychat" in (await stage.get(f"{url}/chat/"))[1]


def a_django(folder: Path) -> dict[str, str]:
    """Set up a project with a logged-in user; return their session cookie."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    if not settings.configured:
        settings.configure(
            SECRET_KEY="tests",
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=types.ModuleType("urls", "No views."),
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "django.db")}},
            DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        )
        settings.ROOT_URLCONF.urlpatterns = []
        django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connections

    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", password="x", is_staff=True)
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(ada.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    session.save()
    connections.close_all()
    return {settings.SESSION_COOKIE_NAME: str(session.session_key)}
