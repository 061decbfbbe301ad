"""`python -m v2_assets.api`: the endpoints on loopback until SIGTERM. A reverse proxy with HTTPS stands in front."""

from __future__ import annotations

from resources.errors import ConfigError
from resources.postgres import Database
from resources.serving import loopback, run
from resources.settings import load_settings
from v2_assets.api.app import Api
from v2_assets.api.shadow.wired import shadowed

#: Some fifty times what a page takes on the largest tables; what takes longer is to be narrowed.
STATEMENT_TIMEOUT_S = 5.0


def main() -> None:
    """Serves by the settings in force. Raises ConfigError when no database is named."""
    settings = load_settings()
    url = settings.api_database_url
    if url is None:
        raise ConfigError(
            "the endpoints do not know their database",
            hint="start them with `v2 up`, or set V2_API_DATABASE_URL to a login that is a member of v2_api",
        )
    database = Database(
        url.get_secret_value(),
        application_name="v2 api",
        connect_deadline_s=2,
        statement_timeout_s=STATEMENT_TIMEOUT_S,
    )
    api = Api(settings, database)
    loopback(shadowed(api, settings) if settings.shadow_v1_url else api.app, settings.api_port).run()


if __name__ == "__main__":
    run(main)
