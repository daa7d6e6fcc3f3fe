//! Libraries that documents import: found, pinned, and never in a circle.

use super::{Library, ProbeDocuments};
use crate::document::decode::{Named, Report};
use crate::document::diagnostic::{DiagnosticCode as Code, did_you_mean, shown};
use crate::document::probe::Import;

/// Checks the imports of all documents.
pub(super) fn check(documents: &ProbeDocuments, report: &mut Report) {
    for (flow, _) in &documents.flows {
        for (_, import) in imports(flow.spec.value.imports.as_ref().map(|imports| &imports.value)) {
            check_one(import, &documents.libraries, report);
        }
    }
    for library in &documents.libraries {
        for (_, import) in of(library) {
            check_one(import, &documents.libraries, report);
            if let Some(path) =
                find(import, &documents.libraries).and_then(|next| way_back(next, library, &documents.libraries))
            {
                let message = format!("these libraries import each other: {}", path.join(" → "));
                let hint = "move what both need into a third".to_owned();
                report.error(Code::ProbeImport, &import.file.position, message, hint);
            }
        }
    }
}

/// The library that an import means.
pub(super) fn find<'a>(import: &Import, libraries: &'a [Library]) -> Option<&'a Library> {
    let path = beside(&import.file.position.file, &import.file.value);
    libraries.iter().find(|library| library.path == path)
}

/// The imports of a library.
fn of(library: &Library) -> impl Iterator<Item = (&str, &Import)> {
    imports(library.document.spec.value.imports.as_ref().map(|imports| &imports.value))
}

fn imports(imports: Option<&Named<Import>>) -> impl Iterator<Item = (&str, &Import)> {
    imports.into_iter().flat_map(|imports| &imports.0).map(|(name, import)| (name.value.as_str(), import))
}

fn check_one(import: &Import, libraries: &[Library], report: &mut Report) {
    let Some(library) = find(import, libraries) else {
        let path = beside(&import.file.position.file, &import.file.value);
        let message = format!("there is no library `{}` among the files", shown(&path));
        let near = did_you_mean(&path, libraries.iter().map(|library| library.path.as_str()));
        let hint = near.unwrap_or_else(|| "paths are relative to the file that imports".to_owned());
        report.error(Code::ProbeReference, &import.file.position, message, hint);
        return;
    };
    let hint = format!("write `digest: {}` if that content is what you mean", library.digest);
    match &import.digest {
        None => report.error(Code::ProbeImport, &import.position, "the import is not pinned to a content", hint),
        Some(digest) if digest.value != library.digest => {
            let message = format!("`{}` has another content than the import is pinned to", shown(&library.path));
            report.error(Code::ProbeImport, &digest.position, message, hint);
        }
        Some(_) => {}
    }
}

/// How `from` leads to `goal`, by the shortest way.
fn way_back<'a>(from: &'a Library, goal: &'a Library, libraries: &'a [Library]) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![from]];
    let mut seen: Vec<&str> = Vec::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            if last.path == goal.path {
                let start = [goal.path.as_str()];
                return Some(start.into_iter().chain(way.iter().map(|library| library.path.as_str())).collect());
            }
            if seen.contains(&last.path.as_str()) {
                continue;
            }
            seen.push(&last.path);
            for next in of(last).filter_map(|(_, import)| find(import, libraries)) {
                longer.push(way.iter().copied().chain([next]).collect());
            }
        }
        ways = longer;
    }
    None
}

/// A path relative to the folder of a file, without `.` and `..`.
pub(in crate::probe) fn beside(file: &str, relative: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let absolute = relative.starts_with('/') || folder.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let folder = if relative.starts_with('/') { "" } else { folder };
    for part in folder.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn paths_are_relative_to_the_importing_file() {
        assert_eq!(beside("flows/a.yaml", "lib/b.yaml"), "flows/lib/b.yaml");
        assert_eq!(beside("flows/a.yaml", "../lib/./b.yaml"), "lib/b.yaml");
        assert_eq!(beside("a.yaml", "b.yaml"), "b.yaml");
        assert_eq!(beside("/x/a.yaml", "b.yaml"), "/x/b.yaml");
        assert_eq!(beside("a.yaml", "../b.yaml"), "../b.yaml");
    }
}
