-- Messages to those who booked leave through this outbox: written in the transaction of what they tell of, sent at
-- least once, and never twice under one key.
CREATE TABLE message (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('requested', 'waitlisted', 'held', 'confirmed', 'changed', 'cancelled', 'expired', 'reminder')),
    booking_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text CHECK (length(last_error) <= 200),
    PRIMARY KEY (village_id, id),
    CONSTRAINT message_once UNIQUE (village_id, key),
    FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking
);
CREATE INDEX message_due ON message (due_at, village_id) WHERE sent_at IS NULL AND given_up_at IS NULL;

ALTER TABLE message ENABLE ROW LEVEL SECURITY;
CREATE POLICY message_scope ON message USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND current_setting('taoyuan.cooperative', true) = '0');

GRANT SELECT, INSERT ON message TO taoyuan_service;
GRANT UPDATE (due_at, attempts, sent_at, given_up_at, last_error) ON message TO taoyuan_service;
