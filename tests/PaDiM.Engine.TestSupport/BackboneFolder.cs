using PaDiM.Engine.Inference;
using PaDiM.TestSupport;

namespace PaDiM.Engine.TestSupport;

/// <summary>A folder of backbones of its own, and a registry that looks there.</summary>
internal sealed class BackboneFolder : IDisposable
{
    private readonly TempDirectory _folder = new();

    public BackboneFolder() => Registry = new BackboneRegistry([_folder.Path], Cpu);

    /// <summary>Two threads: as many as a small machine has.</summary>
    public static BackboneRuntime Cpu { get; } = BackboneRuntime.Create(DevicePreference.Cpu, 2);

    public BackboneRegistry Registry { get; }

    public string Path => _folder.Path;

    public BackboneFolder Put(string name, byte[] onnx, string? manifest = null)
    {
        File.WriteAllBytes(_folder.Combine($"{name}.onnx"), onnx);
        if (manifest is not null)
            File.WriteAllText(_folder.Combine($"{name}.json"), manifest);
        return this;
    }

    public BackboneFolder Put(string name, OnnxGraph graph, string? manifest = null) =>
        Put(name, graph.ToArray(), manifest);

    /// <summary>The sentence with which a backbone is refused.</summary>
    public string Refusal(string name)
    {
        var message = Assert.Throws<InvalidDataException>(() => Registry.Open(name)).Message;
        Assert.StartsWith($"The backbone '{name}' cannot be used: ", message, StringComparison.Ordinal);
        return message;
    }

    public void Dispose()
    {
        Registry.Dispose();
        _folder.Dispose();
    }
}
