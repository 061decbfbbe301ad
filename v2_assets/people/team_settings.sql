-- The settings of one team.
-- They come with the team's record and are merged with it; 0 is a real split, null is "not told".
select
  m.v2_id as team_id,
  b.source_updated_at,
  ops.blank_null(p ->> 'country') as country,
  ops.flag(p -> 'flex') as flex,
  ops.flag(p -> 'instantPaymentEligible') as instant_payment_eligible,
  ops.flag(p -> 'paidAtClosing') as paid_at_closing,
  ops.flag(p #> '{config,leaderSplitConfig,enforceSplits}') as enforce_splits,
  ops.percent(p #> '{config,leaderSplitConfig,minSplitPercent}') as min_split_percent,
  ops.percent(p -> 'memberCommissionSplit') as member_commission_split,
  ops.percent(p -> 'maxMemberCommissionSplit') as max_member_commission_split,
  ops.code(p #> '{config,paymentDetailsVisibility}') as payment_details_visibility,
  ops.code(coalesce(ops.first_of(p -> 'config', 'cdaApprover'), p -> 'commissionDocumentApprover')) as cda_approver,
  ops.money(p #> '{config,realCapConfig,leaderCap}') as leader_cap
from merged m
join batch b on b.id = m.staged_id
cross join lateral (select b.payload as p) x
