-- One agent above another, at any distance, for everybody at or below this user's agents.
-- Only they can get other ancestors: every link that the user's records tell begins or ends at an agent of the user.
with recursive me as (
  -- Links that are gone count for who is concerned.
  -- Of a circle one direction stays: the shorter, else the one from the lower id.
  select id from v2.agent where user_id = %(user_id)s
  union
  select agent_id from v2.network_member where user_id = %(user_id)s and agent_id is not null
),
concerned as (
  select id from me
  union
  select l.below
  from concerned c
  cross join lateral (
    select agent_id as below from v2.agent_hierarchy where sponsor_agent_id = c.id
    union all
    select downline_agent_id from v2.network_member where agent_id = c.id and downline_agent_id is not null
  ) l
),
walk as (
  select id as descendant, id as ancestor, 0 as depth from concerned
  union
  -- A circle would be walked for ever: nobody is 32 steps above anybody, so a level of more counts as 33.
  select w.descendant, l.above, w.depth + l.steps
  from walk w
  cross join lateral (
    select sponsor_agent_id as above, least(greatest(coalesce(level, 1), 1), 33)::int as steps
    from v2.agent_hierarchy where agent_id = w.ancestor and deleted_at is null
    union all
    select agent_id, tier::int from v2.network_member
    where downline_agent_id = w.ancestor and agent_id is not null and deleted_at is null
  ) l
  where l.above <> w.descendant and w.depth + l.steps <= 32
),
nearest as materialized (select ancestor, descendant, min(depth) as depth from walk group by ancestor, descendant),
-- Whom the shortest way down from an ancestor meets first.
hop as materialized (
  select distinct on (n.descendant, n.ancestor) n.descendant, n.ancestor, r.ancestor as next
  from nearest r
  cross join lateral (
    select sponsor_agent_id as above, least(greatest(coalesce(level, 1), 1), 33)::int as steps
    from v2.agent_hierarchy where agent_id = r.ancestor and deleted_at is null
    union all
    select agent_id, tier::int from v2.network_member
    where downline_agent_id = r.ancestor and agent_id is not null and deleted_at is null
  ) l
  join nearest n on n.descendant = r.descendant and n.ancestor = l.above and n.depth = r.depth + l.steps
  order by n.descendant, n.ancestor, l.steps, r.ancestor
),
way as (
  select descendant, ancestor, array[ancestor, descendant] as path from hop where next = descendant
  union all
  select h.descendant, h.ancestor, h.ancestor || w.path
  from way w join hop h on h.descendant = w.descendant and h.next = w.ancestor
),
fresh as (
  select n.ancestor as ancestor_agent_id, n.descendant as descendant_agent_id, n.depth::smallint as depth, w.path
  from nearest n
  join way w on w.ancestor = n.ancestor and w.descendant = n.descendant
  left join nearest back on back.ancestor = n.descendant and back.descendant = n.ancestor
  where n.depth > 0 and (back.ancestor is null or (n.depth, n.ancestor) < (back.depth, back.ancestor))
)
select f.ancestor_agent_id, f.descendant_agent_id, f.depth, f.path, null::timestamptz as deleted_at
from fresh f
left join v2.network_hierarchy h using (ancestor_agent_id, descendant_agent_id)
where (h.depth, h.path, h.deleted_at) is distinct from (f.depth, f.path, null)
union all
select h.ancestor_agent_id, h.descendant_agent_id, h.depth, h.path, now()
from v2.network_hierarchy h
where h.descendant_agent_id in (select id from concerned) and h.deleted_at is null and not exists (
  select from fresh f
  where f.ancestor_agent_id = h.ancestor_agent_id and f.descendant_agent_id = h.descendant_agent_id)
