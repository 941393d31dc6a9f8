using PaDiM.Backbones.Architectures;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>Files of a network with random weights in a folder of their own.</summary>
internal sealed class NetworkFile(string architecture) : IDisposable
{
    private readonly TempDirectory _folder = new();

    public string Weights => _folder.Combine("weights");

    public string Onnx => _folder.Combine($"{architecture}.onnx");

    /// <summary>
    /// Standard deviations of weights, over what keeps a layer's variance; as the fixtures were made.
    /// </summary>
    private double Gain => architecture == "efficientnet_b5" ? 1.25 : 1;

    /// <summary>Every tensor that the network takes, by torchvision's names.</summary>
    public IEnumerable<(string Name, long[] Shape, float[] Values)> Tensors() =>
        BackboneArchitecture
            .Find(architecture)
            .Forms[0]
            .Graph()
            .Convolutions.SelectMany(layer => layer.Tensors)
            .Select(tensor => (tensor.Name, tensor.Shape, RandomWeights.Tensor(tensor.Name, tensor.Shape, Gain)));

    /// <summary>Makes the ONNX file of these tensors, or of the network's own.</summary>
    public NetworkFile Build(IEnumerable<(string Name, long[] Shape, float[] Values)>? tensors = null)
    {
        RandomWeights.Write(Weights, tensors ?? Tensors());
        BackboneArchitecture.WriteOnnx(architecture, Weights, Onnx);
        return this;
    }

    /// <summary>The sentence with which tensors are refused.</summary>
    public string Refusal(IEnumerable<(string Name, long[] Shape, float[] Values)> tensors)
    {
        var message = Assert.Throws<InvalidDataException>(() => Build(tensors)).Message;
        Assert.False(File.Exists(Onnx));
        return message;
    }

    public Backbone Load() => Backbone.Load(new BackboneFile(architecture, Onnx, IsBuiltIn: false), BackboneFolder.Cpu);

    public void Dispose() => _folder.Dispose();
}
