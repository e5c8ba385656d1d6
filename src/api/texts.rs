//! The text files inside the program as they are sent: without comments, and as gzip (RFC 9110 §8.4.1.3) to those who take
//! it. Each is made when it is first asked for, and kept.
//!
//! Only what is the same for everyone is packed: an answer that mixes a secret with what a caller chose would tell of the
//! one by the length of the other. Not for: files of a folder, which may change at any time and are a proxy's to pack.

use std::{collections::HashMap, io::Write as _, sync::OnceLock};

use actix_web::{
    HttpRequest,
    http::header::{AcceptEncoding, Encoding, Header as _},
    web::Bytes,
};
use flate2::{Compression, write::GzEncoder};

use super::comments::without_comments;
use crate::web::etag::{self, Document};

/// Ends of the names of files that are text. Pictures and fonts are packed already.
const TEXT: [&str; 7] = [".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"];
/// Those of which comments are left out.
const COMMENTED: [&str; 2] = [".css", ".js"];

/// One slot for each text file.
#[derive(Debug, Default)]
pub(super) struct Texts(HashMap<String, OnceLock<Text>>);

#[derive(Debug)]
struct Text {
    plain: Document,
    /// `None` for a file that packing makes no smaller.
    gzip: Option<Document>,
}

/// One form of a file, with a tag of its own.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) document: Document,
    pub(super) is_gzip: bool,
}

impl Texts {
    /// Slots for those of the named files that are text.
    pub(super) fn of(names: impl Iterator<Item = impl Into<String>>) -> Self {
        let text = names.map(Into::into).filter(|name: &String| is_one_of(&TEXT, name));
        Self(text.map(|name| (name, OnceLock::new())).collect())
    }

    /// The form that the client prefers; `None` for what is no text. `source` is read once.
    pub(super) fn form(&self, request: &HttpRequest, name: &str, source: &[u8]) -> Option<Form> {
        let text = self.0.get(name)?.get_or_init(|| Text::of(name, source));
        let gzip = text.gzip.as_ref().filter(|_| takes(request, Encoding::gzip()));
        Some(Form { document: gzip.unwrap_or(&text.plain).clone(), is_gzip: gzip.is_some() })
    }
}

impl Text {
    fn of(name: &str, source: &[u8]) -> Self {
        let plain = match std::str::from_utf8(source) {
            Ok(source) if is_one_of(&COMMENTED, name) => without_comments(source).into(),
            _ => Bytes::copy_from_slice(source),
        };
        let gzip = pack(&plain).filter(|packed| packed.len() < plain.len());
        Self { plain: etag::of(plain), gzip: gzip.map(|packed| etag::of(packed.into())) }
    }
}

fn is_one_of(ends: &[&str], name: &str) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether the client prefers a coding to the plain bytes; one that says nothing does not.
pub(super) fn takes(request: &HttpRequest, coding: Encoding) -> bool {
    let accepted = AcceptEncoding::parse(request).ok();
    accepted.and_then(|accepted| accepted.negotiate([coding.clone(), Encoding::identity()].iter()))
        == Some(coding)
}

pub(super) fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    use super::*;

    fn asked(accepted: &str) -> HttpRequest {
        TestRequest::default().insert_header(("accept-encoding", accepted)).to_http_request()
    }

    #[test]
    fn text_is_packed_for_those_who_take_it_and_unpacks_to_what_others_get() {
        let texts = Texts::of(["a.js", "tiny.css", "b.png"].into_iter());
        let source = format!("// why\n{}", "const bell = 'ring';\n".repeat(50));
        let form =
            |request: &HttpRequest, name: &str, source: &str| texts.form(request, name, source.as_bytes());
        let sent = form(&asked("gzip, deflate, br, zstd"), "a.js", &source).unwrap();
        let mut text = String::new();
        GzDecoder::new(&*sent.document.body).read_to_string(&mut text).unwrap();
        assert!(sent.is_gzip && sent.document.body.len() < source.len() / 5);
        assert!(text.starts_with("const bell") && text.len() == source.len() - "// why\n".len());
        let silent = TestRequest::default().to_http_request();
        let refusing = ["br", "gzip;q=0", "identity, gzip;q=0.5", "", "gzip;q=x"].map(asked);
        for request in refusing.iter().chain([&silent]) {
            let plain = form(request, "a.js", &source).unwrap();
            assert!(!plain.is_gzip && plain.document.body == text, "{request:?}");
            assert_ne!(plain.document.tag, sent.document.tag);
        }
        assert!(!form(&asked("gzip"), "tiny.css", "a{}").unwrap().is_gzip);
        assert!(form(&asked("gzip"), "b.png", &source).is_none());
    }
}
