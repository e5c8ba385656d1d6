//! A style sheet without what is only there to be read. For sheets as ours are written: no strings with braces or comment
//! signs, no descendant selector that begins with a colon.

/// The same rules in less text. Spaces around signs go where they mean nothing; those of `calc(a + b)` stay.
pub(super) fn shorten(sheet: &str) -> String {
    let mut plain = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, comment)) = rest.split_once("/*") {
        plain.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let words: Vec<&str> = plain.split_ascii_whitespace().collect();
    let mut short = words.join(" ");
    for sign in ["{", "}", ";", ","] {
        short = short.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign);
    }
    short.replace(": ", ":").replace(";}", "}").replace("` ", "`").replace(" `", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stay_what_they_are() {
        let sheet = "`\n/* Why. */\n:host([a^=\"b\"]) li > p, a:hover {\n  inset: calc(1px + 2px) auto;\n  color: red;\n}\n@media \
                     (width < 1px) { p { margin: 0 } }\n`";
        assert_eq!(
            shorten(sheet),
            "`:host([a^=\"b\"]) li > p,a:hover{inset:calc(1px + 2px) auto;color:red}@media (width < 1px){p{margin:0}}`"
        );
    }
}
