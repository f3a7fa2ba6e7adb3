"""Work and people for servers that tests break: applications to decide, and who signs in."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from apps.accounts.choices import Role
from apps.accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tests.operations.servers import script

APPROVER = "freigabe@stadt.example"
PATIENCE_SECONDS = 180


def can_sign_in(role: Role, email: str) -> User:
    """A person whose password another process can check."""
    user = UserFactory(role=role, email=email)
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, secrets.token_hex(8), iterations=1000)
    User.objects.filter(pk=user.pk).update(password=user.password)
    return user


def prepared(number: int, **environment: str) -> list[str]:
    """Keys of as many submitted applications, and APPROVER; in the test's database or that of the environment."""
    with script("tests.operations.load", "prepare", str(number), **environment) as preparing:
        return [str(key) for key in rest_of(preparing)[-1]["applications"]]


def read_until(load: Any, number: int) -> list[dict[str, Any]]:
    """The next lines, so many."""
    with ended_after_patience(load):
        return [json.loads(load.stdout.readline()) for _line in range(number)]


def rest_of(load: Any) -> list[dict[str, Any]]:
    with ended_after_patience(load):
        lines = [json.loads(line) for line in load.stdout]
        assert load.wait() == 0
    return lines


@contextmanager
def ended_after_patience(load: Any) -> Iterator[None]:
    """A process that hangs is ended, so that its test fails and does not hang, too."""
    timer = Timer(PATIENCE_SECONDS, load.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
