//! What a night tells other systems, in their own forms: each a file of the run folder, written from the rows and the summary that are published anyway.
//!
//! | file below `interchange/` | for | from |
//! |---|---|---|
//! | `alerts.ndjson` | queues and search engines | every row of `alerts`, a JSON object a line |
//! | `metrics.prom` | the textfile collector of Prometheus' node exporter | the summary |
//! | `openlineage.ndjson` | `OpenLineage`: a START and a COMPLETE event | input files and published files, with digests and rows |
//! | `fineract-loan-repayments-1.xls` … | Apache Fineract's bulk import of loan repayments | `deductions` |
//! | `fineract-loan-repayments.ndjson` | the same as requests to its API, for loans by their external id | `deductions` |
//! | `frappe-loan-repayments.csv` | Frappe's data import, document type Loan Repayment | `deductions` |
//!
//! The job's section `[interchange]` says which. Bytes depend on the run's identity alone: instants are those of the observation, not of the clock.

mod alert_lines;
mod cell;
mod fineract;
mod fineract_requests;
mod frappe;
mod lineage;
mod metrics;
mod settings;

pub use alert_lines::{ALERT_LINES, alert_line};
pub use fineract::{NotImported, ROWS_A_WORKBOOK, Repayments, file_name as fineract_file_name, is_importable};
pub use fineract_requests::{FINERACT_REQUESTS, fineract_request};
pub use frappe::{
    FRAPPE_NOT_IMPORTED, FRAPPE_REPAYMENTS, frappe_header, frappe_line, frappe_not_imported, is_importable_by_frappe,
};
pub use lineage::{LINEAGE, LINEAGE_FAILED, LineageFile, LineageRun, failed_events, published_events};
pub use metrics::{METRICS, Metric, exposition};
pub(crate) use settings::{FINERACT_KEYS, FRAPPE_KEYS, INTERCHANGE_KEYS, RawInterchange};
pub use settings::{FineractTerms, FrappeTerms, InterchangeTerms, LoansBy};
