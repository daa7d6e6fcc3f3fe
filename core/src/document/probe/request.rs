//! What a step asks.

use super::value::{Keyed, Template, Tree};
use crate::document::declare::{keywords, record};

record! {
    /// A request: exactly one of `path` and `url`, and at most one of `json`, `form` and `text`.
    pub struct Request {
        /// The method.
        method: HttpMethod = "method", default(HttpMethod::Get);
        /// Where, below the target's `baseUrl`; begins with `/`.
        path: Template = "path", optional;
        /// Where, with scheme and host; the host must be allowed by the target.
        url: Template = "url", optional;
        /// Parameters of the query, encoded for it.
        query: Keyed<Template> = "query", optional;
        /// Headers.
        headers: Keyed<Template> = "headers", optional;
        /// Credentials; not sent on to other hosts.
        auth: Auth = "auth", optional;
        /// A JSON body.
        json: Tree = "json", optional;
        /// A form as a browser sends it.
        form: Keyed<Template> = "form", optional;
        /// Any other body.
        text: Template = "text", optional;
        /// Whether an `Idempotency-Key` is sent, the same in every attempt.
        idempotency_key: bool = "idempotencyKey", default(false);
    }
}

keywords! {
    /// A method of HTTP.
    pub enum HttpMethod {
        /// Reads.
        Get = "GET",
        /// Reads the headers.
        Head = "HEAD",
        /// Asks what is possible.
        Options = "OPTIONS",
        /// Changes something.
        Post = "POST",
        /// Replaces something.
        Put = "PUT",
        /// Changes a part.
        Patch = "PATCH",
        /// Removes something.
        Delete = "DELETE",
    }
}

record! {
    /// Credentials: exactly one of them.
    pub struct Auth {
        /// A user's name and password.
        basic: BasicAuth = "basic", optional;
        /// A token.
        bearer: Template = "bearer", optional;
    }
}

record! {
    /// A user's name and password.
    pub struct BasicAuth {
        /// The name.
        user: Template = "user", required;
        /// The password.
        password: Template = "password", required;
    }
}
