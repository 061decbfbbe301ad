-- One agent above another, at any distance, for everybody whose place the links of this user's agent can have changed.
-- Whoever stands above the agent (or stood) is followed downwards anew; of a circle one direction is kept, the shorter.
with recursive link as (
  select sponsor_agent_id as above, agent_id as below, greatest(coalesce(level, 1), 1)::int as steps
  from v2.agent_hierarchy where deleted_at is null
  union
  select agent_id, downline_agent_id, tier::int from v2.network_member
  where deleted_at is null and agent_id is not null and downline_agent_id is not null
),
me as (select id from v2.agent where user_id = %(user_id)s),
up as (
  select id from me
  union
  select l.above from up join link l on l.below = up.id
),
affected as (
  select id from up
  union
  select h.ancestor_agent_id from v2.network_hierarchy h join me on me.id = h.descendant_agent_id
),
walk as (
  select a.id as ancestor, l.below as descendant, l.steps as depth
  from affected a join link l on l.above = a.id and l.below <> a.id
  union
  -- A circle would be walked for ever: nobody is 64 steps above anybody.
  select w.ancestor, l.below, w.depth + l.steps
  from walk w join link l on l.above = w.descendant and l.below <> w.ancestor
  where w.depth + l.steps < 64
),
nearest as (select ancestor, descendant, min(depth) as depth from walk group by ancestor, descendant),
one_way as (
  select n.ancestor, n.descendant, n.depth
  from nearest n
  left join nearest back on back.ancestor = n.descendant and back.descendant = n.ancestor
  where back.ancestor is null or (n.depth, n.ancestor) < (back.depth, back.ancestor)
),
between_them as (
  select o.ancestor, o.descendant, c.depth, min(c.descendant) as agent
  from one_way o
  join link l on l.below = o.descendant
  join one_way c on c.ancestor = o.ancestor and c.descendant = l.above and c.depth + l.steps = o.depth
  group by o.ancestor, o.descendant, c.depth
),
ways as (
  select ancestor, descendant, array_agg(agent order by depth) as agents from between_them group by ancestor, descendant
),
fresh as (
  select o.ancestor as ancestor_agent_id, o.descendant as descendant_agent_id, o.depth::smallint as depth,
    array[o.ancestor] || coalesce(w.agents, '{}') || array[o.descendant] as path
  from one_way o left join ways w on w.ancestor = o.ancestor and w.descendant = o.descendant
)
select f.ancestor_agent_id, f.descendant_agent_id, f.depth, f.path, null::timestamptz as deleted_at
from fresh f
left join v2.network_hierarchy h using (ancestor_agent_id, descendant_agent_id)
where (h.depth, h.path, h.deleted_at) is distinct from (f.depth, f.path, null)
union all
select h.ancestor_agent_id, h.descendant_agent_id, h.depth, h.path, now()
from v2.network_hierarchy h
where h.ancestor_agent_id in (select id from affected) and h.deleted_at is null and not exists (
  select from fresh f
  where f.ancestor_agent_id = h.ancestor_agent_id and f.descendant_agent_id = h.descendant_agent_id)
