"""States as people read them: a word, a tone and, from the tone, an icon."""

from enum import StrEnum

from django.db import models


class Tone(StrEnum):
    """Order of meaning of a state, the same everywhere."""

    NEUTRAL = "neutral"
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    DANGER = "danger"


class StateChoices(models.TextChoices):
    """Text choices whose members have a tone; subclasses name those that are not neutral in `_tones()`."""

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {}

    @property
    def tone(self) -> Tone:
        return self._tones().get(self.value, Tone.NEUTRAL)
