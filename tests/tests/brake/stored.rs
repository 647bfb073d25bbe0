//! What is stored and sent of leases, brakes and fights reads back as it was written.

use super::WITHIN;
use serde::Serialize;
use serde::de::DeserializeOwned;
use snapback_app::port::{Command, Journal};
use snapback_tests::*;
use std::fmt::Debug;

/// What is written as JSON reads back as the same value.
fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
}

#[test]
fn records_with_brakes_and_fights_read_back_as_they_were_written() {
    run(async {
        let mut setting = guarded_by(
            7,
            strict("budgets: { resources-reverted-in-ten-minutes: 1 }"),
        )
        .await;
        for _ in 0..4 {
            setting.opens(&terraform(), SSH).await;
        }
        let account = setting.world.stored_account();
        assert!(!account.reverts.is_empty());
        reads_back(&account);
        let records = setting.world.stored_records();
        assert!(records.values().any(|record| record.fight.is_some()));
        for record in records.values() {
            reads_back(record);
        }
        setting.does(&terraform(), authorize(&setting, &[WITHIN]));
        setting.handle_next().await;
        reads_back(&setting.world.stored_lease(&setting.layout.vpc));
    });
}

#[test]
fn what_an_author_is_known_for_reads_back() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        setting.does(&terraform(), authorize(&setting, &[WITHIN]));
        setting.handle_next().await;
        let activity = setting.world.activity(&terraform().arn()).await.unwrap();
        assert_eq!(activity.held.len(), 1, "{activity:#?}");
        reads_back(&activity);
    });
}

#[test]
fn the_words_that_release_are_a_command() {
    for what in [r#""account""#, r#"{"resource":"sg-0a"}"#] {
        let text = format!(r#"{{"snapback":"release","what":{what},"by":"ann","why":"seen"}}"#);
        let command: Command = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&command).unwrap(), text);
        assert!(matches!(command, Command::Release { .. }));
    }
}
