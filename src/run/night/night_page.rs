//! The summary of a night as one HTML page: what came in, who was scored, what was offered and why not, alerts, the loan book, and what could
//! not be judged. Figures are those of `results.json`.

use std::collections::BTreeMap;

use super::summary::{OfferCounts, RunSummary, Unjudged};
use crate::domain::grouped;
use crate::monitor::{Portfolio, Tally};
use crate::offer::PriceFigure;
use crate::page::{Bar, Block, PageError, html, table};

impl RunSummary {
    /// The page. The same summary gives the same bytes.
    ///
    /// # Errors
    /// The template cannot be filled in.
    pub fn page(&self) -> Result<String, PageError> {
        let title = format!("{} as of {}", self.job, self.as_of);
        let mut blocks = vec![Block::Heading(1, title.clone())];
        blocks.extend(self.warnings());
        blocks.extend(self.in_short());
        blocks.extend(self.what_came_in());
        blocks.extend(self.scored());
        blocks.extend(self.offered());
        blocks.extend(self.watched());
        blocks.extend(self.to_do());
        blocks.extend(self.portfolio.iter().flat_map(|portfolio| self.loan_book(portfolio)));
        blocks.extend(self.not_judged());
        html(&title, &blocks)
    }

    /// What a reader must know before any figure.
    fn warnings(&self) -> Option<Block> {
        let guessed = self.as_of_guessed.then(|| {
            "The as-of date is a guess read off the data, for exploration: lend and deduct on a date that is named."
                .to_owned()
        });
        let forced = self.as_of_forced.as_ref();
        let forced = forced.map(|why| format!("The as-of date was forced past the data's own clock: {why}"));
        let allowed = self.intake.allowed.iter().map(|fault| {
            let until = fault.until.map_or_else(|| "this night".to_owned(), |day| format!("until {day}"));
            format!("Allowed {until}: {} ({})", fault.finding, fault.reason)
        });
        let jumps = self.jumps_allowed.iter();
        let jumps = jumps.map(|jump| format!("Allowed until {}: {} ({})", jump.until, jump.fault, jump.reason));
        let absent = (!self.intake.absent.is_empty())
            .then(|| format!("No file for {}: what they would say is not known.", self.intake.absent.join(", ")));
        let of_files = absent.into_iter().chain(self.intake.told_of_files().map(|(_, told)| told));
        let list: Vec<String> = guessed
            .into_iter()
            .chain(forced)
            .chain(allowed)
            .chain(jumps)
            .chain(of_files)
            .chain(self.told_of_not_imported())
            .collect();
        (!list.is_empty()).then_some(Block::List(list))
    }

    fn in_short(&self) -> [Block; 1] {
        let OfferCounts { count, limit_minor } = self.all_offers();
        let auc = match (self.model.auc, self.model.auc_interval) {
            (Some(auc), Some([low, high])) => format!(
                "{auc:.3}, 95 % interval {low:.3} to {high:.3}, on {} labelled rows, {} bad",
                grouped(self.model.test_rows),
                grouped(self.model.test_bad)
            ),
            _ => "none: the test holds one class only".to_owned(),
        };
        let night_before = self
            .intake
            .reference
            .as_ref()
            .map_or_else(|| "none: a first night".to_owned(), |night| format!("{}, run {}", night.as_of, night.run_id));
        [facts(&[
            ("merchants scored", grouped(self.merchants_scored)),
            ("offers", format!("{} over {}", grouped(count), self.money(limit_minor))),
            ("deductions", format!("{} over {}", grouped(self.deductions), self.money(self.deducted_minor))),
            ("merchants referred to a bank", grouped(self.referrals)),
            ("model", format!("{}, approved by {}", self.model.id, self.model.approved_by)),
            ("out-of-time AUC", auc),
            ("compared with the night of", night_before),
        ])]
    }

    fn what_came_in(&self) -> Vec<Block> {
        let rows = self.tables.iter().map(|(name, counts)| {
            let day = |day: Option<jiff::civil::Date>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
            vec![
                name.clone(),
                grouped(counts.read()),
                grouped(counts.kept),
                grouped(counts.quarantined),
                grouped(counts.duplicate),
                grouped(counts.skipped),
                day(counts.last_event_on),
                day(counts.usual_until_on),
            ]
        });
        let head = ["table", "read", "kept", "quarantined", "duplicate", "skipped", "last event", "usual trade until"];
        vec![
            heading("What came in"),
            Block::Paragraph(
                "Rows that could be seen at the as-of instant. Read = kept + quarantined + duplicate + skipped; quarantined rows are in the \
                 folder quarantine, each with its file, row and rule; skipped are those that the job's `where` does not mean, those that name one of them, and lines of a declared footer."
                    .to_owned(),
            ),
            table(&head, rows.collect()),
        ]
    }

    fn scored(&self) -> Vec<Block> {
        vec![heading("Merchants by band"), bars(&self.bands)]
    }

    fn offered(&self) -> Vec<Block> {
        let mut blocks = vec![heading("Offers")];
        let products: std::collections::BTreeSet<&String> = self.offers.keys().chain(self.declines.keys()).collect();
        let rows = products.iter().map(|product| {
            let offers = self.offers.get(*product).copied().unwrap_or_default();
            let declined = self.declines.get(*product).copied().unwrap_or(0);
            vec![(*product).clone(), grouped(offers.count), self.money(offers.limit_minor), grouped(declined)]
        });
        blocks.push(table(&["product", "offers", "limits in all", "declined"], rows.collect()));
        for product in products {
            if let Some(caps) = self.binding_caps.get(product) {
                blocks.push(Block::Heading(3, format!("{product}: which cap binds")));
                blocks.push(bars(caps));
            }
            if let Some(causes) = self.declined_by.get(product) {
                blocks.push(Block::Heading(3, format!("{product}: why not")));
                blocks.push(Block::Paragraph(
                    "Declines by each rule that failed; `caps` are those whose caps leave less than the smallest loan. A decline may stand \
                     under several."
                        .to_owned(),
                ));
                blocks.push(bars(causes));
            }
        }
        let decided = &self.officers_decisions;
        if decided.count() > 0 {
            blocks.push(Block::Heading(3, "What officers decided".to_owned()));
            blocks.push(facts(&[
                ("decisions in force", format!("{}: {}", grouped(decided.count()), decided.officers())),
                ("not allowed by the policy, without effect", grouped(decided.not_allowed)),
                ("limits higher than without them", self.money(decided.raised_minor)),
                ("limits lower than without them", self.money(decided.lowered_minor)),
                ("offers that would not have been made", grouped(decided.offers_added)),
                ("offers that are not made", grouped(decided.offers_removed)),
            ]));
        }
        if !self.price.is_empty() {
            blocks.push(Block::Heading(3, "What prices rest on".to_owned()));
            let line = |figure: &PriceFigure| {
                let source = figure.source.as_deref().unwrap_or("the policy file names no source");
                format!("{} = {}: {source}", figure.key, figure.value)
            };
            blocks.push(Block::List(self.price.iter().map(line).collect()));
        }
        blocks
    }

    fn watched(&self) -> Vec<Block> {
        let changes = self.alert_changes;
        let mut blocks = vec![heading("Alerts")];
        if self.alerts.is_empty() {
            blocks.push(Block::Paragraph("None stands.".to_owned()));
        } else {
            blocks.push(bars(&self.alerts));
        }
        blocks.push(facts(&[
            ("opened tonight", grouped(changes.opened)),
            ("escalated tonight", grouped(changes.escalated)),
            ("cleared tonight", grouped(changes.cleared)),
            ("stand, but cannot be judged tonight", grouped(changes.unknown)),
            ("suppressed by an officer", grouped(changes.suppressed)),
            ("snoozed by an officer", grouped(changes.snoozed)),
        ]));
        blocks
    }

    fn to_do(&self) -> Vec<Block> {
        let work = &self.officers_work;
        let mut blocks = vec![heading("Officers' work")];
        if work.queued == 0 {
            blocks.push(Block::Paragraph("Nobody is in the queue.".to_owned()));
        } else {
            blocks.push(facts(&[
                ("borrowers in the queue", grouped(work.queued)),
                ("owed by them", self.money(work.owed_minor)),
                ("expected to be lost if nothing is done", self.money(work.expected_loss_minor)),
                ("expected to be saved by the work", self.money(work.expected_saved_minor)),
            ]));
            blocks.push(bars(&work.queued_by_action));
            let percent = |prob: Option<f64>| prob.map_or_else(|| "–".to_owned(), |p| format!("{:.1} %", 100.0 * p));
            let rows = work.first.iter().map(|line| {
                vec![
                    line.rank.to_string(),
                    line.merchant_id.clone(),
                    line.action.to_string(),
                    self.money(line.expected_saved_minor),
                    self.money(line.owed_minor),
                    line.dpd.map_or_else(|| "not known".to_owned(), |dpd| dpd.to_string()),
                    if line.is_all_unknown() {
                        "reckoned with 100 %".to_owned()
                    } else {
                        percent(line.trouble_prob.or(line.pd_prob))
                    },
                    line.rules.join(", "),
                ]
            });
            blocks.push(Block::Heading(3, "The first of the queue".to_owned()));
            let head = [
                "",
                "borrower",
                "what to do",
                "saved",
                "owed, with interest and fees due",
                "days past due",
                "probability",
                "alerts",
            ];
            blocks.push(table(&head, rows.collect()));
            blocks.push(Block::Paragraph("officer_queue.parquet has all of them.".to_owned()));
        }
        if work.proposals > 0 {
            blocks.push(Block::Heading(3, "Easier terms proposed".to_owned()));
            blocks.push(facts(&[
                ("loans", grouped(work.proposals)),
                ("owed on them", self.money(work.proposed_minor)),
                ("loans whose instalments receipts do not carry", grouped(work.unaffordable)),
            ]));
            blocks.push(Block::Paragraph("restructure_proposals.parquet has their schedules.".to_owned()));
        }
        blocks
    }

    fn loan_book(&self, book: &Portfolio) -> Vec<Block> {
        let percent = book.non_performing_share().map_or_else(|| "–".to_owned(), |s| format!("{:.2} %", 100.0 * s));
        let tally = |name: &str, tally: &Tally| {
            vec![name.to_owned(), grouped(tally.loans), self.money(tally.outstanding_minor)]
        };
        let buckets = book.by_bucket.iter().map(|(bucket, t)| tally(bucket, t));
        let classes = book.by_class.iter().map(|(class, t)| tally(class.name(), t));
        let mut blocks = vec![
            heading("Loan book"),
            facts(&[
                ("borrowers", grouped(book.borrowers)),
                ("open loans", grouped(book.open.loans)),
                ("outstanding", self.money(book.open.outstanding_minor)),
                ("in arrears", self.money(book.arrears_minor)),
                ("non-performing share", percent),
                ("written off, still owed", self.money(book.written_off.outstanding_minor)),
                ("loans of which nothing is known", grouped(book.unknown.loans)),
            ]),
            Block::Heading(3, "By days past due".to_owned()),
            table(&["bucket", "loans", "outstanding"], buckets.collect()),
            Block::Heading(3, "By class".to_owned()),
            table(&["class", "loans", "outstanding"], classes.collect()),
            Block::Paragraph(
                "portfolio.html shows it over the nights: roll rates, vintages, expected and realised losses, provisions, concentrations, drift."
                    .to_owned(),
            ),
        ];
        if !self.unknown_loans.is_empty() {
            blocks.push(Block::Heading(3, "Loans of which nothing is known, by cause".to_owned()));
            blocks.push(Block::Paragraph(
                "Their borrowers get no offer and no deduction. loan_exceptions.parquet is the officers' list."
                    .to_owned(),
            ));
            blocks.push(bars(&self.unknown_loans));
        }
        if !self.odd_loan_records.is_empty() {
            blocks
                .push(Block::Heading(3, "Odd records of loans that are known, and applications of nobody".to_owned()));
            blocks.push(Block::Paragraph(
                "They cost their borrowers nothing. An officer should look at them.".to_owned(),
            ));
            blocks.push(bars(&self.odd_loan_records));
        }
        blocks
    }

    fn not_judged(&self) -> Vec<Block> {
        let Unjudged { alerts, eligibility, deductions, measures, .. } = &self.unjudged;
        let mut blocks = vec![heading("What could not be judged for lack of data")];
        if alerts.is_empty() && eligibility.is_empty() && *deductions == 0 && measures.is_empty() {
            blocks.push(Block::Paragraph("Nothing: every rule had what it looks at.".to_owned()));
            return blocks;
        }
        let parts = [
            (
                "Alert rules",
                "Merchants or loans that the rule could not judge. No alert does not mean no trouble there.",
                alerts,
            ),
            ("Eligibility rules", "Declines because what the rule looks at is not known.", eligibility),
            ("Measures", "Merchants whose rows add up to more than 64 bits hold: the measure is not known.", measures),
        ];
        for (name, meaning, counts) in parts.into_iter().filter(|(_, _, counts)| !counts.is_empty()) {
            blocks.push(Block::Heading(3, name.to_owned()));
            blocks.push(Block::Paragraph(meaning.to_owned()));
            blocks.push(bars(counts));
        }
        if *deductions > 0 {
            blocks.push(Block::Paragraph(format!(
                "{} loans would have been deducted, but the merchant's receipts, or another loan, are not known.",
                grouped(*deductions)
            )));
        }
        blocks
    }
}

fn heading(text: &str) -> Block {
    Block::Heading(2, text.to_owned())
}

fn facts(facts: &[(&str, String)]) -> Block {
    table(&["", ""], facts.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect())
}

fn bars(counts: &BTreeMap<String, u64>) -> Block {
    Block::Bars(Bar::all(counts.iter().map(|(name, count)| (name.clone(), *count, grouped(*count))).collect()))
}
