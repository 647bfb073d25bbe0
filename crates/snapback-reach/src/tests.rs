#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod algebra;
mod arbitrary;
mod attribution;
mod bdd;
mod bounds;
mod differential;
mod paths;
mod random;
mod routes;
mod semantics;
mod words;
