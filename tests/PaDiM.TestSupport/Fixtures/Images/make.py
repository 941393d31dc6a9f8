"""Makes the images of this folder, and beside each that must be read its pixels as Pillow sees them (NAME.rgb: rows from the top, three bytes a pixel).

Pillow and libjpeg-turbo are other readers than the one under test (libvips); what is turned, flattened or patched is done here by hand.
Needs python3-pil and libjpeg-turbo-progs (jpegtran). Run it in this folder; expected.json says what each file must give.
"""
import json
import math
import os
import random
import struct
import subprocess
import zlib
from io import BytesIO
from PIL import Image

W, H = 37, 29
expected = {}


def picture(width=W, height=H):
    """Smooth, different in every corner, with one hard edge."""
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 60 if 10 < x < 22 and 8 < y < 17 else 0
            image.putpixel((x, y), (20 + 180 * x // width, 200 - 150 * y // height, 40 + edge + 100 * (x + y) // (width + height)))
    return image


def read(name, data, pixels, tolerance=0):
    """A file that must decode to these pixels."""
    open(name, "wb").write(data)
    open(name + ".rgb", "wb").write(pixels.tobytes())
    expected[name] = {"width": pixels.width, "height": pixels.height, "tolerance": tolerance}


def refuse(name, data, fault):
    open(name, "wb").write(data)
    expected[name] = {"fault": fault}


def saved(image, format, **options):
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data):
    return Image.open(BytesIO(data)).convert("RGB")


def jpegtran(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def on_black(image):
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour_type, rows, *before, interlaced=False):
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(before) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def adam7(image):
    """Seven passes, each a small image of unfiltered rows."""
    rows = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, image.height, dy):
            pixels = [image.getpixel((x, y)) for x in range(x0, image.width, dx)]
            if pixels:
                rows += b"\0" + bytes(v for pixel in pixels for v in pixel)
    return rows


image = picture()
grey = image.convert("L")
alpha = image.convert("RGBA")
alpha.putalpha(Image.frombytes("L", (W, H), bytes(255 if x < 20 else 0 if x > 30 else 128 for y in range(H) for x in range(W))))

# PNG
read("rgb.png", saved(image, "PNG"), image)
read("grey.png", saved(grey, "PNG"), grey.convert("RGB"))
read("grey-alpha.png", saved(alpha.convert("LA"), "PNG"), on_black(alpha.convert("LA")), 1)
read("rgba.png", saved(alpha, "PNG"), on_black(alpha), 1)
read("interlaced.png", png(W, H, 8, 2, adam7(image), interlaced=True), image)
read("one-bit.png", saved(grey.point(lambda v: 255 * (v > 110)).convert("1"), "PNG"), grey.point(lambda v: 255 * (v > 110)).convert("RGB"))
for colours in (4, 16, 256):
    palette = image.quantize(colours)
    read(f"palette-{colours}.png", saved(palette, "PNG", bits={4: 2, 16: 4, 256: 8}[colours]), palette.convert("RGB"))
data = saved(image.quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))
read("palette-transparent.png", data, on_black(Image.open(BytesIO(data))), 1)
sixteen = [257 * v + (v * 7) % 128 for v in grey.tobytes()]
read("sixteen-bits.png", png(W, H, 16, 0, b"".join(b"\0" + struct.pack(f">{W}H", *sixteen[y * W:(y + 1) * W]) for y in range(H))),
     Image.frombytes("L", (W, H), bytes((v + 128) // 257 for v in sixteen)).convert("RGB"))
read("one-pixel.png", saved(Image.new("RGB", (1, 1), (9, 8, 7)), "PNG"), Image.new("RGB", (1, 1), (9, 8, 7)))
refuse("animated.png", saved(image, "PNG", save_all=True, append_images=[image.rotate(90), image.rotate(180)]), "Animated")

# JPEG: two decoders may round differently, and do, in the colours.
plain = saved(image, "JPEG", quality=92, subsampling=0)
read("444.jpg", plain, opened(plain), 3)
for name, options in {"420": {"subsampling": 2}, "422": {"subsampling": 1}, "progressive": {"progressive": True}, "optimised": {"optimize": True}}.items():
    data = saved(image, "JPEG", quality=92, **options)
    read(f"{name}.jpg", data, opened(data), 3)
data = saved(grey, "JPEG", quality=92)
read("grey.jpg", data, opened(data), 3)
read("arithmetic.jpg", jpegtran(plain, "-arithmetic"), opened(plain), 3)
read("arithmetic-progressive.jpg", jpegtran(plain, "-arithmetic", "-progressive"), opened(plain), 3)
restarts = jpegtran(plain, "-restart", "1B")
read("restarts.jpg", restarts, opened(plain), 3)
refuse("restart-lost.jpg", restarts.replace(b"\xff\xd2", b"\x12\x34", 1), "Unreadable")
refuse("restart-of-another-turn.jpg", restarts.replace(b"\xff\xd2", b"\xff\xd5", 1), "Unreadable")
sof = plain.index(b"\xff\xc0")
refuse("twelve-bits.jpg", plain[:sof] + b"\xff\xc1" + plain[sof + 2:sof + 4] + b"\x0c" + plain[sof + 5:], "Unreadable")
refuse("two-bits.jpg", plain[:sof + 4] + b"\x02" + plain[sof + 5:], "Unreadable")
refuse("lossless-frame.jpg", plain[:sof] + b"\xff\xc3" + plain[sof + 2:], "Unreadable")
refuse("no-size.jpg", plain[:sof + 5] + b"\0\0\0\0" + plain[sof + 9:], "Unreadable")
refuse("huge.jpg", plain[:sof + 5] + struct.pack(">HH", 65500, 65500) + plain[sof + 9:], "TooLarge")
data = saved(image, "JPEG", quality=92, subsampling=0, icc_profile=bytes(random.Random(1).randrange(256) for _ in range(500)))
read("garbage-profile.jpg", data, opened(data), 3)
# Ink to light is a matter of profiles; what must hold is that paper stays white and ink is dark.
inks = Image.new("CMYK", (W, H), (0, 0, 0, 0))
inks.paste((0, 0, 0, 255), (18, 0, W, H))
white = Image.new("RGB", (W, H), "white")
white.paste((20, 20, 20), (18, 0, W, H))
read("cmyk.jpg", saved(inks, "JPEG", quality=95), white, 40)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(image, "JPEG", quality=92, subsampling=0, exif=exif)
    turned = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE, 6: Image.ROTATE_270, 7: Image.TRANSVERSE, 8: Image.ROTATE_90}
    upright = opened(data)
    read(f"orientation-{orientation}.jpg", data, upright.transpose(turned[orientation]) if orientation > 1 else upright, 3)
exif = Image.Exif()
exif[274] = 99
data = saved(image, "JPEG", quality=92, subsampling=0, exif=exif)
read("orientation-99.jpg", data, opened(data), 3)
data = saved(image, "MPO", quality=92, subsampling=0, save_all=True, append_images=[image.rotate(180)])
read("two-pictures.mpo.jpg", data, opened(data), 3)

# TIFF
for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
    read(f"{compression}.tif", saved(image, "TIFF", compression=compression), image)
read("grey.tif", saved(grey, "TIFF"), grey.convert("RGB"))
palette = image.quantize(256)
read("palette.tif", saved(palette, "TIFF"), palette.convert("RGB"))
bilevel = grey.point(lambda v: 255 * (v > 110))
read("one-bit.tif", saved(bilevel.convert("1"), "TIFF"), bilevel.convert("RGB"))
read("sixteen-bits.tif", saved(Image.frombytes("I;16", (W, H), struct.pack(f"<{W * H}H", *sixteen)), "TIFF"), Image.frombytes("L", (W, H), bytes((v + 128) // 257 for v in sixteen)).convert("RGB"))
read("rgba.tif", saved(alpha, "TIFF"), on_black(alpha), 1)
read("cmyk.tif", saved(inks, "TIFF"), white, 40)
read("unknown-tag.tif", saved(image, "TIFF", tiffinfo={65000: "of a camera's own"}), image)
refuse("fax.tif", saved(bilevel.convert("1"), "TIFF", compression="group4"), "Unsupported")
refuse("jpeg.tif", saved(image, "TIFF", compression="jpeg"), "Unsupported")
refuse("two-pages.tif", saved(image, "TIFF", save_all=True, append_images=[image]), "Animated")
refuse("float.tif", saved(grey.convert("F"), "TIFF"), "Unsupported")
nans = Image.frombytes("F", (W, H), struct.pack(f"<{W * H}f", *([math.nan, math.inf, -math.inf] * (W * H))[:W * H]))
refuse("not-a-number.tif", saved(nans, "TIFF"), "Unsupported")
refuse("thirty-two-bits.tif", saved(grey.convert("I"), "TIFF"), "Unsupported")

# WebP
read("lossless.webp", saved(image, "WEBP", lossless=True), image)
data = saved(image, "WEBP", quality=90)
read("lossy.webp", data, opened(data), 3)
read("rgba.webp", saved(alpha, "WEBP", lossless=True, exact=True), on_black(alpha), 1)
refuse("animated.webp", saved(image, "WEBP", save_all=True, append_images=[image.rotate(180)]), "Animated")

# BMP
read("rgb.bmp", saved(image, "BMP"), image)
read("palette.bmp", saved(palette, "BMP"), palette.convert("RGB"))
read("one-bit.bmp", saved(bilevel.convert("1"), "BMP"), bilevel.convert("RGB"))


def bmp(bits, compression, body, width=W, height=H, offset=None, used=256):
    colours = b"".join(bytes([v, v, v, 0]) for v in range(used)) if bits <= 8 else b""
    start = 54 + len(colours)
    return (b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start if offset is None else offset)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, used if bits <= 8 else 0, 0) + colours + body)


refuse("run-lengths.bmp", bmp(8, 1, b"".join(bytes([W, y]) + b"\0\0" for y in range(H)) + b"\0\1"), "Unreadable")
refuse("run-lengths-overflow.bmp", bmp(8, 1, b"\xff\x07" * 2000 + b"\0\2\xff\xff" * 50), "Unreadable")
refuse("height-lies.bmp", bmp(24, 0, bytes(112 * H), height=H + 1), "Unreadable")
refuse("offset-lies.bmp", bmp(24, 0, bytes(112 * H), offset=0x7fffffff), "Unreadable")
refuse("offset-negative.bmp", bmp(24, 0, bytes(112 * H), offset=0xfffffff0), "Unreadable")
refuse("least-height.bmp", bmp(24, 0, bytes(112 * H), height=-0x80000000), "Unreadable")
refuse("huge.bmp", bmp(24, 0, bytes(16), width=0x7fffffff, height=0x7fffffff), "TooLarge")
refuse("palette-lies.bmp", bmp(8, 0, b"", used=200)[:300], "Unreadable")

# Other formats are not read, whatever they are called.
refuse("still.gif", saved(image, "GIF"), "Unsupported")
refuse("animated.gif", saved(image, "GIF", save_all=True, append_images=[image.rotate(180)]), "Unsupported")
refuse("pdf.jpg", saved(image, "PDF"), "Unsupported")
refuse("icon.png", saved(image, "ICO"), "Unsupported")
refuse("portable.png", saved(image, "PPM"), "Unsupported")
refuse("svg.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>', "Unsupported")

json.dump(expected, open("expected.json", "w"), indent=1, sort_keys=True)
print(len(expected), "files,", sum(os.path.getsize(name) for name in os.listdir(".")), "bytes")
