//! The modules that other sites embed, each as one file: composed when it is first asked for, compressed once, and sent in
//! the coding that the client takes.
//!
//! Not for: how modules become one (`bundle/`), or where their files come from (`assets.rs`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, VARY},
    web,
};
use brotli::enc::BrotliEncoderParams;

use super::{
    bundle::bundle,
    pages,
    texts::{pack, takes},
};
use crate::web::etag::{self, Document};

/// The short address of the widget.
const TOAST: &str = "toast.js";

/// The first module of what is one file at an address, if something is.
pub(super) fn entry(address: &str) -> Option<&'static str> {
    let [widget, _] = pages::WHOLE;
    if address == TOAST { Some(widget) } else { pages::WHOLE.into_iter().find(|entry| *entry == address) }
}

/// Returns the text of an asset by its path below the root.
pub(super) type Read = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Modules that were composed.
#[derive(Debug)]
pub(super) struct Bundles {
    /// Files that may have changed since: they are read again for each request.
    may_change: bool,
    kept: Mutex<HashMap<&'static str, Bundle>>,
}

/// One file in each coding, with a tag of its own (RFC 9110 §8.8.3.3). Copies share the bytes.
#[derive(Clone, Debug)]
struct Bundle {
    plain: Document,
    /// The smallest, which browsers take over HTTPS.
    brotli: Option<Document>,
    gzip: Option<Document>,
}

impl Bundles {
    pub(super) fn new(may_change: bool) -> Self {
        Self { may_change, kept: Mutex::default() }
    }

    /// The answer with the module and all that it imports; `None` for files that cannot be one, which then are served as they
    /// are.
    pub(super) async fn find(
        &self,
        request: &HttpRequest,
        entry: &'static str,
        read: &Read,
    ) -> Option<HttpResponse> {
        let bundle = match self.kept(entry).filter(|_| !self.may_change) {
            Some(bundle) => bundle,
            None => self.compose(entry, read).await?,
        };
        Some(bundle.respond(request))
    }

    fn kept(&self, entry: &str) -> Option<Bundle> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(entry).cloned()
    }

    async fn compose(&self, entry: &'static str, read: &Read) -> Option<Bundle> {
        let known = self.kept(entry);
        let read = Arc::clone(read);
        let composed = web::block(move || {
            let text = bundle(entry, |path| read(path));
            let text =
                text.inspect_err(|error| tracing::debug!(%error, "modules are served one by one")).ok()?;
            let plain = etag::of(text.into());
            Some(known.filter(|known| known.plain.tag == plain.tag).unwrap_or_else(|| Bundle::of(plain)))
        });
        let composed = composed.await.ok()??;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(entry, composed.clone());
        Some(composed)
    }
}

impl Bundle {
    /// Takes a tenth of a second: it is done once, and what it saves is saved for each visitor.
    fn of(plain: Document) -> Self {
        let mut brotli = Vec::new();
        let packed = brotli::BrotliCompress(&mut &*plain.body, &mut brotli, &BrotliEncoderParams::default());
        Self {
            brotli: packed.ok().map(|_| etag::of(brotli.into())),
            gzip: pack(&plain.body).map(|gzip| etag::of(gzip.into())),
            plain,
        }
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let packed = [(&self.brotli, Encoding::brotli()), (&self.gzip, Encoding::gzip())];
        let packed = packed.into_iter().filter_map(|(form, coding)| Some((form.as_ref()?, coding)));
        let taken = packed.into_iter().find(|(_, coding)| takes(request, coding.clone()));
        let form = taken.as_ref().map_or(&self.plain, |(form, _)| *form);
        let known = etag::is_known(request.headers(), &form.tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, &*form.tag)).insert_header((VARY, "Accept-Encoding"));
        if known {
            return response.finish();
        }
        if let Some((_, coding)) = &taken {
            response.insert_header((CONTENT_ENCODING, coding.to_string()));
        }
        response.insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8")).body(form.body.clone())
    }
}
