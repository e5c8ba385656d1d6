//! All orders of a filter as CSV (RFC 4180), for spreadsheets. It is written as it is read, a page at a time, so that many
//! years cost no more memory than a day.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY},
    },
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    domain::{OrderRecord, Silence, Timestamp},
    protocol::shapes::Amount,
    service::import::table::FORMULA,
    store::LedgerQuery,
    web::{Problem, State, edge::log_cause},
};

/// Orders that are read at once.
const PAGE: u32 = 500;

const HEAD: &str = "orderId,status,orderedAt,createdAt,canceledAt,source,number,buyer,items,pieces,total,currency,announced,silence\r\n";

/// What says to spreadsheets that a file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// All orders of a filter, whatever its limit is. A file `for_people` is one that a spreadsheet opens.
pub(super) fn answer(
    state: State,
    request: &HttpRequest,
    query: LedgerQuery,
    for_people: bool,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "Accept"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""));
    if request.method() == Method::HEAD {
        return response.finish();
    }
    let head = format!("{}{HEAD}", if for_people { BYTE_ORDER_MARK } else { "" });
    let query = LedgerQuery { limit: PAGE, ..query };
    let rest = stream::try_unfold(Some(query), move |query| {
        let state = state.clone();
        async move {
            let Some(query) = query else { return Ok(None) };
            let page = state.ledger.list(query.clone()).await?;
            let lines: String = page.items.iter().map(line).collect();
            let next = page.next.map(|after| LedgerQuery { after: Some(after), ..query });
            Ok::<_, Problem>(Some((Bytes::from(lines), next)))
        }
    });
    // A part that cannot be read ends the answer before its end, which its reader sees.
    let rest = rest.inspect_err(log_cause).map_err(actix_web::Error::from);
    response.streaming(stream::iter([Ok(Bytes::from(head))]).chain(rest))
}

/// A line of the file.
fn line(record: &OrderRecord) -> String {
    let order = &record.order;
    let origin = order.origin.as_ref();
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    let items: Vec<_> =
        order.items.iter().map(|item| format!("{} × {}", item.quantity.get(), item.name)).collect();
    let pieces: i64 = order.items.iter().map(|item| item.quantity.get()).sum();
    let buyer = record.buyer.as_ref().map(|(_, nickname)| nickname.as_str());
    let cells = [
        order.order_id.to_string(),
        order.status.name().to_owned(),
        record.ordered_at().to_string(),
        order.created_at.to_string(),
        moment(record.canceled_at),
        record.source.as_ref().map(|(name, _)| cell(name)).unwrap_or_default(),
        cell(record.number.as_deref().unwrap_or_default()),
        cell(buyer.or(origin.and_then(|origin| origin.buyer.as_deref())).unwrap_or_default()),
        cell(&items.join("; ")),
        pieces.to_string(),
        serde_json::to_string(&Amount(order.total)).unwrap_or_default(),
        order.total.currency.code().to_owned(),
        record.silence.is_none().to_string(),
        record.silence.map(Silence::name).unwrap_or_default().to_owned(),
    ];
    cells.join(",") + "\r\n"
}

/// A text of others as a cell. A spreadsheet takes what begins with certain characters for a formula, which may fetch from
/// the net or run something; an apostrophe before it makes it a text.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(FORMULA);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        for (text, expected) in [
            ("tea", "tea"),
            ("1 × tea", "1 × tea"),
            ("=1+1", "'=1+1"),
            ("@sum(a1), \"x\"", "\"'@sum(a1), \"\"x\"\"\""),
            ("-1", "'-1"),
            ("\tx", "'\tx"),
            ("a,b", "\"a,b\""),
            ("a\r\n=b", "\"a\r\n=b\""),
            ("＝1", "'＝1"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
