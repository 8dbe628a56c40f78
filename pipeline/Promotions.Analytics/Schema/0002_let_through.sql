-- Redemptions that the model alone would have blocked, while the policy let a share of such attempts through.
CREATE TABLE IF NOT EXISTS $database.would_be_blocks
(
    position UInt64,
    redemption_id String,
    at DateTime64(3, 'UTC'),
    customer_id String,
    device_id String,
    currency LowCardinality(String),
    status LowCardinality(String),
    probability Nullable(Float64),
    model_hash LowCardinality(String),
    propensity Float64,
    drawn Bool,
    value Int64,
    value_per_day_max Int64,
    discount Int64,
    order_total Int64
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (currency, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS $database.would_be_blocks_from_outbox TO $database.would_be_blocks AS
WITH JSONExtract(payload, 'Tuple(id String, at String, kind String, customer String, currency String, order_total Int64, discount Int64, status String, risk Tuple(probability Nullable(Float64), model_hash String, let_through Tuple(propensity Float64, drawn Bool, value Int64, value_per_day_max Int64)), entities Tuple(device String))') AS fact
SELECT
    position, fact.id AS redemption_id, parseDateTime64BestEffortOrZero(fact.at, 3, 'UTC') AS at, fact.customer AS customer_id, fact.entities.device AS device_id, fact.currency AS currency, fact.status AS status,
    fact.risk.probability AS probability, fact.risk.model_hash AS model_hash, fact.risk.let_through.propensity AS propensity, fact.risk.let_through.drawn AS drawn,
    fact.risk.let_through.value AS value, fact.risk.let_through.value_per_day_max AS value_per_day_max, fact.discount AS discount, fact.order_total AS order_total
FROM $database.outbox WHERE type = 'decision' AND fact.kind = 'redemption' AND fact.risk.let_through.propensity > 0
