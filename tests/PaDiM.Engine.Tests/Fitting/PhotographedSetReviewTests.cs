using System.Collections.Concurrent;
using PaDiM.Core.DatasetReview;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Two sets of real photographs.</summary>
public sealed class PhotographedSetReviewTests(ITestOutputHelper output)
{
    private const string Tiles = "data/magnetic_tile/train/good",
        Bottles = "data/mvtec_bottle/train/good";

    private static readonly int[] Tried = [3, 20, 44, 70, 91, 110, 131, 152, 177, 199];

    /// <summary>Each set is decoded and measured once.</summary>
    private static readonly ConcurrentDictionary<string, Lazy<PhotographedSet>> Sets = new();

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Findings_in_a_good_set_are_rare(string folder)
    {
        var findings = TrainingSetReview.FindAll(Load(folder).Traits);
        foreach (var finding in findings)
            output.WriteLine($"{finding}");
        Assert.InRange(findings.Count, 0, 6);
    }

    [Theory]
    [InlineData(Tiles)]
    [InlineData(Bottles)]
    public void Copies_are_found(string folder)
    {
        var (traits, images) = Load(folder);
        var missed = new List<string>();
        foreach (var i in Tried)
        {
            foreach (
                var (name, copy) in new[]
                {
                    ("recoded", images[i].Recoded()),
                    ("poorly recoded", images[i].Recoded(60)),
                    ("brightened", images[i].Exposed(1.02)),
                    ("moved", images[i].Moved(0.5)),
                }
            )
                if (!Finds(traits, copy, TrainingFindingKind.NearDuplicate))
                    missed.Add($"{i} {name}");
        }
        Assert.Empty(missed);
    }

    [Theory]
    [InlineData(Tiles, 1.5)]
    [InlineData(Tiles, 3)]
    [InlineData(Tiles, 12)]
    [InlineData(Bottles, 0.75)]
    [InlineData(Bottles, 1.5)]
    [InlineData(Bottles, 3)]
    [InlineData(Bottles, 12)]
    public void Blurred_copies_are_found(string folder, double sigma)
    {
        var (traits, images) = Load(folder);
        Assert.All(Tried, i => Assert.True(Finds(traits, images[i].Blurred(sigma), TrainingFindingKind.Blurred)));
    }

    /// <summary>
    /// The light on the tiles differs by two stops from one to the next: there only gross errors stand out.
    /// </summary>
    [Theory]
    [InlineData(Tiles, 0.05, TrainingFindingKind.Underexposed)]
    [InlineData(Tiles, 8, TrainingFindingKind.Overexposed)]
    [InlineData(Bottles, 0.6, TrainingFindingKind.Underexposed)]
    [InlineData(Bottles, 1.5, TrainingFindingKind.Overexposed)]
    public void Wrongly_exposed_copies_are_found(string folder, double factor, TrainingFindingKind kind)
    {
        var (traits, images) = Load(folder);
        Assert.All(Tried, i => Assert.True(Finds(traits, images[i].Exposed(factor), kind)));
    }

    private static bool Finds(ImageTraits[] set, RgbImage image, TrainingFindingKind kind) =>
        TrainingSetReview
            .FindAll([.. set, image.Traits()])
            .Any(finding => finding.Index == set.Length && finding.Kind == kind);

    private static PhotographedSet Load(string folder)
    {
        Assert.SkipUnless(SharedFolder.Has(folder), SharedFolder.Missing(folder));
        return Sets.GetOrAdd(folder, name => new Lazy<PhotographedSet>(() => Measure(SharedFolder.Path(name)))).Value;
    }

    private static PhotographedSet Measure(string folder)
    {
        var measured = Directory
            .GetFiles(folder)
            .Order(StringComparer.Ordinal)
            .Select((path, i) => (path, i))
            .AsParallel()
            .AsOrdered()
            .Select(file =>
            {
                var image = TestDecoder.Image(File.ReadAllBytes(file.path));
                return (Traits: image.Traits(), Image: Tried.Contains(file.i) ? image : null);
            })
            .ToArray();
        return new PhotographedSet(
            [.. measured.Select(file => file.Traits)],
            Tried.ToDictionary(i => i, i => measured[i].Image!)
        );
    }

    /// <summary>A set of photographs.</summary>
    /// <param name="Traits">Of all.</param>
    /// <param name="Images">Those of <see cref="Tried"/>, by index.</param>
    private sealed record PhotographedSet(ImageTraits[] Traits, IReadOnlyDictionary<int, RgbImage> Images);
}
