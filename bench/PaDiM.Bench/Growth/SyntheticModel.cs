using System.Runtime.InteropServices;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Growth;

/// <summary>
/// Creates models with the settings and size of fitted ones and random factors: the cost of scoring does not depend on
/// their values.
/// </summary>
internal static class SyntheticModel
{
    public static PadimModel Create(Backbone backbone, FitSettings settings)
    {
        var grid = backbone.GetPatchGrid(settings);
        var d = settings.Dimensions;
        var random = new Random(1);
        var whitening = new short[(long)grid.Positions * PackedTriangle.GetLength(d)];
        random.NextBytes(MemoryMarshal.AsBytes(whitening.AsSpan()));
        var scale = new ushort[grid.Positions * d];
        // 2^-12 in bfloat16.
        Array.Fill(scale, (ushort)0x3980);
        var distribution = new QuantisedDistribution(grid, d, new float[grid.Positions * d], whitening, scale);
        return new PadimModel(
            settings,
            backbone.Identity,
            ChannelReduction.Draw(settings.Reduction, backbone.TapChannels, d, settings.Seed),
            distribution,
            new ThresholdCalibration([1, 2]),
            [new string('a', 64), new string('b', 64)]
        );
    }
}
