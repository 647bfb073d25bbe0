#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod algebra;
mod arbitrary;
mod paths;
mod routes;
mod semantics;
mod words;
