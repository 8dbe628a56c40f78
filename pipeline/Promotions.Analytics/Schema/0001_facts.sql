-- Facts as the ledger's outbox tells them. One insert goes to `outbox`; materialized views spread it over typed tables.
-- Every table that is written sets non_replicated_deduplication_window: 0, its default, would silently ignore the inserts' tokens.
-- fsync_after_insert: the sink's position is durable only if the rows below it are.

CREATE TABLE IF NOT EXISTS $database.outbox
(
    position UInt64,
    at DateTime64(3, 'UTC'),
    type LowCardinality(String),
    key String,
    payload String CODEC(ZSTD(1))
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (type, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS $database.decisions
(
    position UInt64,
    redemption_id String,
    kind LowCardinality(String),
    at DateTime64(3, 'UTC'),
    decided_at DateTime64(3, 'UTC'),
    customer_id String,
    channel LowCardinality(String),
    order_id String,
    currency LowCardinality(String),
    order_subtotal Int64,
    order_total Int64,
    discount Int64,
    status LowCardinality(String),
    refusal LowCardinality(String),
    probability Nullable(Float64),
    verdict LowCardinality(String),
    hard_rule LowCardinality(String),
    scorer_fault String,
    model_hash LowCardinality(String),
    device_id String,
    ip String,
    payment_token String,
    codes Array(String)
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, redemption_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.decisions_from_outbox TO $database.decisions AS
WITH JSONExtract(payload, 'Tuple(id String, kind String, customer String, channel String, order_id String, currency String, order_subtotal Int64, order_total Int64, discount Int64, status String, refusal String, decided_at String, risk Tuple(probability Nullable(Float64), verdict String, hard_rule String, scorer_fault String, model_hash String), entities Tuple(device String, ip String, payment_token String, codes Array(String)))') AS fact
SELECT
    position, fact.id AS redemption_id, fact.kind AS kind, at, parseDateTime64BestEffortOrZero(fact.decided_at, 3, 'UTC') AS decided_at,
    fact.customer AS customer_id, fact.channel AS channel, fact.order_id AS order_id, fact.currency AS currency,
    fact.order_subtotal AS order_subtotal, fact.order_total AS order_total, fact.discount AS discount, fact.status AS status, fact.refusal AS refusal,
    fact.risk.probability AS probability, fact.risk.verdict AS verdict, fact.risk.hard_rule AS hard_rule, fact.risk.scorer_fault AS scorer_fault, fact.risk.model_hash AS model_hash,
    fact.entities.device AS device_id, fact.entities.ip AS ip, fact.entities.payment_token AS payment_token, fact.entities.codes AS codes
FROM $database.outbox WHERE type = 'decision';

-- One row for each campaign that a redemption named. Validations book nothing and are left out.
CREATE TABLE IF NOT EXISTS $database.redemptions
(
    position UInt64,
    campaign_id String,
    redemption_id String,
    customer_id String,
    code String,
    at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    refusal LowCardinality(String),
    arm LowCardinality(String),
    withheld Bool,
    discount Int64
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (campaign_id, redemption_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.redemptions_from_outbox TO $database.redemptions AS
WITH JSONExtract(payload, 'Tuple(id String, customer String, status String, kind String, redeemables Array(Tuple(campaign_id String, code String, discount Int64, arm String, withheld Bool, refusal String)))') AS fact
SELECT
    position, redeemable.campaign_id AS campaign_id, fact.id AS redemption_id, fact.customer AS customer_id, redeemable.code AS code, at,
    fact.status AS status, redeemable.refusal AS refusal, redeemable.arm AS arm, redeemable.withheld AS withheld, redeemable.discount AS discount
FROM $database.outbox
ARRAY JOIN fact.redeemables AS redeemable
WHERE type = 'decision' AND fact.kind = 'redemption' AND redeemable.campaign_id != '';

-- How holds ended: captured, voided or expired; one row for each campaign of the redemption.
CREATE TABLE IF NOT EXISTS $database.hold_endings
(
    position UInt64,
    campaign_id String,
    redemption_id String,
    customer_id String,
    code String,
    at DateTime64(3, 'UTC'),
    ending LowCardinality(String),
    currency LowCardinality(String),
    discount Int64
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (campaign_id, redemption_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.hold_endings_from_outbox TO $database.hold_endings AS
WITH JSONExtract(payload, 'Tuple(redemption_id String, customer String, currency String, campaigns Array(Tuple(campaign_id String, code String, discount Int64)))') AS fact
SELECT
    position, campaign.campaign_id AS campaign_id, fact.redemption_id AS redemption_id, fact.customer AS customer_id, campaign.code AS code, at,
    replaceOne(type, 'hold_', '') AS ending, fact.currency AS currency, campaign.discount AS discount
FROM $database.outbox
ARRAY JOIN fact.campaigns AS campaign
WHERE type IN ('hold_captured', 'hold_voided', 'hold_expired');

-- Orders and returns as signed amounts: a return is a negative row, never an update.
CREATE TABLE IF NOT EXISTS $database.sales
(
    position UInt64,
    customer_id String,
    order_id String,
    kind LowCardinality(String),
    at DateTime64(3, 'UTC'),
    currency LowCardinality(String),
    channel LowCardinality(String),
    redemption_id String,
    amount Int64
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (customer_id, order_id, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.orders_from_outbox TO $database.sales AS
WITH JSONExtract(payload, 'Tuple(id String, customer String, channel String, currency String, total Int64, redemption_id String)') AS fact
SELECT
    position, fact.customer AS customer_id, fact.id AS order_id, 'order' AS kind, at, fact.currency AS currency, fact.channel AS channel,
    fact.redemption_id AS redemption_id, fact.total AS amount
FROM $database.outbox WHERE type = 'order';

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.returns_from_outbox TO $database.sales AS
WITH JSONExtract(payload, 'Tuple(order_id String, customer String, currency String, amount Int64)') AS fact
SELECT
    position, fact.customer AS customer_id, fact.order_id AS order_id, 'return' AS kind, at, fact.currency AS currency, '' AS channel, '' AS redemption_id, -fact.amount AS amount
FROM $database.outbox WHERE type = 'return';

-- Assignments (first) and later ghost offers. The ledger says which entry assigned the arm.
CREATE TABLE IF NOT EXISTS $database.arms
(
    position UInt64,
    campaign_id String,
    campaign_version UInt32,
    customer_id String,
    arm LowCardinality(String),
    ghost_offer Bool,
    first Bool,
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (customer_id, campaign_id, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.arms_from_outbox TO $database.arms AS
WITH JSONExtract(payload, 'Tuple(campaign_id String, version UInt32, customer String, arm String, ghost_offer Bool, first Bool)') AS fact
SELECT
    position, fact.campaign_id AS campaign_id, fact.version AS campaign_version, fact.customer AS customer_id, fact.arm AS arm,
    fact.ghost_offer AS ghost_offer, fact.first AS first, at
FROM $database.outbox WHERE type = 'arm';

CREATE TABLE IF NOT EXISTS $database.labels
(
    position UInt64,
    redemption_id String,
    abuse Bool,
    source LowCardinality(String),
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (redemption_id, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.labels_from_outbox TO $database.labels AS
WITH JSONExtract(payload, 'Tuple(redemption_id String, abuse Bool, source String)') AS fact
SELECT position, fact.redemption_id AS redemption_id, fact.abuse AS abuse, fact.source AS source, at
FROM $database.outbox WHERE type = 'label';

CREATE TABLE IF NOT EXISTS $database.coupons
(
    position UInt64,
    campaign_id String,
    code String,
    customer_id String,
    event LowCardinality(String),
    uses_max Nullable(Int64),
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (campaign_id, code, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.coupons_from_outbox TO $database.coupons AS
WITH JSONExtract(payload, 'Tuple(campaign_id String, code String, customer String, uses_max Nullable(Int64), assigned Bool)') AS fact
SELECT
    position, fact.campaign_id AS campaign_id, fact.code AS code, fact.customer AS customer_id,
    multiIf(type = 'coupon_revoked', 'revoked', fact.assigned, 'assigned', 'issued') AS event, fact.uses_max AS uses_max, at
FROM $database.outbox WHERE type IN ('coupon_issued', 'coupon_revoked');

CREATE TABLE IF NOT EXISTS $database.campaigns
(
    position UInt64,
    campaign_id String,
    version UInt32,
    name String,
    distribution LowCardinality(String),
    currency LowCardinality(String),
    control_share UInt16,
    active Bool,
    starts_at DateTime64(3, 'UTC'),
    ends_at Nullable(DateTime64(3, 'UTC')),
    at DateTime64(3, 'UTC')
)
ENGINE = MergeTree ORDER BY (campaign_id, version)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.campaigns_from_outbox TO $database.campaigns AS
WITH JSONExtract(payload, 'Tuple(id String, version UInt32, name String, distribution String, currency String, control_share UInt16, active Bool, starts_at String, ends_at Nullable(String))') AS fact
SELECT
    position, fact.id AS campaign_id, fact.version AS version, fact.name AS name, fact.distribution AS distribution, fact.currency AS currency,
    fact.control_share AS control_share, fact.active AS active, parseDateTime64BestEffortOrZero(fact.starts_at, 3, 'UTC') AS starts_at,
    parseDateTime64BestEffortOrNull(fact.ends_at, 3, 'UTC') AS ends_at, at
FROM $database.outbox WHERE type = 'campaign';

-- Sales of each triggered customer, by the day of the order. Filled by the sink from `arms` and `sales`, batch by batch: see CampaignSales.sql.
CREATE TABLE IF NOT EXISTS $database.campaign_customer_sales
(
    campaign_id String,
    currency LowCardinality(String),
    customer_id String,
    arm LowCardinality(String),
    day Date,
    sales Int64,
    orders Int64
)
ENGINE = SummingMergeTree((sales, orders)) ORDER BY (campaign_id, currency, customer_id, arm, day)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Written last of a batch: what it names is in every table.
CREATE TABLE IF NOT EXISTS $database.sink_batches
(
    first UInt64,
    last UInt64,
    newest_at DateTime64(3, 'UTC'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY last
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
