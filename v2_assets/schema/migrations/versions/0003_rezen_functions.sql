-- Revision 0003: SQL helper functions for fields with several names and shapes. Listed in 0003_rezen_functions.py.

CREATE FUNCTION ops.first_of(record jsonb, VARIADIC names text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF btrim(record ->> name, E' \t\r\n') <> '' THEN
            RETURN record -> name;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION ops.code(value jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    IF jsonb_typeof(value) = 'object' THEN
        RETURN btrim(ops.first_of(value, 'state', 'status', 'role', 'value', 'name', 'code') #>> '{}');
    END IF;
    RETURN nullif(btrim(value #>> '{}'), '');
END
$$;

CREATE FUNCTION ops.rezen_agent(person jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(ops.first_of(person, 'yentaUserId', 'yentaId', 'agentId') #>> '{}');

-- The owner is named outright, or as one of the deal's people, or not at all: then it is the only agent of ours who
-- takes part, if there is only one.
CREATE FUNCTION ops.rezen_owner(deal jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    people jsonb := CASE jsonb_typeof(deal -> 'participants') WHEN 'array' THEN deal -> 'participants' ELSE '[]' END;
    owners jsonb := deal #> '{agentsInfo,ownerAgent}';
    named jsonb;
    id text;
    agents text[];
BEGIN
    IF jsonb_typeof(owners) = 'array' THEN
        owners := owners -> 0;
    END IF;
    FOREACH named IN ARRAY ARRAY[owners, deal -> 'transactionOwner'] LOOP
        IF jsonb_typeof(named) = 'string' THEN
            named := jsonb_build_object('id', named);
        END IF;
        IF ops.rezen_agent(named) IS NOT NULL THEN
            RETURN ops.rezen_agent(named);
        END IF;
        id := btrim(ops.first_of(named, 'id') #>> '{}');
        IF id IS NOT NULL THEN
            SELECT array_agg(ops.rezen_agent(p)) INTO agents FROM jsonb_array_elements(people) p WHERE p ->> 'id' = id;
            RETURN CASE WHEN agents IS NULL THEN id ELSE agents[1] END;
        END IF;
    END LOOP;
    SELECT array_agg(DISTINCT ops.rezen_agent(p)) INTO agents FROM jsonb_array_elements(people) p
    WHERE ops.rezen_agent(p) IS NOT NULL AND p ->> 'external' IS DISTINCT FROM 'true';
    RETURN CASE WHEN cardinality(agents) = 1 THEN agents[1] END;
END
$$;

-- A street decides; without one the single line does, and only without both the city is all that is known.
CREATE FUNCTION ops.rezen_address_key(address jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    street text := ops.blank_null(address ->> 'street');
    line text := ops.blank_null(address ->> 'oneLine');
BEGIN
    IF jsonb_typeof(address) = 'string' THEN
        RETURN ops.address_key(address #>> '{}');
    ELSIF jsonb_typeof(address) <> 'object' THEN
        RETURN NULL;
    ELSIF street IS NULL AND line IS NOT NULL THEN
        RETURN ops.address_key(line);
    END IF;
    RETURN ops.address_key(
        street,
        ops.first_of(address, 'unit', 'street2') #>> '{}',
        address ->> 'city',
        address ->> 'state',
        ops.first_of(address, 'zip', 'zipCode', 'zipcode') #>> '{}'
    );
END
$$;
