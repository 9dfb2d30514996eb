-- The committee closes the books through a day: nothing is dated that day or before it any more.

-- Each closing follows the one before it, so that the day only moves forward.
CREATE TABLE books_closing (
    village_id int NOT NULL REFERENCES village,
    through date NOT NULL,
    previous date,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, through),
    CONSTRAINT books_closing_forward CHECK (through > previous),
    CONSTRAINT books_closing_finite CHECK (isfinite(through) AND through < '2200-01-01'),
    CONSTRAINT books_closing_in_line UNIQUE NULLS NOT DISTINCT (village_id, previous),
    CONSTRAINT books_closing_follows FOREIGN KEY (village_id, previous) REFERENCES books_closing
);
GRANT SELECT, INSERT ON books_closing TO taoyuan_service;

-- A policy's violation has no name that a program can tell; this one has.
CREATE FUNCTION refuse_closed_books() RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the books are closed through that day'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'books_closed';
END
$$;
REVOKE ALL ON FUNCTION refuse_closed_books() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_closed_books() TO taoyuan_service;

-- New rows only: a batch of a closed year still gives up its grams to the sales of this one.
DO $$
DECLARE
    dated record;
BEGIN
    FOR dated IN SELECT * FROM (VALUES ('batch', 'harvested_on'), ('stock_movement', 'day'), ('sale', 'sold_on'),
        ('income_entry', 'day'), ('tour_payment', 'day')) AS t (name, day)
    LOOP
        EXECUTE format($policy$
            CREATE POLICY %1$I ON %2$I AS RESTRICTIVE FOR INSERT WITH CHECK (
                coalesce(%3$I > (
                    SELECT max(through) FROM books_closing
                    WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)), true)
                OR refuse_closed_books())
            $policy$, dated.name || '_open_books', dated.name, dated.day);
    END LOOP;
END
$$;

-- A line belongs to its sale's day. A sale that cannot be seen is being written by the same statement, under its own policy.
CREATE POLICY sale_line_open_books ON sale_line AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT max(through) FROM books_closing
        WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)) IS NULL
    OR coalesce((SELECT s.sold_on FROM sale s WHERE s.village_id = sale_line.village_id AND s.id = sale_line.sale_id) > (
        SELECT max(through) FROM books_closing
        WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)), true)
    OR refuse_closed_books());
