-- One account of the product, as V1 knew it.
-- What the product itself has is kept; V1 fills in what is missing. Passwords never get this far.
with numbers as (
  -- The product enters users with ids of its own choice: ours begin behind the largest of them.
  select count(nextval('v2.user_id_seq')) as passed_over
  from generate_series(
    coalesce(pg_sequence_last_value('v2.user_id_seq'), 0) + 1, (select max(u.id) from v2."user" u))
),
source as (
  select b.id as staged_id, b.payload as p, b.account_ref, lower(btrim(b.payload ->> 'email')) as email
  from batch b
  cross join numbers
  where numbers.passed_over >= 0
),
keyed as (
  select s.*, live.id as live_id, coalesce(live.source, 'v1') as owner, a.id as agent, t.id as team,
    live.first_name, live.last_name, live.full_name, live.display_name, live.email2, live.cell_phone, live.birthdate,
    live.avatar, live.active, live.demo_account, live.last_login, live.agent_id, live.team_id
  from source s
  left join v2."user" live on live.email = s.email
  left join staging.stage_xano_agent sa on sa.account_ref = s.account_ref and sa.source_id = p ->> 'agent_id'
  left join v2.agent a on a.agent_id_raw = ops.v1_raw(sa.payload, 'agent_id_raw')
  left join staging.stage_xano_team st on st.account_ref = s.account_ref and st.source_id = p ->> 'team_id'
  left join v2.team t on t.team_id_raw = ops.v1_raw(st.payload, 'team_id_raw')
),
judged as (
  select k.*, owner <> 'v1' as products,
    coalesce(p ->> 'full_name',
      nullif(concat_ws(' ', p ->> 'first_name', p ->> 'last_name'), '')) as told_name
  from keyed k
)
select
  staged_id,
  case when email is null then 'rejected' end as fate,
  case when email is null then 'missing_key' end as reason,
  case when email is null then jsonb_build_object('field', 'email') end as detail,
  null::text as waits_for,
  email,
  owner as source,
  case when products then coalesce(first_name, p ->> 'first_name') else p ->> 'first_name' end as first_name,
  case when products then coalesce(last_name, p ->> 'last_name') else p ->> 'last_name' end as last_name,
  case when products then coalesce(full_name, told_name) else told_name end as full_name,
  case when products then coalesce(display_name, p ->> 'display_name') else p ->> 'display_name' end as display_name,
  case when products then coalesce(email2, p ->> 'email2') else p ->> 'email2' end as email2,
  case when products then coalesce(cell_phone, p ->> 'cell_phone') else p ->> 'cell_phone' end as cell_phone,
  case when products then coalesce(birthdate, (p ->> 'birthdate')::date) else (p ->> 'birthdate')::date end
    as birthdate,
  case when products then coalesce(avatar, p ->> 'avatar') else p ->> 'avatar' end as avatar,
  case when products then active else coalesce((p ->> 'active')::boolean, true) end as active,
  case when products then demo_account else coalesce((p ->> 'demo_account')::boolean, false) end as demo_account,
  greatest(last_login, ops.epoch_ms((p ->> 'last_login')::bigint)) as last_login,
  coalesce(agent_id, agent) as agent_id,
  coalesce(team_id, team) as team_id
from judged
