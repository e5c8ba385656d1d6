//! What is left of modules, and that it means the same.

use super::*;

fn one(source: &str) -> String {
    bundle("a.js", |path| (path == "a.js").then(|| source.to_owned())).unwrap()
}

#[test]
fn comments_and_blanks_go_and_what_a_line_end_means_stays() {
    assert_eq!(
        one("// @ts-check\n/** A doc. */\nfoo(1, 10_000, 250_000); // why\n\nbar( 'a  // b' );\n"),
        "foo(1,1e4,25e4);bar('a  // b');"
    );
    assert_eq!(one("a\nb\n++c\nd = `x  ${ e + +f }  y`\n"), "a\nb\n++c\nd=`x  ${e+ +f}  y`;");
    assert_eq!(one("if (/[/]\\/ {/.test(x)) y = a / b / c;"), "if(/[/]\\/ {/.test(x))y=a/b/c;");
}

#[test]
fn own_names_are_short_and_others_stay() {
    assert_eq!(
        one("const total = 1; document.total = total + window.total;"),
        "document.total=1+window.total;"
    );
    assert_eq!(
        one(
            "function f(first, { second, third: other = 2 } = {}) { return { first, second, other, other: first, f() {} }; }"
        ),
        "function E(e,{second:i,third:t=2}={}){return{first:e,second:i,other:t,other:e,f(){}}}"
    );
    assert_eq!(
        one("list.map((item) => ({ ...item, at: item.at, item }));"),
        "list.map(e=>({...e,at:e.at,item:e}));"
    );
    assert_eq!(
        one("for (const [key, value] of x) { if (key ? value : key) break; }"),
        "for(let[e,t]of x){if(e?t:e)break}"
    );
    assert_eq!(one("try { go(); } catch (error) { tell(error); }"), "try{go()}catch(e){tell(e)}");
    assert_eq!(one("const {a, b} = b0; use(`${a}${ {a} }`);"), "let{a:E,b:T}=b0;use(`${E}${{a:E}}`);");
}

#[test]
fn members_keep_their_names_and_private_ones_do_not() {
    assert_eq!(
        one(
            "class Store extends EventTarget {\n  max = 3;\n  #many; #other = 2;\n  get size() { return this.#many; }\n  static async max2(max) \
             { return { max }; }\n  x = () => { f(); };\n  y;\n}\nuse(Store);"
        ),
        "class E extends EventTarget{max=3;#e;#t=2;get size(){return this.#e}static async max2(e){return{max:e}}x=()=>{f()};y}use(E);"
    );
}

#[test]
fn modules_are_one_in_the_order_of_their_imports() {
    let read = |path: &str| {
        let text = match path {
            "w/entry.js" => {
                "import { Name as Other, twice } from './b.js';\nimport './c.js';\nconst own = 1;\nexport { Other, own as mine };\ntwice(own, Other);\n"
            }
            "w/b.js" => {
                "import { base } from '../c.js';\nexport class Name {}\nexport const twice = (own) => own * base;\n"
            }
            "w/c.js" => "const own = 'c';\nlog(own, import.meta.url);\n",
            "c.js" => "export const base = 2;\n",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let text = bundle("w/entry.js", read).unwrap();
    assert_eq!(
        text,
        "class E{}let T=e=>e*2;log('c',import.meta.url);let I=1;T(I,E);export{E as Other,I as mine}"
    );
}

#[test]
fn what_is_not_written_as_ours_is_refused() {
    let refused =
        |source: &str| bundle("a.js", |path| (path == "a.js").then(|| source.to_owned())).unwrap_err();
    assert!(matches!(refused("export default class {}"), BundleError::Unknown(..)));
    assert!(matches!(
        refused("import * as all from './b.js';"),
        BundleError::Missing(_) | BundleError::Unknown(..)
    ));
    assert!(matches!(refused("import x from 'bare';"), BundleError::Unknown(..)));
    assert_eq!(refused("import { b } from './b.js';\n"), BundleError::Missing("b.js".to_owned()));
    for source in ["const a = 'b", "`${", "/* never", "}"] {
        assert_eq!(refused(source), BundleError::Unclosed("a.js".to_owned()), "{source}");
    }
}

#[test]
fn the_same_source_is_always_the_same_text() {
    let source = "const one = 1; const two = 2; const three = one + two; export { three };";
    assert_eq!(one(source), one(source));
}
