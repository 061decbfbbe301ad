"""Why is this record not in V2? One record followed back: V2, staging, webhooks, the stream, the key, the source."""

from v2_assets.why.trail import Found, Trail, verdict
from v2_assets.why.walk import records_of, why

__all__ = ["Found", "Trail", "records_of", "verdict", "why"]
