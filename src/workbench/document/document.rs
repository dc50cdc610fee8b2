//! A model document in its forms.

use super::error::DocumentError;
use super::sample::Sample;
use super::sections::sections;
use crate::model::TrainReport;
use crate::model::registry::Bundle;
use crate::page::{Block, Plot, html, markdown};
use crate::workbench::validation::Drift;

/// What a document is made of.
#[derive(Debug, Clone, Copy)]
pub struct DocumentInput<'a> {
    /// The model folder.
    pub bundle: &'a Bundle,
    /// What training told; `None` where the folder keeps no such report.
    pub report: Option<&'a TrainReport>,
    /// Samples measured, the most telling first.
    pub samples: &'a [Sample],
    /// A table's population against the training's, where one was given.
    pub drift: Option<&'a Drift>,
}

/// A laid-out model document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    title: String,
    blocks: Vec<Block>,
}

impl Document {
    /// Lays out the sections and draws the plots. The same input gives the same bytes.
    ///
    /// # Errors
    /// A plot that cannot be drawn.
    pub fn new(input: &DocumentInput<'_>) -> Result<Self, DocumentError> {
        Ok(Self { title: input.bundle.id(), blocks: sections(input)? })
    }

    /// The document as Markdown; it names the files of [`Document::plots`] as standing beside it.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown(&self.blocks)
    }

    /// The document as one HTML page that needs nothing else.
    ///
    /// # Errors
    /// The template cannot be filled in.
    pub fn html(&self) -> Result<String, DocumentError> {
        Ok(html(&self.title, &self.blocks)?)
    }

    /// The plots, each with its file name.
    pub fn plots(&self) -> impl Iterator<Item = &Plot> {
        self.blocks.iter().flat_map(|block| match block {
            Block::Plots(plots) => plots.as_slice(),
            _ => &[],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{bundle, card};
    use crate::model::validation::fixture::{PD, is_bad};

    fn document(samples: &[Sample]) -> Document {
        let bundle = bundle(card(CalibrationMap::Platt { intercept: 0.1, slope: 0.9 }));
        Document::new(&DocumentInput { bundle: &bundle, report: None, samples, drift: None }).unwrap()
    }

    #[test]
    fn both_forms_hold_the_same_figures_and_every_plot() {
        let sample = Sample::of_rows("Test rows", &is_bad(), &PD, Vec::new()).unwrap();
        let found = document(&[sample]);
        let (markdown, html) = (found.markdown(), found.html().unwrap());
        for text in [&markdown, &html] {
            for needed in ["0.6738", "-52", "Gains and lift", "480", "not for pricing", "nobody has approved it"] {
                assert!(text.contains(needed), "{needed}");
            }
        }
        // Five plots of the sample, one of each variable.
        assert_eq!(found.plots().count(), 8);
        for plot in found.plots() {
            assert!(markdown.contains(&format!("({})", plot.file)) && html.contains(&plot.svg));
            assert!(plot.svg.starts_with("<svg") && !plot.svg.contains("NaN"), "{}", plot.svg);
        }
        assert_eq!(
            document(&[Sample::of_rows("Test rows", &is_bad(), &PD, Vec::new()).unwrap()]).html().unwrap(),
            html
        );
    }

    #[test]
    fn hostile_names_and_levels_stay_text_in_page_and_plots() {
        let html = document(&[]).html().unwrap();
        assert!(html.contains("gross &#34;margin&#34;, 90d") && html.contains("B|&#60;b&#62;"));
        assert!(!html.contains("<b>") && !html.contains("<script"));
        // The namespace of SVG is a name, not an address that is fetched.
        let fetched = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!fetched.contains("http://") && !fetched.contains("https://"));
    }

    #[test]
    fn a_sample_without_bads_still_has_a_document() {
        let sample = Sample::of_rows("Test rows", &[false; 6], &[0.1, 0.2, 0.3, 0.1, 0.2, 0.3], Vec::new()).unwrap();
        assert!(document(&[sample]).html().unwrap().contains("only one outcome class is present"));
    }

    #[test]
    fn a_bin_that_contradicts_its_event_rate_is_named() {
        assert!(document(&[]).markdown().contains("Points follow the event rates: yes"));
        let mut turned = card(CalibrationMap::Identity);
        turned.variables[0].points[0] = 60;
        let bundle = bundle(turned);
        let input = DocumentInput { bundle: &bundle, report: None, samples: &[], drift: None };
        assert!(Document::new(&input).unwrap().markdown().contains("Points follow the event rates: NO"));
    }
}
