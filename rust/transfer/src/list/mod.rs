//! What is to be fetched: a manifest, or any list of URLs.

use std::path::PathBuf;

use url::Url;

/// The files of a run.
#[derive(Debug, Clone)]
pub enum List {
    /// A job's manifest, asked for again wherever it is cut.
    Manifest {
        /// Its URL with its query, without `after`.
        url: Url,
    },
    /// Lines of any of the known formats; see [`Input`] for where they come from.
    Lines {
        /// Where the lines are.
        input: Input,
        /// What relative URLs are relative to; for a list from a URL that URL if this is none.
        base: Option<Url>,
    },
}

impl List {
    /// Stands for the files that a run is about: the same for the same list and render ids, whatever
    /// the signatures in its URL. Part of the journal, so it holds no secret.
    pub fn selection(&self, render_ids: Option<&[(u64, u64)]>) -> String {
        let place = match self {
            Self::Manifest { url } => url.as_str().to_owned(),
            Self::Lines { input, .. } => match input {
                Input::Url(url) => url.path().to_owned(),
                Input::File(path) => path.display().to_string(),
                Input::Stdin => "the standard input".to_owned(),
            },
        };
        crate::folder::part_id(&format!("{place} {render_ids:?}"))
    }
}

/// Where the lines of a list come from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A web address.
    Url(Url),
    /// A file.
    File(PathBuf),
    /// The process's standard input.
    Stdin,
}
