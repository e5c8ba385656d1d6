//! The building block of the route table: an address and what its methods do.

use actix_web::{
    FromRequest, Handler, Resource, Responder, Route, guard,
    http::{
        Method,
        header::{ALLOW, HeaderValue},
    },
    web,
};

use super::{Code, problem::Problem};

/// A method and its handler.
pub type Entry = (Method, Route);

macro_rules! entry {
    ($($(#[$doc:meta])* $name:ident $method:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub fn $name<F, Args>(handler: F) -> Entry
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            (Method::$method, web::to(handler))
        }
    )*};
}

entry!(
    /// What GET does, and HEAD with it.
    get GET,
    /// What POST does.
    post POST,
    /// What PUT does.
    put PUT,
    /// What PATCH does.
    patch PATCH,
    /// What DELETE does.
    delete DELETE,
);

/// An address. Every other method is answered with 405 and the list of these.
pub fn resource<const N: usize>(path: &str, entries: [Entry; N]) -> Resource {
    let methods: Vec<&str> = entries
        .iter()
        .flat_map(|(method, _)| if method == Method::GET { &["GET", "HEAD"][..] } else { names(method) })
        .copied()
        .collect();
    let allow = methods.join(", ");
    let resource = web::resource(path)
        .default_service(web::to(move || std::future::ready(Err::<String, _>(not_allowed(&allow)))));
    entries.into_iter().fold(resource, |resource, (method, route)| {
        resource.route(route.guard(guard::fn_guard(move |context| {
            let requested = &context.head().method;
            *requested == method || (method == Method::GET && *requested == Method::HEAD)
        })))
    })
}

fn names(method: &Method) -> &'static [&'static str] {
    match *method {
        Method::POST => &["POST"],
        Method::PUT => &["PUT"],
        Method::PATCH => &["PATCH"],
        _ => &["DELETE"],
    }
}

/// 405 (RFC 9110 §15.5.6) with the methods that there are.
#[must_use]
pub fn not_allowed(allow: &str) -> Problem {
    let problem = Problem::new(Code::MethodNotAllowed, format!("this address takes {allow}"));
    match HeaderValue::from_str(allow) {
        Ok(allow) => problem.with_header(ALLOW, allow),
        Err(_) => problem,
    }
}
