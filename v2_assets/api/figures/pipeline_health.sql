-- One stream that is read for the caller, and how its last pass went.
-- Of an error only the code: its words may name accounts.
select s.integration, s.entity, s.user_id, s.status, s.last_started_at, s.last_sync_at, s.records,
  s.error ->> 'code' as error_code
from ops.sync_state s
order by 1, 2, 3
