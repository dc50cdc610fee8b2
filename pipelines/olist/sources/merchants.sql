-- Olist sellers as merchants: one row a seller.
--
-- The export does not say when a shop opened. `registered_at` is the seller's first order: the first sign of life that anyone
-- could have seen. Later orders never move it. A seller without any order has not begun to trade: it is dated past every
-- as-of, so that it waits instead of being called broken.
--
-- `category` is the category of the first item of that first order (ties by order and item number), not the most frequent
-- one: what sells best over the whole export would look ahead. `region` is the seller's state.
--
-- Times stay text here, so that what cannot be read is quarantined as it was written; in this form text sorts as time does.
-- They are the civil times of the export, taken as they are (the job's time zone is UTC): the export does not say in which zone
-- they were written, and all of them are compared with each other only.
WITH items AS (
    SELECT DISTINCT order_id, order_item_id, product_id, seller_id FROM order_items
),
sales AS (
    SELECT
        items.seller_id AS seller_id,
        items.order_id AS order_id,
        TRY_CAST(items.order_item_id AS BIGINT) AS item,
        orders.order_purchase_timestamp AS placed_at,
        COALESCE(category_translation.product_category_name_english, products.product_category_name, 'unknown') AS category
    FROM items
    INNER JOIN orders ON items.order_id = orders.order_id
    LEFT JOIN products ON items.product_id = products.product_id
    LEFT JOIN category_translation
        ON products.product_category_name = category_translation.product_category_name
    WHERE orders.order_purchase_timestamp LIKE '____-__-__ __:__:__'
),
ranked AS (
    SELECT
        seller_id,
        placed_at,
        category,
        ROW_NUMBER() OVER (PARTITION BY seller_id ORDER BY placed_at, order_id, item, category) AS rank_in_time
    FROM sales
),
first_sale AS (
    SELECT seller_id, placed_at, category FROM ranked WHERE rank_in_time = 1
)
SELECT
    sellers._file AS _file,
    sellers._row AS _row,
    sellers.seller_id AS merchant_id,
    COALESCE(first_sale.placed_at, '9999-12-01 00:00:00') AS registered_at,
    COALESCE(first_sale.category, 'unknown') AS category,
    sellers.seller_state AS region
FROM sellers
LEFT JOIN first_sale ON sellers.seller_id = first_sale.seller_id
