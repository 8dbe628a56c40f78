-- What each process of the scaled set may do in the ledger's database. Run by the database's owner after the tables are there
-- (`promotions migrate`, or a first start as the owner), and again after each new version: it takes back what it does not grant.
--
--   deploy/lib/postgres psql FOLDER promotions -f deploy/postgres/roles.sql      or any psql
--
-- The roles cannot sign in. Make a user for each process and put it into the roles that it needs:
--
--   CREATE ROLE pipeline_1 LOGIN PASSWORD '...' IN ROLE promotions_pipeline;
--   CREATE ROLE sinks_1 LOGIN PASSWORD '...' IN ROLE promotions_sinks, promotions_expiry;
--
--   promotions_pipeline   books decisions and the events of its topics, sequences
--   promotions_api        books what comes over HTTP and the dashboard: all commands, settings, keys; sequences
--   promotions_sinks      follows the outbox; keeps its own cursors under a lease; books nothing
--   promotions_expiry     releases holds and lots whose time is over, under a lease
--   promotions_reader     reads all but settings (verify, reports)
--
-- Nobody but the owner can change or delete an entry, a decision's document, a posting, a lot's move, an outbox row, a leaf of the audit tree or a checkpoint.

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['promotions_pipeline', 'promotions_api', 'promotions_sinks', 'promotions_expiry', 'promotions_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', name); END IF;
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', name);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %I', name);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
    END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Reading. Settings hold secrets: see the policies below.
GRANT SELECT ON account, arm, campaign, checkpoint, command, coupon, decision, entry, flag, head, hold, label, leaf, lease, lot, lot_move, outbox, partition_epoch, pending, posting,
    promotions_ledger, purchase, tree TO promotions_pipeline, promotions_api, promotions_expiry, promotions_reader;
GRANT SELECT ON campaign, coupon, decision, entry, head, hold, flag, leaf, lease, outbox, partition_epoch, pending, promotions_ledger, account TO promotions_sinks;

-- At the start of every process, and a number for its share of the system's accounts.
GRANT USAGE ON SEQUENCE writer TO promotions_pipeline, promotions_api, promotions_sinks, promotions_expiry;

-- Booking: rows are added; what changes afterwards is named column by column.
GRANT USAGE ON SEQUENCE entry_block, account_block, lot_block, pending_order TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT USAGE ON SEQUENCE entry_block TO promotions_sinks;
GRANT INSERT ON entry, pending, command, posting, lot_move, outbox, account TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT UPDATE (free, held, used) ON account TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT UPDATE (remaining, held, spent, expired) ON lot TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT UPDATE (state, resolved_by) ON hold TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT UPDATE (entry, voided_by) ON command TO promotions_pipeline, promotions_api, promotions_expiry;
GRANT INSERT ON decision, hold, flag, lot, label, purchase, arm TO promotions_pipeline, promotions_api;
GRANT UPDATE (answer, answered_by, answered_at) ON flag TO promotions_pipeline, promotions_api;
GRANT UPDATE (returned) ON purchase TO promotions_pipeline, promotions_api;
GRANT INSERT ON campaign, coupon TO promotions_api;
GRANT UPDATE (customer, revoked) ON coupon TO promotions_api;

-- Sequencing: whoever may change the head does it.
GRANT UPDATE (size, edge, outbox, logged, signed_at, signed_size) ON head TO promotions_pipeline, promotions_api;
GRANT DELETE ON pending TO promotions_pipeline, promotions_api;
GRANT INSERT ON leaf, tree, checkpoint TO promotions_pipeline, promotions_api;

-- Owning tasks, and roles that one process at a time plays.
GRANT INSERT, UPDATE (epoch, raised_at) ON partition_epoch TO promotions_pipeline, promotions_api, promotions_sinks, promotions_expiry;
GRANT INSERT, UPDATE (holder, epoch, until) ON lease TO promotions_pipeline, promotions_api, promotions_sinks, promotions_expiry;

-- Settings, by scope: the pipeline reads what decides, a follower keeps its own cursor, keys and secrets are the API's.
ALTER TABLE setting ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS of_api ON setting;
DROP POLICY IF EXISTS of_deciders ON setting;
DROP POLICY IF EXISTS of_followers ON setting;
CREATE POLICY of_api ON setting TO promotions_api USING (true);
CREATE POLICY of_deciders ON setting FOR SELECT TO promotions_pipeline, promotions_sinks, promotions_expiry USING (scope = 'fraud-policy' OR scope LIKE 'channel:%');
CREATE POLICY of_followers ON setting TO promotions_sinks USING (scope LIKE '%-sink');
GRANT SELECT, INSERT, UPDATE (value), DELETE ON setting TO promotions_api, promotions_sinks;
GRANT SELECT ON setting TO promotions_pipeline, promotions_expiry;
