"""`python -m sensors.receiver`: the receiver on loopback until SIGTERM. A reverse proxy with HTTPS stands in front."""

from __future__ import annotations

from resources.errors import ConfigError
from resources.postgres import Database
from resources.serving import loopback, run
from resources.settings import load_settings
from sensors.receiver.app import Receiver


def main() -> None:
    """Serves by the settings in force. Raises ConfigError when no database is named."""
    settings = load_settings()
    url = settings.receiver_database_url
    if url is None:
        raise ConfigError(
            "the receiver does not know its database",
            hint="start it with `v2 up`, or set V2_RECEIVER_DATABASE_URL to a login that is a member of v2_receiver",
        )
    database = Database(url.get_secret_value(), application_name="v2 receiver", connect_deadline_s=2)
    loopback(Receiver(settings, database), settings.receiver_port).run()


if __name__ == "__main__":
    run(main)
