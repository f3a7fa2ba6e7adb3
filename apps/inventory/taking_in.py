"""Who hears of a delivery that is taken in: higher apps register here, e.g. funding for its orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.inventory.models import Device, ScanSession


class Follower(Protocol):
    """Called within the transaction, with the delivery locked. What it raises keeps all of it from being written."""

    def obstacle(self, session: ScanSession, number: int) -> str:
        """For a page, without locks: why so many devices, or kits, cannot be taken in now; "" where they can."""

    def may_release(self, session: ScanSession, by: User) -> bool:
        """For a page: whether the person may have the delivery let go by what it was begun for, e.g. an order."""

    def release(self, session: ScanSession, number: int, by: User) -> bool:
        """Lets a delivery of so many devices, or kits, go that has an obstacle, and says whether it held it."""

    def prepare(self, session: ScanSession, number: int, by: User) -> Mapping[int, Sequence[Decimal]]:
        """Before so many devices, or kits, are made: takes its own locks and refuses what does not fit.

        Returns what the devices cost where the delivery does not say it: by product id, in the order of scanning.
        """

    def taken_in(self, session: ScanSession, number: int, devices: Sequence[Device], by: User) -> None:
        """The devices are there, those of each product in the order of scanning."""


followers: list[Follower] = []


def register(follower: Follower) -> None:
    if follower not in followers:
        followers.append(follower)


def obstacle_of(session: ScanSession, number: int) -> str:
    """The first thing that keeps so many devices, or kits, from being taken in; what to do instead stands in it."""
    return next((words for follower in followers if (words := follower.obstacle(session, number))), "")


def may_release(session: ScanSession, by: User) -> bool:
    return any(follower.may_release(session, by) for follower in followers)
