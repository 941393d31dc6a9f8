using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Fitting;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class EmbeddingStoreTests
{
    private const string Image = "0123abcd";
    private static readonly BackboneIdentity Identity = new("tiny", "hash", ["a", "b"]);

    [Fact]
    public void An_embedding_comes_back_bit_for_bit()
    {
        using var folder = new TempDirectory();
        var store = new EmbeddingStore(folder.Path, TimeProvider.System);
        var embedding = Random(1);
        Assert.False(store.Contains("key", Image));
        Assert.Null(store.Read("key", Image));
        store.Write("key", Image, embedding);
        Assert.True(store.Contains("key", Image));
        var read = store.Read("key", Image)!;
        Assert.Equal((embedding.Grid, embedding.Dimensions), (read.Grid, read.Dimensions));
        Assert.Equal(embedding.Values, read.Values);
        Assert.Null(store.Read("other key", Image));
        Assert.Null(store.Read("key", "4567"));
    }

    [Fact]
    public void A_damaged_embedding_is_as_good_as_none()
    {
        using var folder = new TempDirectory();
        var store = new EmbeddingStore(folder.Path, TimeProvider.System);
        store.Write("key", Image, Random(1));
        var path = Assert.Single(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
        var bytes = File.ReadAllBytes(path);
        for (var at = 0; at < bytes.Length; at += 13)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x55;
            File.WriteAllBytes(path, damaged);
            // Only what is data, not padding or the order of keys in the header, must be seen.
            var read = store.Read("key", Image);
            if (read is not null)
                Assert.Equal(Random(1).Values, read.Values);
            File.WriteAllBytes(path, bytes[..at]);
            Assert.Null(store.Read("key", Image));
        }
        store.Write("key", Image, Random(2));
        Assert.Equal(Random(2).Values, store.Read("key", Image)!.Values);
    }

    [Fact]
    public void Reading_marks_an_embedding_as_of_use()
    {
        using var folder = new TempDirectory();
        new EmbeddingStore(folder.Path, TimeProvider.System).Write("key", Image, Random(1));
        var later = new Noon();
        Assert.NotNull(new EmbeddingStore(folder.Path, later).Read("key", Image));
        var path = Assert.Single(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
        Assert.Equal(later.GetUtcNow().UtcDateTime, File.GetLastWriteTimeUtc(path));
    }

    [Fact]
    public void A_file_of_another_shape_is_as_good_as_none()
    {
        using var folder = new TempDirectory();
        var store = new EmbeddingStore(folder.Path, TimeProvider.System);
        store.Write("key", Image, Random(1));
        var path = Assert.Single(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
        foreach (var shape in new long[][] { [4], [2, 2], [1, 1, 2, 2] })
        {
            using (var stream = File.Create(path))
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>(),
                    SafetensorsTensor.Create("embedding", shape, new float[4])
                );
            Assert.Null(store.Read("key", Image));
        }
    }

    [Fact]
    public void The_key_is_the_same_for_the_same_way_of_embedding_and_differs_with_everything_that_changes_it()
    {
        var settings = new FitSettings { ImageSize = 64, Dimensions = 3 };
        Assert.Equal(
            Key(settings: settings),
            Key(settings: settings with { Epsilon = 1, BlurSigma = 2, ImageScore = ImageScoreMethod.Top })
        );
        string[] keys =
        [
            Key(settings: settings),
            Key(settings: settings with { ImageSize = 65 }),
            Key(settings: settings with { CropSize = 32 }),
            Key(settings: settings with { JpegDecoding = JpegDecoding.FullSize }),
            Key(settings: settings with { SignificantBits = 10 }),
            Key(settings: settings with { SignificantBits = 12 }),
            Key(settings: settings with { LocalAverage = !settings.LocalAverage }),
            Key(settings: settings with { Seed = 1 }),
            Key(settings: settings with { Dimensions = 4 }),
            Key(settings: settings with { Reduction = ReductionMethod.Random }),
            Key(settings: settings with { Reduction = ReductionMethod.Random, Seed = 1 }),
            Key(settings: settings with { Reduction = ReductionMethod.None }),
            Key(Identity with { Sha256 = "other" }, settings: settings),
            Key(Identity with { Taps = ["a", "c"] }, settings: settings),
            Key(normalisation: Normalisation.ImageNet with { Std = [1, 1, 1] }, settings: settings),
            Key(normalisation: Normalisation.ImageNet with { Mean = [0, 0, 0] }, settings: settings),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Matches("^[0-9a-f]{32}$", key));
        Assert.Equal(keys[0], Key(Identity with { Name = "renamed" }, settings: settings));
    }

    private static string Key(
        BackboneIdentity? identity = null,
        Normalisation? normalisation = null,
        FitSettings? settings = null
    ) =>
        EmbeddingStore.CreateKey(
            (identity ?? Identity) with
            {
                Normalisation = (normalisation ?? Normalisation.ImageNet).ToString(),
            },
            settings!,
            ChannelReduction.Draw(settings!.Reduction, [5, 6], settings.Dimensions, settings.Seed)
        );

    private static PatchEmbedding Random(int seed)
    {
        var random = new Random(seed);
        return new PatchEmbedding(new Grid(3, 4), 5, [.. Enumerable.Range(0, 60).Select(_ => random.NextSingle())]);
    }

    private sealed class Noon : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2040, 1, 1, 12, 0, 0, TimeSpan.Zero);
    }
}
