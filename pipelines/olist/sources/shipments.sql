-- Olist shipments: one parcel an (order, seller) pair. The input accounted for is the items: each item states the parcel it
-- travels in, so a parcel with three items is stated three times, which the ledger counts as one kept and two duplicates. Items of an
-- order that does not exist are found this way, too: they are orphans.
--
-- `ship_by_at` is the latest of the parcel's shipping limits: the seller's own promise. `promised_at` is the delivery date
-- that the buyer was shown. A limit that is no time is passed on, so that the parcel is quarantined rather than judged by the rest. Carrier and delivery times are the order's: the export does not tell parcels apart.
WITH limits AS (
    SELECT
        order_id,
        seller_id,
        COALESCE(
            MAX(CASE WHEN shipping_limit_date LIKE '____-__-__ __:__:__' THEN NULL ELSE shipping_limit_date END),
            MAX(shipping_limit_date)
        ) AS ship_by_at
    FROM order_items
    GROUP BY order_id, seller_id
)
SELECT
    order_items._file AS _file,
    order_items._row AS _row,
    order_items.order_id || '-' || order_items.seller_id AS shipment_id,
    order_items.order_id || '-' || order_items.seller_id AS order_id,
    order_items.seller_id AS merchant_id,
    limits.ship_by_at AS ship_by_at,
    orders.order_delivered_carrier_date AS shipped_at,
    orders.order_estimated_delivery_date AS promised_at,
    orders.order_delivered_customer_date AS delivered_at
FROM order_items
LEFT JOIN limits ON order_items.order_id = limits.order_id AND order_items.seller_id = limits.seller_id
LEFT JOIN orders ON order_items.order_id = orders.order_id
