//! Walks the pages of a list to its end: by the `Link` header (RFC 8288), or by a key of the answer that holds the next URL.

mod link;

use std::collections::BTreeSet;

use davy_plugin::{Action, Capture, Check, Conclusion, Event, Request, Response, Situation, parameters, resolve, step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use link::next_of;

parameters! {
    /// Where the list begins, and what it is made of.
    pub struct List {
        /// The path of the first page.
        path: String,
        /// Where a page's items are, as keys with dots between them; the page itself where it is empty.
        items: String = "items".to_owned(),
        /// The key of an item that no other may have.
        id: String = "id".to_owned(),
        /// Where the next page's URL is, as keys with dots between them; without it, the header `Link` says.
        next: Option<String> = None,
        /// The most pages.
        pages: u32 = 10,
        /// The least number of items, all pages together.
        least: u64 = 1,
    }
}

step! {
    name: "pagination-walk", summary: "Walks a list page by page: it ends, and no item comes twice", captures: ["items", "pages"],
    fn turn(list: &List, at: &Situation, state: &[u8], event: &Event) -> Result<Action, String> {
        let mut walk = Walk::read(state)?;
        let answer = match event {
            Event::Begin => {
                let first = at.url(&list.path);
                walk.seen.insert(first.clone());
                return Ok(walk.go(first));
            }
            Event::Failed(kind) => {
                return Ok(walk.end(vec![Check::that(false, page(at.requests), "an answer", kind.as_str())]));
            }
            Event::Answered(answer) => answer,
        };
        let items = match page_items(list, answer) {
            Ok(items) => items,
            Err(check) => return Ok(walk.end(vec![Check { what: format!("{}, {}", page(at.requests), check.what), ..check }])),
        };
        for item in &items {
            walk.items += 1;
            if let Some(id) = item.get(&list.id).filter(|_| !list.id.is_empty()) {
                let id = id.to_string();
                if !walk.ids.insert(id.clone()) {
                    let twice = Check::that(false, format!("{}, `{}`", page(at.requests), list.id), "items that come once", format!("{id} again"));
                    return Ok(walk.end(vec![twice]));
                }
            }
        }
        match next(list, answer).map(|reference| resolve(&walk.page, &reference)) {
            None => {
                let enough = walk.items >= list.least;
                let counted = Check::that(enough, "items", format!("at least {}", list.least), walk.items.to_string());
                Ok(walk.end(vec![counted]))
            }
            Some(url) if at.requests >= list.pages => {
                let endless = Check::that(false, "pages", format!("at most {}", list.pages), format!("`{url}` follows"));
                Ok(walk.end(vec![endless]))
            }
            Some(url) if !walk.seen.insert(url.clone()) => {
                Ok(walk.end(vec![Check::that(false, page(at.requests), "a page not seen before", format!("`{url}` again"))]))
            }
            Some(url) => Ok(walk.go(url)),
        }
    }
}

/// What the step knows between turns.
#[derive(Default, Serialize, Deserialize)]
struct Walk {
    /// The URL of the page that was asked for last: links are relative to it.
    page: String,
    /// URLs that were asked for.
    seen: BTreeSet<String>,
    /// Keys of items, as JSON.
    ids: BTreeSet<String>,
    items: u64,
}

impl Walk {
    fn read(state: &[u8]) -> Result<Self, String> {
        if state.is_empty() {
            Ok(Self::default())
        } else {
            serde_json::from_slice(state).map_err(|error| error.to_string())
        }
    }

    fn go(mut self, url: String) -> Action {
        self.page = url;
        // Texts, sets of them and a number are always JSON.
        let state = serde_json::to_vec(&self).unwrap_or_default();
        Action::Send { state, request: Request::get(self.page).header("accept", "application/json") }
    }

    fn end(&self, checks: Vec<Check>) -> Action {
        let captures = [("items", self.items), ("pages", self.seen.len() as u64)]
            .map(|(name, value)| Capture { name: name.to_owned(), value: value.to_string() });
        Action::Done(Conclusion { checks, captures: captures.into() })
    }
}

fn page(number: u32) -> String {
    format!("page {number}")
}

fn page_items(list: &List, answer: &Response) -> Result<Vec<Value>, Check> {
    if !(200..300).contains(&answer.status) {
        return Err(Check::that(false, "status", "200 to 299", answer.status.to_string()));
    }
    let json: Value =
        serde_json::from_slice(&answer.body).map_err(|error| Check::that(false, "body", "JSON", error.to_string()))?;
    match below(&json, &list.items) {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err(Check::that(false, format!("`{}`", list.items), "a list", "something else")),
    }
}

fn next(list: &List, answer: &Response) -> Option<String> {
    let Some(key) = &list.next else {
        return answer.headers.iter().filter(|(name, _)| name == "link").find_map(|(_, value)| next_of(value));
    };
    let json: Value = serde_json::from_slice(&answer.body).ok()?;
    below(&json, key)?.as_str().filter(|url| !url.is_empty()).map(str::to_owned)
}

fn below<'a>(json: &'a Value, keys: &str) -> Option<&'a Value> {
    keys.split('.').filter(|key| !key.is_empty()).try_fold(json, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_plugin::Verdict;

    /// Walks over these pages; the checks, and the URLs that were asked for.
    fn walk(parameters: &str, pages: &[Response]) -> (Vec<Check>, Vec<String>, Vec<Capture>) {
        walk_under("", parameters, pages)
    }

    fn walk_under(base_url: &str, parameters: &str, pages: &[Response]) -> (Vec<Check>, Vec<String>, Vec<Capture>) {
        let (mut state, mut urls) = (Vec::new(), Vec::new());
        let mut event = Event::Begin;
        let mut answers = pages.iter();
        for requests in 0.. {
            let at = Situation { requests, base_url: base_url.to_owned(), ..Situation::default() };
            match turn(parameters, &at, &state, &event) {
                Ok(Action::Send { state: next, request }) => {
                    state = next;
                    urls.push(request.url);
                    event = answers.next().cloned().map_or(Event::Failed("timeout".to_owned()), Event::Answered);
                }
                Ok(Action::Done(done)) => return (done.checks, urls, done.captures),
                Err(why) => return (vec![Check::that(false, "turn", "", why)], urls, Vec::new()),
            }
        }
        (Vec::new(), urls, Vec::new())
    }

    fn with_link(ids: &[u32], next: &str) -> Response {
        let items: Vec<Value> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
        let headers =
            if next.is_empty() { Vec::new() } else { vec![("link".to_owned(), format!("<{next}>; rel=\"next\""))] };
        let body = serde_json::json!({ "items": items }).to_string().into_bytes();
        Response { status: 200, headers, body, ..Response::default() }
    }

    #[test]
    fn a_list_is_walked_to_its_end() {
        let pages = [with_link(&[1, 2], "/l?p=2"), with_link(&[3], "/l?p=3"), with_link(&[], "")];
        let (checks, urls, captures) = walk(r#"{ "path": "/l", "least": 3 }"#, &pages);
        assert_eq!(urls, ["/l", "/l?p=2", "/l?p=3"]);
        assert_eq!(
            (checks[0].verdict, captures[0].value.as_str(), captures[1].value.as_str()),
            (Verdict::Pass, "3", "3")
        );
    }

    #[test]
    fn links_mean_what_they_mean_on_their_page() {
        let links = ["?p=2", "more/3", "../4", "/v1/x/./5", "//shop.example/6", "https://cdn.example/7", ""];
        let pages: Vec<Response> = (1..).zip(links).map(|(id, link)| with_link(&[id], link)).collect();
        let (checks, urls, _) = walk_under("https://shop.example/v1", r#"{ "path": "/items" }"#, &pages);
        let expected = [
            "https://shop.example/v1/items",
            "https://shop.example/v1/items?p=2",
            "https://shop.example/v1/more/3",
            "https://shop.example/v1/4",
            "https://shop.example/v1/x/5",
            "https://shop.example/6",
            "https://cdn.example/7",
        ];
        assert_eq!((checks[0].verdict, urls), (Verdict::Pass, expected.map(str::to_owned).to_vec()));
        let around = [with_link(&[1], "?p=2"), with_link(&[2], "./items")];
        let (checks, ..) = walk_under("https://shop.example/v1", r#"{ "path": "/items" }"#, &around);
        assert_eq!(checks[0].actual, "`https://shop.example/v1/items` again");
    }

    #[test]
    fn what_pages_do_wrong_fails() {
        let of = |parameters: &str, pages: &[Response]| {
            let (checks, ..) = walk(parameters, pages);
            (checks[0].verdict, format!("{}: {}", checks[0].what, checks[0].actual))
        };
        let list = r#"{ "path": "/l" }"#;
        let fails = |text: &str| (Verdict::Fail, text.to_owned());
        assert_eq!(of(list, &[with_link(&[1], "/l?p=2"), with_link(&[1], "")]), fails("page 2, `id`: 1 again"));
        assert_eq!(of(list, &[with_link(&[1], "/l?p=2"), with_link(&[2], "/l")]), fails("page 2: `/l` again"));
        assert_eq!(of(list, &[with_link(&[], "")]), fails("items: 0"));
        assert_eq!(of(list, &[]), fails("page 1: timeout"));
        assert_eq!(
            of(r#"{ "path": "/l", "pages": 1 }"#, &[with_link(&[1], "/l?p=2")]),
            fails("pages: `/l?p=2` follows")
        );
        let broken = Response { status: 500, ..Response::default() };
        assert_eq!(of(list, &[with_link(&[1], "/l?p=2"), broken]), fails("page 2, status: 500"));
        let text = Response { status: 200, body: b"{}".to_vec(), ..Response::default() };
        assert_eq!(of(list, &[text]), fails("page 1, `items`: something else"));
    }

    #[test]
    fn the_next_url_may_stand_in_the_body() {
        let page = |next: Value| Response {
            status: 200,
            body: serde_json::json!({ "data": { "rows": [1] }, "links": { "next": next } }).to_string().into_bytes(),
            ..Response::default()
        };
        let list = r#"{ "path": "/l", "items": "data.rows", "next": "links.next", "least": 2 }"#;
        let (checks, urls, _) = walk(list, &[page("/l2".into()), page(Value::Null)]);
        assert_eq!((checks[0].verdict, urls.len()), (Verdict::Pass, 2));
    }
}
