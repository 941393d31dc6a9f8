using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>
/// What PyTorch answers to <see cref="RandomWeights"/>: the fixtures made by tools/fixtures/torchvision_taps.py and
/// tools/fixtures/vision_transformers.py.
/// </summary>
/// <param name="path">File below Fixtures.</param>
internal sealed class TorchTaps(string path)
{
    /// <summary>Of torchvision's networks.</summary>
    public static TorchTaps Torchvision { get; } = new("torchvision_taps.safetensors");

    /// <summary>Of small vision transformers.</summary>
    public static TorchTaps Transformers { get; } = new("Transformers/vision_transformers.safetensors");

    private const int Samples = 1000;

    /// <summary>
    /// The largest difference from PyTorch's values of a tap, over the root mean square of all its values.
    /// </summary>
    /// <param name="network">Name in the fixture.</param>
    /// <param name="size">Size of the image.</param>
    /// <param name="tap">Tap.</param>
    /// <param name="channels">Channels of the map.</param>
    /// <param name="values">Shape (channels, h, w).</param>
    public double Deviation(string network, Grid size, string tap, int channels, ReadOnlySpan<float> values)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Fixtures", path));
        var reader = SafetensorsReader.Open(file, verified: true);
        var name = $"{network}/{size.Height}x{size.Width}/{tap}";
        var shape = reader.ReadArray<int>($"{name}.shape", 4);
        Assert.Equal((shape[1], shape[1] * shape[2] * shape[3]), (channels, values.Length));
        var expected = reader.ReadArray<float>(name, Samples);
        var moments = reader.ReadArray<double>($"{name}.moments", 2);
        int[] positions =
        [
            .. RandomWeights.Numbers(name).Take(Samples).Select(u => (int)(u * shape[1] * shape[2] * shape[3])),
        ];
        var largest = 0.0;
        var sum = 0.0;
        var squares = 0.0;
        for (var i = 0; i < Samples; i++)
            largest = Math.Max(largest, Math.Abs(expected[i] - (double)values[positions[i]]));
        foreach (var value in values)
        {
            sum = sum + value;
            squares = squares + (double)value * value;
        }
        Assert.Equal(moments[0], sum / values.Length, 1e-5 * moments[1]);
        Assert.Equal(moments[1], Math.Sqrt(squares / values.Length), 1e-5 * moments[1]);
        return largest / moments[1];
    }
}
