# An index of plain cargo lines: each can be typed by hand.

# The demo job: the whole nightly run on the committed demo data.
demo:
    cargo run --release -- run pipelines/demo/job.toml

# The Olist marketplace, from the CSV files as downloaded; DATA is their folder.
olist DATA:
    cargo run --release -- run pipelines/olist/job.toml --data {{DATA}}

# All tests.
test:
    cargo test --release

# All tests, or those of a name, with our own crate unoptimised and its assertions on: after a change this builds in a third of the time.
quick NAME="":
    cargo test --release --lib --test it --config 'profile.release.package.integrity.opt-level=0' --config 'profile.release.package.integrity.debug-assertions=true' -- {{NAME}}

# The tests of one room, such as `just room publish`.
room NAME:
    cargo test --release --lib {{NAME}}::
    cargo test --release --test it {{NAME}}::

# What takes long: the bounds of offers over ten million random merchants, and the offers of a million chosen together.
long:
    cargo test --release --lib ten_million -- --ignored
    cargo test --release --lib optimise::tests::a_million -- --ignored --nocapture

# Format and lint as .ci/run does.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Everything that must hold of a commit.
ci:
    .ci/run

# The documentation of the library.
doc:
    cargo doc --no-deps --open
