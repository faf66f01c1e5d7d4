//! The explorer: one page that reads the node by its RPC. Nothing of it comes from elsewhere, and it holds no secret, so
//! anybody may have it; what it shows needs credentials as every call does.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use crate::server::respond;

/// What the page may do: run its own script, look as its own style says, call the node that it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The files of the explorer.
pub(super) fn pages<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/explorer", get(|| page("text/html; charset=utf-8", include_str!("explorer/index.html"))))
        .route("/explorer/style.css", get(|| page("text/css; charset=utf-8", include_str!("explorer/style.css"))))
        .route("/explorer/app.js", get(|| page("text/javascript; charset=utf-8", include_str!("explorer/app.js"))))
}

async fn page(kind: &'static str, text: &'static str) -> Response {
    let mut response = respond(StatusCode::OK, kind, text.to_owned());
    let said: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    for (name, value) in said {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
