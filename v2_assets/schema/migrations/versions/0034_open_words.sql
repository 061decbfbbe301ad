-- Revision 0034: words of a source that no code table has.

-- What a select tells the merge of one looked-up word: a warning of the staged row, or nothing.
CREATE FUNCTION ops.unknown_word(field text, code_set text, raw text, value text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN raw IS NULL OR value IS NOT NULL THEN '[]'::jsonb
        ELSE '[]'::jsonb || jsonb_object(ARRAY[
            'code', 'unknown_word', 'field', field, 'found', left(raw, 100), 'code_set', code_set]) END;
COMMENT ON FUNCTION ops.unknown_word IS 'A warning where a word was told and has no value; else an empty list.';

CREATE FUNCTION ops.unknown_words(field text, code_set text, raws text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT jsonb_agg(w ORDER BY w) FROM (SELECT DISTINCT ops.unknown_word(field, code_set, raw, NULL) -> 0 AS w
         FROM unnest(raws) raw WHERE raw IS NOT NULL) told),
        '[]'::jsonb);
COMMENT ON FUNCTION ops.unknown_words IS 'A warning for each of these words, none of which has a value.';

-- What a word has kept out so far is merged by the next run.
DO $$
DECLARE
    stage regclass;
BEGIN
    FOR stage IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'staging'::regnamespace AND c.relkind = 'r' ORDER BY 1
    LOOP
        EXECUTE format(
            'UPDATE %s SET status = ''pending'', status_reason = NULL, status_detail = NULL, attempts = 0'
            ' WHERE status = ''rejected'' AND status_reason = ''unknown_code''', stage);
    END LOOP;
END
$$;
