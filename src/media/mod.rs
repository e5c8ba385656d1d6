//! Pictures of goods that administrators upload: what of them is kept (`picture.rs`), and where (`folder.rs`). Not who may upload
//! them and how many at a time, which is the use case (`service::media`).

pub mod folder;
pub mod picture;

pub use folder::{Folder, MediaName};
pub use picture::{Format, PictureError, Rendition, render};
