-- Stubs of agents whose cap was read.
-- The id and nothing else; needed only where the agent's own profile was rejected.
select distinct payload #>> '{_v2,agent_id}' as agent_id_raw, true as is_stub
from batch
where ops.blank_null(payload #>> '{_v2,agent_id}') is not null
