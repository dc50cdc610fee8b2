//! Who is approved: a share of the rows, or everyone up to a PD.

use clap::Args;

use crate::model::ModelError;
use crate::model::validation::Ranked;
use crate::workbench::compare::approval_cut_off;

/// The cut-off.
#[derive(Debug, Clone, Args)]
#[group(id = "cut-off", multiple = false)]
pub struct CutOffArgs {
    /// Approve this share of the rows, the safest first.
    #[arg(long, value_name = "SHARE")]
    pub cutoff_approve_share: Option<f64>,
    /// Approve up to this probability of default.
    #[arg(long, value_name = "PD")]
    pub cutoff_pd: Option<f64>,
}

impl CutOffArgs {
    /// The highest PD approved; `None` where no cut-off was given.
    ///
    /// # Errors
    /// A share outside (0, 1], a PD outside 0 to 1, or a share below what the safest PD alone would approve.
    pub fn pd(&self, is_bad: &[bool], pd: &[f64]) -> Result<Option<f64>, ModelError> {
        if let Some(limit) = self.cutoff_pd {
            return if (0.0..=1.0).contains(&limit) {
                Ok(Some(limit))
            } else {
                Err(ModelError::BadSetting { setting: "cutoff-pd", why: format!("{limit} is not from 0 to 1") })
            };
        }
        let Some(share) = self.cutoff_approve_share else { return Ok(None) };
        let refuse = |why: String| ModelError::BadSetting { setting: "cutoff-approve-share", why };
        if !(share > 0.0 && share <= 1.0) {
            return Err(refuse(format!("{share} is not above 0 and at most 1")));
        }
        let ranked = Ranked::new(is_bad, pd).map_err(|e| ModelError::CannotMeasure { why: e.to_string() })?;
        let cut_off = approval_cut_off(&ranked, share);
        cut_off.map(Some).ok_or_else(|| {
            refuse(format!("even the safest score alone holds more than {share} of the rows: name a greater share"))
        })
    }
}
