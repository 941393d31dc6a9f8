using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Pipelines;
using PaDiM.Onnx.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Onnx.Tests.Pipelines;

public sealed class HalfPrecisionWeightsTests
{
    private const string Single = "backbones/tiny.onnx";

    [Fact]
    public void Weights_of_16_bits_score_as_those_of_32_bits()
    {
        Assert.SkipUnless(SharedFolder.Has(Single), SharedFolder.Missing(Single));
        using var full = Backbone.Load(new BackboneFile("tiny32", SharedFolder.Path(Single), IsBuiltIn: false), BackboneFolder.Cpu);
        using var fits = new Fits();
        var half = new Inspector(fits.Run(fits.Parts(0, 16)), Fits.Tiny);
        var single = new Inspector(fits.Run(fits.Parts(0, 16), backbone: full), full);
        Assert.NotEqual(half.Model.Backbone.Sha256, single.Model.Backbone.Sha256);
        var parts = Enumerable.Range(50, 4).Select(seed => SyntheticParts.Good(seed, 72))
            .Concat(Enumerable.Range(60, 4).Select(seed => SyntheticParts.Defective(seed, (DefectKind)(seed % 2), 72).Image));
        foreach (var part in parts)
        {
            var image = Decoding.Image(part.ToBmp());
            var expected = single.Score(image).Max();
            Assert.InRange(Math.Abs(half.Score(image).Max() - expected) / expected, 0, 1e-2);
        }
    }
}
