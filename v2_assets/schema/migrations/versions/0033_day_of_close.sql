-- Revision 0033: the day that a source tells as a day.

-- A deal that closes in the evening of New Year's Eve has an instant that is of the new year in UTC; where the source
-- tells the day beside it, that is the day.
CREATE FUNCTION ops.first_day(record jsonb, VARIADIC names text[]) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT ops.day(btrim(record ->> name)) FROM unnest(names) WITH ORDINALITY n (name, place)
         WHERE btrim(record ->> name) ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND ops.day(btrim(record ->> name)) IS NOT NULL
         ORDER BY place LIMIT 1),
        ops.day(ops.first_of(record, VARIADIC names) #>> '{}')
    );
COMMENT ON FUNCTION ops.first_day IS 'The first of these fields that is a plain day; else the UTC day of the first that tells something.';
