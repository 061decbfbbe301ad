-- Revision 0002: SQL helper functions of schema ops. Signatures are listed in 0002_functions.py.
-- One-expression functions are plain SQL without STRICT, so that the planner can fold them into the query; the others
-- are plpgsql.

CREATE FUNCTION ops.blank_null(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN btrim(value, E' \t\r\n') = '' THEN NULL ELSE value END;

CREATE FUNCTION ops.epoch_ms(value bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(value / 1000.0::float8);

CREATE FUNCTION ops.epoch_ms(value text) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(nullif(btrim(value), '')::bigint / 1000.0::float8);

-- Eleven digits or fewer are seconds (until the year 5138), more are milliseconds (from 1973 on).
CREATE FUNCTION ops.instant(value text) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    bare text := btrim(value);
BEGIN
    IF bare = '' THEN
        RETURN NULL;
    ELSIF bare ~ '^-?[0-9]{1,11}$' THEN
        RETURN to_timestamp(bare::float8);
    ELSIF bare ~ '^-?[0-9]{12,16}$' THEN
        RETURN to_timestamp(bare::bigint / 1000.0::float8);
    ELSIF bare !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$' THEN
        RAISE EXCEPTION 'not an instant' USING ERRCODE = 'invalid_text_representation';
    ELSIF bare ~* '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$' AND length(bare) > 10 THEN
        RETURN bare::timestamptz;
    ELSE
        RETURN (bare || '+00')::timestamptz;
    END IF;
END
$$;

-- A date stays the date it was written as; only an instant is turned into its UTC day.
CREATE FUNCTION ops.day(value text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    IF value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN value::date;
    END IF;
    RETURN (ops.instant(value) AT TIME ZONE 'UTC')::date;
END
$$;

CREATE FUNCTION ops.flag(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(btrim(value #>> '{}'), '')::boolean;

CREATE FUNCTION ops.whole(value jsonb) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(regexp_replace(btrim(value #>> '{}'), '\.0+$', ''), '')::bigint;

-- An amount of another shape (an object without amount, a list) is null, not zero: nobody told an amount.
CREATE FUNCTION ops.money(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(btrim(
        CASE jsonb_typeof(value)
            WHEN 'object' THEN value ->> 'amount'
            WHEN 'array' THEN NULL
            ELSE value #>> '{}'
        END
    ), '')::numeric;

CREATE FUNCTION ops.money_currency(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN jsonb_typeof(value) = 'object' AND nullif(btrim(value ->> 'amount'), '') IS NOT NULL
        THEN upper(nullif(btrim(value ->> 'currency'), ''))
    END;

CREATE FUNCTION ops.percent(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(btrim(
        CASE jsonb_typeof(value)
            WHEN 'object' THEN value ->> 'value'
            WHEN 'array' THEN NULL
            ELSE value #>> '{}'
        END, ' %'
    ), '')::numeric;

-- Upper case, one space between words, no punctuation; number signs stay, they mark a unit.
CREATE FUNCTION ops.address_words(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(btrim(regexp_replace(
        regexp_replace(upper(value), '[.'']', '', 'g'), '[^[:alnum:]#]+', ' ', 'g'
    )), '');

CREATE FUNCTION ops.state_abbreviation(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    RETURN '{
        "AL":"AL","ALABAMA":"AL","AK":"AK","ALASKA":"AK","AZ":"AZ","ARIZONA":"AZ","AR":"AR","ARKANSAS":"AR",
        "CA":"CA","CALIFORNIA":"CA","CO":"CO","COLORADO":"CO","CT":"CT","CONNECTICUT":"CT","DE":"DE",
        "DELAWARE":"DE","DC":"DC","DISTRICT OF COLUMBIA":"DC","FL":"FL","FLORIDA":"FL","GA":"GA","GEORGIA":"GA",
        "HI":"HI","HAWAII":"HI","ID":"ID","IDAHO":"ID","IL":"IL","ILLINOIS":"IL","IN":"IN","INDIANA":"IN",
        "IA":"IA","IOWA":"IA","KS":"KS","KANSAS":"KS","KY":"KY","KENTUCKY":"KY","LA":"LA","LOUISIANA":"LA",
        "ME":"ME","MAINE":"ME","MD":"MD","MARYLAND":"MD","MA":"MA","MASSACHUSETTS":"MA","MI":"MI",
        "MICHIGAN":"MI","MN":"MN","MINNESOTA":"MN","MS":"MS","MISSISSIPPI":"MS","MO":"MO","MISSOURI":"MO",
        "MT":"MT","MONTANA":"MT","NE":"NE","NEBRASKA":"NE","NV":"NV","NEVADA":"NV","NH":"NH",
        "NEW HAMPSHIRE":"NH","NJ":"NJ","NEW JERSEY":"NJ","NM":"NM","NEW MEXICO":"NM","NY":"NY","NEW YORK":"NY",
        "NC":"NC","NORTH CAROLINA":"NC","ND":"ND","NORTH DAKOTA":"ND","OH":"OH","OHIO":"OH","OK":"OK",
        "OKLAHOMA":"OK","OR":"OR","OREGON":"OR","PA":"PA","PENNSYLVANIA":"PA","RI":"RI","RHODE ISLAND":"RI",
        "SC":"SC","SOUTH CAROLINA":"SC","SD":"SD","SOUTH DAKOTA":"SD","TN":"TN","TENNESSEE":"TN","TX":"TX",
        "TEXAS":"TX","UT":"UT","UTAH":"UT","VT":"VT","VERMONT":"VT","VA":"VA","VIRGINIA":"VA","WA":"WA",
        "WASHINGTON":"WA","WV":"WV","WEST VIRGINIA":"WV","WI":"WI","WISCONSIN":"WI","WY":"WY","WYOMING":"WY",
        "AS":"AS","AMERICAN SAMOA":"AS","GU":"GU","GUAM":"GU","MP":"MP","NORTHERN MARIANA ISLANDS":"MP",
        "PR":"PR","PUERTO RICO":"PR","VI":"VI","VIRGIN ISLANDS":"VI","AB":"AB","ALBERTA":"AB","BC":"BC",
        "BRITISH COLUMBIA":"BC","MB":"MB","MANITOBA":"MB","NB":"NB","NEW BRUNSWICK":"NB","NL":"NL",
        "NEWFOUNDLAND AND LABRADOR":"NL","NT":"NT","NORTHWEST TERRITORIES":"NT","NS":"NS","NOVA SCOTIA":"NS",
        "NU":"NU","NUNAVUT":"NU","ON":"ON","ONTARIO":"ON","PE":"PE","PRINCE EDWARD ISLAND":"PE","QC":"QC",
        "QUEBEC":"QC","SK":"SK","SASKATCHEWAN":"SK","YT":"YT","YUKON":"YT",
        "US VIRGIN ISLANDS":"VI","QUÉBEC":"QC","PQ":"QC","NEWFOUNDLAND":"NL","YUKON TERRITORY":"YT","NF":"NL"
    }'::jsonb ->> ops.address_words(replace(value, '_', ' '));
END
$$;

-- Apt 4, Apartment 4, Ste 4, Suite 4, Unit 4, No 4, # 4 and #4 are one thing. "No" counts only before a digit.
CREATE FUNCTION ops.address_units(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(regexp_replace(regexp_replace(
        ops.address_words(value),
        '( |^)((APT|APARTMENT|STE|SUITE|UNIT)( #|#| |$)|(NO|NUMBER)( #|#| )(?=[0-9])|# ?)+', ' UNIT ', 'g'
    ), ' +', ' ', 'g'));

-- "84601-1234" to 84601, "M5V 3L9" to M5V3L9, anything else with its punctuation dropped.
CREATE FUNCTION ops.postal_code(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value ~ '^\s*[0-9]{5}([- ]?[0-9]{4})?\s*$' THEN left(btrim(value), 5)
        ELSE nullif(regexp_replace(upper(value), '[^[:alnum:]]+', '', 'g'), '')
    END;

CREATE FUNCTION ops.address_key(street text, unit text, city text, state text, zip text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    road text := ops.address_units(street);
    door text := ops.address_units(unit);
BEGIN
    IF door IS NOT NULL AND door !~ '^UNIT ' THEN
        door := 'UNIT ' || door;
    END IF;
    -- Some sources say the unit twice: in its own field and at the end of the street.
    IF road IS NOT NULL AND (door IS NULL OR right(road, length(door) + 1) = ' ' || door) THEN
        door := NULL;
    END IF;
    IF coalesce(road, ops.address_words(city), ops.postal_code(zip)) IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ops.address_units(concat_ws(
        ' ',
        road,
        door,
        city,
        coalesce(ops.state_abbreviation(state), replace(state, '_', ' ')),
        ops.postal_code(zip)
    ));
END
$$;

-- Reads an address from its end: country, postal code, state (up to three words), and the rest as it stands.
CREATE FUNCTION ops.address_key(one_line text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    rest text := ops.address_units(replace(one_line, '_', ' '));
    code text;
    tail text;
    state text;
BEGIN
    IF rest IS NULL THEN
        RETURN NULL;
    END IF;
    rest := regexp_replace(rest, ' (USA|US|UNITED STATES( OF AMERICA)?|CANADA)$', '');
    code := substring(rest FROM ' ([0-9]{5})( ?[0-9]{4})?$');
    IF code IS NOT NULL THEN
        rest := regexp_replace(rest, ' [0-9]{5}( ?[0-9]{4})?$', '');
    ELSE
        code := replace(substring(rest FROM ' ([A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])$'), ' ', '');
        IF code IS NOT NULL THEN
            rest := regexp_replace(rest, ' [A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]$', '');
        END IF;
    END IF;
    FOR words IN REVERSE 3..1 LOOP
        tail := substring(rest FROM '((?: [^ ]+){' || words || '})$');
        state := ops.state_abbreviation(tail);
        IF state IS NOT NULL THEN
            rest := left(rest, length(rest) - length(tail));
            EXIT;
        END IF;
    END LOOP;
    RETURN ops.address_units(concat_ws(' ', rest, state, code));
END
$$;
