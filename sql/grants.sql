-- Who may do what: all of it, whatever a migration granted. Run after the migrations where the catalogue says otherwise,
-- so that it also holds of a dump that was restored where the roles were missing. docs/PRIVILEGES.md is made from what
-- this comes to.

REVOKE ALL ON SCHEMA public FROM PUBLIC, taoyuan_service, taoyuan_public;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, taoyuan_service, taoyuan_public;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, taoyuan_service, taoyuan_public;
DO $$
DECLARE
    name text;
BEGIN
    -- Those of extensions stay open to everybody: operators run them.
    FOR name IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner = 'taoyuan_owner'::regrole
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC, taoyuan_service, taoyuan_public', name);
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, taoyuan_service, taoyuan_public', current_database());
    -- Imports read a register into temporary tables.
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO taoyuan_service', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO taoyuan_public', current_database());
    -- They are granted as they are made; only what was restored by hand has lost that.
    FOR name IN SELECT oid::regclass FROM pg_class WHERE CASE
        WHEN relnamespace = 'numbers'::regnamespace AND relkind = 'S'
            THEN NOT has_sequence_privilege('taoyuan_service', oid, 'USAGE') END
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO taoyuan_service', name);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA public TO taoyuan_service, taoyuan_public;
REVOKE ALL ON SCHEMA numbers FROM PUBLIC, taoyuan_service, taoyuan_public;
GRANT USAGE ON SCHEMA numbers TO taoyuan_service;

-- What PostgreSQL lets everybody do that is nobody's row: large objects, records in the log of changes, locks for which
-- others wait. It can be taken back by a superuser only; docs/operating/README.md tells who migrates as another.
DO $$
DECLARE
    name text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RETURN; END IF;
    FOR name IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND (
        proname LIKE 'lo\_%' OR proname IN ('loread', 'lowrite', 'pg_logical_emit_message')
        OR proname LIKE 'pg\_%advisory%')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', name);
        CONTINUE WHEN name NOT LIKE 'pg\_%advisory%';
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO taoyuan_owner, taoyuan_service', name);
    END LOOP;
END
$$;

-- What strangers read.
GRANT SELECT ON public_origin TO taoyuan_service, taoyuan_public;
GRANT SELECT ON public_code, public_key, public_name, public_village, public_tour_session, public_tour_extra,
    public_tour_calendar TO taoyuan_public;

-- What the service reads and nobody writes while it works.
GRANT SELECT ON schema_migration, village, village_origin, public_village, batch_input, tour_step TO taoyuan_service;
GRANT SELECT ON cooperative_meant, cooperative_spelled, household_span, income_row, tour_income, tour_income_now,
    tour_claim, tour_visit_now TO taoyuan_service;

-- What happened: rows are added, and none is changed or removed.
GRANT SELECT, INSERT ON batch, batch_correction, books_closing, ceiling_override, code, code_revocation,
    household_period, income_entry, livelihood_report, plot_period, recall, sale, sale_correction, sale_line, sale_name,
    scan, signing_key, signing_key_end, stock_movement, tour_adjustment, tour_check_in, tour_check_in_undo, tour_earning,
    tour_gate_conflict, tour_gate_settlement, tour_payment, tour_picking_sale, tour_visit, withdrawal_undo
    TO taoyuan_service;
-- An event is of the moment at which it is written, and has its number from number_events().
GRANT SELECT, INSERT (village_id, actor, cooperative_id, kind, subject, day, figures) ON event TO taoyuan_service;
-- But counters beside it, which constraints bound, and what a correction in a row of its own has put right.
GRANT UPDATE (in_g, out_g, grade_id, slip, picker, voided, recalls, frozen_g) ON batch TO taoyuan_service;
GRANT UPDATE (returned_g, refunded_fen) ON sale_line TO taoyuan_service;
-- A sale or an entry that was made by hand is found in a register later.
GRANT UPDATE (number, paid_how) ON sale TO taoyuan_service;
GRANT UPDATE (corrected_fen, register_key) ON income_entry TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (harvested_g, ceiling_g) ON plot_season TO taoyuan_service;

-- The village's growers and names.
GRANT SELECT, INSERT ON household, plot TO taoyuan_service;
GRANT UPDATE (cooperative_id, head, grid_cell, support_class, people, phone) ON household TO taoyuan_service;
GRANT UPDATE (cooperative_id, household_id, product_id, name, area_centimu, longitude, latitude) ON plot
    TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (merged_into) ON cooperative, variety, grade TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (usual_fen) ON product TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (name, meant) ON spelling TO taoyuan_service;

-- Tours: the desk's plans, and bookings with what has become of them.
GRANT SELECT, INSERT ON tour_site, tour_programme, tour_resource, tour_session, tour_booking TO taoyuan_service;
GRANT SELECT, INSERT, DELETE ON tour_site_closure, tour_extra, tour_session_resource, tour_booking_session,
    tour_booking_extra TO taoyuan_service;
GRANT UPDATE (name, kind, opens_minute, closes_minute, weekdays, version, changed_at) ON tour_site TO taoyuan_service;
GRANT UPDATE (name, minutes, price_fen, languages, min_group, max_group, hold_minutes, change_hours, free_cancel_hours,
    late_fee_percent, no_show_fee_percent, version, changed_at) ON tour_programme TO taoyuan_service;
GRANT UPDATE (name, kind) ON tour_resource TO taoyuan_service;
GRANT UPDATE (day, starts_at, ends_at, capacity, held, booked, state, closed_seats, version, changed_at) ON tour_session
    TO taoyuan_service;
GRANT UPDATE (unit, unit_kind, headcount, leader, phone, email, language, note, state, previous_state, version,
    hold_until, waiting_since, arrived, fee_fen, adjusted_fen, kept_fen, paid_fen, register_paid_fen, refund_due_fen,
    refunded_fen, granted_fen, register_key) ON tour_booking TO taoyuan_service;
GRANT UPDATE (day, headcount, amount_fen, kept_fen, arrived, upset) ON tour_booking_session TO taoyuan_service;
GRANT UPDATE (day) ON tour_booking_extra TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (due_at, attempts, sent_at, given_up_at, last_error, refused) ON message
    TO taoyuan_service;

-- People, answers to requests, and the day's key and counts of the scans.
GRANT SELECT, INSERT, UPDATE (password_salt, password_hash, disabled_at) ON account TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_token TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (answer) ON idempotent_answer TO taoyuan_service;
GRANT SELECT, INSERT, DELETE ON scan_key TO taoyuan_service;
GRANT SELECT, INSERT, UPDATE (visitors), DELETE ON scan_count TO taoyuan_service;

GRANT EXECUTE ON FUNCTION analyze_new_tables(), number_events(int), own_number(text), check_touched(bigint, bigint),
    check_admitted(int, bigint), refuse_closed_books(), is_own_plot(int, int), spelling_meant(int, text, text),
    spellings(int, text, text), cooperatives_named(int, text), first_sold_on(int, bigint),
    lock_tour_sessions(int, bigint[]),
    promote_waiting(int, bigint[], timestamptz), promote_waiting_within(int, bigint[], bigint[], timestamptz),
    move_seats(int, bigint[], int[], int[], timestamptz),
    release_expired(int, bigint[], timestamptz), settle_tours(int, bigint[], date, text),
    booking_message_content(int, bigint), booking_message_until(int, bigint), tell_booking(int, bigint, text),
    open_bookings(int, text[]), check_open_bookings(int, bigint[], bigint[], int, int),
    villages_with_work(text, timestamptz), open_work(timestamptz), forget_answers(int, int), forget_tokens(int, int), forget_contacts(int, int),
    keep_scan_months(int) TO taoyuan_service;
