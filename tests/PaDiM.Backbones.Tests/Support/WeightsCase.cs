using PaDiM.Backbones.Weights;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>A file of weights with the bytes given.</summary>
internal sealed class WeightsCase : IDisposable
{
    private readonly TempDirectory _folder = new();

    public WeightsCase(byte[] bytes) => Put(bytes);

    public string Path => _folder.Combine("weights");

    /// <summary>Replaces the file.</summary>
    public void Put(byte[] bytes) => File.WriteAllBytes(Path, bytes);

    public WeightsFile Open() => WeightsFile.Open(Path);

    /// <summary>Opens it and reads every tensor.</summary>
    public void ReadAll()
    {
        using var file = Open();
        foreach (var tensor in file.Tensors.Values)
            tensor.Read();
    }

    /// <summary>The sentence with which a file is refused.</summary>
    public static string Refusal(byte[] bytes)
    {
        using var file = new WeightsCase(bytes);
        return Assert.Throws<InvalidDataException>(file.ReadAll).Message;
    }

    public void Dispose() => _folder.Dispose();
}
