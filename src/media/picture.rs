//! What is kept of a picture: its pixels, in a few sizes, encoded anew. So nothing of what was uploaded is served, neither
//! what a camera wrote about the place and its owner (EXIF) nor what another program would take for something else.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops::FilterType,
    metadata::Orientation,
};

/// The most pixels that a picture may have: what the largest cameras make. Decoded they are 160 MB at most.
const MAX_PIXELS: u64 = 40_000_000;
/// The most bytes that a decoder may allocate.
const MAX_DECODER_BYTES: u64 = 384 << 20;
/// The widths that are made, in pixels: of a toast and a cart, of a card, of a page of goods, and of one on a fine screen. None is
/// wider than the picture.
pub const WIDTHS: [u32; 4] = [160, 320, 640, 1280];
/// A picture that is higher than so many times its width is made narrower instead.
const MAX_HEIGHT_TO_WIDTH: u32 = 3;
/// At which nobody sees a difference in a picture of goods.
const JPEG_QUALITY: u8 = 82;
/// Color profiles of cameras and screens have some 500 bytes to 10 KB; larger ones are for presses.
const MAX_PROFILE: usize = 32 << 10;

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Its bytes are none of the formats that are read, whatever its name says.
    #[error("a picture is a JPEG, PNG or WebP file")]
    Unsupported,
    /// Too many pixels.
    #[error("a picture has at most 40 million pixels")]
    TooLarge,
    /// It begins like a picture, and is cut off or broken.
    #[error("the picture is broken")]
    Broken,
    /// It cannot be written in another size.
    #[error("the picture cannot be encoded: {0}")]
    Encoding(ImageError),
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One without holes.
    Jpeg,
    /// One through which the page shows.
    Png,
}

impl Format {
    /// The end of its file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// A picture in one size.
#[derive(Debug)]
pub struct Rendition {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How it is written.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Makes of an uploaded file the pictures that are served, the narrowest first; of a moving one the first image. Takes seconds
/// of a core for the largest.
///
/// # Errors
/// What is no picture, or too much of one.
pub fn render(file: &[u8]) -> Result<Vec<Rendition>, PictureError> {
    let Decoded { image, profile } = decode(file)?;
    let format = if is_opaque(&image) { Format::Jpeg } else { Format::Png };
    let mut sizes: Vec<_> = WIDTHS.iter().map(|width| fit(&image, *width)).collect();
    sizes.dedup();
    let scaled = |(width, height)| {
        let image = image.resize_exact(width, height, FilterType::Lanczos3);
        let bytes = encode(image, format, profile.clone()).map_err(PictureError::Encoding)?;
        Ok(Rendition { width, height, format, bytes })
    };
    sizes.into_iter().map(scaled).collect()
}

/// A picture as it is looked at, not much larger than the largest that is made.
struct Decoded {
    image: DynamicImage,
    profile: Option<Vec<u8>>,
}

fn decode(file: &[u8]) -> Result<Decoded, PictureError> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| PictureError::Unsupported)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(PictureError::Unsupported);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    // Before anything is decoded: a few bytes can say that they are gigabytes.
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_of_rgb(profile));
    let image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    // Small first: what follows costs by the pixel, and holds several copies.
    let mut image = shrink(image, orientation);
    image.apply_orientation(orientation);
    let image = if image.color().has_alpha() { image.to_rgba8().into() } else { image.to_rgb8().into() };
    Ok(Decoded { image, profile })
}

fn refused(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::Broken,
    }
}

/// Whether a color profile (ICC.1 §7.2.6) is one of pixels as they are written here. That of a press, or of shades of gray, says
/// nothing of them.
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.len() <= MAX_PROFILE && profile.get(16..20) == Some(b"RGB ")
}

/// Twice the largest size that is made, which leaves enough for a good filter.
fn shrink(image: DynamicImage, orientation: Orientation) -> DynamicImage {
    let lies = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = (image.width(), image.height());
    let (across, down) = if lies { (height, width) } else { (width, height) };
    let (most_across, most_down) = scale(across, down, 2 * WIDTHS[WIDTHS.len() - 1]);
    if (most_across, most_down) == (across, down) {
        return image;
    }
    let (width, height) = if lies { (most_down, most_across) } else { (most_across, most_down) };
    image.thumbnail_exact(width, height)
}

fn fit(image: &DynamicImage, width: u32) -> (u32, u32) {
    scale(image.width(), image.height(), width)
}

/// The size of a picture in a frame of a width; never larger than the picture.
fn scale(width: u32, height: u32, frame: u32) -> (u32, u32) {
    let by_width = f64::from(frame) / f64::from(width);
    let by_height = f64::from(frame * MAX_HEIGHT_TO_WIDTH) / f64::from(height);
    let factor = by_width.min(by_height).min(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most what it was")]
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    (scaled(width), scaled(height))
}

fn is_opaque(image: &DynamicImage) -> bool {
    image.as_rgba8().is_none_or(|image| image.pixels().all(|pixel| pixel.0[3] == u8::MAX))
}

fn encode(image: DynamicImage, format: Format, profile: Option<Vec<u8>>) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    match format {
        Format::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            keep(&mut encoder, profile);
            DynamicImage::from(image.into_rgb8()).write_with_encoder(encoder)?;
        }
        Format::Png => {
            let mut encoder = PngEncoder::new(&mut bytes);
            keep(&mut encoder, profile);
            image.write_with_encoder(encoder)?;
        }
    }
    Ok(bytes)
}

/// Colors without their profile are a little off, which is no reason to refuse a picture.
fn keep(encoder: &mut impl ImageEncoder, profile: Option<Vec<u8>>) {
    if let Some(profile) = profile {
        drop(encoder.set_icc_profile(profile));
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(
            width,
            height,
            |x, _| if x < width / 2 { Rgb([220, 10, 10]) } else { Rgb([10, 10, 220]) },
        )
    }

    fn sizes(renditions: &[Rendition]) -> Vec<(u32, u32)> {
        renditions.iter().map(|rendition| (rendition.width, rendition.height)).collect()
    }

    #[test]
    fn a_picture_is_made_in_sizes_and_never_enlarged() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let made = render(&file(halves(400, 200), format)).unwrap();
            assert_eq!(sizes(&made), [(160, 80), (320, 160), (400, 200)], "{format:?}");
            assert!(made.iter().all(|rendition| rendition.format == Format::Jpeg));
            let read = image::load_from_memory(&made[1].bytes).unwrap().to_rgb8();
            assert_eq!(read.dimensions(), (320, 160));
            assert!(read.get_pixel(10, 80).0[0] > 180 && read.get_pixel(310, 80).0[2] > 180, "{format:?}");
        }
        assert_eq!(sizes(&render(&file(halves(3000, 1500), ImageFormat::Png)).unwrap())[3], (1280, 640));
        assert_eq!(sizes(&render(&file(halves(2, 900), ImageFormat::Png)).unwrap()), [(1, 480), (2, 900)]);
        assert_eq!(sizes(&render(&file(halves(1, 1), ImageFormat::Png)).unwrap()), [(1, 1)]);
    }

    #[test]
    fn holes_stay_and_a_solid_picture_has_none() {
        let mut image = RgbaImage::from_pixel(40, 40, Rgba([10, 200, 10, 255]));
        assert_eq!(render(&file(image.clone(), ImageFormat::Png)).unwrap()[0].format, Format::Jpeg);
        image.put_pixel(3, 3, Rgba([0, 0, 0, 0]));
        let made = render(&file(image, ImageFormat::WebP)).unwrap();
        assert_eq!(made[0].format, Format::Png);
        let read = image::load_from_memory(&made[0].bytes).unwrap().to_rgba8();
        assert_eq!((read.get_pixel(3, 3).0[3], read.get_pixel(30, 30).0[3]), (0, 255));
    }

    /// A JPEG with an EXIF block that says how the camera was held, and where.
    fn turned(orientation: u8) -> Vec<u8> {
        let jpeg = file(halves(400, 200), ImageFormat::Jpeg);
        let mut tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
        tiff.extend(b"taken at home");
        let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &tiff, &jpeg[2..]].concat()
    }

    #[test]
    fn a_picture_stands_upright_and_says_nothing_of_where_it_was_taken() {
        let upright = render(&turned(1)).unwrap();
        assert_eq!(sizes(&upright)[0], (160, 80));
        let made = render(&turned(6)).unwrap();
        assert_eq!(sizes(&made), [(160, 320), (200, 400)]);
        let read = image::load_from_memory(&made[1].bytes).unwrap().to_rgb8();
        assert!(read.get_pixel(100, 20).0[0] > 180 && read.get_pixel(100, 380).0[2] > 180, "the left is up");
        for rendition in upright.iter().chain(&made) {
            let holds = |text: &[u8]| rendition.bytes.windows(text.len()).any(|window| window == text);
            assert!(!holds(b"Exif") && !holds(b"at home"));
        }
    }

    /// The head of a PNG that says it has so many pixels, and none of them.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut png = file(halves(1, 1), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        png
    }

    /// CRC-32 as PNG has it (RFC 2083 §3.4).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
        })
    }

    #[test]
    fn what_is_no_picture_or_too_much_of_one_is_refused() {
        for other in
            [&b""[..], b"GIF89a\x01\0\x01\0", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM", b"\0"]
        {
            assert!(matches!(render(other), Err(PictureError::Unsupported)), "{other:?}");
        }
        for (width, height) in [(40_000, 40_000), (6400, 6400), (u32::MAX >> 1, 1)] {
            let refused = render(&bomb(width, height));
            assert!(matches!(refused, Err(PictureError::TooLarge)), "{width}×{height}: {refused:?}");
        }
        assert!(matches!(render(&bomb(6000, 6000)), Err(PictureError::Broken)));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let whole = file(halves(64, 64), format);
            for length in [8, 20, whole.len() / 2] {
                // A JPEG that was cut off is shown as far as it came, as browsers do.
                assert!(
                    render(&whole[..length]).is_err() || format == ImageFormat::Jpeg,
                    "{format:?} {length}"
                );
            }
        }
    }
}
