"""Makes the database: `python -m … FILE`, the schools as JSON on standard input."""
# mypy: ignore-errors

import json
import os
import sys

import django


def main() -> None:
    """Tables, schools, classes and officers."""
    # mypy: ignore-errors
    os.environ["BENCH_DATABASE"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.benchmarks.django_app.settings"
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import transaction

    from config.benchmarks.django_app.models import School, SchoolClass
    from config.benchmarks.office import PASSWORD

    call_command("migrate", run_syncdb=True, verbosity=0)
    with transaction.atomic():
        for place in json.load(sys.stdin):
            school = School.objects.create(code=place["code"], name=place["code"])
            school.officers.add(User.objects.create_user(place["login"], password=PASSWORD))
            SchoolClass.objects.bulk_create(
                SchoolClass(school=school, name=name) for name in place["classes"]
            )


if __name__ == "__main__":
    main()
