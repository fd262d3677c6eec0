"""`safe-campus serve`: the web process."""

from __future__ import annotations

import dataclasses
import gc

import click

from config.settings import read_settings


@click.command(help="Serve the web pages and the API, and run jobs too unless told not to.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option("--no-jobs", is_flag=True, help="Leave jobs to `safe-campus work`.")
@click.option(
    "--proxy", "proxies", multiple=True, metavar="IP", help="Trust this proxy's X-Forwarded-* headers."
)
def command(host: str, port: int, no_jobs: bool, proxies: tuple[str, ...]) -> None:
    import uvicorn

    from config import piccolo_conf  # noqa: F401 - chooses the database
    from config.app import create_app

    settings = read_settings(default_base_url=f"http://127.0.0.1:{port}")
    settings = dataclasses.replace(settings, jobs=not no_jobs)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, settings.clock()),
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            server_header=False,
            # Without a proxy named, nobody may say who is calling.
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            access_log=False,
            log_config=None,
        )
    )
    # What is loaded by now stays: the collector need not walk it again and again under load.
    gc.collect()
    gc.freeze()
    server.run()
    if not server.started:
        raise SystemExit(1)
