namespace PaDiM.Backbones.Architectures;

/// <summary>Represents a convolution of a network, by the names of its tensors in a file of weights.</summary>
/// <param name="Name">Its weight is <c>Name.weight</c>, (Out, In / Groups, Kernel, Kernel). Without a normalisation it
/// also has <c>Name.bias</c>, (Out).</param>
/// <param name="Norm">The batch normalisation after it, whose <c>weight</c>, <c>bias</c>, <c>running_mean</c> and
/// <c>running_var</c> are each (Out); null for none.</param>
/// <param name="In">The input channels.</param>
/// <param name="Out">The output channels.</param>
/// <param name="Kernel">The rows and columns of the kernel, an odd number. Borders are padded with half as many
/// zeros.</param>
/// <param name="Stride">The pixels from one position to the next.</param>
/// <param name="Groups">The groups of channels that are convolved separately.</param>
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

    /// <summary>Gets the shape of the weight.</summary>
    public long[] Shape => [Out, In / Groups, Kernel, Kernel];

    /// <summary>Gets the tensors of the layer, with their shapes.</summary>
    public IEnumerable<(string Name, long[] Shape)> Tensors =>
        [
            ($"{Name}.weight", Shape),
            .. Norm is null
                ? [($"{Name}.bias", [Out])]
                : NormRoles.Select(role => ($"{Norm}.{role}", new long[] { Out })),
        ];

    /// <summary>
    /// Computes the weight and bias of one convolution that does the work of both layers, in float64 and rounded once.
    /// </summary>
    /// <param name="read">Reads a tensor by name.</param>
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
