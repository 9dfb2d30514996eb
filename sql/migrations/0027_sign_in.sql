-- Who made a token: it ends with that account. A session is its account's own.
ALTER TABLE api_token ADD COLUMN made_by int,
    ADD FOREIGN KEY (village_id, made_by) REFERENCES account,
    ADD CONSTRAINT api_token_session_or_made CHECK (account_id IS NULL OR made_by IS NULL);

-- What somebody writes whose token has ended meanwhile, as it does with its account, ends its transaction. Every write asks
-- it: a function without a path of its own keeps its plan.
CREATE FUNCTION check_admitted(village int, token bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM public.api_token t WHERE t.village_id = village AND t.id = token AND t.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token or its account has ended'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'actor_admitted';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION check_admitted(int, bigint) FROM PUBLIC;

-- How many messages went to one phone or address of late.
CREATE INDEX message_sent_to_phone ON message (village_id, phone, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX message_sent_to_email ON message (village_id, lower(email), sent_at) WHERE sent_at IS NOT NULL;
