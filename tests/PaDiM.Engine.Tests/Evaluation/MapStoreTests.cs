using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Evaluation;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Evaluation;

public sealed class MapStoreTests
{
    [Fact]
    public void A_map_comes_back_with_the_size_of_its_image()
    {
        using var folder = new TempDirectory();
        var store = new MapStore(folder.Path);
        Assert.Null(store.Read("a/b.png"));
        store.Write(
            "a/b.png",
            new StoredMap(
                new AnomalyMap(new Grid(2, 3), [1, 2, 3, 4, 5, 6]),
                new Grid(40, 60),
                new RigidTransform(0.1, -2, 3)
            )
        );
        var kept = store.Read("a/b.png")!;
        Assert.Equal((new Grid(2, 3), new Grid(40, 60)), (kept.Map.Grid, kept.ImageSize));
        Assert.Equal(new RigidTransform(0.1, -2, 3), kept.Placement);
        Assert.Equal([1, 2, 3, 4, 5, 6], kept.Map.Values);
        Assert.Null(store.Read("a/c.png"));
    }

    [Fact]
    public void A_damaged_map_is_as_good_as_none()
    {
        using var folder = new TempDirectory();
        var store = new MapStore(folder.Path);
        store.Write(
            "image",
            new StoredMap(new AnomalyMap(new Grid(1, 2), [1, 2]), new Grid(1, 2), RigidTransform.Identity)
        );
        var path = Assert.Single(Directory.EnumerateFiles(folder.Path));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        Assert.Null(store.Read("image"));
    }
}
