using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Tests.Support;
namespace PaDiM.Onnx.Tests.Imaging;
public sealed class ScratchTests
{
    [Fact]
    public void Scratch()
    {
        using var image = Samples.Rgb(400, 300).Vips();
        using var noise = Samples.Noise(400,300).Vips();
        foreach (var (name, bytes) in new[] { ("plain", noise.JpegsaveBuffer()), ("restart", noise.JpegsaveBuffer(restartInterval: 4)), ("prog", noise.JpegsaveBuffer(interlace: true)), ("smooth", image.JpegsaveBuffer()), ("png", noise.PngsaveBuffer()), ("webp", noise.WebpsaveBuffer()), ("tiff", noise.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Deflate)) })
        {
            var whole = Decoding.Image(bytes).Pixels;
            byte[] lost = [.. bytes[..(bytes.Length / 2)], .. bytes[(bytes.Length / 2 + 300)..]];
            var r = new ImageDecoder().Decode(lost);
            var text = r is DecodeResult.Decoded d ? $"decoded, grey {Enumerable.Range(0, d.Image.Pixels.Length / 3).Count(i => d.Image.Pixels[3*i] == 128 && d.Image.Pixels[3*i+1] == 128 && d.Image.Pixels[3*i+2] == 128)} differ {whole.Zip(d.Image.Pixels).Count(p => p.First != p.Second)} of {whole.Length}" : r.ToString();
            TestContext.Current.TestOutputHelper?.WriteLine($"lost {name}: {text}");
            var flips = 0;
            for (var k = 0; k < 40; k++) { var f = bytes.ToArray(); f[f.Length / 4 + k * 37] ^= 0x10; if (new ImageDecoder().Decode(f) is DecodeResult.Decoded) flips++; }
            TestContext.Current.TestOutputHelper?.WriteLine($"  flips decoded {flips}/40");
        }
    }
}
