"""The one Dagster resource: where the database and the settings are, read when a run needs them."""

import warnings

import dagster as dg

from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import Settings, load_settings

# Dagster looks for the fields of a resource that has none under a name that pydantic is about to drop.
warnings.filterwarnings("ignore", message="The `__fields__` attribute", module=r"dagster_shared\.")


class PlatformResource(dg.ConfigurableResource):
    """Database and settings of the platform, from the environment of the process.

    It has no field on purpose: a field would be launch configuration, and whoever reaches the UI could point a run at
    a database of theirs, or read a variable of the environment through `{"env": …}`.
    """

    @property
    def settings(self) -> Settings:
        """The settings of this process's environment."""
        return load_settings()

    @property
    def database(self) -> Database:
        """The V2 database. Raises ConfigError when the process was started without one."""
        url = self.settings.database_url
        if url is None:
            raise ConfigError(
                "this process does not know the database",
                hint="start the platform with `v2 up` (it tells its processes where the embedded server is), or set"
                " V2_DATABASE_URL",
            )
        return Database(url.get_secret_value())
