//! The pages: the copy inside the program under a strict Content-Security-Policy, or a folder. What a page is made of
//! is in `pages.rs`, what of it is one file for other sites in `bundles.rs`.

use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, VARY, X_FRAME_OPTIONS,
        },
    },
    web::{self, Bytes, Data},
};
use rust_embed::RustEmbed;

use super::{
    bundles::{self, Bundles, Read},
    pages,
    texts::Texts,
};
use crate::{
    config::Settings,
    service::demo,
    web::{Problem, edge::AsIs, etag, resource::not_allowed},
};

/// Nothing inline and nothing from elsewhere but pictures, which administrators choose. Text never becomes markup.
const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http: https:; \
     connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// What a folder serves, by the ends of names: what pages are made of. All else in it is not meant for the web (a
/// database, a configuration, an archive, an editor's copy).
const WEB_TYPES: [&str; 25] = [
    "html",
    "css",
    "js",
    "mjs",
    "json",
    "webmanifest",
    "svg",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "ico",
    "woff",
    "woff2",
    "ttf",
    "txt",
    "xml",
    "map",
    "wasm",
    "mp3",
    "mp4",
    "webm",
    "pdf",
];
const MISSING_PAGE: &str = "404.html";
/// What other sites embed: any of them may load it, and a folder that has none of it serves the copy inside the program.
const EMBEDDED: [&str; 3] = ["toast.", "widget/", "client/"];
/// The end of what declares the types of a module.
const TYPES: &str = ".d.ts";

#[derive(RustEmbed)]
#[folder = "assets/"]
#[allow_missing = true]
struct Embedded;

/// Where pages come from and what they may do.
#[derive(Debug)]
pub struct Assets {
    /// The folder, without symbolic links; `None` for the copy inside the program.
    folder: Option<PathBuf>,
    policy: Option<HeaderValue>,
    bundles: Bundles,
    /// The pages inside the program by file name, composed once.
    pages: HashMap<String, Bytes>,
    /// The text files inside the program, ready to be sent; none of a folder's.
    texts: Texts,
    /// Who may put a page into a frame, for browsers and policies that do not say it.
    frames: HeaderValue,
    /// Addresses of the sample goods' pictures, which are served also when the folder has none.
    samples: Vec<String>,
}

impl Assets {
    /// As the settings say.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        // A folder that is gone since the settings were checked serves nothing, but never something else.
        let folder = settings.assets.as_ref().map(|folder| folder.canonicalize().unwrap_or(folder.clone()));
        let stated = settings.content_security_policy.as_deref();
        // Foreign pages have inline scripts and CDNs.
        let policy = stated.or(if folder.is_none() { Some(STRICT) } else { None });
        let pages = if folder.is_none() { embedded_pages() } else { HashMap::new() };
        let frames = if folder.is_none() { "DENY" } else { "SAMEORIGIN" };
        Self {
            bundles: Bundles::new(folder.is_some()),
            policy: policy.and_then(|policy| HeaderValue::from_str(policy).ok()),
            frames: HeaderValue::from_static(frames),
            texts: if folder.is_none() { Texts::of(Embedded::iter()) } else { Texts::default() },
            folder,
            pages,
            samples: if settings.demo { demo::pictures() } else { Vec::new() },
        }
    }

    /// Reads the modules behind one: all of them from the folder, if that has the first.
    fn reader(&self, first: &str) -> Read {
        match self.folder.clone().filter(|folder| inside(folder, first).is_some()) {
            None => Arc::new(read_embedded),
            Some(folder) => Arc::new(move |name| std::fs::read_to_string(inside(&folder, name)?).ok()),
        }
    }
}

fn read_embedded(name: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&Embedded::get(name)?.data).into_owned())
}

fn embedded_pages() -> HashMap<String, Bytes> {
    let read = read_embedded;
    Embedded::iter()
        .filter(|name| name.ends_with(".html"))
        .filter_map(|name| Some((name.to_string(), pages::compose(&name, &read(&name)?, read)?.into())))
        .collect()
}

/// Every address that no route has.
pub(super) async fn serve(request: HttpRequest, assets: Data<Assets>) -> Result<HttpResponse, Problem> {
    let requested = request.match_info().as_str().to_owned();
    let mut response = match find(&assets, &request, &requested).await {
        Some(_) if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            return Err(not_allowed("GET, HEAD"));
        }
        Some(response) => response,
        None => missing(&assets, &request).await.ok_or_else(Problem::not_found)?,
    };
    decorate(&assets, response.headers_mut());
    if is_for_other_sites(requested.trim_start_matches('/')) {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    Ok(response)
}

fn is_for_other_sites(name: &str) -> bool {
    EMBEDDED.iter().any(|start| name.starts_with(start))
}

/// `/x` is `x`, `x.html` or `x/index.html`, `/` is `index.html`.
async fn find(assets: &Assets, request: &HttpRequest, requested: &str) -> Option<HttpResponse> {
    let path = relative(requested)?;
    if let Some(entry) = bundles::entry(&path) {
        let bundled = assets.bundles.find(request, entry, &assets.reader(entry)).await;
        if bundled.is_some() {
            return bundled;
        }
    }
    for name in [path.clone(), format!("{path}.html"), format!("{path}/index.html")] {
        let found = match &assets.folder {
            None => embedded(assets, request, &name),
            Some(folder) => match composed(folder, &name).await {
                Some(page) => Some(page_response(assets, request, &name, page.into())),
                None => open(folder, &name).await.map(|file| file.into_response(request)),
            },
        };
        if found.is_some() {
            return found;
        }
    }
    let is_ours = is_for_other_sites(&path) || assets.samples.iter().any(|picture| picture == requested);
    is_ours.then(|| embedded(assets, request, &path))?
}

/// A person who strayed gets a page; a program gets a problem.
async fn missing(assets: &Assets, request: &HttpRequest) -> Option<HttpResponse> {
    let navigates = request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "document");
    if !navigates || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let page = match &assets.folder {
        None => assets.pages.get(MISSING_PAGE)?.clone(),
        Some(folder) => match composed(folder, MISSING_PAGE).await {
            Some(page) => page.into(),
            None => {
                let path = open(folder, MISSING_PAGE).await?.path().to_owned();
                web::block(|| std::fs::read(path)).await.ok()?.ok()?.into()
            }
        },
    };
    let mut response =
        HttpResponse::NotFound().insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(page);
    response.extensions_mut().insert(AsIs);
    Some(response)
}

/// The path below the root; `None` for one that climbs, hides or is none.
fn relative(requested: &str) -> Option<String> {
    let path = requested.strip_prefix('/')?;
    let path =
        if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let plain =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':', '%']);
    path.split('/').all(plain).then_some(path)
}

/// Whether a file is of a kind that pages are made of.
fn is_for_the_web(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    path.to_str().is_some_and(|path| path.ends_with(TYPES))
        || WEB_TYPES.iter().any(|kind| kind.eq_ignore_ascii_case(end))
}

/// A file of the folder. Symbolic links are followed only as long as they stay inside, and to what could be asked for
/// itself.
async fn open(folder: &Path, name: &str) -> Option<NamedFile> {
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let is_types = name.ends_with(TYPES);
    let opened = web::block(move || NamedFile::open(inside(&folder, &name)?).ok());
    let file = opened.await.ok()??.disable_content_disposition().prefer_utf8(true);
    Some(if is_types { file.set_content_type(actix_web::mime::TEXT_PLAIN_UTF_8) } else { file })
}

/// The real path of a file of the folder that could be asked for by that path too; `None` for another's, and for one that
/// lies elsewhere.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let asked = Path::new(name);
    let path = folder.join(asked).canonicalize().ok().filter(|path| path.is_file())?;
    let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
    let shown = !path.strip_prefix(folder).ok()?.components().any(hidden);
    (shown && is_for_the_web(asked) && is_for_the_web(&path)).then_some(path)
}

/// A page of the folder, when the folder has a layout for it.
async fn composed(folder: &Path, name: &str) -> Option<String> {
    if !name.ends_with(".html") {
        return None;
    }
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let read = move |name: &str| std::fs::read_to_string(inside(&folder, name)?).ok();
    web::block(move || pages::compose(&name, &read(&name)?, read)).await.ok()?
}

fn embedded(assets: &Assets, request: &HttpRequest, name: &str) -> Option<HttpResponse> {
    if let Some(page) = assets.pages.get(name) {
        return Some(page_response(assets, request, name, page.clone()));
    }
    let file = Embedded::get(name).filter(|_| !pages::is_layout(name))?;
    let body = match file.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    };
    Some(respond(assets, request, name, file.metadata.mimetype(), body))
}

fn page_response(assets: &Assets, request: &HttpRequest, name: &str, page: Bytes) -> HttpResponse {
    respond(assets, request, name, "text/html", page)
}

/// The bytes of a file, or 304 for a client that has them.
fn respond(assets: &Assets, request: &HttpRequest, name: &str, kind: &str, body: Bytes) -> HttpResponse {
    let form = assets.texts.form(request, name, &body);
    let (varies, is_gzip) = (form.is_some(), form.as_ref().is_some_and(|form| form.is_gzip));
    let document = form.map_or_else(|| etag::of(body), |form| form.document);
    let known = etag::is_known(request.headers(), &document.tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, &*document.tag));
    if varies {
        response.insert_header((VARY, "Accept-Encoding"));
    }
    if is_gzip && !known {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.insert_header((CONTENT_TYPE, content_type(name, kind)));
    if known { response.finish() } else { response.body(document.body) }
}

fn content_type(name: &str, guessed: &str) -> String {
    // By its end a video.
    let guessed = if name.ends_with(TYPES) { "text/plain" } else { guessed };
    let text = guessed.starts_with("text/")
        || [".js", ".mjs", ".json", ".svg"].iter().any(|end| name.ends_with(end));
    if text { format!("{guessed}; charset=utf-8") } else { guessed.to_owned() }
}

fn decorate(assets: &Assets, headers: &mut HeaderMap) {
    // Pages change with the program: kept, but checked each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let is_page = header(headers, &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
    if let Some(policy) = assets.policy.as_ref().filter(|_| is_page) {
        headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    }
    let is_framed = assets.policy.as_ref().is_some_and(|policy| {
        assets.folder.is_some() && policy.to_str().is_ok_and(|policy| policy.contains("frame-ancestors"))
    });
    // A policy that says it itself wins in browsers that know it, and it may allow more.
    if !is_framed {
        headers.insert(X_FRAME_OPTIONS, assets.frames.clone());
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::{super::comments::without_comments, *};

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(relative("/").as_deref(), Some("index.html"));
        assert_eq!(relative("/goods").as_deref(), Some("goods"));
        assert_eq!(relative("/help/").as_deref(), Some("help/index.html"));
        for bad in
            ["/../etc/passwd", "/a/../b", "/.git/config", "//etc/passwd", "/a\\b", "/a\0", "/%2fetc", "*", ""]
        {
            assert_eq!(relative(bad), None, "{bad}");
        }
    }

    #[actix_web::test]
    async fn a_link_out_of_the_folder_is_not_followed() {
        let (outside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("secret.txt"), "x").unwrap();
        std::fs::write(folder.path().join("page.html"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), folder.path().join("out.txt")).unwrap();
        std::os::unix::fs::symlink("page.html", folder.path().join("in.html")).unwrap();
        let root = folder.path().canonicalize().unwrap();
        assert!(open(&root, "out.txt").await.is_none());
        assert!(open(&root, "in.html").await.is_some());
        assert!(open(&root, "").await.is_none());
    }

    #[actix_web::test]
    async fn a_page_of_a_folder_is_composed_where_the_folder_has_a_layout() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cart.html"), "<title>Cart</title>").unwrap();
        let root = folder.path().canonicalize().unwrap();
        assert_eq!(composed(&root, "cart.html").await, None);
        std::fs::write(folder.path().join(pages::LAYOUT), "<!doctype html><!-- page --><main>").unwrap();
        assert_eq!(
            composed(&root, "cart.html").await.as_deref(),
            Some("<!doctype html><title>Cart</title><main>")
        );
        assert_eq!(composed(&root, pages::LAYOUT).await, None);
    }

    #[test]
    fn every_page_inside_the_program_is_composed_and_preloads_what_there_is() {
        let pages = embedded_pages();
        let files = Embedded::iter().filter(|name| name.ends_with(".html") && !pages::is_layout(name));
        assert_eq!(pages.len(), files.count());
        for (name, page) in pages {
            let page = std::str::from_utf8(&page).unwrap();
            assert!(page.starts_with("<!doctype html>") && page.contains("<main"), "{name}");
            let preloads: Vec<_> = page.split("rel=\"modulepreload\" href=\"/").skip(1).collect();
            assert!(preloads.len() > 20, "{name}");
            for path in preloads.iter().filter_map(|rest| rest.split('"').next()) {
                assert!(Embedded::get(path).is_some(), "{name} preloads {path}");
            }
        }
    }

    #[test]
    fn no_comment_is_sent_that_takes_lines_of_its_own() {
        for name in Embedded::iter().filter(|name| name.ends_with(".js") || name.ends_with(".css")) {
            let source = String::from_utf8(Embedded::get(&name).unwrap().data.into_owned()).unwrap();
            assert!(
                without_comments(&source).len() < source.len(),
                "{name} has a template that does not end"
            );
        }
    }

    #[actix_web::test]
    async fn a_folder_serves_what_pages_are_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        for name in [
            "shop.db",
            "shop.toml",
            "a.html~",
            "noend",
            "a.JS",
            ".git/a.html",
            "a.sql",
            "a.zip",
            "x.key",
            "y.html",
        ] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        for (to, link) in [("shop.db", "db.html"), (".git/a.html", "git.html"), ("y.html", "ok.html")] {
            std::os::unix::fs::symlink(to, root.join(link)).unwrap();
        }
        for good in ["a.JS", "y.html", "ok.html"] {
            assert!(open(&root, good).await.is_some(), "{good}");
        }
        for bad in
            ["shop.db", "shop.toml", "a.html~", "noend", "a.sql", "a.zip", "x.key", "db.html", "git.html"]
        {
            assert!(open(&root, bad).await.is_none(), "{bad}");
        }
    }
}
