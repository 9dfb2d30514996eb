-- Who may do what, what was done by whom, and which request was answered how.

CREATE TABLE account (
    village_id int NOT NULL REFERENCES village,
    id int GENERATED ALWAYS AS IDENTITY,
    username text NOT NULL CHECK (username ~ '^[a-z0-9][a-z0-9._-]{1,39}$'),
    password_salt bytea NOT NULL CHECK (octet_length(password_salt) = 16),
    password_hash bytea NOT NULL CHECK (octet_length(password_hash) = 32),
    role text NOT NULL CHECK (role IN ('clerk', 'committee', 'desk', 'administrator', 'auditor')),
    cooperative_id int,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, username),
    CONSTRAINT account_clerk_has_cooperative CHECK ((role = 'clerk') = (cooperative_id IS NOT NULL)),
    FOREIGN KEY (village_id, cooperative_id) REFERENCES cooperative
);

-- A token is 256 random bits shown once; only its SHA-256 is kept.
CREATE TABLE api_token (
    village_id int NOT NULL REFERENCES village,
    id int GENERATED ALWAYS AS IDENTITY,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('clerk', 'committee', 'desk', 'administrator', 'auditor')),
    cooperative_id int,
    account_id int,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, token_hash),
    CONSTRAINT api_token_clerk_has_cooperative CHECK ((role = 'clerk') = (cooperative_id IS NOT NULL)),
    FOREIGN KEY (village_id, cooperative_id) REFERENCES cooperative,
    FOREIGN KEY (village_id, account_id) REFERENCES account
);

CREATE TABLE audit (
    village_id int NOT NULL REFERENCES village,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    cooperative_id int,
    action text NOT NULL,
    subject text NOT NULL,
    detail text,
    PRIMARY KEY (village_id, id)
);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_write ON audit FOR INSERT
    WITH CHECK (village_id = nullif(current_setting('taoyuan.village', true), '')::int);
CREATE POLICY audit_read ON audit FOR SELECT USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND current_setting('taoyuan.cooperative', true) = '0');

-- A retried request acts once: the answer is stored in the transaction of its effect.
CREATE TABLE idempotent_answer (
    village_id int NOT NULL REFERENCES village,
    actor text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    fingerprint bytea NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, actor, key)
);
CREATE INDEX idempotent_answer_age ON idempotent_answer (created_at);

GRANT SELECT, INSERT ON account, api_token, audit TO taoyuan_service;
GRANT UPDATE (password_salt, password_hash, disabled_at) ON account TO taoyuan_service;
GRANT UPDATE (revoked_at) ON api_token TO taoyuan_service;
GRANT SELECT, INSERT, DELETE ON idempotent_answer TO taoyuan_service;
