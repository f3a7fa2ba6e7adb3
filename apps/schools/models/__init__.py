"""Schools and what is officially known about them."""

from apps.schools.models.counts import PupilCount, PupilWeight, SocialIndex, school_year_validator
from apps.schools.models.network import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork
from apps.schools.models.schools import Membership, School, SchoolAuthority, SchoolType, Site, school_number_validator

__all__ = [
    "FibreLine",
    "ItStaffing",
    "Membership",
    "Platform",
    "PlatformStatus",
    "PupilCount",
    "PupilWeight",
    "RoomNetwork",
    "School",
    "SchoolAuthority",
    "SchoolType",
    "Site",
    "SocialIndex",
    "school_number_validator",
    "school_year_validator",
]
