"""Makes the images of this folder, and beside each that must be read its pixels as Pillow sees them (NAME.rgb: rows from the top, three bytes a pixel).

Pillow and libjpeg-turbo are other readers than the one under test (libvips); what is turned, flattened or patched is done here by hand.
Needs python3-pil, libjpeg-turbo-progs (jpegtran) and libtiff-tools (tiffcp). Run it in this folder; expected.json says what each file must give.
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


def tiffcp(data, *options):
    """What libtiff itself writes: tiles, planes, faxes and JPEGs that Pillow does not."""
    open("/tmp/tiffcp-in.tif", "wb").write(data)
    subprocess.run(["tiffcp", *options, "/tmp/tiffcp-in.tif", "/tmp/tiffcp-out.tif"], check=True)
    return open("/tmp/tiffcp-out.tif", "rb").read()


def tiff(*pages, order="<"):
    """Pages of (tags, strip or tiles): tags as {tag: (type, values)}."""
    sizes = {1: "B", 3: "H", 4: "I", 11: "f", 12: "d"}
    data = (b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0"
    link = 4
    for tags, strip in pages:
        chunks = strip if isinstance(strip, list) else [strip]
        offsets = [len(data) + sum(map(len, chunks[:i])) for i in range(len(chunks))]
        tags = {**tags, 324 if 322 in tags else 273: (4, offsets), 325 if 322 in tags else 279: (4, [len(chunk) for chunk in chunks])}
        if 322 not in tags:
            tags[278] = tags[257]
        data += b"".join(chunks) + b"\0" * (sum(map(len, chunks)) % 2)
        values = {tag: struct.pack(order + sizes[kind] * len(numbers), *numbers) for tag, (kind, numbers) in tags.items()}
        places = {}
        for tag, value in values.items():
            if len(value) > 4:
                places[tag] = len(data)
                data += value + b"\0" * (len(value) % 2)
        data = data[:link] + struct.pack(order + "I", len(data)) + data[link + 4:]
        data += struct.pack(order + "H", len(tags))
        for tag, (kind, numbers) in sorted(tags.items()):
            value = struct.pack(order + "I", places[tag]) if tag in places else values[tag].ljust(4, b"\0")
            data += struct.pack(order + "HHI", tag, kind, len(numbers)) + value
        link = len(data)
        data += b"\0\0\0\0"
    return data


def lzw(data):
    """LZW of literals: the table is cleared before codes get longer than nine bits."""
    bits = "".join(("100000000" if i % 250 == 0 else "") + f"{v:09b}" for i, v in enumerate(data)) + "100000001"
    bits = bits.ljust((len(bits) + 7) // 8 * 8, "0")
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def planes(samples, packed, compression, side=16):
    """Sixteen-bit RGB: tiles of each channel for itself."""
    tiles = []
    for c in range(3):
        for top in range(0, H, side):
            for left in range(0, W, side):
                tile = [samples[3 * (min(y, H - 1) * W + min(x, W - 1)) + c] for y in range(top, top + side) for x in range(left, left + side)]
                tiles.append(packed(struct.pack(f"<{side * side}H", *tile)))
    return tiff((page(W, H, 16, 3, 2, t259=(3, [compression]), t284=(3, [2]), t322=(3, [side]), t323=(3, [side])), tiles))


def page(width, height, bits, samples, photometric, **more):
    tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * samples), 259: (3, [1]), 262: (3, [photometric]), 277: (3, [samples])}
    return {**tags, **{int(tag[1:]): value for tag, value in more.items()}}


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
nothing = image.convert("RGBA")
nothing.putalpha(0)
read("transparent-everywhere.png", saved(nothing, "PNG"), image)
read("transparent-everywhere.webp", saved(nothing, "WEBP", lossless=True, exact=True), image)
still = png(W, H, 8, 2, b"".join(b"\0" + image.tobytes()[3 * W * y:3 * W * (y + 1)] for y in range(H)), chunk(b"acTL", struct.pack(">II", 1, 0)), chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, W, H, 0, 0, 1, 1, 0, 0)))
read("animation-of-one.png", still, image)
refuse("animation-beside-a-still.png", still.replace(b"fcTL", b"fcTX"), "Animated")
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
for name, compression in {"fax": "group4", "fax-group3": "group3", "fax-rows": "tiff_ccitt"}.items():
    read(f"{name}.tif", saved(bilevel.convert("1"), "TIFF", compression=compression), bilevel.convert("RGB"))
raw = saved(image, "TIFF")
black_and_white = saved(bilevel.convert("1"), "TIFF")
read("fax-two-dimensional.tif", tiffcp(black_and_white, "-c", "g3:2d:fill", "-r", "8"), bilevel.convert("RGB"))
data = saved(image, "TIFF", compression="jpeg", quality=92)
read("jpeg.tif", data, opened(data), 3)
read("tiles-lzw.tif", tiffcp(raw, "-t", "-w", "16", "-l", "16", "-c", "lzw:2"), image)
read("planes-lzw.tif", tiffcp(raw, "-p", "separate", "-t", "-w", "16", "-l", "16", "-c", "lzw"), image)
read("planes-raw.tif", tiffcp(raw, "-p", "separate", "-t", "-w", "32", "-l", "16", "-c", "none"), image)
colour16 = [257 * v + (v * 5) % 128 for v in image.tobytes()]
data = tiff((page(W, H, 16, 3, 2), struct.pack(f"<{3 * W * H}H", *colour16)))
read("planes-16-raw.tif", planes(colour16, bytes, 1), image)
read("planes-16-lzw.tif", planes(colour16, lzw, 5), image)
read("planes-16-deflate.tif", planes(colour16, zlib.compress, 8), image)
read("big-endian-16.tif", tiffcp(data, "-B", "-c", "lzw:2"), image)
read("big.tif", tiffcp(raw, "-8"), image)
data = tiffcp(raw, "-c", "jpeg:r:95", "-t", "-w", "16", "-l", "16")
read("tiles-jpeg.tif", data, opened(data), 3)
data = tiffcp(raw, "-c", "jpeg:95", "-r", "16")
read("strips-jpeg-rgb.tif", data, opened(data), 3)
read("cmyk-jpeg.tif", tiffcp(saved(inks, "TIFF"), "-c", "jpeg:95"), white, 40)
twelve = [16 * v + v // 16 for v in grey.tobytes()]
packed = b"".join(
    bytes(int("".join(f"{v:012b}" for v in twelve[y * W:(y + 1) * W]).ljust((W * 12 + 7) // 8 * 8, "0")[i:i + 8], 2) for i in range(0, (W * 12 + 7) // 8 * 8, 8))
    for y in range(H))
read("twelve-bits.tif", tiff((page(W, H, 12, 1, 1), packed)), grey.convert("RGB"))
read("lab.tif", tiff((page(2, 1, 8, 3, 8), bytes([255, 0, 0, 0, 0, 0]))), Image.frombytes("RGB", (2, 1), bytes([255, 255, 255, 0, 0, 0])), 1)
whole = tiff((page(W, H, 32, 1, 1, t340=(4, [1000]), t341=(4, [1255000])), struct.pack(f"<{W * H}I", *(1000 + 1254000 // 255 * v + v * 5 // 17 for v in grey.tobytes()))))
read("thirty-two-bits-stated.tif", whole, grey.convert("RGB"), 1)
read("float-stated.tif", tiff((page(W, H, 32, 1, 1, t339=(3, [3]), t340=(11, [-1.0]), t341=(11, [1.0])), struct.pack(f">{W * H}f", *(v / 127.5 - 1 for v in grey.tobytes()))), order=">"), grey.convert("RGB"))
spare = image.convert("RGBA")
spare.putalpha(0)
read("spare-sample.tif", tiff((page(W, H, 8, 4, 2, t338=(3, [0])), spare.tobytes())), image)
read("undeclared-sample.tif", tiff((page(W, H, 8, 4, 2), spare.tobytes())), image)
read("transparent-everywhere.tif", tiff((page(W, H, 8, 4, 2, t338=(3, [2])), spare.tobytes())), image)
read("alpha-multiplied.tif", tiff((page(W, H, 8, 4, 2, t338=(3, [1])), bytes(v for r, g, b in image.getdata() for v in (r // 2, g // 2, b // 2, 128)))), image.point(lambda v: v // 2))
small = image.resize((9, 7))
mask = page(W, H, 1, 1, 4, t254=(4, [4])), bytes((W + 7) // 8 * H)
read("thumbnail.tif", tiff((page(W, H, 8, 3, 2), image.tobytes()), (page(9, 7, 8, 3, 2, t254=(4, [1])), small.tobytes())), image)
read("thumbnail-first.tif", tiff((page(9, 7, 8, 3, 2, t254=(4, [1])), small.tobytes()), (page(W, H, 8, 3, 2), image.tobytes())), image)
read("mask.tif", tiff((page(W, H, 8, 3, 2), image.tobytes()), mask), image)
refuse("two-pages-and-a-mask.tif", tiff((page(W, H, 8, 3, 2), image.tobytes()), mask, (page(W, H, 8, 3, 2), image.tobytes())), "Animated")
refuse("camera.dng", tiff((page(W, H, 16, 1, 32803, t50706=(1, [1, 4, 0, 0])), bytes(2 * W * H))), "Unsupported")
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


def rows(value):
    return Image.frombytes("L", (W, H), bytes(value(x, H - 1 - y) for y in range(H) for x in range(W))).convert("RGB")


read("run-lengths.bmp", bmp(8, 1, b"".join(bytes([W, y]) + b"\0\0" for y in range(H)) + b"\0\1"), rows(lambda x, y: y))
# Runs, bytes as they are, a jump, and a run that sticks out.
body = b"".join(bytes([5, y + 1, 0, 5, 9, 8, 7, 6, 5, 0, 0, 2, 3, 0, 40, 77]) + b"\0\0" for y in range(H))
read("run-lengths-mixed.bmp", bmp(8, 1, body + b"\0\1"), rows(lambda x, y: y + 1 if x < 5 else 14 - x if x < 10 else 0 if x < 13 else 77))
body = b"".join(bytes([7, 0x12, 0, 3, 0x34, 0x50, W - 10, y % 16 * 17]) + b"\0\0" for y in range(H))
read("run-lengths-4.bmp", bmp(4, 2, body + b"\0\1", used=16), rows(lambda x, y: 1 + x % 2 if x < 7 else x - 4 if x < 10 else y % 16))
refuse("run-lengths-cut.bmp", bmp(8, 1, b"".join(bytes([W, y]) + b"\0\0" for y in range(H - 1)) + b"\0\1"), "Unreadable")
read("no-offset.bmp", bmp(24, 0, b"".join(bytes([y] * 3 * W) + b"\0" for y in range(H)), offset=0), rows(lambda x, y: y))
read("no-last-padding.bmp", bmp(24, 0, b"".join(bytes([y] * 3 * W) + b"\0" for y in range(H))[:-1]), rows(lambda x, y: y))
body = b"".join(struct.pack("<I", y * 0x10101) * W for y in range(H))
v5 = struct.pack("<IiiHHIIiiIIIIII", 124, W, H, 1, 32, 3, len(body), 0, 0, 0, 0, 0xff0000, 0xff00, 0xff, 0xff000000).ljust(124, b"\0")
read("transparent-everywhere.bmp", b"BM" + struct.pack("<IHHI", 138 + len(body), 0, 0, 138) + v5 + body, rows(lambda x, y: y))
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

# Portable maps, whatever they are called.
read("portable.png", saved(image, "PPM"), image)
read("portable.pgm", saved(grey, "PPM"), grey.convert("RGB"))
read("portable-16.pgm", b"P5\n# a comment\n%d %d\n65535\n" % (W, H) + struct.pack(f">{W * H}H", *sixteen), Image.frombytes("L", (W, H), bytes((v + 128) // 257 for v in sixteen)).convert("RGB"))
read("portable-12.pgm", b"P5 %d %d 4095\n" % (W, H) + struct.pack(f">{W * H}H", *twelve), grey.convert("RGB"))
read("portable-text.pgm", b"P2\n%d %d\n255\n" % (W, H) + b" ".join(b"%d" % v for v in grey.tobytes()) + b"\n", grey.convert("RGB"))
read("portable-text.ppm", b"P3\n%d %d\n255\n" % (W, H) + b"\n".join(b"%d" % v for v in image.tobytes()) + b"\n", image)
read("portable.pbm", saved(bilevel.convert("1"), "PPM"), bilevel.convert("RGB"))
refuse("portable-value.pgm", b"P2 2 1 255\n12 256\n", "Unreadable")
refuse("svg.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>', "Unsupported")

json.dump(expected, open("expected.json", "w"), indent=1, sort_keys=True)
print(len(expected), "files,", sum(os.path.getsize(name) for name in os.listdir(".")), "bytes")
