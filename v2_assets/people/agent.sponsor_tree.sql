-- Stubs of both ends of a sponsorship.
-- The id and nothing else; the profile comes when the agent is read.
select payload ->> 'id' as agent_id_raw, true as is_stub from batch where ops.blank_null(payload ->> 'id') is not null
union
select payload #>> '{_v2,agent_id}', true from batch where payload #>> '{_v2,agent_id}' is not null
