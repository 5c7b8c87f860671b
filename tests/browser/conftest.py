"""A real browser (Debian's Chromium), a live site that connects as `app`, and a real Celery worker beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import AuthenticatorApp, Organisation, User
from edatrs.organisations.models.sign_in import step_at
from edatrs.organisations.services.people import add_person

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long enough passphrase 7"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, headless."""
    names = ("chromium-headless-shell", "chromium")
    path = os.environ.get("EDATRS_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not Path(path).is_file():
        pytest.fail(
            "no Chromium: apt-get install chromium-headless-shell (make test does it as root), or set EDATRS_CHROMIUM to one"
        )
    # The browser runs an event loop in this thread; Django's guard against that does not know that ours never yields in a query.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(chromium: Browser, live_server: Any) -> Iterator[Callable[..., BrowserContext]]:
    """Make a browser context on the live site: a browser of its own, with its own cookies."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport=options.pop("viewport", {"width": 1280, "height": 900}),
            **options,
        )
        context.set_default_timeout(20_000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def add_user(transactional_db: None) -> Callable[..., User]:
    """Add a person with a role, a password and an authenticator app."""

    def add(organisation: Organisation, role: str, email: str = "") -> User:
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            return add_person(
                email=email or f"{role.replace('_', '-')}@{organisation.slug}.example",
                name="Graham Tull",
                organisation=organisation,
                role=role,
                password=PASSWORD,
                totp_secret=SECRET,
            )

    return add


def current_code(user: User) -> str:
    """The code that the person's authenticator app shows now, waiting for the next one when this one was used."""
    while True:
        app = AuthenticatorApp.objects.get(user=user, confirmed=True)
        step = step_at(clock.now())
        if step > app.last_step:
            return app.code_at(step)
        time.sleep(1)


@pytest.fixture
def sign_in() -> Callable[[Page, User], None]:
    """Sign in on a page with both factors, by the keyboard's way: fill, Enter."""

    def through(page: Page, user: User) -> None:
        page.goto("/sign-in/")
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("6-digit code").fill(current_code(user))
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/o/**")

    return through


@pytest.fixture
def celery_worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker on the test database, connected as `app`."""
    db = connection.settings_dict
    address = f"postgresql://{quote(db['USER'])}:{quote(db['PASSWORD'])}@/{quote(db['NAME'])}?host={quote(str(db['HOST']), safe='')}"
    env = os.environ | {
        "DATABASE_URL": address,
        "REDIS_URL": settings.CELERY_BROKER_URL,
        "EDATRS_EXTRACT_DIR": str(settings.EXTRACT_DIR),
        "EDATRS_HEADS_DIR": str(settings.HEADS_DIR),
        "DJANGO_SETTINGS_MODULE": "edatrs.settings.local",
    }
    log = (tmp_path / "worker.log").open("wb")
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "edatrs",
            "worker",
            "--pool",
            "solo",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
        ],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    yield worker
    worker.terminate()
    worker.wait(20)
    log.close()
