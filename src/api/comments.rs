//! Style sheets and modules without the comments that take lines of their own: a quarter of what a first visit would load.
//!
//! By lines, and careful instead of clever: a comment beside code stays, and nothing inside of a template changes. A file
//! whose templates do not end stays whole.
//!
//! Not for: shortening code.

/// The same program in fewer lines.
pub(super) fn without_comments(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let (mut in_comment, mut in_template) = (false, false);
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        if in_template {
            kept.push_str(line);
            in_template = !is_open(line);
        } else if in_comment || text.starts_with("/*") {
            let Some((_, code)) = text.split_once("*/") else {
                in_comment = true;
                continue;
            };
            // Behind the end of a comment there may be code; a comment before code on its own line stays with it.
            if !code.is_empty() {
                kept.push_str(if in_comment { code } else { text });
                kept.push('\n');
            }
            (in_comment, in_template) = (false, is_open(code));
        } else if !text.is_empty() && !text.starts_with("//") {
            // What ends the line may be part of a template that begins in it.
            kept.push_str(line.trim_start());
            in_template = is_open(line);
        }
    }
    if in_comment || in_template { source.to_owned() } else { kept }
}

/// Whether a line begins a template that it does not end, or ends one that it did not begin.
fn is_open(line: &str) -> bool {
    (line.matches('`').count() - line.matches("\\`").count()) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_on_lines_of_their_own_go_and_code_stays() {
        let source = "// @ts-check\n/**\n * What `this` is for.\n */\n\nimport { a } from './a.js'; // why\n  /** @type {X} */\n  \
                      const b = /** @type {Y} */ (a) / 2;\n/** @type {Z} */ (b).c();\n/* x\n */ d();\n  // `\nconst url = \
                      'http://x'; /* y */\n";
        assert_eq!(
            without_comments(source),
            "import { a } from './a.js'; // why\nconst b = /** @type {Y} */ (a) / 2;\n/** @type {Z} */ (b).c();\n \
             d();\nconst url = 'http://x'; /* y */\n"
        );
    }

    #[test]
    fn templates_stay_as_they_are() {
        let source =
            "const css = `\n  /* kept */\n\n  // kept\n  // `;\n// gone\nconst one = `a\\`b`;\n/* gone */\n";
        assert_eq!(
            without_comments(source),
            "const css = `\n  /* kept */\n\n  // kept\n  // `;\nconst one = `a\\`b`;\n"
        );
    }

    #[test]
    fn what_does_not_end_stays_whole() {
        for source in ["/* a\nb\n", "// x\nconst a = /`/;\n"] {
            assert_eq!(without_comments(source), source);
        }
        assert_eq!(without_comments(""), "");
        assert_eq!(without_comments("a"), "a");
    }
}
