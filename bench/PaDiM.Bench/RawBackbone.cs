using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench;

/// <summary>Represents all channels of one tap.</summary>
/// <param name="Values">The values, shape <c>(grid.Height, grid.Width, channels)</c>.</param>
/// <param name="Channels">C_l.</param>
/// <param name="Grid">The grid at the tap's own stride.</param>
internal sealed record RawTap(float[] Values, int Channels, Grid Grid);

/// <summary>
/// Runs a backbone without anything after its taps: the baseline of all comparisons, and the input for trying many
/// reductions.
/// </summary>
internal sealed class RawBackbone : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    public RawBackbone(Backbone backbone) =>
        _session = backbone.Runtime.CreateSession(
            (
                backbone.ReadGraph()
                ?? throw new InvalidDataException($"The file of the backbone '{backbone.File.Name}' has changed.")
            ).ToArray()
        );

    /// <summary>Runs only the network.</summary>
    /// <param name="prepared">The images, shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">The images in the batch.</param>
    /// <param name="size">The prepared size.</param>
    public void Run(float[] prepared, int count, Grid size) => RunAll(prepared, count, size).Dispose();

    /// <summary>Extracts all channels of one image.</summary>
    public RawTap[] Extract(float[] prepared, Grid size)
    {
        using var maps = RunAll(prepared, 1, size);
        return [.. maps.Select(ChannelsLast)];
    }

    /// <summary>Computes the embedding of reduced channels.</summary>
    public static PatchEmbedding Embed(IReadOnlyList<RawTap> taps, ChannelReduction reduction, bool localAverage) =>
        PatchEmbedding.FromTaps(
            new ReducedTaps([.. taps.Select((tap, i) => Reduce(tap, i, reduction, localAverage))], reduction.Dimensions)
        );

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }

    private IDisposableReadOnlyCollection<OrtValue> RunAll(float[] prepared, int count, Grid size)
    {
        using var batch = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance,
            prepared.AsMemory(0, count * 3 * size.Positions),
            [count, 3, size.Height, size.Width]
        );
        return _session.Run(_options, [_session.InputNames[0]], [batch], _session.OutputNames);
    }

    private static RawTap ChannelsLast(OrtValue map)
    {
        var shape = map.GetTensorTypeAndShape().Shape;
        var channels = (int)shape[1];
        var grid = new Grid((int)shape[2], (int)shape[3]);
        var source = map.GetTensorDataAsSpan<float>();
        var values = new float[channels * grid.Positions];
        for (var c = 0; c < channels; c++)
        for (var p = 0; p < grid.Positions; p++)
            values[p * channels + c] = source[c * grid.Positions + p];
        return new RawTap(values, channels, grid);
    }

    private static FeatureMap Reduce(RawTap tap, int index, ChannelReduction reduction, bool localAverage)
    {
        var d = reduction.Dimensions;
        var weights = reduction.GetTapWeights(index);
        var reduced = new float[tap.Grid.Positions * reduction.Dimensions];
        Parallel.For(
            0,
            tap.Grid.Positions,
            p =>
            {
                var target = reduced.AsSpan(p * d, d);
                for (var c = 0; c < tap.Channels; c++)
                {
                    var value = tap.Values[p * tap.Channels + c];
                    if (value != 0)
                        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(
                            weights.Span.Slice(c * d, d),
                            value,
                            target,
                            target
                        );
                }
            }
        );
        if (localAverage)
            LocalAverage.Apply(reduced, tap.Grid);
        return new FeatureMap(reduced, tap.Grid);
    }
}
