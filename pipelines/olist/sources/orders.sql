-- Olist orders: one row an (order, seller) pair, because a promise is kept or broken by one seller.
--
-- `amount_minor` is what the buyer owes this seller: price and freight of its items, each rounded to centavos and then summed as
-- integers, so that no order of summation can change it. If one price cannot be read the sum is unknown, not smaller.
-- An order without items names no seller: the row stays, without a merchant, and is quarantined. It must not vanish.
-- Item rows that were sent twice count once. The buyer is `customer_unique_id`; `customer_id` is new with every order.
--
-- `completed_at`: there is no separate confirmation by the buyer in this export, so escrow is taken as released on delivery, for orders
-- whose status is delivered.
--
-- `cancelled_at`: canceled and unavailable orders carry no instant of their own, and the status is that of the export, months
-- later. The cancellation happened after the order's last recorded milestone; dating it there would let a look back see it
-- before it was known. It is dated at the last milestone or at the promised delivery, whichever is later: by then the
-- promise had visibly failed. Nothing is known of it before. (Times are text in this file; in this form text sorts as time does.)
WITH items AS (
    SELECT DISTINCT order_id, order_item_id, product_id, seller_id, price, freight_value FROM order_items
),
priced AS (
    SELECT
        order_id,
        seller_id,
        TRY_CAST(ROUND(TRY_CAST(price AS DOUBLE) * 100) AS BIGINT)
            + TRY_CAST(ROUND(TRY_CAST(freight_value AS DOUBLE) * 100) AS BIGINT) AS owed_minor
    FROM items
),
pairs AS (
    SELECT
        order_id,
        seller_id,
        CASE WHEN COUNT(owed_minor) = COUNT(*) THEN SUM(owed_minor) ELSE NULL END AS amount_minor
    FROM priced
    GROUP BY order_id, seller_id
)
SELECT
    orders._file AS _file,
    orders._row AS _row,
    CASE WHEN pairs.seller_id IS NULL THEN orders.order_id ELSE orders.order_id || '-' || pairs.seller_id END AS order_id,
    pairs.seller_id AS merchant_id,
    customers.customer_unique_id AS buyer_id,
    orders.order_purchase_timestamp AS placed_at,
    orders.order_approved_at AS paid_at,
    CASE
        WHEN orders.order_status IN ('canceled', 'unavailable') THEN GREATEST(
            orders.order_purchase_timestamp,
            orders.order_approved_at,
            orders.order_delivered_carrier_date,
            orders.order_delivered_customer_date,
            orders.order_estimated_delivery_date
        )
        ELSE NULL
    END AS cancelled_at,
    CASE WHEN orders.order_status = 'delivered' THEN orders.order_delivered_customer_date ELSE NULL END AS completed_at,
    pairs.amount_minor AS amount_minor,
    'BRL' AS currency
FROM orders
LEFT JOIN customers ON orders.customer_id = customers.customer_id
LEFT JOIN pairs ON orders.order_id = pairs.order_id
