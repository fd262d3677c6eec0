"""Two pages: sign in, and the form."""
# mypy: ignore-errors

from typing import Any

from django import forms
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html

from config.benchmarks.django_app.models import DailyReminder, School, SchoolClass

PAGE = '<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}</form>'


class ReminderForm(forms.ModelForm):
    """The form of a reminder; the class must be one of the school's."""

    # mypy: ignore-errors

    class Meta:
        model = DailyReminder
        fields = ("school_class", "happened_on", "text", "submission_key")

    def __init__(self, school: School, *args: Any) -> None:
        super().__init__(*args)
        self.fields["school_class"] = forms.ModelChoiceField(
            SchoolClass.objects.filter(school=school), to_field_name="name"
        )

    def add_prefix(self, field_name: str) -> str:
        """Posted as our own form posts it."""
        return super().add_prefix("class" if field_name == "school_class" else field_name)


def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by name and password."""
    if request.method == "POST":
        user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
        if user is None:
            return HttpResponse(status=400)
        login(request, user)
        return redirect("/login")
    return HttpResponse(format_html(PAGE, get_token(request), ""))


@login_required
def new_reminder(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form, or save what it brought."""
    school = get_object_or_404(School, code=code, officers=request.user)
    form = ReminderForm(school, request.POST or None)
    if request.method == "POST" and form.is_valid():
        entry = form.save(commit=False)
        now = timezone.now()
        entry.school, entry.recorded_by, entry.recorded_at = school, request.user, now
        entry.timed_on = timezone.localtime(now).date()
        entry.save(force_insert=True)
        return redirect(f"/schools/{code}/reminders/{entry.id}")
    status = 400 if request.method == "POST" else 200
    return HttpResponse(format_html(PAGE, get_token(request), form.as_p()), status=status)


urlpatterns = [path("login", sign_in), path("schools/<str:code>/reminders/new", new_reminder)]
