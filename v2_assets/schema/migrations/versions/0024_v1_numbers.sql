-- Revision 0024: V1's number of a deal, so that V1 can be asked for the record that V2 showed.

-- V1's rows as the newest comparison took them; before the first one there is no such table.
CREATE FUNCTION ops.api_v1_deal(of_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
begin
    if to_regclass('v1.transaction') is null then
        return null;
    end if;
    return (
        select r.id from v2.transaction t
        join v1.transaction r on coalesce(r.transaction_id_raw, 'v1:' || r.id) = t.transaction_id_raw
        where t.id = of_id and t.id = any(ops.api_deals())
        order by r.updated_at desc nulls last, r.id desc limit 1);
end $$;
COMMENT ON FUNCTION ops.api_v1_deal IS 'V1''s number of a deal that the caller sees; null if V1 is not known to have it.';
