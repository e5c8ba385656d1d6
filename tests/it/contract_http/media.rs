//! Pictures: what an administrator may upload, and how it is served.

use std::{io::Cursor, os::unix::fs::PermissionsExt as _};

use image::{DynamicImage, ImageFormat, RgbImage};

use super::{goods, shop, with};
use crate::support::{Answer, Person, TestApp};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

async fn upload(app: &TestApp, by: &Person, media_type: &str, body: Vec<u8>) -> Answer {
    app.post("/api/admin/media").by(by).body(media_type, body).send().await
}

#[tokio::test]
async fn a_picture_is_kept_in_sizes_and_served_for_good() {
    let (app, admin, kim) = shop().await;
    let file = picture(400, 300, ImageFormat::Png);
    upload(&app, &kim, "image/png", file.clone()).await.refused(403, "forbidden");
    app.post("/api/admin/media").body("image/png", file.clone()).send().await.refused(401, "login_required");
    // What it is called does not matter, what it is does.
    let made = upload(&app, &admin, "text/plain", file.clone()).await.expect(201);
    let media = made.json["media"].clone();
    let url = media["url"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), url);
    assert_eq!((media["width"].as_u64(), media["height"].as_u64()), (Some(400), Some(300)));
    let widths: Vec<_> =
        media["sizes"].as_array().unwrap().iter().map(|size| size["width"].clone()).collect();
    assert_eq!(widths, [160, 320, 400]);

    for size in media["sizes"].as_array().unwrap() {
        let path = size["url"].as_str().unwrap();
        let answer = app.get(path).send().await.expect(200);
        assert_eq!(answer.header("content-type"), "image/jpeg");
        assert!(answer.header("cache-control").contains("immutable"), "{}", answer.header("cache-control"));
        let tag = answer.header("etag").to_owned();
        app.get(path).header("If-None-Match", &tag).send().await.expect(304);
        let head = app.request("HEAD", path).send().await.expect(200);
        assert_eq!((head.header("content-type"), head.header("etag")), ("image/jpeg", tag.as_str()));
    }
    app.post(&url).send().await.refused(405, "method_not_allowed");
    let folder = app.folder.path().join("media");
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // It can be the picture of goods, and the same file is the same picture.
    let body = with(goods("Water"), "thumbnailUrl", media["url"].clone());
    app.post("/api/goods").by(&admin).json(&body).send().await.expect(201);
    assert_eq!(upload(&app, &admin, "image/png", file).await.expect(201).json["media"], media);
}

#[tokio::test]
async fn a_picture_may_come_in_a_form() {
    let (app, admin, _) = shop().await;
    let form = |name: &str| {
        let head = format!(
            "--xX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        [head.as_bytes(), &picture(20, 10, ImageFormat::Jpeg), b"\r\n--xX--\r\n"].concat()
    };
    let kind = "multipart/form-data; boundary=xX";
    let made = upload(&app, &admin, kind, form("file")).await.expect(201);
    assert_eq!(made.json["media"]["width"], 20);
    upload(&app, &admin, kind, form("picture")).await.refused(400, "malformed_body");
}

#[tokio::test]
async fn what_is_no_picture_is_refused_whatever_it_says_it_is() {
    let (app, admin, _) = shop().await;
    let page = b"<script>alert(1)</script>".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    let mut cut = picture(64, 64, ImageFormat::Png);
    cut.truncate(60);
    for body in [Vec::new(), page, svg, picture(8, 8, ImageFormat::Png)[..7].to_vec(), cut] {
        upload(&app, &admin, "image/png", body).await.refused(415, "unsupported_media_type");
    }
    let large = [picture(8, 8, ImageFormat::Png), vec![0; 5 << 20]].concat();
    upload(&app, &admin, "image/png", large).await.refused(413, "body_too_large");
    assert!(!app.folder.path().join("media").exists(), "nothing was kept");
}

#[tokio::test]
async fn nothing_but_pictures_is_served_from_the_folder() {
    let (app, admin, _) = shop().await;
    let made = upload(&app, &admin, "image/png", picture(9, 9, ImageFormat::Png)).await.expect(201);
    let name = made.json["media"]["url"].as_str().unwrap().strip_prefix("/media/").unwrap().to_owned();
    std::fs::write(app.folder.path().join("media/page.html"), "<b>").unwrap();
    for path in [
        "/media/page.html",
        "/media/..%2fshop.db",
        "/media/%2e%2e/shop.db",
        "/media/../shop.db",
        &format!("/media/x/{name}"),
        &format!("/media/{name}%00"),
        &format!("/media/{}", name.to_uppercase()),
        "/media/0123456789abcdef0123456789abcdef-160.jpg",
        "/media/",
        "/media",
    ] {
        app.get(path).send().await.refused(404, "not_found");
    }
}
