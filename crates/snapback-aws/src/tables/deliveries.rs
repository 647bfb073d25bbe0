//! What each channel has shown.

use super::item::{EXPIRES, Key};
use super::{Tables, Write};
use snapback_app::port::{Deliveries, StoreError};
use snapback_model::Timestamp;

/// A stream record can come again for a day; a redriven one for the two weeks a queue keeps it.
const MARK_DAYS: i64 = 30;

fn key(channel: &str, key: &str) -> Key {
    Key::new(format!("delivery#{channel}#{key}"), "delivery")
}

impl Deliveries for Tables {
    async fn was_delivered(&self, channel: &str, message: &str) -> Result<bool, StoreError> {
        Ok(self
            .get(&self.journal, &key(channel, message))
            .await?
            .is_some())
    }

    async fn mark_delivered(&self, channel: &str, message: &str) -> Result<(), StoreError> {
        let key = key(channel, message);
        let mut item = key.item();
        item.insert(
            EXPIRES.to_owned(),
            super::journal::expiry(Timestamp::now(), MARK_DAYS),
        );
        let write = Write {
            table: self.journal.clone(),
            item,
            condition: None,
        };
        self.write(&key.to_string(), vec![write]).await
    }
}
