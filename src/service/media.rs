//! Pictures of goods: uploaded by administrators, made into sizes, kept in a folder. Decoding is work for seconds of a core and for
//! megabytes, so that one is done at a time and few wait.
//!
//! A picture stays when no goods have it any more: alerts of the past and the systems of others still show it, and an import
//! may bring its goods back.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::ServiceError;
use crate::media::{Folder, MediaName, PictureError, Rendition, render};

/// The most bytes of an uploaded picture.
pub const MAX_BYTES: usize = 5 << 20;
/// How many pictures may be here at once: the one that is decoded, and those that wait for it with all of their bytes.
const PLACES: usize = 4;
/// The width of the picture that stands for all: a card on a fine screen.
const USUAL_WIDTH: u32 = 640;

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Where it is, in the size that suits most places.
    pub url: String,
    /// Of that size, in pixels.
    pub width: u32,
    /// Of that size, in pixels.
    pub height: u32,
    /// All sizes, by width, and where they are; the narrowest first.
    pub sizes: Vec<(u32, String)>,
}

/// Keeps pictures.
#[derive(Debug)]
pub struct Media {
    folder: Folder,
    places: Arc<Semaphore>,
    /// Of the one that decodes.
    turn: Arc<Semaphore>,
}

impl Media {
    /// In a folder.
    #[must_use]
    pub fn new(folder: Folder) -> Self {
        Self { folder, places: Arc::new(Semaphore::new(PLACES)), turn: Arc::new(Semaphore::new(1)) }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Keeps what is to be seen of an uploaded file. The same file is the same picture.
    ///
    /// # Errors
    /// [`ServiceError::Picture`] for what is none; [`ServiceError::Busy`] when several wait already; the folder cannot be
    /// written.
    pub async fn keep(&self, file: Bytes) -> Result<Picture, ServiceError> {
        let busy = |_| ServiceError::Busy("pictures");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(busy)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let turn = turn.map_err(|error| ServiceError::internal("the line for pictures was closed", error))?;
        let folder = self.folder.clone();
        // Place and turn go along: when the caller leaves, the work still goes on.
        let kept = tokio::task::spawn_blocking(move || {
            let kept = keep(&folder, &file);
            drop((turn, place));
            kept
        });
        kept.await.map_err(|error| ServiceError::internal("a picture was not finished", error))?
    }
}

fn keep(folder: &Folder, file: &[u8]) -> Result<Picture, ServiceError> {
    let renditions = render(file).map_err(|error| match error {
        PictureError::Encoding(_) => ServiceError::internal("a picture was not encoded", error),
        error => ServiceError::Picture(error),
    })?;
    let name = |rendition: &Rendition| MediaName::of(file, rendition);
    let written: io::Result<()> =
        renditions.iter().try_for_each(|rendition| folder.keep(&name(rendition), &rendition.bytes));
    written.map_err(|error| ServiceError::internal("a picture was not written", error))?;
    let usual = renditions.iter().rfind(|rendition| rendition.width <= USUAL_WIDTH).or(renditions.first());
    let usual = usual.ok_or_else(|| ServiceError::internal("a picture has no sizes", "there is none"))?;
    Ok(Picture {
        url: name(usual).url(),
        width: usual.width,
        height: usual.height,
        sizes: renditions.iter().map(|rendition| (rendition.width, name(rendition).url())).collect(),
    })
}
