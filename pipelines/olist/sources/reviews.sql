-- Olist reviews: one row a (review, order, seller). The export uses one review id for several orders, and an order may have several
-- sellers, so the key is made of all three. A review of an order without items names no seller and is quarantined.
--
-- `created_at` is when the buyer answered (`review_answer_timestamp`). `review_creation_date` is when the survey was sent: the
-- stars were not known then. Where the answer time is missing the survey date stands in for it, the closest that is known; where both
-- are missing nothing says when the stars became known, and the row is quarantined. A time that cannot be read is not missing.
WITH pairs AS (
    SELECT DISTINCT order_id, seller_id FROM order_items
),
buyers AS (
    SELECT orders.order_id AS order_id, customers.customer_unique_id AS buyer_id
    FROM orders
    LEFT JOIN customers ON orders.customer_id = customers.customer_id
)
SELECT
    order_reviews._file AS _file,
    order_reviews._row AS _row,
    CASE
        WHEN pairs.seller_id IS NULL THEN order_reviews.review_id || '-' || order_reviews.order_id
        ELSE order_reviews.review_id || '-' || order_reviews.order_id || '-' || pairs.seller_id
    END AS review_id,
    CASE WHEN pairs.seller_id IS NULL THEN order_reviews.order_id ELSE order_reviews.order_id || '-' || pairs.seller_id END AS order_id,
    pairs.seller_id AS merchant_id,
    buyers.buyer_id AS buyer_id,
    COALESCE(order_reviews.review_answer_timestamp, order_reviews.review_creation_date) AS created_at,
    order_reviews.review_score AS stars
FROM order_reviews
LEFT JOIN pairs ON order_reviews.order_id = pairs.order_id
LEFT JOIN buyers ON order_reviews.order_id = buyers.order_id
