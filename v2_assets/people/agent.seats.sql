-- Stubs of the agents who sit on rosters, for those whose profile cannot be taken as it is.
-- The id and nothing else; a profile that is there already is not touched.
select distinct substr(b.source_id, length(b.payload #>> '{_v2,team_id}') + 2) as agent_id_raw, true as is_stub
from batch b
where substr(b.source_id, length(b.payload #>> '{_v2,team_id}') + 2) <> ''
