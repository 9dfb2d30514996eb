-- What waits for others so as to see what they did sees it only where each statement looks anew: in READ COMMITTED.
-- And an INSERT whose rows are of several villages has no one day through which the books are closed.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT polname, polrelid::regclass AS of_table, pg_get_expr(polwithcheck, polrelid) AS is_open
        FROM pg_policy WHERE polname LIKE '%\_open\_books'
    LOOP
        EXECUTE format($policy$
            ALTER POLICY %I ON %s WITH CHECK (
                village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int
                    WHERE current_setting('transaction_isolation') = 'read committed')
                AND %s)
            $policy$, rule.polname, rule.of_table, rule.is_open);
    END LOOP;
END
$$;

-- Whose code it is, as its batch has it: a foreign key passes by row-level security.
ALTER TABLE code_revocation ADD CONSTRAINT code_revocation_of_own
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id);
