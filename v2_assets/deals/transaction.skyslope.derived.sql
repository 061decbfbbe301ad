-- SkySlope sales whose agent, team, user or listing became known (or changed) after they were merged.
-- Only rows that differ come out; everything else stays as it is.
with people as (
  select s.source_id as guid, ops.skyslope_agent(s.source_id) as agent_id,
    nullif(concat_ws(' ', ops.blank_null(s.payload ->> 'firstName'), ops.blank_null(s.payload ->> 'lastName')), '')
      as name,
    lower(btrim(ops.blank_null(s.payload ->> 'email'))) as email
  from (
    select distinct on (source_id) source_id, payload from staging.stage_skyslope_users where status <> 'rejected'
    order by source_id, id) s
),
fresh as (
  select d.transaction_id_raw, d.user_id, d.transaction_owner_agent_id, d.transaction_owner_name,
    d.transaction_owner_email, d.team_id, d.team_id_raw, d.team_owner_agent_id, d.listing_id, i.user_id as new_user_id,
    a.id as new_agent_id, coalesce(pe.name, d.transaction_owner_name) as new_name,
    coalesce(pe.email, d.transaction_owner_email) as new_email, a.team_id as new_team_id,
    t.team_id_raw as new_team_raw, t.team_owner_agent_id as new_owner, l.id as new_listing_id, d.source_updated_at,
    d.deleted_at
  from staging.stage_skyslope_transactions s
  join v2.transaction d on d.id = s.v2_id and d.source = 'skyslope'
  left join people pe on pe.guid = lower(s.payload ->> 'agentGuid')
  left join v2.agent a on a.id = pe.agent_id
  left join v2.team t on t.id = a.team_id
  left join v2.user_identity i on i.platform = 'skyslope' and i.kind = 'user'
    and i.external_id = lower(s.payload ->> 'agentGuid') and i.deleted_at is null
  left join v2.listing l on l.source = 'skyslope' and l.listing_id_raw = lower(s.payload ->> 'listingGuid')
  where s.status = 'processed' and split_part(s.account_ref, '/', 2) in (
    select split_part(o.account_ref, '/', 2) from staging.stage_skyslope_transactions o where o.user_id = %(user_id)s)
)
select 'skyslope' as source, transaction_id_raw, new_user_id as user_id, new_agent_id as transaction_owner_agent_id,
  new_name as transaction_owner_name, new_email as transaction_owner_email, new_team_id as team_id,
  new_team_raw as team_id_raw, new_owner as team_owner_agent_id, new_listing_id as listing_id, source_updated_at,
  deleted_at
from fresh
where (user_id, transaction_owner_agent_id, transaction_owner_name, transaction_owner_email, team_id, team_id_raw,
    team_owner_agent_id, listing_id)
  is distinct from (new_user_id, new_agent_id, new_name, new_email, new_team_id, new_team_raw, new_owner,
    new_listing_id)
