-- The rollup's share of one batch. A row is a fact (an order or a return), its order, and an assignment of the customer; it belongs to the
-- batch in which the last of the three arrived, so each is counted once, whatever came first, and a repetition computes the very same rows.
INSERT INTO $database.campaign_customer_sales (campaign_id, currency, customer_id, arm, day, sales, orders)
WITH touched AS
(
    SELECT customer_id FROM $database.sales WHERE position BETWEEN {first:UInt64} AND {last:UInt64}
    UNION DISTINCT
    SELECT customer_id FROM $database.arms WHERE position BETWEEN {first:UInt64} AND {last:UInt64} AND first
)
SELECT assignment.campaign_id, fact.currency, assignment.customer_id, assignment.arm, toDate(fact.order_at) AS day, sum(fact.amount) AS sales, countIf(fact.kind = 'order') AS orders
FROM
(
    SELECT customer_id, campaign_id, arm, at, position FROM $database.arms
    WHERE first AND position <= {last:UInt64} AND customer_id IN (SELECT customer_id FROM touched)
) AS assignment
INNER JOIN
(
    SELECT part.customer_id AS customer_id, part.currency AS currency, part.kind AS kind, part.amount AS amount, placed.at AS order_at, greatest(part.position, placed.position) AS position
    FROM (SELECT customer_id, order_id, currency, kind, amount, position FROM $database.sales WHERE position <= {last:UInt64} AND customer_id IN (SELECT customer_id FROM touched)) AS part
    INNER JOIN (SELECT customer_id, order_id, at, position FROM $database.sales WHERE kind = 'order' AND position <= {last:UInt64} AND customer_id IN (SELECT customer_id FROM touched)) AS placed
        ON placed.customer_id = part.customer_id AND placed.order_id = part.order_id
) AS fact ON fact.customer_id = assignment.customer_id
WHERE fact.order_at >= assignment.at AND greatest(fact.position, assignment.position) >= {first:UInt64}
GROUP BY assignment.campaign_id, fact.currency, assignment.customer_id, assignment.arm, day
ORDER BY ALL
