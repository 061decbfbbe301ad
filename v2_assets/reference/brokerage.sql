-- One brokerage.
-- reZEN is the system of one brokerage, so its name is known; any record is proof that it is in use.
select distinct 'The Real Brokerage' as name, true as active from batch
