//! What a run publishes, and that it holds together.

use std::fs;

use integrity::features::{Direction, FeatureConfig};
use integrity::model::binning::BinRole;
use integrity::model::registry::approve_folder;
use integrity::model::{ModelError, Scorecard};
use integrity::monitor::Alert;
use integrity::offer::Invitation;
use integrity::publish::{FeatureRow, ScoreBook, TableReader, verify};
use integrity::report::{explain, explanation_text, uptake};
use integrity::run::{AsOfRule, RunError, RunOptions, Silent, run_job, train_model};
use integrity::score::{MerchantScore, NO_EVIDENCE_BAND};
use jiff::ToSpan as _;
use tempfile::TempDir;

use super::fixture::{AS_OF, base, data, job, options, run};

#[test]
fn a_run_is_sound_and_the_same_run_again_is_nothing_new() {
    let (out, outcome) = base();
    assert!(outcome.is_new && outcome.published.is_current);
    let published = out.path().join("published");
    assert!(verify(&published, None).unwrap().is_sound());
    let summary = &outcome.summary;
    assert_eq!(summary.bands.values().sum::<u64>(), summary.merchants_scored);
    for product in ["order-loan", "credit-loan"] {
        let offered = summary.offers.get(product).map_or(0, |o| o.count);
        let declined = summary.declines.get(product).copied().unwrap_or(0);
        assert_eq!(offered + declined, summary.merchants_scored, "{product}");
    }
    let again = run(data(), out.path()).unwrap();
    assert!(!again.is_new);
    assert_eq!(again.summary, *summary);
    assert_eq!(again.published.run_id, outcome.published.run_id);
}

#[test]
fn every_score_is_explained_by_its_points_and_every_offer_by_its_caps() {
    let (out, outcome) = base();
    let scores = outcome.published.run_dir.join("scores.parquet");
    let rows: Vec<MerchantScore> = TableReader::open(&scores).unwrap().map(Result::unwrap).collect();
    let features = TableReader::<FeatureRow>::open(&outcome.published.run_dir.join("features.parquet")).unwrap();
    assert_eq!(features.count(), rows.len());
    for row in rows.iter().step_by(7) {
        let walk = explain(&out.path().join("published"), &row.merchant_id).unwrap().unwrap();
        let points: i32 = walk.points.iter().map(|p| p.points).sum();
        match row.score {
            Some(score) => assert_eq!(walk.base_points + points, score, "{}", row.merchant_id),
            None => assert!(walk.points.is_empty() && row.band == NO_EVIDENCE_BAND, "{}", row.merchant_id),
        }
        for feature in &walk.features {
            for window in &feature.windows {
                assert_eq!(window.sum.is_some(), window.rows.is_some(), "{}: {}", feature.feature, window.measure);
            }
        }
        assert!((1..=4).contains(&row.reasons.len()), "{}", row.merchant_id);
        for offer in &walk.entry.offers {
            let least = offer.caps.iter().map(|c| c.value_minor.unwrap()).min().unwrap();
            assert!(0 < offer.limit_minor && offer.limit_minor <= least, "{}", offer.offer_id);
        }
        for decline in &walk.entry.declines {
            assert!((1..=4).contains(&decline.reasons.len()), "{} {}", row.merchant_id, decline.product);
        }
    }
    assert!(ScoreBook::open(&out.path().join("published")).unwrap().get("nobody").unwrap().is_none());
}

#[test]
fn where_nobody_was_invited_there_is_no_uptake_to_tell() {
    let (out, outcome) = base();
    let mut invitations =
        TableReader::<Invitation>::open(&outcome.published.run_dir.join("invitations.parquet")).unwrap();
    assert!(invitations.next().is_none(), "all of its offers answer applications");
    assert_eq!(uptake(&out.path().join("published"), None, 30).unwrap(), None);
    assert_eq!(uptake(&out.path().join("published"), Some("demo"), 30).unwrap(), None);
}

#[test]
fn what_prices_rest_on_is_told_with_its_sources() {
    let (out, outcome) = base();
    let run_dir = &outcome.published.run_dir;
    let score = TableReader::<MerchantScore>::open(&run_dir.join("scores.parquet")).unwrap().next().unwrap().unwrap();
    let walk = explain(&out.path().join("published"), &score.merchant_id).unwrap().unwrap();
    let policy: toml::Table = fs::read_to_string(job().parent().unwrap().join("policy.toml")).unwrap().parse().unwrap();
    let (price, sources) = (&policy["price"], policy["price"]["sources"].as_table().unwrap());
    let page = fs::read_to_string(run_dir.join("report.html")).unwrap();
    for (key, source) in sources {
        let told = walk.price.iter().find(|figure| figure.key == *key).unwrap_or_else(|| panic!("{key}"));
        let value = price[key].as_float().unwrap_or_else(|| price[key].as_integer().unwrap() as f64);
        assert_eq!((told.value, told.source.as_deref()), (value, source.as_str()), "{key}");
        assert!(explanation_text(&walk).contains(&format!("{key} = {value}: {}", source.as_str().unwrap())), "{key}");
        assert!(page.contains(&format!("{key} = {value}: ")), "{key}");
    }
    assert!(!sources.is_empty() && sources.contains_key("max_apr_prob"));
}

#[test]
fn an_altered_model_is_refused_and_nothing_is_published() {
    let (out, _) = base();
    let copy = TempDir::new().unwrap();
    let version = fs::read_dir(out.path().join("models/small")).unwrap().next().unwrap().unwrap();
    let into = copy.path().join("models/small").join(version.file_name());
    fs::create_dir_all(&into).unwrap();
    for file in fs::read_dir(version.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), into.join(file.file_name())).unwrap();
    }
    let model = into.join("model.json");
    let text = fs::read_to_string(&model).unwrap();
    fs::write(&model, text.replacen("\"base_points\": ", "\"base_points\": 1", 1)).unwrap();
    let refused = run_job(job(), &options(data(), copy.path()), &Silent).unwrap_err();
    assert!(matches!(refused, RunError::Model(ModelError::Refused { .. })), "{refused}");
    assert!(!copy.path().join("published/current.json").exists());

    // Unapproved: what a person has not read is not used, and not gone round by training another.
    fs::write(&model, text).unwrap();
    fs::remove_file(into.join("approval.json")).unwrap();
    let refused = run_job(job(), &options(data(), copy.path()), &Silent).unwrap_err();
    assert!(matches!(refused, RunError::Model(ModelError::Refused { .. })), "{refused}");
}

/// A copy of the job with other lines in `[model]`.
fn job_with(lines: &[(&str, &str)], added: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in fs::read_dir(job().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let path = folder.path().join("job.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in lines {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text.push_str(added);
    fs::write(&path, text).unwrap();
    folder
}

#[test]
fn a_version_can_be_pinned_and_an_older_one_gone_back_to() {
    let out = TempDir::new().unwrap();
    let later = run(data(), out.path()).unwrap().summary.model.id;
    // An older model: trained two weeks before, by hand, and approved for then.
    let earlier = AS_OF.checked_sub(14.days()).unwrap();
    let before = RunOptions { as_of: Some(AsOfRule::Day(earlier)), ..options(data(), out.path()) };
    let older = train_model(job(), &before, &Silent).unwrap();
    approve_folder(&older.folder, "a test", earlier).unwrap();
    let version = |bundle: &str| bundle.rsplit('/').next().unwrap().to_owned();
    let (later, older) = (version(&later), older.manifest.version);
    assert_ne!(later, older);
    // Who approves, from what on, and for how long change nothing of what is trained: the model still fits.
    let other =
        [("approve_as = \"test\"", "approve_as = \"another\""), ("approve_min_auc = 0.0", "approve_min_auc = 0.9")];
    let other = [other[0], other[1], ("expires_after_days = 90", "expires_after_days = 30")];
    for pinned in [&older, &later] {
        let job = job_with(&other, &format!("version = \"{pinned}\"\n"));
        let scored = run_job(&job.path().join("job.toml"), &options(data(), out.path()), &Silent).unwrap();
        assert_eq!(version(&scored.summary.model.id), **pinned);
    }
    assert_eq!(fs::read_dir(out.path().join("models/small")).unwrap().count(), 2, "nothing was trained again");
    // What changes the training makes another model; a version that is not there is named.
    for job in [
        job_with(&[("snapshots = 3", "snapshots = 4")], &format!("version = \"{later}\"\n")),
        job_with(&[], "version = \"none\"\n"),
    ] {
        let refused = run_job(&job.path().join("job.toml"), &options(data(), out.path()), &Silent).unwrap_err();
        assert!(matches!(refused, RunError::Model(ModelError::Refused { .. })), "{refused}");
    }
}

#[test]
fn too_few_defaults_give_no_hazard_model_and_alerts_say_nothing_of_it() {
    let run = &base().1.published.run_dir;
    let text = fs::read_to_string(run.join("model/hazard.json")).unwrap();
    let model: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(model["state"], "too-little", "{text}");
    assert!(model["why"].as_str().unwrap().contains("min_events"), "{text}");
    let alerts: Vec<Alert> = TableReader::open(&run.join("alerts.parquet")).unwrap().map(Result::unwrap).collect();
    assert!(!alerts.is_empty() && alerts.iter().all(|a| (a.trouble_prob, a.at_risk_minor) == (None, None)));
}

/// Each feature alone, along its declared direction, and no table of two features in which a worse one could be the better.
#[test]
fn a_worse_figure_never_scores_better() {
    let folder = base().1.published.run_dir.join("model");
    let card: Scorecard = serde_json::from_str(&fs::read_to_string(folder.join("model.json")).unwrap()).unwrap();
    assert!(card.tables.is_empty());
    let features = FeatureConfig::open(&job().parent().unwrap().join("features.toml")).unwrap();
    let mut held = 0;
    for variable in &card.variables {
        let mut regular: Vec<i32> = variable
            .bins
            .bins
            .iter()
            .zip(&variable.points)
            .filter(|(bin, _)| bin.role == BinRole::Regular)
            .map(|(_, points)| *points)
            .collect();
        match features.feature(&variable.bins.name).unwrap().direction {
            Direction::HigherSafer => {}
            Direction::LowerSafer => regular.reverse(),
            Direction::Either => continue,
        }
        held += usize::from(regular.len() > 1);
        assert!(regular.is_sorted(), "{}: {regular:?}", variable.bins.name);
    }
    assert!(held > 0, "{:?}", card.variables.iter().map(|v| &v.bins.name).collect::<Vec<_>>());
}
