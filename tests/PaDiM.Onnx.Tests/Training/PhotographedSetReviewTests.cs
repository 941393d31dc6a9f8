using PaDiM.Core.Training;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Onnx.Tests.Training;

/// <summary>Two sets of real photographs.</summary>
public sealed class PhotographedSetReviewTests(ITestOutputHelper output)
{
    private const string Tiles = "data/magnetic_tile/train/good", Bottles = "data/mvtec_bottle/train/good";

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Findings_in_a_good_set_are_rare(string folder)
    {
        var findings = TrainingSetReview.Of(Measure(Load(folder)));
        foreach (var finding in findings) output.WriteLine($"{finding}");
        Assert.InRange(findings.Count, 0, 6);
    }

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Copies_are_found(string folder)
    {
        var images = Load(folder);
        var traits = Measure(images);
        var missed = new List<string>();
        foreach (var i in Enumerable.Range(0, 20).Select(i => i * 10))
        {
            var moved = images[i].Moved((int)Math.Round(images[i].Width / 512.0));
            foreach (var (name, copy) in new[] { ("recoded", images[i].Recoded()), ("poorly recoded", images[i].Recoded(60)), ("brightened", images[i].Exposed(1.02)), ("moved", moved) })
            {
                var finding = TrainingSetReview.Of([.. traits, copy.Traits()]).SingleOrDefault(finding => finding.Index == images.Length && finding.Kind == TrainingFindingKind.NearDuplicate);
                if (finding?.Of != i) missed.Add($"{name} {i} {finding}");
            }
        }
        foreach (var miss in missed) output.WriteLine(miss);
        Assert.Empty(missed);
    }

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Blurred_copies_are_found(string folder)
    {
        var images = Load(folder);
        var traits = Measure(images);
        foreach (var sigma in new[] { 0.75, 1, 1.5, 3, 6, 12 })
        {
            var found = Enumerable.Range(0, 20).Count(i => Finds(traits, images[i * 10].Blurred(sigma), TrainingFindingKind.Blurred));
            output.WriteLine($"sigma {sigma}: {found} of 20");
        }
    }

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Wrongly_exposed_copies_are_found(string folder)
    {
        var images = Load(folder);
        var traits = Measure(images);
        foreach (var factor in new[] { 0.05, 0.1, 0.2, 0.4, 0.6, 1.5, 2, 4, 8 })
        {
            var found = Enumerable.Range(0, 20).Count(i => Finds(traits, images[i * 10].Exposed(factor), factor < 1 ? TrainingFindingKind.Underexposed : TrainingFindingKind.Overexposed));
            output.WriteLine($"factor {factor}: {found} of 20");
        }
    }

    private static bool Finds(ImageTraits[] set, RgbImage image, TrainingFindingKind kind) =>
        TrainingSetReview.Of([.. set, image.Traits()]).Any(finding => finding.Index == set.Length && finding.Kind == kind);

    private static RgbImage[] Load(string folder)
    {
        Assert.SkipUnless(SharedFolder.Has(folder), SharedFolder.Missing(folder));
        return [.. Directory.GetFiles(SharedFolder.Path(folder)).Order(StringComparer.Ordinal).AsParallel().AsOrdered().Select(path => Decoding.Image(File.ReadAllBytes(path)))];
    }

    private static ImageTraits[] Measure(RgbImage[] images) => [.. images.AsParallel().AsOrdered().Select(image => image.Traits())];
}
