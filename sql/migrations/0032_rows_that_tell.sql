-- What the service may write again is what rows that stay say of it: whoever gets a statement of theirs run by it takes no
-- recall off, lets no account live again and changes no money without leaving a row. All of it is asked of what changes
-- rarely: neither a sale nor a harvest is asked more than before.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'no row tells of this change' USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END
$$;

-- An open recall is a row of its own; the batch counts those of all that it was made from.
CREATE FUNCTION check_batch_recalls() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted bigint;
BEGIN
    IF TG_TABLE_NAME = 'batch' THEN
        wanted := NEW.number;
    ELSE
        wanted := NEW.batch_number;
    END IF;
    IF EXISTS (
        SELECT FROM public.batch b WHERE b.village_id = NEW.village_id AND b.number = wanted AND b.recalls <> (
            WITH RECURSIVE line (number) AS (
                SELECT b.number
                UNION
                SELECT i.parent FROM public.batch_input i JOIN line
                    ON i.village_id = b.village_id AND i.child = line.number
            )
            SELECT count(*) FROM line WHERE 'open' = (
                SELECT r.step FROM public.recall r
                WHERE r.village_id = b.village_id AND r.batch_number = line.number ORDER BY r.id DESC LIMIT 1)))
    THEN
        RAISE EXCEPTION 'the batch is not under the recalls that are open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_recalls_told';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER batch_recalls_told AFTER UPDATE OF recalls ON batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.recalls <> OLD.recalls) EXECUTE FUNCTION check_batch_recalls();
CREATE CONSTRAINT TRIGGER recall_told AFTER INSERT ON recall DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_batch_recalls();

-- What had left when the recall was opened moves on only with what is destroyed, and back with what comes back.
CREATE FUNCTION check_batch_frozen() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.frozen_g IS NULL AND NEW.frozen_g <> NEW.out_g
        OR NEW.frozen_g - OLD.frozen_g <> NEW.out_g - OLD.out_g
        OR NEW.frozen_g > OLD.frozen_g AND NEW.frozen_g - OLD.frozen_g > (
            SELECT coalesce(-sum(m.grams), 0) FROM public.stock_movement m
            WHERE m.village_id = NEW.village_id AND m.batch_number = NEW.number AND m.kind = 'loss'
                AND m.at = transaction_timestamp())
    THEN
        RAISE EXCEPTION 'nothing but what is destroyed leaves a batch under recall'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_frozen_told';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER batch_frozen_told AFTER UPDATE OF frozen_g ON batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.frozen_g IS DISTINCT FROM OLD.frozen_g) EXECUTE FUNCTION check_batch_frozen();

-- What a harvest is said to be changes with a correction.
CREATE FUNCTION check_batch_correction() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.batch b JOIN public.batch_correction k
            ON k.village_id = b.village_id AND k.batch_number = b.number AND k.id = (
                SELECT max(l.id) FROM public.batch_correction l
                WHERE l.village_id = b.village_id AND l.batch_number = b.number)
        WHERE b.village_id = NEW.village_id AND b.number = NEW.number
            AND (b.grade_id, b.slip, b.picker, b.voided)
                IS NOT DISTINCT FROM (k.grade_after, k.slip_after, k.picker_after, k.kind = 'void'))
    THEN
        RAISE EXCEPTION 'the batch is not what its last correction says'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_correction_told';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER batch_correction_told AFTER UPDATE OF grade_id, slip, picker, voided ON batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.grade_id, NEW.slip, NEW.picker, NEW.voided)
        IS DISTINCT FROM (OLD.grade_id, OLD.slip, OLD.picker, OLD.voided))
    EXECUTE FUNCTION check_batch_correction();

-- A season's ceiling is that of its plot at some time, with the exceptions; or as it was, with the exceptions of now.
CREATE FUNCTION check_season_ceiling() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    extra bigint;
    extra_now bigint;
BEGIN
    SELECT coalesce(sum(o.extra_g), 0), coalesce(sum(o.extra_g) FILTER (WHERE o.at = transaction_timestamp()), 0)
    INTO extra, extra_now FROM public.ceiling_override o
    WHERE o.village_id = NEW.village_id AND o.plot_id = NEW.plot_id AND o.product_id = NEW.product_id
        AND o.season = NEW.season;
    IF NEW.ceiling_g > extra + coalesce((
            SELECT max(d.area_centimu * p.ceiling_g_per_mu / 100) FROM public.plot_period d
            JOIN public.product p ON p.village_id = d.village_id AND p.id = d.product_id
            WHERE d.village_id = NEW.village_id AND d.plot_id = NEW.plot_id AND d.product_id = NEW.product_id), 0)
        AND (TG_OP = 'INSERT' OR NEW.ceiling_g > OLD.ceiling_g + extra_now)
    THEN
        RAISE EXCEPTION 'the ceiling is neither the plot''s nor an exception'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plot_season_ceiling_told';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER plot_season_ceiling_begins AFTER INSERT ON plot_season
    FOR EACH ROW EXECUTE FUNCTION check_season_ceiling();
CREATE TRIGGER plot_season_ceiling_told AFTER UPDATE OF ceiling_g ON plot_season
    FOR EACH ROW WHEN (NEW.ceiling_g > OLD.ceiling_g) EXECUTE FUNCTION check_season_ceiling();

-- A token that was revoked stays so; an account that was shut is opened again by whoever says so.
CREATE TRIGGER api_token_stays_revoked AFTER UPDATE OF revoked_at ON api_token
    FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
    EXECUTE FUNCTION refuse_change();
CREATE FUNCTION check_account_opened() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.event e WHERE e.village_id = NEW.village_id AND e.number IS NULL
            AND e.at = transaction_timestamp() AND e.kind = 'account.enable' AND e.subject = NEW.username)
    THEN
        RAISE EXCEPTION 'nobody said that the account is opened again'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_opening_told';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER account_opening_told AFTER UPDATE OF disabled_at ON account DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS DISTINCT FROM OLD.disabled_at)
    EXECUTE FUNCTION check_account_opened();

-- A booking's money is the sum of its lines, adjustments and payments.
CREATE FUNCTION check_booking_sum() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed record := coalesce(NEW, OLD);
    wanted bigint;
BEGIN
    IF TG_TABLE_NAME = 'tour_booking' THEN
        wanted := changed.id;
    ELSE
        wanted := changed.booking_id;
    END IF;
    IF EXISTS (
        SELECT FROM public.tour_booking b
        CROSS JOIN LATERAL (
            SELECT count(*) AS count, coalesce(sum(l.amount_fen), 0) AS amount, coalesce(sum(l.kept_fen), 0) AS kept
            FROM public.tour_booking_session l WHERE l.village_id = b.village_id AND l.booking_id = b.id) lines
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(x.amount_fen), 0) AS amount
            FROM public.tour_booking_extra x WHERE x.village_id = b.village_id AND x.booking_id = b.id) extras
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(a.amount_fen), 0) AS amount FROM public.tour_adjustment a
            WHERE a.village_id = b.village_id AND a.booking_id = b.id AND a.touches = 'fee') adjustments
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(fen) FILTER (WHERE kind = 'payment'), 0) AS payment,
                coalesce(sum(fen) FILTER (WHERE kind = 'refund'), 0) AS refund
            FROM (
                SELECT p.kind, CASE WHEN p.reverses IS NULL THEN p.amount_fen ELSE -p.amount_fen END AS fen
                FROM public.tour_payment p WHERE p.village_id = b.village_id AND p.booking_id = b.id) p) payments
        WHERE b.village_id = changed.village_id AND b.id = wanted AND (lines.count = 0
            OR (b.fee_fen, b.kept_fen, b.adjusted_fen, b.paid_fen - b.register_paid_fen, b.refunded_fen)
                <> (lines.amount + extras.amount, lines.kept, adjustments.amount, payments.payment, payments.refund)))
    THEN
        RAISE EXCEPTION 'the booking''s money is not the sum of its rows'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tour_booking_summed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER tour_booking_summed
    AFTER UPDATE OF fee_fen, kept_fen, adjusted_fen, paid_fen, register_paid_fen, refunded_fen ON tour_booking
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.fee_fen, NEW.kept_fen, NEW.adjusted_fen, NEW.paid_fen, NEW.register_paid_fen, NEW.refunded_fen)
        <> (OLD.fee_fen, OLD.kept_fen, OLD.adjusted_fen, OLD.paid_fen, OLD.register_paid_fen, OLD.refunded_fen))
    EXECUTE FUNCTION check_booking_sum();
CREATE CONSTRAINT TRIGGER tour_booking_session_summed AFTER UPDATE OF amount_fen, kept_fen ON tour_booking_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.amount_fen, NEW.kept_fen) <> (OLD.amount_fen, OLD.kept_fen)) EXECUTE FUNCTION check_booking_sum();
CREATE CONSTRAINT TRIGGER tour_booking_session_left AFTER DELETE ON tour_booking_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_booking_sum();
CREATE CONSTRAINT TRIGGER tour_booking_extra_left AFTER DELETE ON tour_booking_extra
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_booking_sum();

-- What a booking comes to changes with its heads; what a register told is taken back and not added to.
CREATE TRIGGER tour_booking_session_priced AFTER UPDATE OF amount_fen ON tour_booking_session
    FOR EACH ROW WHEN (NEW.amount_fen <> OLD.amount_fen AND NEW.amount_fen <> NEW.headcount * NEW.price_fen)
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tour_booking_register_told AFTER UPDATE OF register_paid_fen ON tour_booking
    FOR EACH ROW WHEN (NEW.register_paid_fen > OLD.register_paid_fen) EXECUTE FUNCTION refuse_change();

-- Seats that a booking no longer has are the session's again.
CREATE FUNCTION check_session_seats() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.tour_session s WHERE s.village_id = OLD.village_id AND s.id = OLD.session_id
            AND (s.held, s.booked) <> (
                SELECT coalesce(sum(l.headcount) FILTER (WHERE b.state IN ('requested', 'held')), 0),
                    coalesce(sum(l.headcount) FILTER (
                        WHERE b.state IN ('confirmed', 'arrived', 'completed', 'no_show')), 0)
                FROM public.tour_booking_session l
                JOIN public.tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
                WHERE l.village_id = s.village_id AND l.session_id = s.id))
    THEN
        RAISE EXCEPTION 'the session''s seats are not those of its bookings'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tour_session_summed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER tour_booking_session_seats AFTER UPDATE OF headcount ON tour_booking_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.headcount <> OLD.headcount)
    EXECUTE FUNCTION check_session_seats();
CREATE CONSTRAINT TRIGGER tour_booking_session_freed AFTER DELETE ON tour_booking_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_session_seats();

-- A key signs under an origin of its own village.
ALTER TABLE village_origin ADD CONSTRAINT village_origin_once UNIQUE (village_id, origin);
ALTER TABLE signing_key ADD CONSTRAINT signing_key_of_own_origin
    FOREIGN KEY (village_id, origin) REFERENCES village_origin (village_id, origin);
