namespace PaDiM.Backbones.Architectures;

/// <summary>A convolution of a network, by the names of its tensors in a file of weights.</summary>
/// <param name="Name">Its weight is <c>Name.weight</c>, (Out, In / Groups, Kernel, Kernel); without a normalisation it
/// has <c>Name.bias</c>, (Out).</param>
/// <param name="Norm">The batch normalisation behind it, whose <c>weight</c>, <c>bias</c>, <c>running_mean</c> and
/// <c>running_var</c> are each (Out); null for none.</param>
/// <param name="In">Channels that come in.</param>
/// <param name="Out">Channels that go out.</param>
/// <param name="Kernel">Rows and columns, an odd number; the border is padded with half as many zeros.</param>
/// <param name="Stride">Pixels from one position to the next.</param>
/// <param name="Groups">Groups of channels that do not see each other.</param>
internal sealed record Convolution(
    string Name,
    string? Norm,
    int In,
    int Out,
    int Kernel,
    int Stride = 1,
    int Groups = 1
)
{
    private static readonly string[] NormRoles = ["weight", "bias", "running_mean", "running_var"];

    /// <summary>Shape of the weight.</summary>
    public long[] Shape => [Out, In / Groups, Kernel, Kernel];

    /// <summary>The tensors that it takes, with their shapes.</summary>
    public IEnumerable<(string Name, long[] Shape)> Tensors =>
        [
            ($"{Name}.weight", Shape),
            .. Norm is null
                ? [($"{Name}.bias", [Out])]
                : NormRoles.Select(role => ($"{Norm}.{role}", new long[] { Out })),
        ];

    /// <summary>
    /// Weight and bias of one convolution that does the work of both layers: computed in float64 and rounded once.
    /// </summary>
    /// <param name="read">Gives a tensor by its name.</param>
    /// <param name="epsilon">Added to the variances.</param>
    public (float[] Weight, float[] Bias) Fold(Func<string, float[]> read, double epsilon)
    {
        var weight = read($"{Name}.weight");
        if (Norm is null)
            return (weight, read($"{Name}.bias"));
        var scale = read($"{Norm}.weight");
        var shift = read($"{Norm}.bias");
        var mean = read($"{Norm}.running_mean");
        var variance = read($"{Norm}.running_var");
        var folded = new float[weight.Length];
        var bias = new float[Out];
        var perChannel = weight.Length / Out;
        for (var channel = 0; channel < Out; channel++)
        {
            var factor = scale[channel] / Math.Sqrt(variance[channel] + epsilon);
            bias[channel] = (float)(shift[channel] - mean[channel] * factor);
            for (var i = channel * perChannel; i < (channel + 1) * perChannel; i++)
                folded[i] = (float)(weight[i] * factor);
        }
        return (folded, bias);
    }
}
