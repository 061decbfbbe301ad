"""The one Dagster resource: where the database and the settings are, read when a run needs them."""

import dagster as dg

from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import Settings, load_settings


class PlatformResource(dg.ConfigurableResource):
    """Database and settings of the platform. `database_url` is for tests; the default is V2_DATABASE_URL."""

    database_url: str = ""

    @property
    def settings(self) -> Settings:
        """The settings of this process's environment."""
        return load_settings()

    @property
    def database(self) -> Database:
        """The V2 database. Raises ConfigError when the process was started without one."""
        url = self.database_url
        if not url:
            secret = self.settings.database_url
            url = secret.get_secret_value() if secret else ""
        if not url:
            raise ConfigError(
                "this process does not know the database",
                hint="start the platform with `v2 up` (it tells its processes where the embedded server is), or set"
                " V2_DATABASE_URL",
            )
        return Database(url)
