//! Goods as a table: CSV with a header row, as spreadsheets write it, or a JSON object a line. What is written here reads back as
//! what it was. Not what its cells mean, which is the catalog's.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::{FieldError, Fields, Goods, Invalid, PageUrl, Sku};

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 12] = [
    "goodsId",
    "sku",
    "name",
    "category",
    "price",
    "currency",
    "stock",
    "thumbnailUrl",
    "url",
    "announce",
    "listed",
    "description",
];
/// What goods have beside that in answers of the API, and what a file may say without any effect.
const IGNORED: [&str; 2] = ["createdAt", "updatedAt"];
/// An empty cell of these says nothing; of the others it says that there is nothing.
const SILENT: [&str; 5] = ["goodsId", "sku", "currency", "announce", "listed"];

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with commas, semicolons or tabs.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

impl Format {
    /// That of a text that does not say it.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            Self::Ndjson
        } else {
            Self::Csv
        }
    }
}

/// One line of a table that holds goods.
#[derive(Debug)]
pub struct Row {
    /// Its number in the file, from 1; the header row of CSV has one, too.
    pub line: u64,
    /// Where in the file it begins, in bytes.
    pub begins: usize,
    /// Its fields, or what is wrong with it as a whole.
    pub fields: Result<Fields, Vec<FieldError>>,
}

/// The lines of a table.
pub type Rows<'a> = Box<dyn Iterator<Item = Row> + Send + 'a>;

/// Reads a table, a line at a time.
///
/// # Errors
/// A header row that names a column that there is not, one column twice, or none by which goods are known.
pub fn rows(text: &str, format: Format) -> Result<Rows<'_>, Vec<FieldError>> {
    let marked = text.len();
    // Excel begins UTF-8 with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = marked - text.len();
    match format {
        Format::Csv => csv_rows(text, skipped),
        Format::Ndjson => Ok(Box::new(json_rows(text, skipped))),
    }
}

fn json_rows(text: &str, skipped: usize) -> impl Iterator<Item = Row> + Send + '_ {
    let mut begins = skipped;
    let lines = (1..).zip(text.split_inclusive('\n')).map(move |(line, content)| {
        let here = begins;
        begins += content.len();
        (line, here, content.trim())
    });
    lines.filter(|(_, _, content)| !content.is_empty()).map(|(line, begins, content)| {
        const BAD: Invalid = Invalid::new("invalid", "the line is no JSON object");
        let fields = serde_json::from_str::<Map<String, Value>>(content).map_err(|_| whole(BAD));
        let known = |fields: &Fields| fields.only(&[&COLUMNS[..], &IGNORED].concat());
        let fields = fields.map(Fields::new).and_then(|fields| known(&fields).map(|()| fields));
        Row { line, begins, fields }
    })
}

/// Something that is wrong with a line and with none of its fields.
fn whole(invalid: Invalid) -> Vec<FieldError> {
    vec![invalid.in_field("line")]
}

fn csv_rows(text: &str, skipped: usize) -> Result<Rows<'_>, Vec<FieldError>> {
    // What Excel writes, and reads, where the separator is not that of the reader's country.
    let first = text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("sep=").and_then(|rest| rest.bytes().next());
    let (table, lines_before) = match said {
        Some(_) => (text.split_once('\n').map_or("", |(_, rest)| rest), 1),
        None => (text, 0),
    };
    let skipped = skipped + text.len() - table.len();
    let delimiter = said.unwrap_or_else(|| likely_delimiter(table));
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(table.as_bytes());
    let header =
        reader.headers().map(|header| columns(header.iter())).unwrap_or_else(|_| columns([].into_iter()))?;
    let rows = reader.into_records().map(move |record| {
        // Only what is no UTF-8 is an error, and the text is.
        let record = record.unwrap_or_default();
        let place = record.position().map_or((0, 1), |place| (place.byte(), place.line()));
        let begins = usize::try_from(place.0).unwrap_or_default();
        // Empty lines before a record belong to it.
        let empty = table.get(begins..).unwrap_or_default().bytes();
        let empty = empty.take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| *b == b'\n').count();
        let line = place.1 + lines_before + u64::try_from(empty).unwrap_or_default();
        Row { line, begins: begins + skipped, fields: cells(&header, &record, delimiter) }
    });
    Ok(Box::new(rows))
}

/// Most of what stands between the names of the columns.
fn likely_delimiter(table: &str) -> u8 {
    let header = table.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|b| b == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Which columns there are; `None` is one that is not read. Their case does not matter.
fn columns<'a>(header: impl Iterator<Item = &'a str>) -> Result<Vec<Option<&'static str>>, Vec<FieldError>> {
    const UNKNOWN: Invalid = Invalid::new("unknown", "there is no such column");
    const TWICE: Invalid = Invalid::new("invalid", "the column is there twice");
    const KEYLESS: Invalid = Invalid::new("required", "goods are known by a column sku or goodsId");
    let (mut columns, mut errors) = (Vec::new(), Vec::new());
    for name in header.map(str::trim) {
        let is_it = |column: &&&'static str| column.eq_ignore_ascii_case(name);
        let column = COLUMNS.iter().find(is_it).copied();
        match column {
            Some(column) if columns.contains(&Some(column)) => errors.push(TWICE.in_field(column)),
            None if !IGNORED.iter().any(|column| column.eq_ignore_ascii_case(name)) => {
                errors.push(UNKNOWN.in_field(name));
            }
            _ => {}
        }
        columns.push(column);
    }
    if !columns.iter().any(|column| matches!(column, Some("sku" | "goodsId"))) {
        errors.push(KEYLESS.in_field("sku"));
    }
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

fn cells(
    header: &[Option<&'static str>],
    record: &csv::StringRecord,
    delimiter: u8,
) -> Result<Fields, Vec<FieldError>> {
    const TOO_MANY: Invalid = Invalid::new("invalid", "the line has more cells than the header row");
    if record.iter().skip(header.len()).any(|cell| !cell.is_empty()) {
        return Err(whole(TOO_MANY));
    }
    let named = header.iter().zip(record).filter_map(|(column, cell)| Some(((*column)?, unguarded(cell))));
    let said = named.filter(|(column, cell)| !(SILENT.contains(column) && cell.trim().is_empty()));
    let values = said.map(|(column, cell)| {
        let cell = match column {
            "announce" | "listed" => cell.trim().to_ascii_lowercase(),
            // Where a comma separates decimals, a semicolon separates cells.
            "price" if delimiter == b';' => cell.trim().replacen(',', ".", 1),
            "price" | "stock" | "goodsId" | "currency" => cell.trim().to_owned(),
            _ => cell.to_owned(),
        };
        (column.to_owned(), Value::String(cell))
    });
    Ok(Fields::new(values.collect()))
}

/// What a spreadsheet takes for a formula when a cell begins with it, in wide letters too
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text that a spreadsheet shows and does not compute: an apostrophe in front of what would be a formula, and of what
/// begins with one already.
fn guarded(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with('\'') { format!("'{text}") } else { text.to_owned() }
}

fn unguarded(cell: &str) -> &str {
    let guarded = |rest: &&str| rest.starts_with(FORMULA) || rest.starts_with('\'');
    cell.strip_prefix('\'').filter(guarded).unwrap_or(cell)
}

/// The header row of CSV, with a mark that tells Excel that it is UTF-8.
#[must_use]
pub fn header() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.join(","))
}

/// Goods as a line of CSV.
///
/// # Errors
/// None that can be thought of: it is written into memory.
pub fn csv_line(goods: &Goods) -> Result<Vec<u8>, csv::Error> {
    let about = &goods.about;
    let cells = BTreeMap::from([
        ("goodsId", goods.goods_id.to_string()),
        ("sku", guarded(about.sku.as_ref().map_or("", Sku::as_str))),
        ("name", guarded(goods.name.as_str())),
        ("category", guarded(goods.category.as_str())),
        ("price", goods.price.decimal()),
        ("currency", goods.price.currency.code().to_owned()),
        ("stock", goods.stock.map(|pieces| pieces.to_string()).unwrap_or_default()),
        ("thumbnailUrl", guarded(goods.thumbnail_url.as_str())),
        ("url", about.url.as_ref().map_or("", PageUrl::as_str).to_owned()),
        ("announce", about.announce.to_string()),
        ("listed", about.listed.to_string()),
        ("description", guarded(about.description.as_str())),
    ]);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().map(|column| cells.get(column).map_or("", String::as_str)))?;
    writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, and the fields as text.
    fn read(text: &str) -> Vec<(u64, String)> {
        let fields = |row: Row| match row.fields {
            Ok(fields) => {
                let cells = COLUMNS.iter().filter_map(|column| Some((*column, fields.raw(column)?)));
                cells.map(|(column, value)| format!("{column}={value} ")).collect::<String>()
            }
            Err(errors) => {
                errors.iter().map(|error| format!("{}: {} ", error.field, error.message)).collect()
            }
        };
        let rows = rows(text, Format::guess(text)).unwrap();
        rows.map(|row| (row.line, fields(row).trim().to_owned())).collect()
    }

    #[test]
    fn csv_is_read_as_spreadsheets_write_it() {
        for (file, expected) in [
            ("sku,name\na,Tea\n", vec![(2, "sku=\"a\" name=\"Tea\"")]),
            (
                "\u{feff}SKU;Name;Price\r\na;\"Tea; \"\"green\"\"\r\nhot\";6,20\r\n\r\nb;Ice;7",
                vec![
                    (2, "sku=\"a\" name=\"Tea; \\\"green\\\"\\r\\nhot\" price=\"6.20\""),
                    (5, "sku=\"b\" name=\"Ice\" price=\"7\""),
                ],
            ),
            ("sep=\t\nsku\tlisted\tstock\na\tTRUE\t\n", vec![(3, "sku=\"a\" stock=\"\" listed=\"true\"")]),
            (
                "sku,name,announce,createdAt\na,'=1+1,,x\nb,'quoted\n",
                vec![(2, "sku=\"a\" name=\"=1+1\""), (3, "sku=\"b\" name=\"'quoted\"")],
            ),
            ("sku\na,b\n\n\n", vec![(2, "line: the line has more cells than the header row")]),
            ("sku,name\n,,\n\"a\",\"open", vec![(2, "name=\"\""), (3, "sku=\"a\" name=\"open\"")]),
            ("sku\n", vec![]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
            assert_eq!(read(file), expected, "{file:?}");
        }
    }

    #[test]
    fn json_is_read_by_the_line() {
        let file = "\u{feff}{\"sku\": \"a\", \"stock\": null, \"price\": 6.2}\r\n\n[]\n{\"skuu\": 1}\n";
        let expected = [
            (1, "sku=\"a\" price=6.2"),
            (3, "line: the line is no JSON object"),
            (4, "skuu: there is no such field here"),
        ];
        assert_eq!(read(file), expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn a_header_names_columns_that_there_are() {
        for (file, wrong) in [
            ("", vec!["sku"]),
            ("name,price\n", vec!["sku"]),
            ("sku,skuu\n", vec!["skuu"]),
            ("sku,Sku\n", vec!["sku"]),
        ] {
            let errors = rows(file, Format::Csv).err().unwrap();
            assert_eq!(
                errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(),
                wrong,
                "{file:?}"
            );
        }
    }
}
