"""The signals of the shop."""

from django.dispatch import Signal

placed = Signal()
