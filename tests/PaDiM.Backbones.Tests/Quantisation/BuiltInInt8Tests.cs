using PaDiM.Backbones.Tests.Support;
using PaDiM.Core.Geometry;
using PaDiM.Engine;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.TestSupport;

namespace PaDiM.Backbones.Tests.Quantisation;

public sealed class BuiltInInt8Tests
{
    private const int Size = 256;

    [Fact]
    public void The_built_in_int8_network_gives_the_features_of_the_float32_one()
    {
        using var folder = new BackboneFolder();
        var plain = folder.Registry.Open("tiny");
        var integer = folder.Registry.Open("tiny-int8");
        Assert.True(integer.File.IsBuiltIn);
        Assert.Equal(plain.Taps, integer.Taps);
        Assert.Equal(plain.Identity.Sha256, integer.Manifest.Quantisation!.Sha256);
        Assert.Equal(plain.Manifest.Licence, integer.Manifest.Licence);
        var size = new Grid(Size, Size);
        var pixels = new float[3 * Size * Size];
        new PaDiM.Imaging.Preprocessing.Preprocessor(
            new PaDiM.Core.Models.FitSettings(),
            plain.Manifest.Normalisation
        ).Prepare(TestDecoder.Image(PaDiM.TestSupport.Parts.SyntheticParts.Good(1, 200).ToBmp()), pixels);
        var all = PaDiM.Core.Embedding.ChannelReduction.Draw(
            PaDiM.Core.Embedding.ReductionMethod.None,
            plain.TapChannels,
            0,
            0
        );
        using var exact = plain.Extract(pixels, 1, size, all, ComputeContext.OnThreadPool(2));
        using var rounded = integer.Extract(pixels, 1, size, all, ComputeContext.OnThreadPool(2));
        foreach (var (reference, map, told) in exact[0].Zip(rounded[0], integer.Manifest.Quantisation.Sqnr))
        {
            var signal = 0.0;
            var noise = 0.0;
            for (var i = 0; i < map.Values.Length; i++)
            {
                signal = signal + Math.Pow(reference.Values.Span[i], 2);
                noise = noise + Math.Pow(reference.Values.Span[i] - (double)map.Values.Span[i], 2);
            }
            // Measured on photographs; a drawn part has less to see, and so less signal.
            Assert.True(
                10 * Math.Log10(signal / noise) > told - 5,
                $"{10 * Math.Log10(signal / noise):f1} dB, {told} dB told"
            );
        }
    }

    [Fact]
    public void The_built_in_int8_network_runs_on_integer_kernels()
    {
        var kernels = Quantising.KernelsOf(
            File.ReadAllBytes(Path.Combine(BackboneDirectories.BuiltIn, "tiny-int8.onnx"))
        );
        Assert.Equal(26, kernels.Count(kernel => kernel == "QLinearConv"));
        Assert.Equal(5, kernels.Count(kernel => kernel == "QLinearAdd"));
        // The sum that gives the last tap stays float32.
        Assert.Single(kernels, "Add");
    }
}
