//! How `shopbell config` writes values: as the file would have them.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::ValueEnum;

use super::{Audience, BusUrl, CollectorUrl, DatabaseUrl, HumanDuration, LogFormat, Secret};
use crate::domain::{Currency, NicknameDisplay};

/// A value that can be shown.
pub(super) trait Show {
    fn show(&self) -> String;
}

macro_rules! show {
    ($($type:ty: |$value:ident| $text:expr;)*) => {$(
        impl Show for $type {
            fn show(&self) -> String {
                let $value = self;
                $text
            }
        }
    )*};
}

show! {
    bool: |flag| flag.to_string();
    usize: |number| number.to_string();
    u32: |number| number.to_string();
    u64: |number| number.to_string();
    i64: |number| number.to_string();
    f64: |number| number.to_string();
    String: |text| format!("{text:?}");
    PathBuf: |path| path.display().to_string().show();
    SocketAddr: |address| address.to_string().show();
    IpAddr: |address| address.to_string().show();
    Duration: |duration| HumanDuration(*duration).to_string().show();
    DatabaseUrl: |url| url.redacted().show();
    BusUrl: |url| url.redacted().show();
    CollectorUrl: |url| url.redacted().show();
    Secret: |_secret| "(hidden)".to_owned();
    Currency: |currency| currency.to_string().show();
    Audience: |audience| word(audience);
    LogFormat: |format| word(format);
    NicknameDisplay: |display| display.name().to_owned().show();
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default().show()
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "(none)".to_owned(), Show::show)
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self) -> String {
        format!("[{}]", self.iter().map(Show::show).collect::<Vec<_>>().join(", "))
    }
}
