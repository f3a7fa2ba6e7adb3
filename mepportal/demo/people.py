"""Generated people of every role; their addresses end in .example, their password is made anew at each loading."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.hashers import make_password

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.history import bulk_create_by
from apps.schools.models import Membership, School

OFFICE = (
    ("sachbearbeitung", "Demo-Sachbearbeitung", Role.OFFICE_CLERK),
    ("genehmigung", "Demo-Genehmigung", Role.OFFICE_APPROVER),
    ("genehmigung2", "Demo-Genehmigung Vertretung", Role.OFFICE_APPROVER),
    ("leitung", "Demo-Amtsleitung", Role.HEAD),
    ("support", "Demo-IT-Support", Role.IT_SUPPORT),
    ("pruefung", "Demo-Rechnungsprüfung", Role.AUDITOR),
    ("verwaltung", "Demo-Systemverwaltung", Role.ADMIN),
)


@dataclass(frozen=True)
class People:
    """Those whom the generated story needs."""

    coordinators: dict[str, User]
    clerk: User
    approver: User
    support: User
    colleague: User


def new_password() -> str:
    return f"demo-{secrets.token_hex(4)}"


def load_people(schools: list[School], *, password: str) -> People:
    """One coordinator for each school, but the first one serves the first two; the office; one colleague."""
    hashed = make_password(password)
    office = {
        key: User(email=f"{key}@stadt.example", name=name, role=role, password=hashed) for key, name, role in OFFICE
    }
    colleague = User(email="kollegium@schulen.example", name="Demo-Kollegium", role=Role.SCHOOL_STAFF, password=hashed)
    served = [schools[:2], *([school] for school in schools[2:])]
    coordinators = [
        User(
            email=f"koordination{index:02d}@schulen.example",
            name=f"Demo-Koordination {index:02d}",
            role=Role.COORDINATOR,
            password=hashed,
        )
        for index in range(1, len(served) + 1)
    ]
    bulk_create_by([*office.values(), colleague, *coordinators], by=None)
    pairs = [(user, school) for user, own in zip(coordinators, served, strict=True) for school in own]
    bulk_create_by(
        [Membership(user=user, school=school) for user, school in [*pairs, (colleague, schools[2])]], by=None
    )
    return People(
        coordinators={school.number: user for user, school in pairs},
        clerk=office["sachbearbeitung"],
        approver=office["genehmigung"],
        support=office["support"],
        colleague=colleague,
    )


def renew_password(password: str) -> None:
    """A new password for all demo people, when the file with the old one is gone."""
    User.objects.filter(email__endswith=".example").update(password=make_password(password))


def write_sign_ins(path: Path, *, password: str) -> None:
    """`var/demo.json`: who can sign in, with which role, for which schools."""
    rows = [
        {
            "email": user.email,
            "password": password,
            "role": user.role,
            "schools": sorted(membership.school.number for membership in user.memberships.all()),
        }
        for user in User.objects.filter(email__endswith=".example")
        .prefetch_related("memberships__school")
        .order_by("pk")
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
