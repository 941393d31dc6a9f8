using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.EndToEnd.Tests;

/// <summary>
/// Runs the Python code of <c>docs/export.md</c> as it is there, with Debian's Pillow and NumPy. Debian has no ONNX
/// Runtime for Python: a stand-in keeps the image that the code has prepared, and the service's own runtime scores it.
/// </summary>
public sealed class PythonSnippetTests(PublishedService service)
{
    private const string Python = "/usr/bin/python3";
    private const string Category = "snippet";
    private const int Side = 64;

    private const string StandIn = """
        import json, numpy, pathlib, types

        class InferenceSession:
            def __init__(self, path):
                assert pathlib.Path(path).stat().st_size > 0

            def get_modelmeta(self):
                return types.SimpleNamespace(custom_metadata_map=json.loads(pathlib.Path("metadata.json").read_text()))

            def run(self, outputs, inputs):
                image = inputs["image"]
                assert image.dtype == numpy.float32 and image.ndim == 4, (image.dtype, image.shape)
                numpy.ascontiguousarray(image).tofile("image.bin")
                if not pathlib.Path("answer.json").exists():
                    raise SystemExit
                answer = json.loads(pathlib.Path("answer.json").read_text())
                return numpy.zeros(answer["shape"], numpy.float32), numpy.array([answer["score"]], numpy.float32)
        """;

    /// <summary>
    /// Writes the same part in every way: alpha that is 0, 255 or both, 16 bits, samples without a meaning.
    /// </summary>
    private const string MakeFiles = """
        import numpy
        from PIL import Image
        part = Image.open("part.bmp").convert("RGB")
        part.save("plain.png")
        for name, alpha in {"opaque": 255, "transparent": 0}.items():
            copy = part.copy()
            copy.putalpha(alpha)
            copy.save(f"{name}.png")
            copy.save(f"{name}.tif")
        copy = part.copy()
        copy.putalpha(Image.linear_gradient("L").resize(part.size))
        copy.save("gradient.png")
        grey = numpy.asarray(part.convert("L")).astype(numpy.uint16) * 257
        Image.fromarray(grey).save("grey16.png")
        Image.fromarray(grey).save("grey16.tif")
        grey = (numpy.asarray(part.convert("L")).astype(numpy.uint32) * 4095 + 127) // 255
        Image.fromarray(grey.astype(numpy.uint16)).save("grey12.png")
        Image.fromarray(grey.astype(numpy.uint16)).save("grey12.tif")
        part.convert("LA").save("grey-alpha.png")
        part.quantize(64).save("palette.png", transparency=bytes(64))
        undeclared = part.convert("RGBX")
        undeclared.save("spare.tif")
        """;

    [Fact]
    public async Task The_code_prepares_files_as_the_service_does()
    {
        Assert.SkipUnless(HasPillow(), "Pillow is absent: install the packages python3-pil and python3-numpy.");
        await PrepareAsync();
        using var folder = new TempDirectory();
        var onnx = await service.Client.Http.GetByteArrayAsync(
            $"/v1/categories/{Category}/models/1/export?format=onnx"
        );
        await File.WriteAllBytesAsync(folder.Combine("flange.onnx"), onnx);
        await File.WriteAllTextAsync(folder.Combine("onnxruntime.py"), StandIn);
        await File.WriteAllTextAsync(folder.Combine("snippet.py"), ReadSnippet());
        await File.WriteAllTextAsync(folder.Combine("make.py"), MakeFiles);
        await File.WriteAllBytesAsync(folder.Combine("part.bmp"), SyntheticParts.Good(70, Side).ToBmp());
        await RunAsync(folder, "make.py");
        using var session = new InferenceSession(onnx);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal("12", metadata["padim.significant_bits"]);
        var photo = folder.Combine("parts/test/scratch/002.png");
        Directory.CreateDirectory(Path.GetDirectoryName(photo)!);

        string[] files = [.. Directory.GetFiles(folder.Path, "*.png"), .. Directory.GetFiles(folder.Path, "*.tif")];
        Assert.Equal(13, files.Length);
        foreach (var file in files)
        {
            // The model is one of a camera of 12 bits; models of no stated depth do not have the entry.
            var isFull = Path.GetFileName(file).StartsWith("grey16", StringComparison.Ordinal);
            var about = metadata.Where(entry => !(isFull && entry.Key == "padim.significant_bits")).ToDictionary();
            await File.WriteAllTextAsync(folder.Combine("metadata.json"), JsonSerializer.Serialize(about));
            File.Copy(file, photo, overwrite: true);
            File.Delete(folder.Combine("answer.json"));
            await RunAsync(folder, "snippet.py");
            var (score, shape) = Score(session, await File.ReadAllBytesAsync(folder.Combine("image.bin")));
            var answer = JsonSerializer.Serialize(new { score, shape });
            await File.WriteAllTextAsync(folder.Combine("answer.json"), answer);
            var printed = await RunAsync(folder, "snippet.py");

            var expected = await service.Client.ScoreAsync(
                Category,
                await File.ReadAllBytesAsync(file),
                isFull ? "?significantBits=16" : ""
            );
            // Pillow and the service round 16 bits and alpha to 8 bits each in its own way, a level apart.
            var distance = Math.Abs(score - (float)expected["score"]!) / (float)expected["score"]!;
            Assert.True(distance < 0.02, $"{Path.GetFileName(file)}: {score} instead of {expected["score"]}");
            var isAnomalous = score >= float.Parse(metadata["padim.threshold"], CultureInfo.InvariantCulture);
            Assert.Contains(isAnomalous ? "True" : "False", printed, StringComparison.Ordinal);
        }
    }

    private async Task PrepareAsync()
    {
        await service.Client.PutAsync(
            $"/v1/categories/{Category}",
            new JsonObject
            {
                ["imageSize"] = Side,
                ["reduction"] = new JsonObject { ["dimensions"] = 20 },
                ["significantBits"] = 12,
                ["imageScore"] = "top",
                ["region"] = new JsonObject
                {
                    ["x"] = 0.1,
                    ["y"] = 0.05,
                    ["width"] = 0.8,
                    ["height"] = 0.9,
                },
            }
        );
        await service.Client.UploadAsync(
            Category,
            Enumerable.Range(0, 12).Select(seed => ($"{seed:000}.bmp", SyntheticParts.Good(seed, Side).ToBmp()))
        );
        await service.Client.FitAsync(Category);
    }

    private static (float Score, int[] Shape) Score(InferenceSession session, byte[] image)
    {
        var tensor = new DenseTensor<float>(new[] { 1, 3, Side, Side });
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(image).CopyTo(tensor.Buffer.Span);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("image", tensor)]);
        return (
            results.Single(value => value.Name == "score").AsTensor<float>().First(),
            results.Single(value => value.Name == "anomaly_map").AsTensor<float>().Dimensions.ToArray()
        );
    }

    private static string ReadSnippet()
    {
        const string start = "```python\n";
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "export.md"));
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
    }

    private static bool HasPillow()
    {
        if (!File.Exists(Python))
            return false;
        using var process = Process.Start(Python, ["-c", "import PIL, numpy"]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static Task<string> RunAsync(TempDirectory folder, string script) =>
        Programs.RunAsync(new ProcessStartInfo(Python, [script]) { WorkingDirectory = folder.Path });
}
