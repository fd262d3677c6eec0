"""The same columns as our reminders, with the same keys and one index by school and day."""
# mypy: ignore-errors

import uuid

from django.conf import settings
from django.db import models


class School(models.Model):
    """A school and whoever may write for it."""

    # mypy: ignore-errors

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    officers = models.ManyToManyField(settings.AUTH_USER_MODEL)


class SchoolClass(models.Model):
    """A class."""

    school = models.ForeignKey(School, on_delete=models.PROTECT)
    name = models.CharField(max_length=40)


class DailyReminder(models.Model):
    """An entry of the ledger."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    school = models.ForeignKey(School, on_delete=models.PROTECT, db_index=False)
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, db_index=False)
    happened_on = models.DateField()
    timed_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    submission_key = models.CharField(max_length=80)
    body_digest = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=400, blank=True)
    supersedes = models.UUIDField(null=True)
    superseded_by = models.UUIDField(null=True)
    superseded_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    void_why = models.CharField(max_length=400, blank=True)
    text = models.CharField(max_length=400)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["school", "submission_key"], name="one_submission"),)
        indexes = (models.Index(fields=["school", "happened_on"]),)
