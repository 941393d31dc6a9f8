using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Cli.Tests.Support;

/// <summary>Represents a model that the program fitted to synthetic parts, shared by the tests that score.</summary>
public sealed class FittedModel : IDisposable
{
    private readonly TempDirectory _folder = new();

    public FittedModel()
    {
        Write(Path.Combine(_folder.Path, "good"), 0, 16);
        FitOutput = Padim
            .Run(
                "fit",
                _folder.Combine("good"),
                "--out",
                File,
                "--image-size",
                "64",
                "--dimensions",
                "30",
                "--threads",
                "2"
            )
            .Succeeded()
            .Output;
    }

    public string File => _folder.Combine("models", "part.safetensors");

    public string GoodParts => _folder.Combine("good");

    public string FitOutput { get; }

    /// <summary>Writes bitmaps of good parts, named by their seed.</summary>
    public static void Write(string directory, int first, int count)
    {
        Directory.CreateDirectory(directory);
        for (var seed = first; seed < first + count; seed++)
            System.IO.File.WriteAllBytes(
                Path.Combine(directory, $"part{seed:d3}.bmp"),
                SyntheticParts.Good(seed, 80).ToBmp()
            );
    }

    public static void WriteDefective(string path, int seed)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, SyntheticParts.Defective(seed, DefectKind.Dent, 80).Image.ToBmp());
    }

    public void Dispose() => _folder.Dispose();
}
