using System.CommandLine;
using Microsoft.Data.Sqlite;
using PaDiM.Backbones.Quantisation;
using PaDiM.Bench.Charts;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Engine;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Bench;

/// <summary>
/// Holds what several measurements share: images, backbones, their int8 variants and models, and a temporary folder.
/// </summary>
internal sealed class Workbench : IDisposable
{
    private const int CalibrationImages = 60,
        DecodedImages = 32;

    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("padim-bench-");
    private readonly Dictionary<(string, ReductionMethod), PadimModel> _models = [];
    private readonly string? _charts;

    public Workbench(ParseResult arguments)
    {
        BackboneDirectory = Path.GetFullPath(arguments.GetValue(Backbones)!);
        Registry = new BackboneRegistry(
            [BackboneDirectory, _scratch.FullName],
            BackboneRuntime.Create(DevicePreference.Cpu, arguments.GetValue(Threads))
        );
        Files =
        [
            .. Directory
                .EnumerateFiles(arguments.GetValue(Folder)!)
                .Where(path => Path.GetExtension(path) is ".jpg" or ".png" or ".bmp")
                .Order(StringComparer.Ordinal)
                .Select(File.ReadAllBytes),
        ];
        if (Files.Count < BackboneQuantiser.MinImages)
            throw new InvalidOperationException(
                $"The folder has {Files.Count} images; at least {BackboneQuantiser.MinImages} are required."
            );
        Images = [.. Files.Take(DecodedImages).Select(Decode)];
        _charts = arguments.GetValue(ChartFolder);
    }

    public static Argument<string> Folder { get; } = new("dir") { Description = "Folder of images of good parts." };

    public static Option<string> Backbones { get; } =
        new("--backbones")
        {
            Description = "Folder with more backbones, such as resnet18.",
            DefaultValueFactory = _ => BackboneDirectories.BuiltIn,
        };

    public static Option<int> Threads { get; } =
        new("--threads") { Description = "Threads for inference and kernels; 0 for one per core." };

    public static Option<string?> ChartFolder { get; } = new("--charts") { Description = "Folder for charts (SVG)." };

    public BackboneRegistry Registry { get; }

    public string BackboneDirectory { get; }

    /// <summary>Gets the encoded images.</summary>
    public IReadOnlyList<byte[]> Files { get; }

    /// <summary>Gets the first images, decoded.</summary>
    public IReadOnlyList<RgbImage> Images { get; }

    public ImageDecoder Decoder { get; } = new();

    public string Scratch => _scratch.FullName;

    public int ThreadCount => Registry.Runtime.Threads;

    /// <summary>Creates a command that uses a workbench.</summary>
    public static Command CreateCommand(string name, string description, Func<Workbench, ParseResult, Task> run)
    {
        var command = new Command(name, description) { Folder, Backbones, Threads, ChartFolder };
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                using var workbench = new Workbench(arguments);
                try
                {
                    // Like a request, not on the main thread, which is never bound to a processor.
                    await Task.Run(() => run(workbench, arguments), cancellationToken);
                    return 0;
                }
                catch (PlatformNotSupportedException e)
                {
                    await Console.Error.WriteLineAsync(e.Message);
                    return 1;
                }
            }
        );
        return command;
    }

    /// <summary>Decodes an image as for a model with default settings.</summary>
    public RgbImage Decode(byte[] bytes) =>
        ((DecodeResult.Decoded)Decoder.Decode(bytes, DecodeOptions.For(new FitSettings()))).Image;

    /// <summary>Finds the first of these backbones that exists, or else the built-in one.</summary>
    public string FindFirstBackbone(params string[] names) =>
        names.FirstOrDefault(name => Registry.Directories.Find(name) is not null) ?? BackboneRegistry.DefaultName;

    /// <summary>Opens a backbone. A missing int8 variant is created from the images.</summary>
    public Backbone Open(string name)
    {
        if (
            Registry.Directories.Find(name) is null
            && name.EndsWith(BackboneQuantiser.Suffix, StringComparison.Ordinal)
        )
            Quantise(name[..^BackboneQuantiser.Suffix.Length]);
        return Registry.Open(name);
    }

    /// <summary>
    /// Fits a model to all images with a reduction and otherwise default settings. Each model is fitted only once.
    /// </summary>
    public PadimModel Fit(string backbone, ReductionMethod reduction = ReductionMethod.SemiOrthogonal)
    {
        if (_models.TryGetValue((backbone, reduction), out var model))
            return model;
        return _models[(backbone, reduction)] = Fit(Open(backbone), new FitSettings { Reduction = reduction }, Files);
    }

    /// <summary>Fits a model without stored embeddings.</summary>
    public PadimModel Fit(Backbone backbone, FitSettings settings, IReadOnlyList<byte[]> files)
    {
        var store = Directory.CreateDirectory(Path.Combine(Scratch, Guid.NewGuid().ToString("n")));
        try
        {
            return new FitPipeline(
                backbone,
                settings,
                Decoder,
                new EmbeddingStore(store.FullName, TimeProvider.System),
                ComputeContext.OnThreadPool(backbone.Runtime.Threads)
            ).Run(
                [.. files.Select(bytes => new TrainingImage(FileHash.Compute(bytes), () => bytes))],
                null,
                null,
                null,
                CancellationToken.None
            );
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    /// <summary>Writes a chart if a folder for charts is given.</summary>
    public void Draw(string name, Chart chart)
    {
        if (_charts is null)
            return;
        Directory.CreateDirectory(_charts);
        File.WriteAllText(Path.Combine(_charts, $"{name}.svg"), chart.ToSvg());
    }

    public void Dispose()
    {
        Registry.Dispose();
        // A pool of connections may remove the files beside a database of SQLite while they are listed.
        SqliteConnection.ClearAllPools();
        try
        {
            _scratch.Delete(recursive: true);
        }
        catch (IOException e)
        {
            // What was measured is printed already.
            Console.Error.WriteLine($"{_scratch.FullName} could not be deleted: {e.Message}");
        }
    }

    private void Quantise(string name)
    {
        var step = Math.Max(1, Files.Count / CalibrationImages);
        Func<RgbImage>[] images =
        [
            .. Files
                .Where((_, i) => i % step == 0)
                .Take(CalibrationImages)
                .Select(bytes => (Func<RgbImage>)(() => Decode(bytes))),
        ];
        using var quantiser = new BackboneQuantiser(
            Registry.Directories.Find(name) ?? throw new KeyNotFoundException($"There is no backbone named '{name}'."),
            Registry.Runtime
        );
        var made = quantiser.Run(images, new QuantisationSettings(), _ => { }, CancellationToken.None);
        File.WriteAllBytes(Path.Combine(Scratch, $"{made.Name}.json"), made.Manifest.ToJson());
        File.WriteAllBytes(Path.Combine(Scratch, $"{made.Name}.onnx"), made.Onnx);
    }
}
