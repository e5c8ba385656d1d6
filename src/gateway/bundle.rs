//! The official browser client of Socket.IO, from a folder that holds it (`--client-bundle`): no third-party file is
//! part of the program.

use actix_files::NamedFile;
use actix_web::{HttpRequest, HttpResponse, http::header, web};

use crate::web::{Code, Problem, State};

/// The files of the npm package `socket.io-client`, folder `dist`, that pages load.
const FILES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

/// Answers `GET /socket.io/socket.io.js` and its like.
///
/// # Errors
/// There is no such file, or no folder.
pub(super) async fn serve(request: HttpRequest, state: State) -> Result<HttpResponse, Problem> {
    let name = request.match_info().query("file");
    if !FILES.contains(&name) {
        return Err(Problem::not_found());
    }
    let Some(folder) = &state.settings.client_bundle else {
        return Err(Problem::new(
            Code::NotFound,
            "the Socket.IO client is not part of shopbell: install it with `npm install socket.io-client` and start with \
             --client-bundle node_modules/socket.io-client/dist",
        ));
    };
    let (folder, path) = (folder.clone(), folder.join(name));
    let opened = web::block(move || {
        // A link out of the folder may lead to anything.
        let path = path.canonicalize().ok()?;
        let is_inside = path.starts_with(folder.canonicalize().ok()?) && path.is_file();
        is_inside.then(|| NamedFile::open(path).ok())?
    });
    let file = opened.await.ok().flatten().ok_or_else(Problem::not_found)?;
    let mut response = file.into_response(&request);
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
    // Pages of other sites may load it, as from any CDN.
    let anyone = header::HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    Ok(response)
}
