//! Pages of a storefront, composed: a page's file holds what is its own, `layout.html` what all pages share. A folder
//! with a `layout.html` has that one for its pages; the control room does.
//!
//! A file without a doctype is a fragment for the head of the layout: title, style sheets, module script. It replaces
//! the layout's [`SLOT`]. Behind it comes a `modulepreload` for each module that its scripts import, directly or not, so
//! that a browser requests the whole import graph at once instead of one level per round trip. A file with a doctype is
//! a complete document, as in foreign shops, and stays as it is.
//!
//! Not for: reading or serving files (`assets.rs`).

/// What all pages share, or those of a folder.
pub(super) const LAYOUT: &str = "layout.html";
/// Modules that are served with all that they import: nothing behind them is to be preloaded.
pub(super) const WHOLE: [&str; 2] = ["widget/shopbell-toasts.js", "client/shopbell.js"];
/// Where the layout takes the page's own part.
const SLOT: &str = "<!-- page -->";

/// Whether a file is what pages share, and no page itself.
pub(super) fn is_layout(name: &str) -> bool {
    name.rsplit('/').next() == Some(LAYOUT)
}

/// The document of the page that lies at `name`, or `None` when `page` is one already or there is no layout with a slot.
///
/// `read` returns the text of an asset, by its path below the root (`js/pages/cart.js`).
pub(super) fn compose(name: &str, page: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    if page.to_ascii_lowercase().contains("<!doctype") {
        return None;
    }
    let of_folder = name.rsplit_once('/').and_then(|(folder, _)| read(&format!("{folder}/{LAYOUT}")));
    let layout = of_folder.or_else(|| read(LAYOUT))?;
    let (before, after) = layout.split_once(SLOT)?;
    let preloads: String = imported_modules(page, read)
        .iter()
        .map(|path| format!("\n  <link rel=\"modulepreload\" href=\"/{path}\">"))
        .collect();
    Some(format!("{before}{}{preloads}{after}", page.trim().replace('\n', "\n  ")))
}

/// The paths of all modules behind a page's scripts, nearest first, without the scripts themselves.
fn imported_modules(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let scripts = page.lines().filter(|line| line.contains("type=\"module\""));
    let mut found: Vec<String> = scripts
        .filter_map(|line| Some(line.split_once("src=\"/")?.1.split_once('"')?.0.to_owned()))
        .collect();
    let entries = found.len();
    let mut next = 0;
    while let Some(module) = found.get(next).cloned() {
        next += 1;
        if WHOLE.contains(&module.as_str()) {
            continue;
        }
        for specifier in imports(&read(&module).unwrap_or_default()) {
            if let Some(path) = resolve(&module, specifier).filter(|path| !found.contains(path)) {
                found.push(path);
            }
        }
    }
    found.split_off(entries)
}

/// The specifiers of a module's static imports and re-exports. A statement starts at the line's start, also where its
/// names take several lines (`} from './dom.js';`); what a comment mentions is indented or starts with a slash.
pub(super) fn imports(module: &str) -> impl Iterator<Item = &str> {
    let statements = module.lines().filter(|line| line.starts_with(['i', 'e', '}']));
    statements.filter_map(|line| {
        let specifier = line.strip_prefix("import '").or_else(|| Some(line.split_once(" from '")?.1))?;
        Some(specifier.split_once('\'')?.0)
    })
}

/// A relative specifier as a path below the root; `None` for another, and for one that climbs out.
pub(super) fn resolve(module: &str, specifier: &str) -> Option<String> {
    if !specifier.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = module.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT_TEXT: &str = "<!doctype html>\n<head>\n  <!-- page -->\n</head>\n<main></main>\n";
    const PAGE: &str = "<title>Cart</title>\n<script type=\"module\" src=\"/js/pages/cart.js\"></script>\n";

    fn read(path: &str) -> Option<String> {
        let text = match path {
            LAYOUT => LAYOUT_TEXT,
            "js/pages/cart.js" => {
                "/**\n * import './not.js' in a comment\n */\nimport { a } from '../dom.js';\nimport {\n  b,\n  \
                 c,\n} from '../../widget/store.js';\nimport '../dom.js';\nimport x from 'bare';\n"
            }
            "js/dom.js" => "export { y } from './pages/cart.js';\nexport const z = 1;\n",
            "widget/store.js" => {
                "/** @typedef {import('./view.js').View} View */\n  import './indented.js';\n"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    #[test]
    fn a_fragment_stands_in_the_head_and_its_modules_are_preloaded_once() {
        assert_eq!(
            compose("cart.html", PAGE, read).as_deref(),
            Some(
                "<!doctype html>\n<head>\n  <title>Cart</title>\n  <script type=\"module\" \
                 src=\"/js/pages/cart.js\"></script>\n  <link rel=\"modulepreload\" href=\"/js/dom.js\">\n  <link \
                 rel=\"modulepreload\" href=\"/widget/store.js\">\n</head>\n<main></main>\n"
            )
        );
    }

    #[test]
    fn a_document_and_a_page_without_a_layout_stay_as_they_are() {
        assert_eq!(compose("a.html", "<!DOCTYPE html><title>Foreign</title>", read), None);
        assert_eq!(compose("cart.html", PAGE, |_| None), None);
        assert_eq!(compose("cart.html", PAGE, |_| Some("a layout without a slot".to_owned())), None);
    }

    #[test]
    fn a_folder_with_a_layout_has_it_for_its_pages() {
        let read = |path: &str| (path == "admin/layout.html").then(|| format!("<!doctype html>{SLOT}<nav>"));
        assert_eq!(compose("admin/orders.html", "x", read).as_deref(), Some("<!doctype html>x<nav>"));
        assert_eq!(compose("orders.html", "x", read), None);
        assert!(is_layout(LAYOUT) && is_layout("admin/layout.html") && !is_layout("admin/orders.html"));
    }

    #[test]
    fn specifiers_stay_below_the_root() {
        assert_eq!(resolve("js/a.js", "../widget/b.js").as_deref(), Some("widget/b.js"));
        assert_eq!(resolve("a.js", "./b/c.js").as_deref(), Some("b/c.js"));
        for other in ["../../etc/passwd", "https://cdn.example/x.js", "/js/b.js", "jquery"] {
            assert_eq!(resolve("js/a.js", other), None, "{other}");
        }
    }
}
