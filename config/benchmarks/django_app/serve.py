"""Serves the application: `python -m … PORT`."""
# mypy: ignore-errors

import os
import sys
import warnings

import django
import uvicorn
from django.core.wsgi import get_wsgi_application


def main() -> None:
    """One process of uvicorn with a pool of threads, which keep their database connections."""
    # mypy: ignore-errors
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.benchmarks.django_app.settings"
    django.setup()
    warnings.simplefilter("ignore", DeprecationWarning)  # uvicorn would rather have this from another package
    config = uvicorn.Config(
        get_wsgi_application(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        interface="wsgi",
        log_config=None,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
